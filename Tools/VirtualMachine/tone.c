/* tone s16|float: looks at a tone of 1000 Hz in stereo samples at 48000 Hz on standard input, raw or as a WAV file. Prints the seconds of
 * it that there are, those of its longest stretch without a jump, and how many stretches there are. The sum of a sample of a sine and
 * the one before the last is the last one times a constant; a rate that is off by a thousandth changes nothing in that, and a sample
 * that is missing, doubled or wrong does. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What rounding and a resampler leave, and what is no silence, in units of 16 bits. */
static const double rounding = 12, audible = 1500;

static int next(int is_float, double *left) {
    union {
        int16_t s[2];
        float f[2];
    } frame;
    if (fread(&frame, is_float ? 8 : 4, 1, stdin) != 1) return 0;
    *left = is_float ? frame.f[0] * 32768.0 : frame.s[0];
    return 1;
}

/* The writer of such a file may not have ended it: its length is not to be relied on. */
static void skip_header(void) {
    char last[4] = {0};
    int octet = getc(stdin);
    ungetc(octet, stdin);
    if (octet != 'R') return;
    while (memcmp(last, "data", 4) && (octet = getc(stdin)) != EOF) {
        memmove(last, last + 1, 3);
        last[3] = octet;
    }
    if (fread(last, 4, 1, stdin) != 1) fprintf(stderr, "tone: no samples\n");
}

int main(int count, char **words) {
    if (count != 2 || (strcmp(words[1], "s16") && strcmp(words[1], "float"))) return 2;
    int is_float = !strcmp(words[1], "float");
    const double turn = 2 * cos(2 * M_PI * 1000 / 48000);
    /* A quarter of a period back lies the sine's cosine. */
    double past[13] = {0}, sample;
    long total = 0, longest = 0, run = 0, stretches = 0;
    skip_header();
    while (next(is_float, &sample)) {
        memmove(past, past + 1, sizeof past - sizeof *past);
        past[12] = sample;
        int goes_on = fabs(past[10] + past[12] - turn * past[11]) < rounding && hypot(past[11], past[0]) > audible;
        run = goes_on ? run + 1 : 0;
        total += goes_on;
        stretches += run == 480;
        if (run > longest) longest = run;
    }
    printf("%.1f %.1f %ld\n", total / 48000.0, longest / 48000.0, stretches);
}
