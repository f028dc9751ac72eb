#include "CLinux.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>

/* The locks that are held over a fork, the newest first. */
static struct held {
  pthread_mutex_t *lock;
  struct held *next;
} *_Atomic locks;
/* Those of the fork under way. Forks exclude each other: all take the same locks in the same order. */
static struct held *taken;

/* The threads that have been in the library. */
static struct visitor {
  atomic_int is_inside;
  int depth;
  struct visitor *next;
} *visitors;
static pthread_mutex_t visitors_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t farewell;
/* 1 while a thread forks: nobody comes in, or wakes up inside. */
static atomic_int is_closed;
/* This thread's. Static TLS: a look at it is one instruction in a shared object too. */
static _Thread_local struct visitor *me __attribute__((tls_model("initial-exec")));

static void come_in(struct visitor *visitor) {
  atomic_store(&visitor->is_inside, 1);
  while (atomic_load(&is_closed)) {
    int error = errno;
    atomic_store(&visitor->is_inside, 0);
    syscall(SYS_futex, &is_closed, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
    atomic_store(&visitor->is_inside, 1);
    errno = error;
  }
}

static void go_out(struct visitor *visitor) { atomic_store_explicit(&visitor->is_inside, 0, memory_order_release); }

static struct visitor *register_visitor(void) {
  struct visitor *made = calloc(1, sizeof *made);
  if (!made) abort();
  pthread_mutex_lock(&visitors_lock);
  made->next = visitors;
  visitors = made;
  pthread_mutex_unlock(&visitors_lock);
  pthread_setspecific(farewell, made);
  return me = made;
}

static void forget(void *gone) {
  pthread_mutex_lock(&visitors_lock);
  for (struct visitor **link = &visitors; *link; link = &(*link)->next) {
    if (*link != gone) continue;
    *link = (*link)->next;
    break;
  }
  pthread_mutex_unlock(&visitors_lock);
  free(gone);
  me = NULL;
}

void linux_enter(void) {
  struct visitor *visitor = me ? me : register_visitor();
  if (visitor->depth++ == 0) come_in(visitor);
}
void linux_leave(void) {
  if (--me->depth == 0) go_out(me);
}
void linux_fall_asleep(void) {
  if (me && me->depth > 0) go_out(me);
}
void linux_wake_up(void) {
  if (me && me->depth > 0) come_in(me);
}

/* Threads that wait for one of the locks count as asleep: the locks come first. */
static void take(void) {
  struct held *first = atomic_load(&locks);
  for (struct held *held = first; held; held = held->next) pthread_mutex_lock(held->lock);
  taken = first;
  pthread_mutex_lock(&visitors_lock);
  atomic_store(&is_closed, 1);
  for (struct visitor *visitor = visitors; visitor; visitor = visitor->next)
    while (visitor != me && atomic_load(&visitor->is_inside)) usleep(20);
}

static void give_back(void) {
  atomic_store(&is_closed, 0);
  pthread_mutex_unlock(&visitors_lock);
  for (struct held *held = taken, *next; held; held = next) {
    next = held->next;
    pthread_mutex_unlock(held->lock);
  }
}

static void go_on(void) {
  give_back();
  syscall(SYS_futex, &is_closed, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* The other threads are not there. */
static void go_on_alone(void) {
  for (struct visitor *visitor = visitors, *next; visitor; visitor = next) {
    next = visitor->next;
    if (visitor != me) free(visitor);
  }
  visitors = me;
  if (me) me->next = NULL;
  give_back();
}

/* When the library is loaded: whoever has locks around its calls is to come later here, as the last are taken first. */
__attribute__((constructor)) static void begin(void) {
  pthread_key_create(&farewell, forget);
  pthread_atfork(take, go_on, go_on_alone);
}

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
