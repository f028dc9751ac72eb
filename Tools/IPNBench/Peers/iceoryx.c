/* iceoryx by its C binding, with a RouDi of the run's own. Readers sleep on a wait set, or poll. */
#define IPN_BENCH_A_PEER
#include "peer.h"

#include "iceoryx_binding_c/log.h"
#include "iceoryx_binding_c/publisher.h"
#include "iceoryx_binding_c/runtime.h"
#include "iceoryx_binding_c/subscriber.h"
#include "iceoryx_binding_c/wait_set.h"

struct end {
  size_t size;
  int spins;
  iox_pub_t publisher;
  iox_sub_t subscriber;
  iox_ws_t waiting;
  void *chunk;
  iox_pub_storage_t publisher_memory;
  iox_sub_storage_t subscriber_memory;
  iox_ws_storage_t waiting_memory;
};

/* Messages that a reader may have unread. */
static unsigned queue(size_t size) { return size >= 4 << 20 ? 4 : size >= 1 << 20 ? 16 : size >= 65536 ? 64 : 256; }

static char configuration[512];

/* Chunks for all queues, and for what is being written and read. */
static int daemon_arguments(const struct peer_setting *setting, const char *arguments[16]) {
  snprintf(configuration, sizeof configuration, "%s.toml", setting->path);
  FILE *file = fopen(configuration, "we");
  if (!file) return peer_fail("%s: %s", configuration, strerror(errno));
  fprintf(file, "[general]\nversion = 1\n[[segment]]\n[[segment.mempool]]\nsize = %zu\ncount = %u\n", (setting->size + 31) & ~(size_t)31,
          queue(setting->size) + 2 * (unsigned)setting->readers + 16);
  fclose(file);
  int i = 0;
  for (const char *const *word = (const char *const[]){"iox-roudi", "-c", configuration, "-m", "off", "-l", "off", NULL}; *word; word++)
    arguments[i++] = *word;
  arguments[i] = NULL;
  return 0;
}

/* Waits for RouDi, if that is not up yet. */
static struct end *open_end(const struct peer_setting *setting, char service[32]) {
  struct end *end = calloc(1, sizeof *end);
  end->size = setting->size;
  end->spins = setting->spins;
  char name[64];
  snprintf(service, 32, "%08x", peer_hash(setting->path));
  snprintf(name, sizeof name, "bench%s.%d", service, setting->index);
  iox_set_loglevel(Iceoryx_LogLevel_Off);
  iox_runtime_init(name);
  return end;
}

static void *open_writer(const struct peer_setting *setting) {
  char service[32];
  struct end *end = open_end(setting, service);
  iox_pub_options_t options;
  iox_pub_options_init(&options);
  options.historyCapacity = 0;
  options.subscriberTooSlowPolicy = ConsumerTooSlowPolicy_WAIT_FOR_CONSUMER;
  end->publisher = iox_pub_init(&end->publisher_memory, "Bench", service, "Message", &options);
  return end;
}

static void *lend(void *writer) {
  struct end *end = writer;
  enum iox_AllocationResult result;
  for (unsigned tries = 0; (result = iox_pub_loan_chunk(end->publisher, &end->chunk, (uint32_t)end->size)) != AllocationResult_SUCCESS; tries++) {
    if (tries == 1000000) return peer_null(peer_fail("iox_pub_loan_chunk: %d", (int)result));
    sched_yield();
  }
  return end->chunk;
}

static int send_lent(void *writer) {
  struct end *end = writer;
  iox_pub_publish_chunk(end->publisher, end->chunk);
  return 0;
}

static void *open_reader(const struct peer_setting *setting) {
  char service[32];
  struct end *end = open_end(setting, service);
  iox_sub_options_t options;
  iox_sub_options_init(&options);
  options.queueCapacity = queue(setting->size);
  options.queueFullPolicy = QueueFullPolicy_BLOCK_PRODUCER;
  end->subscriber = iox_sub_init(&end->subscriber_memory, "Bench", service, "Message", &options);
  if (end->spins) return end;
  end->waiting = iox_ws_init(&end->waiting_memory);
  if (iox_ws_attach_subscriber_state(end->waiting, end->subscriber, SubscriberState_HAS_DATA, 1, NULL) != WaitSetResult_SUCCESS)
    return peer_null(peer_fail("iox_ws_attach_subscriber_state"));
  return end;
}

static int receive(void *reader, peer_take *take, void *context) {
  struct end *end = reader;
  unsigned looks = 0;
  for (;;) {
    const void *chunk;
    while (iox_sub_take_chunk(end->subscriber, &chunk) == ChunkReceiveResult_SUCCESS) {
      int more = take(context, chunk);
      iox_sub_release_chunk(end->subscriber, chunk);
      if (!more) return 0;
    }
    if (end->spins) {
      peer_relax(&looks);
    } else {
      iox_notification_info_t notifications[4];
      uint64_t missed;
      iox_ws_wait(end->waiting, notifications, 4, &missed);
    }
  }
}

static void close_reader(void *reader) {
  struct end *end = reader;
  if (end->waiting) iox_ws_detach_subscriber_state(end->waiting, end->subscriber, SubscriberState_HAS_DATA);
  iox_sub_deinit(end->subscriber);
  if (end->waiting) iox_ws_deinit(end->waiting);
  iox_runtime_shutdown();
}

const struct peer peer = {
    .name = "iceoryx", .release = PEER_RELEASE,
    .settings = "C binding; WAIT_FOR_CONSUMER and BLOCK_PRODUCER, queues of 256, 64 from 64 KiB, 16 from 1 MiB, 4 from 4 MiB on; readers "
                "sleep on a WaitSet; RouDi without monitoring, a mempool of the message's size",
    .daemon = daemon_arguments, .open_writer = open_writer, .lend = lend, .send = send_lent, .open_reader = open_reader,
    .receive = receive, .close_reader = close_reader, .failure = peer_failure,
};
