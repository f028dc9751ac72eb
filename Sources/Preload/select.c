/* select: a call with a socket of ours in its sets is libipn's, as a list of poll(2)'s. */
#include "library.h"

#include <stdlib.h>

#define BITS_OF_WORD ((unsigned)NFDBITS)
_Static_assert(NFDBITS == 64, "a word of an fd_set is a word of the table");

struct sets {
  fd_set *of[3]; /* to read, to write, for news: NULL where nobody asks */
};

/* Sets of more numbers than an fd_set has are memory of the program's own. */
static uint64_t word_of(const fd_set *set, unsigned word) { return set ? ((const uint64_t *)set)[word] : 0; }

/* Whether one of a word's numbers is in a set: what FD_ISSET says, which fortified headers refuse above an fd_set's. */
static bool has(const fd_set *set, unsigned fd) { return word_of(set, fd / BITS_OF_WORD) >> fd % BITS_OF_WORD & 1; }

/* Reads no further than to the last number that was ever ours: what a set promises beyond the kernel's table of numbers need not be there,
 * and is not, where a program hands over the most that it may open and an fd_set. */
static bool have_ours(int limit, struct sets sets) {
  unsigned end = table_end(&ours);
  if (limit < 0) return false;
  if ((unsigned)limit < end) end = (unsigned)limit;
  for (unsigned word = 0; word * BITS_OF_WORD < end; word++)
    for (int i = 0; i < 3; i++)
      if (word_of(sets.of[i], word) & atomic_load_explicit(&ours.words[word], memory_order_relaxed)) return true;
  return false;
}

/* The kernel looks at no number beyond its table of them, whose size it tells nobody: one that is not open is an error within, and nothing
 * beyond. */
static bool is_within_table(unsigned fd) {
  unsigned words = fd / BITS_OF_WORD + 1;
  uint64_t *only = calloc(words, sizeof *only);
  if (!only) return false;
  only[words - 1] = UINT64_C(1) << fd % BITS_OF_WORD;
  int result = real.select((int)fd + 1, NULL, NULL, (fd_set *)only, &(struct timeval){0, 0});
  bool isWithin = result != 0 || only[words - 1] == 0;
  free(only);
  return isWithin;
}

/* The numbers that the kernel would look at. As every table of more than an fd_set's is a power of two, no other sizes are tried. */
static unsigned looked_at(int limit) {
  for (unsigned size = FD_SETSIZE; size < (unsigned)limit; size *= 2)
    if (!is_within_table(size)) return size;
  return (unsigned)limit;
}

/* poll(2)'s list of what is in the sets, or their number alone. */
static nfds_t enlist(unsigned limit, struct sets sets, struct pollfd *list) {
  nfds_t count = 0;
  for (unsigned word = 0; word * BITS_OF_WORD < limit; word++) {
    uint64_t any = word_of(sets.of[0], word) | word_of(sets.of[1], word) | word_of(sets.of[2], word);
    for (; any; any &= any - 1) {
      unsigned fd = word * BITS_OF_WORD + (unsigned)__builtin_ctzll(any);
      if (fd >= limit) break;
      int events = (has(sets.of[0], fd) ? POLLIN : 0) | (has(sets.of[1], fd) ? POLLOUT : 0) | (has(sets.of[2], fd) ? POLLPRI : 0);
      if (list) list[count] = (struct pollfd){.fd = (int)fd, .events = (short)events};
      count++;
    }
  }
  return count;
}

/* Leaves in the sets what was found. As the kernel does, by the word: what lies behind the limit in its word is cleared, too. */
static int tell(unsigned limit, struct sets sets, const struct pollfd *list, nfds_t count) {
  static const int answers[3] = {
      POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR, POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR, POLLPRI};
  static const int questions[3] = {POLLIN, POLLOUT, POLLPRI};
  int bits = 0;
  for (int i = 0; i < 3; i++) {
    uint64_t *words = (uint64_t *)sets.of[i];
    if (!words) continue;
    for (unsigned word = 0; word * BITS_OF_WORD < limit; word++) words[word] = 0;
    for (nfds_t at = 0; at < count; at++) {
      if (!(list[at].events & questions[i]) || !(list[at].revents & answers[i])) continue;
      words[(unsigned)list[at].fd / BITS_OF_WORD] |= UINT64_C(1) << (unsigned)list[at].fd % BITS_OF_WORD;
      bits++;
    }
  }
  return bits;
}

static int wait_for(
    unsigned limit, struct sets sets, struct pollfd *list, nfds_t count, const struct timespec *timeout, const sigset_t *mask) {
  for (;;) {
    if (library.ppoll(list, count, timeout, mask) < 0) return -1;
    nfds_t first = 0;
    while (first < count && !(list[first].revents & POLLNVAL)) first++;
    if (first == count) return tell(limit, sets, list, count);
    if (is_within_table((unsigned)list[first].fd)) return errno = EBADF, -1;
    /* Nor is any that follows. It has returned at once. */
    limit = (unsigned)list[first].fd / BITS_OF_WORD * BITS_OF_WORD;
    count = first;
  }
}

static int select_ours(int numbers, struct sets sets, const struct timespec *timeout, const sigset_t *mask) {
  unsigned limit = looked_at(numbers);
  struct pollfd few[FD_SETSIZE], *list = few;
  nfds_t count = enlist(limit, sets, NULL);
  if (count > FD_SETSIZE && !(list = malloc(count * sizeof *list))) return errno = ENOMEM, -1;
  enlist(limit, sets, list);
  int result = wait_for(limit, sets, list, count, timeout, mask);
  int error = errno;
  if (list != few) free(list);
  errno = error;
  return result;
}

/* Of seconds: more than anybody waits for, and their microseconds are a number all the same. */
#define LONGEST (INT64_C(1) << 32)

EXPORT int select(int limit, fd_set *in, fd_set *out, fd_set *news, struct timeval *timeout) {
  struct sets sets = {{in, out, news}};
  if (!have_ours(limit, sets) || library_calls(__builtin_return_address(0)))
    return real.select(limit, in, out, news, timeout);
  if (!timeout) return select_ours(limit, sets, NULL, NULL);
  /* As the kernel has it: a second is a million microseconds, however it is told. */
  if (timeout->tv_sec < 0 || timeout->tv_usec < 0) return errno = EINVAL, -1;
  time_t seconds = timeout->tv_sec < LONGEST ? timeout->tv_sec : LONGEST;
  struct timespec start, end, wait = {seconds + timeout->tv_usec / 1000000, timeout->tv_usec % 1000000 * 1000};
  clock_gettime(CLOCK_MONOTONIC, &start);
  int result = select_ours(limit, sets, &wait, NULL);
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
  struct sets sets = {{in, out, news}};
  if (!have_ours(limit, sets) || library_calls(__builtin_return_address(0)))
    return real.pselect(limit, in, out, news, timeout, mask);
  return select_ours(limit, sets, timeout, mask);
}
