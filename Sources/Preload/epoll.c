/* epoll: a set with a socket of ours in it is asked by ourselves. */
#include "watches.h"

#include <unistd.h>

/* MARK: Registration */

/* Once libipn is there, which is asked with this lock held: what is registered last is taken first. */
static void survive_fork(void) { pthread_atfork(watches_acquire, watches_release, watches_release); }

/* What goes with it is the kernel's choice. */
#define WITH_EXCLUSIVE (EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)

static int add(int set, int fd, const struct epoll_event *event) {
  if (event->events & EPOLLEXCLUSIVE && event->events & ~(uint32_t)WITH_EXCLUSIVE) return errno = EINVAL, -1;
  if (watch_find(set, fd)) return errno = EEXIST, -1;
  struct watch *watch = watch_find_free();
  if (!watch) return errno = ENOSPC, -1;
  *watch = (struct watch){set, fd, fd, socket_of(fd), getpid(), *event, 0, 0, false};
  if (watch_enter(watch) < 0) return watch->set = -1;
  table_add(&watched, set);
  return 0;
}

static int change(int set, int fd, const struct epoll_event *event) {
  struct watch *watch = watch_find(set, fd);
  bool isExclusive = event->events & EPOLLEXCLUSIVE || (watch && watch->wanted.events & EPOLLEXCLUSIVE);
  if (isExclusive) return errno = EINVAL, -1;
  if (!watch) return errno = ENOENT, -1;
  struct watch before = *watch;
  *watch = (struct watch){set, fd, before.fd, before.socket, before.maker, *event, 0, 0, false};
  if (watch_tell_kernel(EPOLL_CTL_MOD, watch) == 0) return 0;
  *watch = before;
  return -1;
}

static int drop(int set, int fd) {
  struct watch *watch = watch_find(set, fd);
  if (watch) return watch_withdraw(watch);
  /* What is there by this number, if anything, was registered by another. */
  for (watch = watches; watch < watches + watches_used; watch++)
    if (watch->set == set && watch->fd == fd) return errno = ENOENT, -1;
  return real.epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL);
}

EXPORT int epoll_ctl(int set, int operation, int fd, struct epoll_event *event) {
  if (!OURS(fd) || (library.is_socket(fd) != 1 && library_disowns(fd))) return real.epoll_ctl(set, operation, fd, event);
  if (operation != EPOLL_CTL_DEL && !event) return errno = EFAULT, -1;
  if ((unsigned)set >= TABLE_LIMIT) return errno = EBADF, -1;
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, survive_fork);
  watches_acquire();
  int result = operation == EPOLL_CTL_ADD   ? add(set, fd, event)
               : operation == EPOLL_CTL_MOD ? change(set, fd, event)
               : operation == EPOLL_CTL_DEL ? drop(set, fd)
                                            : (errno = EINVAL, -1);
  watches_release();
  return result;
}

/* MARK: Waiting */

/* What poll(2) has by the same names and numbers. */
#define EVENTS (EPOLL_IN | EPOLLRDBAND | EPOLLPRI | EPOLLRDHUP | EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND)

static int64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static bool wants_edges(const struct watch *watch) {
  return watch->wanted.events & EPOLLET && watch->wanted.events & (EPOLL_IN | EPOLLPRI);
}

/* What there is to tell of a socket for which ipn_ppoll has found this. */
static uint32_t fresh(struct watch *watch, uint32_t found, uint64_t arrivals) {
  found &= watch->wanted.events | EPOLLERR | EPOLLHUP;
  if (!(watch->wanted.events & EPOLLET)) return found;
  /* Each message is an edge, whether those before it were read or not. */
  uint32_t before = watch->told & ~(arrivals == watch->arrivals ? 0 : EPOLL_IN | EPOLLPRI);
  watch->arrivals = arrivals;
  watch->told = found;
  return found & ~before;
}

