/* arrivals card|pipe|NETWORK PERIOD COUNT: how long the first sample of a period waits from its capture until this program has the
 * period: read from the card hw:Loopback,0 by itself, from standard input, or from a network. 48000 Hz, S16_LE, stereo. Prints the
 * milliseconds, p50 / p99.
 *
 * A sample's capture is reckoned from the card's start, the same way for all: snd-aloop moves on with the ticks of the kernel's clock,
 * so that the start lies where the time, less the length of what it has captured, is earliest. */
#include <alsa/asoundlib.h>
#include <ipn.h>
#include <ipn_media.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { RATE = 48000, FRAME = 4, BUFFER = 16384 };

static void fail(const char *what) {
    fprintf(stderr, "arrivals: %s\n", what);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* When the card began, and how much it has captured since. */
static double look_for_start(double *captured) {
    double earliest = 1e300;
    for (int look = 0; look < 100; look++) {
        char line[256];
        long frames = -1;
        FILE *status = fopen("/proc/asound/Loopback/pcm0c/sub0/status", "r");
        if (!status) fail("no card");
        while (fgets(line, sizeof line, status)) sscanf(line, "hw_ptr : %ld", &frames);
        fclose(status);
        double start = now() - frames / (double)RATE;
        if (frames < 0) fail("the card does not run");
        *captured = frames;
        if (start < earliest) earliest = start;
        usleep(500);
    }
    return earliest;
}

static snd_pcm_t *open_card(snd_pcm_uframes_t period) {
    snd_pcm_t *pcm;
    snd_pcm_hw_params_t *hardware;
    snd_pcm_sw_params_t *software;
    if (snd_pcm_open(&pcm, "hw:Loopback,0", SND_PCM_STREAM_CAPTURE, 0) < 0) fail("no card");
    snd_pcm_hw_params_alloca(&hardware);
    snd_pcm_sw_params_alloca(&software);
    snd_pcm_hw_params_any(pcm, hardware);
    snd_pcm_hw_params_set_access(pcm, hardware, SND_PCM_ACCESS_RW_INTERLEAVED);
    snd_pcm_hw_params_set_format(pcm, hardware, SND_PCM_FORMAT_S16_LE);
    snd_pcm_hw_params_set_channels(pcm, hardware, 2);
    snd_pcm_hw_params_set_rate(pcm, hardware, RATE, 0);
    if (snd_pcm_hw_params_set_period_size(pcm, hardware, period, 0) < 0) fail("no such period");
    if (snd_pcm_hw_params_set_buffer_size(pcm, hardware, BUFFER) < 0 || snd_pcm_hw_params(pcm, hardware) < 0) fail("no such buffer");
    snd_pcm_sw_params_current(pcm, software);
    snd_pcm_sw_params_set_avail_min(pcm, software, period);
    snd_pcm_sw_params_set_tstamp_mode(pcm, software, SND_PCM_TSTAMP_ENABLE);
    if (snd_pcm_sw_params(pcm, software) < 0 || snd_pcm_start(pcm) < 0) fail("cannot be started");
    return pcm;
}

static int join(const char *path) {
    struct sockaddr_un name = {.sun_family = AF_IPN};
    int node = ipn_socket(AF_IPN, SOCK_RAW, IPN_BROADCAST);
    strncpy(name.sun_path, path, sizeof name.sun_path - 1);
    if (node < 0 || ipn_connect(node, (struct sockaddr *)&name, sizeof name) < 0) fail("cannot join");
    return node;
}

/* The next period of the publication; which one it is, it says itself. */
static void receive(int node, char *room, size_t length, long expected) {
    struct ipn_media_header *header = (void *)room;
    do {
        if (ipn_recv(node, room, length, 0) < (ssize_t)sizeof *header) fail("the network is gone");
    } while (header->type != IPN_MEDIA_SOUND && header->type != IPN_MEDIA_PACKET);
    if (header->stream_sequence != (uint64_t)expected || header->flags & IPN_MEDIA_DISCONTINUITY) fail("IPN lost sound");
}

static int compare(const void *a, const void *b) {
    double difference = *(const double *)a - *(const double *)b;
    return (difference > 0) - (difference < 0);
}

int main(int words_count, char **words) {
    if (words_count != 4) return 2;
    const char *source = words[1];
    long period = atol(words[2]), count = atol(words[3]);
    size_t length = period * FRAME + sizeof(struct ipn_media_header);
    char *room = malloc(length < 65536 ? 65536 : length);
    double *delays = calloc(count, sizeof *delays);
    int is_card = !strcmp(source, "card"), is_pipe = !strcmp(source, "pipe");
    int node = is_card || is_pipe ? -1 : join(source);
    snd_pcm_t *pcm = is_card ? open_card(period) : NULL;
    for (long n = 0; n < count; n++) {
        if (is_card && snd_pcm_readi(pcm, room, period) != period) fail("the card lost sound");
        if (is_pipe && fread(room, FRAME, period, stdin) != (size_t)period) fail("the pipe ends");
        if (node >= 0) receive(node, room, length < 65536 ? 65536 : length, n);
        delays[n] = now() - n * period / (double)RATE;
    }
    double captured, start = look_for_start(&captured);
    /* It counts anew from an overrun on. */
    if (captured < count * period) fail("sound was lost");
    for (long n = 0; n < count; n++) delays[n] = (delays[n] - start) * 1000;
    /* The first half second is everybody's start: pages, caches, the others' beginnings. */
    long first = RATE / 2 / period;
    qsort(delays + first, count - first, sizeof *delays, compare);
    printf("%.1f %.1f\n", delays[first + (count - first) / 2], delays[first + (count - first) * 99 / 100]);
}
