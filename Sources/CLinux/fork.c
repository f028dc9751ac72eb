#include "CLinux.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <sys/syscall.h>

/* The locks that are held over a fork, the newest first. */
static struct held {
  pthread_mutex_t *lock;
  int is_taken; /* by the fork under way */
  struct held *next;
} *_Atomic locks;

/* The threads that have been in the library, and free places of such as have ended. Places are never given back: who walks
 * along them needs no lock, which a signal handler that forks could find taken by the very thread that it interrupted. */
static struct visitor {
  atomic_int thread; /* its number, 0: free */
  atomic_int is_inside;
  volatile int is_busy; /* a signal handler must not call: only its own thread looks */
  struct visitor *next;
} *_Atomic visitors;
static pthread_key_t farewell;
static int has_farewell;
/* 1 while a thread forks: nobody comes in, or wakes up inside. */
static atomic_int is_closed;
static pthread_mutex_t forking = PTHREAD_MUTEX_INITIALIZER;
/* This thread's. Static TLS: a look at it is one instruction in a shared object too. */
static _Thread_local struct visitor *me __attribute__((tls_model("initial-exec")));

/* How long a fork waits for the others, in nanoseconds. They are done in microseconds, except where one jumped out of a call or was
 * cancelled in it. Then the child may find something taken, which is better than a program that stands still. */
#define PATIENCE 2000000000

static long long nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* MARK: Threads */

static void come_in(struct visitor *visitor) {
  atomic_store(&visitor->is_inside, 1);
  if (!atomic_load(&is_closed)) return;
  int error = errno;
  do {
    atomic_store(&visitor->is_inside, 0);
    syscall(SYS_futex, &is_closed, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
    atomic_store(&visitor->is_inside, 1);
  } while (atomic_load(&is_closed));
  errno = error;
}

static void go_out(struct visitor *visitor) { atomic_store_explicit(&visitor->is_inside, 0, memory_order_release); }

/* NULL where there is no memory: such a thread comes and goes unseen. */
static struct visitor *find_place(void) {
  int thread = gettid(), error = errno;
  struct visitor *place = atomic_load(&visitors);
  for (int none = 0; place && !atomic_compare_exchange_strong(&place->thread, &none, thread); none = 0) place = place->next;
  if (!place && has_farewell && (place = calloc(1, sizeof *place))) {
    atomic_store(&place->thread, thread);
    place->next = atomic_load(&visitors);
    while (!atomic_compare_exchange_weak(&visitors, &place->next, place)) {}
  }
  if (place) pthread_setspecific(farewell, place);
  errno = error;
  return me = place;
}

static void vacate(void *place) {
  struct visitor *visitor = place;
  me = NULL;
  visitor->is_busy = 0;
  atomic_store(&visitor->is_inside, 0);
  atomic_store(&visitor->thread, 0);
}

int linux_enter(void) {
  struct visitor *visitor = me ? me : find_place();
  if (!visitor) return LINUX_UNSEEN;
  if (visitor->is_busy || atomic_load_explicit(&visitor->is_inside, memory_order_relaxed)) return LINUX_INSIDE;
  visitor->is_busy = 1;
  come_in(visitor);
  return 0;
}
void linux_leave(int was_inside) {
  if (was_inside) return;
  me->is_busy = 0;
  go_out(me);
}
int linux_let_handlers_in(void) {
  if (!me || !me->is_busy) return 0;
  me->is_busy = 0;
  return 1;
}
void linux_keep_handlers_out(int was_busy) {
  if (was_busy) me->is_busy = 1;
}
int linux_fall_asleep(void) {
  if (!me || !atomic_load_explicit(&me->is_inside, memory_order_relaxed)) return 0;
  go_out(me);
  return 1;
}
void linux_wake_up(int was_inside) {
  if (was_inside) come_in(me);
}
void linux_give_way_to_fork(void) {
  if (atomic_load_explicit(&is_closed, memory_order_relaxed)) linux_wake_up(linux_fall_asleep());
}

/* MARK: Forks */

/* A thread that is none of this process is a parent's: a child that was made by clone(2) has them all in its memory. */
static int is_gone(struct visitor *visitor) {
  return syscall(SYS_tgkill, getpid(), atomic_load(&visitor->thread), 0) < 0 && errno == ESRCH;
}

/* By nanosleep's number: the function is a place where a thread may be cancelled, and fork(2) is none. */
static void close_door(void) {
  atomic_store(&is_closed, 1);
  const struct timespec pause = {0, 20000};
  long long end = nanoseconds() + PATIENCE;
  for (struct visitor *visitor = atomic_load(&visitors); visitor; visitor = visitor->next)
    while (visitor != me && atomic_load(&visitor->is_inside) && !is_gone(visitor) && nanoseconds() < end)
      syscall(SYS_nanosleep, &pause, NULL);
}

static void open_door(void) {
  atomic_store(&is_closed, 0);
  syscall(SYS_futex, &is_closed, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void take_locks(struct held *first) {
  /* A signal handler that forks may have interrupted whoever holds one: it stays held, and is let go of on both sides. */
  long long end = me && atomic_load(&me->is_inside) ? 0 : nanoseconds() + PATIENCE;
  struct timespec until = {end / 1000000000, end % 1000000000};
  for (struct held *held = first; held; held = held->next)
    held->is_taken = pthread_mutex_clocklock(held->lock, CLOCK_MONOTONIC, &until) == 0;
}

static void give_locks_back(void) {
  for (struct held *held = atomic_load(&locks); held; held = held->next) {
    if (!held->is_taken) continue;
    held->is_taken = 0;
    pthread_mutex_unlock(held->lock);
  }
}

/* Threads that wait for one of the locks count as asleep: the locks come first. Unless somebody, meanwhile, has made another. */
static void prepare(void) {
  int error = errno;
  pthread_mutex_lock(&forking);
  while (1) {
    struct held *first = atomic_load(&locks);
    take_locks(first);
    close_door();
    if (atomic_load(&locks) == first) break;
    open_door();
    give_locks_back();
  }
  errno = error;
}

static void go_on(void) {
  int error = errno;
  open_door();
  give_locks_back();
  pthread_mutex_unlock(&forking);
  errno = error;
}

/* What Swift's run-time library remembers as this thread's number, and takes its locks by: futex(2), FUTEX_LOCK_PI. In a child it
 * is still the parent's, and the kernel lets nobody give back such a lock for which another thread has come to wait. 0 has it
 * look again. The name is the library's own; of two weak definitions of a name the linker keeps one. Where the library is a
 * shared object, it keeps to its own, and this is of no effect. */
__attribute__((weak)) _Thread_local uint32_t remembered_number __asm__(
    "_ZZN5swift14threading_impl5linux13ulock_get_tidEvE3tid");

/* The other threads are not there. */
static void go_on_alone(void) {
  remembered_number = 0;
  for (struct visitor *visitor = atomic_load(&visitors); visitor; visitor = visitor->next) {
    atomic_store(&visitor->thread, visitor == me ? gettid() : 0);
    if (visitor == me) continue;
    visitor->is_busy = 0;
    atomic_store(&visitor->is_inside, 0);
  }
  go_on();
}

/* When the library is loaded: whoever has locks around its calls is to come later here, as the last are taken first. */
__attribute__((constructor)) static void begin(void) {
  has_farewell = pthread_key_create(&farewell, vacate) == 0;
  pthread_atfork(prepare, go_on, go_on_alone);
}

int linux_hold_over_forks(pthread_mutex_t *lock) {
  struct held *held = malloc(sizeof *held);
  if (!held) return -1;
  *held = (struct held){.lock = lock};
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