/* The sockets of ours in a set that have something to tell, at most so many, beginning with another one each time. */
static int collect(int set, struct epoll_event *events, int most) {
  static unsigned turn;
  watches_acquire();
  struct pollfd list[watches_used + 1];
  struct watch *candidates[watches_used + 1];
  uint64_t arrivals[watches_used + 1];
  int count = 0;
  for (struct watch *watch = watches; watch < watches + watches_used; watch++) {
    if (watch->set != set || watch->is_spent) continue;
    candidates[count] = watch;
    /* Before the look: what comes after it strikes the handle. */
    arrivals[count] = wants_edges(watch) ? library.arrivals(watch->fd) : 0;
    list[count++] = (struct pollfd){.fd = watch->fd, .events = (short)(watch->wanted.events & EVENTS)};
  }
  int found = 0;
  turn++;
  if (count > 0 && library.ppoll(list, (nfds_t)count, &(struct timespec){0, 0}, NULL) > 0)
    for (int i = 0; i < count && found < most; i++) {
      int place = (int)((turn + (unsigned)i) % (unsigned)count);
      struct watch *watch = candidates[place];
      uint32_t news = list[place].revents & POLLNVAL ? 0 : fresh(watch, (uint32_t)(unsigned short)list[place].revents, arrivals[place]);
      if (!news) continue;
      events[found++] = (struct epoll_event){.events = news, .data = watch->wanted.data};
      if (!(watch->wanted.events & EPOLLONESHOT)) continue;
      watch->is_spent = true;
      watch_tell_kernel(EPOLL_CTL_MOD, watch);
    }
  watches_release();
  return found;
}

/* Takes the tokens out of what the kernel told: they only say that it is time to look. */
static int without_tokens(struct epoll_event *events, int count) {
  int kept = 0;
  for (int i = 0; i < count; i++) {
    struct watch *watch = events[i].data.ptr;
    if (watch < watches || watch >= watches + WATCHES) events[kept++] = events[i];
  }
  return kept;
}

/* duration: how long to wait, or negative for as long as it takes. */
static int wait_ours(int set, struct epoll_event *events, int most, int64_t duration, const sigset_t *mask) {
  if (most <= 0) return errno = EINVAL, -1;
  int64_t end = duration < 0 ? INT64_MAX : nanoseconds() + duration;
  /* Neither ours nor the others may keep each other from being told. */
  static unsigned turn;
  int share = most > 1 ? most - 1 : (int)(turn++ & 1);
  for (bool isLate = false;; share = share ? share : 1) {
    int found = share ? collect(set, events, share) : 0;
    int64_t left = end == INT64_MAX ? -1 : (end - nanoseconds() + 999999) / 1000000;
    int wait = found > 0 || !share ? 0 : duration < 0 ? -1 : left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
    int others = most > found ? real.epoll_pwait(set, events + found, most - found, wait, mask) : 0;
    if (others < 0) return found > 0 ? found : -1;
    int kept = without_tokens(events + found, others);
    if (found + kept > 0) return found + kept;
    /* A token that came at the last moment is worth a look. */
    if (share && end <= nanoseconds() && (others == 0 || isLate)) return 0;
    isLate = end <= nanoseconds();
  }
}

static bool is_watched(int set) { return table_has(&watched, set); }

static int64_t duration(int milliseconds) { return milliseconds < 0 ? -1 : milliseconds * INT64_C(1000000); }

EXPORT int epoll_wait(int set, struct epoll_event *events, int most, int milliseconds) {
  if (!is_watched(set)) return real.epoll_wait(set, events, most, milliseconds);
  return wait_ours(set, events, most, duration(milliseconds), NULL);
}

EXPORT int epoll_pwait(int set, struct epoll_event *events, int most, int milliseconds, const sigset_t *mask) {
  if (!is_watched(set)) return real.epoll_pwait(set, events, most, milliseconds, mask);
  return wait_ours(set, events, most, duration(milliseconds), mask);
}

EXPORT int epoll_pwait2(
    int set, struct epoll_event *events, int most, const struct timespec *timeout, const sigset_t *mask) {
  if (!is_watched(set)) return real.epoll_pwait2(set, events, most, timeout, mask);
  if (!timeout) return wait_ours(set, events, most, -1, mask);
  if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1000000000) return errno = EINVAL, -1;
  /* A time-out of centuries is none. */
  bool isEndless = timeout->tv_sec > INT64_C(1) << 32;
  return wait_ours(set, events, most, isEndless ? -1 : timeout->tv_sec * INT64_C(1000000000) + timeout->tv_nsec, mask);
}

/* A set that was closed where nobody here sees it leaves its number behind. */
static int fresh_set(int set) {
  if (set >= 0 && is_watched(set)) watches_forget_set(set);
  return set;
}

EXPORT int epoll_create(int size) { return fresh_set(real.epoll_create(size)); }
EXPORT int epoll_create1(int flags) { return fresh_set(real.epoll_create1(flags)); }
