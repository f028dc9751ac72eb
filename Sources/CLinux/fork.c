#include "CLinux.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* The locks that are held over a fork, the newest first. */
static struct held {
  pthread_mutex_t *lock;
  struct held *next;
} *_Atomic locks;
/* Those of the fork under way. Forks exclude each other: all take the same locks in the same order. */
static struct held *taken;

static void take(void) {
  struct held *first = atomic_load(&locks);
  for (struct held *held = first; held; held = held->next) pthread_mutex_lock(held->lock);
  taken = first;
}

static void give_back(void) {
  for (struct held *held = taken, *next; held; held = next) {
    next = held->next;
    pthread_mutex_unlock(held->lock);
  }
}

/* When the library is loaded: whoever has locks around its calls is to come later here, as the last are taken first. */
__attribute__((constructor)) static void begin(void) { pthread_atfork(take, give_back, give_back); }

int linux_hold_over_forks(pthread_mutex_t *lock) {
  struct held *held = malloc(sizeof *held);
  if (!held) return -1;
  held->lock = lock;
  held->next = atomic_load(&locks);
  while (!atomic_compare_exchange_weak(&locks, &held->next, held)) {}
  return 0;
}

intptr_t *linux_word_cleared_by_fork(void) {
  long size = sysconf(_SC_PAGESIZE);
  void *page = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return NULL;
  if (madvise(page, (size_t)size, MADV_WIPEONFORK) == 0) return page;
  munmap(page, (size_t)size);
  return NULL;
}
