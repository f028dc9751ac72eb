/* A sound card to capture from, as a plugin of alsa-lib's, which goes by the machine's clock and has what befalls real cards happen
 * when a test asks for it: sample n since it was opened is n, its low 15 bits on the left, the next on the right.
 *
 *     pcm_type.feigned { lib "/path/libfeigned-card.so" }
 *     pcm.card { type feigned fault "/path/fault" }
 *
 * What stands in the file `fault` happens: "sleep" and "xrun" once, upon which the file goes; "gone" as long as it is there, and
 * "busy" for who opens it. See alsa-lib's "PCM External Plugin SDK". */
#define _GNU_SOURCE
/* What alsa-lib's header takes for a sign that this is loaded, and not linked into a program. */
#define PIC
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct card {
    snd_pcm_ioplug_t plug;
    char *fault;
    int timer;
    int64_t opened;
    /* Frames: when it was started, and how far it came when it was stopped. */
    int64_t start, stopped;
    int is_running;
};

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static int64_t frame(const struct card *card) { return (int64_t)((now() - card->opened) * (double)card->plug.rate / 1e9); }

static int has_fault(const char *file, const char *word) {
    char text[16] = "";
    FILE *opened = fopen(file, "r");
    if (!opened) return 0;
    int is_it = fgets(text, sizeof text, opened) && strncmp(text, word, strlen(word)) == 0;
    fclose(opened);
    return is_it;
}

/* Whether a fault that happens once is to happen now. */
static int takes_fault(const struct card *card, const char *word) { return has_fault(card->fault, word) && unlink(card->fault) == 0; }

static int start(snd_pcm_ioplug_t *plug) {
    struct card *card = plug->private_data;
    card->start = frame(card);
    card->is_running = 1;
    return 0;
}

static int stop(snd_pcm_ioplug_t *plug) {
    struct card *card = plug->private_data;
    card->is_running = 0;
    return 0;
}

static int prepare(snd_pcm_ioplug_t *plug) {
    struct card *card = plug->private_data;
    card->stopped = 0;
    return stop(plug);
}

/* Where it is in its memory. A card that sleeps or is gone stands still, and says so by its state alone. */
static snd_pcm_sframes_t pointer(snd_pcm_ioplug_t *plug) {
    struct card *card = plug->private_data;
    if (card->is_running && plug->state == SND_PCM_STATE_RUNNING) {
        if (takes_fault(card, "xrun")) return -EPIPE;
        card->stopped = frame(card) - card->start;
        if (card->stopped - (int64_t)plug->appl_ptr > (int64_t)plug->buffer_size) return -EPIPE;
        if (takes_fault(card, "sleep")) snd_pcm_ioplug_set_state(plug, SND_PCM_STATE_SUSPENDED);
        if (has_fault(card->fault, "gone")) snd_pcm_ioplug_set_state(plug, SND_PCM_STATE_DISCONNECTED);
    }
    return card->stopped % plug->buffer_size;
}

static snd_pcm_sframes_t transfer(
    snd_pcm_ioplug_t *plug, const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t offset, snd_pcm_uframes_t size) {
    struct card *card = plug->private_data;
    for (snd_pcm_uframes_t n = 0; n < size; n++) {
        int64_t number = card->start + (int64_t)plug->appl_ptr + (int64_t)n;
        for (int channel = 0; channel < 2; channel++) {
            int16_t *to = (int16_t *)((char *)areas[channel].addr + (areas[channel].first + areas[channel].step * (offset + n)) / 8);
            *to = (int16_t)(number >> (15 * channel) & 0x7fff);
        }
    }
    return (snd_pcm_sframes_t)size;
}

/* As the kernel has it: readable where a period is there, and for good where it does not run. */
static int poll_revents(snd_pcm_ioplug_t *plug, struct pollfd *descriptors, unsigned int count, unsigned short *events) {
    struct card *card = plug->private_data;
    uint64_t ticks;
    (void)descriptors, (void)count;
    if (read(card->timer, &ticks, sizeof ticks) < 0 && errno != EAGAIN) return -errno;
    *events = plug->state == SND_PCM_STATE_RUNNING ? POLLIN : POLLIN | POLLERR;
    return 0;
}

static int close_card(snd_pcm_ioplug_t *plug) {
    struct card *card = plug->private_data;
    close(card->timer);
    free(card->fault);
    free(card);
    return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
    .start = start,
    .stop = stop,
    .prepare = prepare,
    .pointer = pointer,
    .transfer = transfer,
    .poll_revents = poll_revents,
    .close = close_card,
};

static int constrain(snd_pcm_ioplug_t *plug) {
    const unsigned accesses[] = {SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_ACCESS_RW_INTERLEAVED};
    const unsigned formats[] = {SND_PCM_FORMAT_S16_LE}, rates[] = {44100, 48000};
    int error = snd_pcm_ioplug_set_param_list(plug, SND_PCM_IOPLUG_HW_ACCESS, 2, accesses);
    if (error >= 0) error = snd_pcm_ioplug_set_param_list(plug, SND_PCM_IOPLUG_HW_FORMAT, 1, formats);
    if (error >= 0) error = snd_pcm_ioplug_set_param_list(plug, SND_PCM_IOPLUG_HW_RATE, 2, rates);
    if (error >= 0) error = snd_pcm_ioplug_set_param_minmax(plug, SND_PCM_IOPLUG_HW_CHANNELS, 2, 2);
    if (error >= 0) error = snd_pcm_ioplug_set_param_minmax(plug, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 256 * 4, 2048 * 4);
    if (error >= 0) error = snd_pcm_ioplug_set_param_minmax(plug, SND_PCM_IOPLUG_HW_BUFFER_BYTES, 512 * 4, 32768 * 4);
    return error;
}

SND_PCM_PLUGIN_DEFINE_FUNC(feigned) {
    (void)root;
    const char *fault = NULL;
    snd_config_t *entry;
    if (snd_config_search(conf, "fault", &entry) < 0 || snd_config_get_string(entry, &fault) < 0) return -EINVAL;
    if (has_fault(fault, "gone")) return -ENODEV;
    if (has_fault(fault, "busy")) return -EBUSY;
    if (stream != SND_PCM_STREAM_CAPTURE) return -EINVAL;
    struct card *card = calloc(1, sizeof *card);
    if (!card) return -ENOMEM;
    card->fault = strdup(fault);
    card->opened = now();
    // A look each millisecond, as often as the shortest period of cards asks for.
    card->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct itimerspec each = {{0, 1000000}, {0, 1000000}};
    timerfd_settime(card->timer, 0, &each, NULL);
    card->plug.version = SND_PCM_IOPLUG_VERSION;
    card->plug.name = "a card that is none";
    card->plug.callback = &callbacks;
    card->plug.private_data = card;
    card->plug.poll_fd = card->timer;
    card->plug.poll_events = POLLIN;
    int error = snd_pcm_ioplug_create(&card->plug, name, stream, mode);
    if (error < 0) {
        close_card(&card->plug);
        return error;
    }
    error = constrain(&card->plug);
    if (error < 0) {
        // Closes it, too.
        snd_pcm_ioplug_delete(&card->plug);
        return error;
    }
    *pcmp = card->plug.pcm;
    return 0;
}
SND_PCM_PLUGIN_SYMBOL(feigned);
