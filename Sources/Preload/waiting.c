/* poll and select: those with a socket of ours among their descriptors are libipn's. */
#include "library.h"

#include <stdlib.h>

static bool has_ours(const struct pollfd *set, nfds_t count) {
  for (nfds_t i = 0; i < count; i++)
    if (table_has(&ours, set[i].fd)) return true;
  return false;
}

#define IS_OURS(set, count) (has_ours(set, count) && !library_calls(__builtin_return_address(0)))

static int poll_ours(struct pollfd *set, nfds_t count, int milliseconds) {
  struct timespec timeout = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
  return library.ppoll(set, count, milliseconds < 0 ? NULL : &timeout, NULL);
}

extern void __chk_fail(void) __attribute__((noreturn));

EXPORT int poll(struct pollfd *set, nfds_t count, int milliseconds) {
  return IS_OURS(set, count) ? poll_ours(set, count, milliseconds) : real.poll(set, count, milliseconds);
}

EXPORT int __poll_chk(struct pollfd *set, nfds_t count, int milliseconds, size_t room) {
  if (room / sizeof *set < count) __chk_fail();
  return IS_OURS(set, count) ? poll_ours(set, count, milliseconds) : real.poll(set, count, milliseconds);
}

EXPORT int ppoll(struct pollfd *set, nfds_t count, const struct timespec *timeout, const sigset_t *mask) {
  return IS_OURS(set, count) ? library.ppoll(set, count, timeout, mask) : real.ppoll(set, count, timeout, mask);
}

EXPORT int __ppoll_chk(
    struct pollfd *set, nfds_t count, const struct timespec *timeout, const sigset_t *mask, size_t room) {
  if (room / sizeof *set < count) __chk_fail();
  return IS_OURS(set, count) ? library.ppoll(set, count, timeout, mask) : real.ppoll(set, count, timeout, mask);
}

/* MARK: select */

static bool sets_have_ours(int limit, const fd_set *in, const fd_set *out, const fd_set *news) {
  const fd_set *sets[3] = {in, out, news};
  for (int word = 0; word * NFDBITS < limit; word++)
    for (int i = 0; i < 3; i++)
      if (sets[i] && (uint64_t)sets[i]->fds_bits[word] & atomic_load_explicit(&ours.words[word], memory_order_relaxed))
        return true;
  return false;
}
_Static_assert(NFDBITS == 64, "a word of an fd_set is a word of the table");

#define IN (POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR)
#define OUT (POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR)

static bool take_bit(fd_set *set, int fd) { return set && FD_ISSET(fd, set); }

static void give_bit(fd_set *set, int fd, bool isSet, int *count) {
  if (!set || !FD_ISSET(fd, set)) return;
  if (isSet) ++*count;
  else FD_CLR(fd, set);
}

/* select(2)'s three sets as poll(2)'s list, and back. */
static int select_ours(
    int limit, fd_set *in, fd_set *out, fd_set *news, const struct timespec *timeout, const sigset_t *mask) {
  if (limit > FD_SETSIZE) limit = FD_SETSIZE;
  struct pollfd list[FD_SETSIZE];
  nfds_t count = 0;
  for (int fd = 0; fd < limit; fd++) {
    int events = (take_bit(in, fd) ? POLLIN : 0) | (take_bit(out, fd) ? POLLOUT : 0) | (take_bit(news, fd) ? POLLPRI : 0);
    if (events) list[count++] = (struct pollfd){.fd = fd, .events = (short)events};
  }
  if (library.ppoll(list, count, timeout, mask) < 0) return -1;
  for (nfds_t i = 0; i < count; i++)
    if (list[i].revents & POLLNVAL) return errno = EBADF, -1;
  int bits = 0;
  for (nfds_t i = 0; i < count; i++) {
    give_bit(in, list[i].fd, list[i].revents & IN, &bits);
    give_bit(out, list[i].fd, list[i].revents & OUT, &bits);
    give_bit(news, list[i].fd, list[i].revents & POLLPRI, &bits);
  }
  return bits;
}

/* Of seconds: more than anybody waits for, and their microseconds are a number all the same. */
#define LONGEST (INT64_C(1) << 32)

EXPORT int select(int limit, fd_set *in, fd_set *out, fd_set *news, struct timeval *timeout) {
  if (!sets_have_ours(limit, in, out, news) || library_calls(__builtin_return_address(0)))
    return real.select(limit, in, out, news, timeout);
  if (!timeout) return select_ours(limit, in, out, news, NULL, NULL);
  /* As the kernel has it: a second is a million microseconds, however it is told. */
  if (timeout->tv_sec < 0 || timeout->tv_usec < 0) return errno = EINVAL, -1;
  time_t seconds = timeout->tv_sec < LONGEST ? timeout->tv_sec : LONGEST;
  struct timespec start, end, wait = {seconds + timeout->tv_usec / 1000000, timeout->tv_usec % 1000000 * 1000};
  clock_gettime(CLOCK_MONOTONIC, &start);
  int result = select_ours(limit, in, out, news, &wait, NULL);
  int error = errno;
  /* Linux tells how much was left. */
  clock_gettime(CLOCK_MONOTONIC, &end);
  int64_t left = (wait.tv_sec - end.tv_sec + start.tv_sec) * INT64_C(1000000) + (wait.tv_nsec - end.tv_nsec + start.tv_nsec) / 1000;
  *timeout = (struct timeval){left > 0 ? left / 1000000 : 0, left > 0 ? left % 1000000 : 0};
  errno = error;
  return result;
}

EXPORT int pselect(
    int limit, fd_set *in, fd_set *out, fd_set *news, const struct timespec *timeout, const sigset_t *mask) {
  if (!sets_have_ours(limit, in, out, news) || library_calls(__builtin_return_address(0)))
    return real.pselect(limit, in, out, news, timeout, mask);
  return select_ours(limit, in, out, news, timeout, mask);
}
