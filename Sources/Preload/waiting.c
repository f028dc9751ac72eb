/* poll: a call with a socket of ours among its descriptors is libipn's. */
#include "library.h"

static bool has_ours(const struct pollfd *set, nfds_t count) {
  /* A program that never had one may hand over what it likes: the kernel says EFAULT of it. */
  if (table_end(&ours) == 0) return false;
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
