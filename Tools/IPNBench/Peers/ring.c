/* The floor, no peer: a bare lossless ring in shared memory and a futex for who sleeps. No roles, no joining, no sizes, no checks. */
#define _GNU_SOURCE
#define IPN_BENCH_A_PEER
#include "peer.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINE _Alignas(128)
#define MOST_READERS 16

struct memory {
  LINE _Atomic uint64_t head;
  LINE _Atomic uint32_t bell;
  _Atomic uint32_t sleepers;
  LINE _Atomic uint32_t room;
  _Atomic uint32_t writer_waits;
  LINE _Atomic uint32_t opened;
  struct {
    LINE _Atomic uint64_t tail;
  } readers[MOST_READERS];
};

struct end {
  struct memory *memory;
  unsigned char *places;
  size_t stride;
  uint64_t count, next, known;
  int readers, index, spins;
};

static long futex(_Atomic uint32_t *word, int operation, uint32_t value) {
  return syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

/* The writer and the readers come in any order; the memory is theirs that come first. */
static struct end *open_end(const struct peer_setting *setting) {
  if (setting->readers > MOST_READERS) return peer_null(peer_fail("at most %d readers", MOST_READERS));
  struct end *end = calloc(1, sizeof *end);
  end->stride = (setting->size + 127) & ~(size_t)127;
  end->count = (4 << 20) / end->stride;
  if (end->count > 4096) end->count = 4096;
  if (end->count < 3) end->count = 3;
  size_t size = sizeof(struct memory) + 4096 + end->stride * end->count;
  char path[512];
  snprintf(path, sizeof path, "%s.ring", setting->path);
  int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || ftruncate(file, (off_t)size) < 0) return peer_null(peer_fail("%s: %s", path, strerror(errno)));
  void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
  close(file);
  if (base == MAP_FAILED) return peer_null(peer_fail("mmap: %s", strerror(errno)));
  end->memory = base;
  end->places = (unsigned char *)base + ((sizeof(struct memory) + 4095) & ~(size_t)4095);
  end->readers = setting->readers;
  end->index = setting->index;
  end->spins = setting->spins;
  return end;
}

static void *open_writer(const struct peer_setting *setting) {
  struct end *end = open_end(setting);
  if (end)
    for (int i = setting->readers; i < MOST_READERS; i++) atomic_store(&end->memory->readers[i].tail, UINT64_MAX);
  return end;
}

static void *open_reader(const struct peer_setting *setting) {
  struct end *end = open_end(setting);
  if (!end) return NULL;
  /* Who joins later begins at the head; the writer may run ahead by what is in flight now, and no more. */
  if (end->index >= end->readers) end->next = atomic_load(&end->memory->head);
  atomic_store(&end->memory->readers[end->index].tail, end->next);
  end->known = end->next;
  return end;
}

static uint64_t slowest(struct end *end) {
  uint64_t tail = UINT64_MAX;
  for (int i = 0; i < MOST_READERS; i++) {
    uint64_t own = atomic_load(&end->memory->readers[i].tail);
    if (own < tail) tail = own;
  }
  return tail;
}

static void *lend(void *writer) {
  struct end *end = writer;
  struct memory *memory = end->memory;
  while (end->next - end->known >= end->count) {
    end->known = slowest(end);
    if (end->known > end->next) end->known = end->next; /* nobody reads */
    if (end->next - end->known < end->count) break;
    uint32_t room = atomic_load(&memory->room);
    atomic_store(&memory->writer_waits, 1);
    end->known = slowest(end);
    if (end->next - end->known >= end->count) futex(&memory->room, FUTEX_WAIT, room);
    atomic_store(&memory->writer_waits, 0);
  }
  return end->places + end->next % end->count * end->stride;
}

static int send_lent(void *writer) {
  struct end *end = writer;
  struct memory *memory = end->memory;
  end->next++;
  atomic_store(&memory->head, end->next);
  if (atomic_load(&memory->sleepers)) {
    atomic_fetch_add(&memory->bell, 1);
    futex(&memory->bell, FUTEX_WAKE, INT_MAX);
  }
  return 0;
}

static void sleep_until_head(struct end *end) {
  struct memory *memory = end->memory;
  uint32_t bell = atomic_load(&memory->bell);
  atomic_fetch_add(&memory->sleepers, 1);
  if (atomic_load(&memory->head) == end->next) futex(&memory->bell, FUTEX_WAIT, bell);
  atomic_fetch_sub(&memory->sleepers, 1);
}

static int receive(void *reader, peer_take *take, void *context) {
  struct end *end = reader;
  struct memory *memory = end->memory;
  unsigned looks = 0;
  for (;;) {
    end->known = atomic_load_explicit(&memory->head, memory_order_acquire);
    if (end->known == end->next) {
      if (end->spins) peer_relax(&looks); else sleep_until_head(end);
      continue;
    }
    while (end->next < end->known) {
      int more = take(context, end->places + end->next % end->count * end->stride);
      end->next++;
      atomic_store(&memory->readers[end->index].tail, end->next);
      if (atomic_load(&memory->writer_waits) && end->known - end->next <= end->count / 2) {
        atomic_fetch_add(&memory->room, 1);
        futex(&memory->room, FUTEX_WAKE, 1);
      }
      if (!more) return 0;
    }
  }
}

static void close_reader(void *reader) {
  struct end *end = reader;
  atomic_store(&end->memory->readers[end->index].tail, UINT64_MAX);
}

const struct peer peer = {
    .name = "bare ring", .release = "", .settings = "a lossless ring of up to 4 MiB and a futex: what the machine allows, no product",
    .open_writer = open_writer, .lend = lend, .send = send_lent, .open_reader = open_reader, .receive = receive,
    .close_reader = close_reader, .failure = peer_failure,
};
