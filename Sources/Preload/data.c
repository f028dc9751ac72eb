/* Messages in and out. */
#include "descriptors.h"
#include "watches.h"

#include <limits.h>
#include <string.h>

/* An edge-triggered set is told again once a call has found nothing to do. */
static ssize_t received(int fd, ssize_t result) {
  if (result < 0 && errno == EAGAIN) watches_note_end(fd, EPOLLIN | EPOLLRDNORM | EPOLLPRI);
  return result;
}

static ssize_t sent(int fd, ssize_t result) {
  if (result < 0 && errno == EAGAIN) watches_note_end(fd, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
  return result;
}

/* What programs that were compiled with _FORTIFY_SOURCE call refuses what would overrun its buffer. */
extern void __chk_fail(void) __attribute__((noreturn));
static void check(size_t length, size_t room) {
  if (length > room) __chk_fail();
}

/* What moves no byte is left to the kernel, as sockets have it: read(2) of nothing takes no message, and parts without a
 * byte, none at all, or more of them than there may be, make none. */
static bool moves_nothing(const struct iovec *parts, int count) {
  if (!parts || count <= 0 || count > IOV_MAX) return true;
  for (int i = 0; i < count; i++)
    if (parts[i].iov_len > 0) return false;
  return true;
}

static ssize_t read_message(int fd, void *bytes, size_t length) {
  return length == 0 ? real.read(fd, bytes, length) : received(fd, library.recv(fd, bytes, length, 0));
}

static ssize_t gather(int fd, const struct iovec *parts, int count) {
  if (moves_nothing(parts, count)) return real.writev(fd, parts, count);
  struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
  return sent(fd, library.sendmsg(fd, &message, 0));
}

static ssize_t scatter(int fd, const struct iovec *parts, int count) {
  if (moves_nothing(parts, count)) return real.readv(fd, parts, count);
  struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
  return received(fd, library.recvmsg(fd, &message, 0));
}

INTERPOSE(
    ssize_t, read, read_message(fd, bytes, length),
    (fd, bytes, length), int fd, void *bytes, size_t length)

EXPORT ssize_t __read_chk(int fd, void *bytes, size_t length, size_t room) {
  check(length, room);
  DISPATCH(fd, __builtin_return_address(0), read_message(fd, bytes, length), real.read(fd, bytes, length));
}

INTERPOSE(
    ssize_t, write, sent(fd, library.send(fd, bytes, length, 0)),
    (fd, bytes, length), int fd, const void *bytes, size_t length)

INTERPOSE(ssize_t, readv, scatter(fd, parts, count), (fd, parts, count), int fd, const struct iovec *parts, int count)

INTERPOSE(ssize_t, writev, gather(fd, parts, count), (fd, parts, count), int fd, const struct iovec *parts, int count)

INTERPOSE(
    ssize_t, send, sent(fd, library.send(fd, bytes, length, flags)),
    (fd, bytes, length, flags), int fd, const void *bytes, size_t length, int flags)

INTERPOSE(
    ssize_t, recv, received(fd, library.recv(fd, bytes, length, flags)),
    (fd, bytes, length, flags), int fd, void *bytes, size_t length, int flags)

EXPORT ssize_t __recv_chk(int fd, void *bytes, size_t length, size_t room, int flags) {
  check(length, room);
  DISPATCH(fd, __builtin_return_address(0), received(fd, library.recv(fd, bytes, length, flags)), real.recv(fd, bytes, length, flags));
}

/* Everybody on the bus is addressed, and nobody in particular. */
INTERPOSE(
    ssize_t, sendto, sent(fd, library.send(fd, bytes, length, flags)),
    (fd, bytes, length, flags, address, size), int fd, const void *bytes, size_t length, int flags, const struct sockaddr *address, socklen_t size)

static ssize_t receive_from(int fd, void *bytes, size_t length, int flags, struct sockaddr *address, socklen_t *size) {
  ssize_t result = received(fd, library.recv(fd, bytes, length, flags));
  if (result >= 0 && address && size) *size = 0;
  return result;
}

INTERPOSE(
    ssize_t, recvfrom, receive_from(fd, bytes, length, flags, address, size),
    (fd, bytes, length, flags, address, size), int fd, void *bytes, size_t length, int flags, struct sockaddr *address, socklen_t *size)

EXPORT ssize_t __recvfrom_chk(
    int fd, void *bytes, size_t length, size_t room, int flags, struct sockaddr *address, socklen_t *size) {
  check(length, room);
  DISPATCH(
      fd, __builtin_return_address(0), receive_from(fd, bytes, length, flags, address, size),
      real.recvfrom(fd, bytes, length, flags, address, size));
}

INTERPOSE(
    ssize_t, sendmsg, sent(fd, library.sendmsg(fd, message, flags)),
    (fd, message, flags), int fd, const struct msghdr *message, int flags)

/* A socket of ours may have come with it. */
static void look_for_sockets(struct msghdr *message) {
  int error = errno;
  for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control; control = CMSG_NXTHDR(message, control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(control) + i * sizeof fd, sizeof fd);
      recognize(fd);
    }
  }
  errno = error;
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
  if (OURS(fd)) {
    ssize_t result = received(fd, library.recvmsg(fd, message, flags));
    if (result >= 0 || !library_disowns(fd)) return result;
  }
  ssize_t result = real.recvmsg(fd, message, flags);
  if (result >= 0 && message->msg_controllen > 0 && !library_calls(__builtin_return_address(0))) look_for_sockets(message);
  return result;
}

EXPORT int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
  if (!OURS(fd)) return real.sendmmsg(fd, messages, count, flags);
  if (!messages && count > 0) return errno = EFAULT, -1;
  unsigned done = 0;
  for (; done < count; done++) {
    ssize_t result = sent(fd, library.sendmsg(fd, &messages[done].msg_hdr, flags));
    if (result < 0 && done == 0 && library_disowns(fd)) return real.sendmmsg(fd, messages, count, flags);
    if (result < 0) break;
    messages[done].msg_len = (unsigned)result;
  }
  return done > 0 || count == 0 ? (int)done : -1;
}

/* Takes what has passed since then, which becomes now, off a time-out. */
static void count_down(struct timespec *timeout, struct timespec *since) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  timeout->tv_sec -= now.tv_sec - since->tv_sec;
  timeout->tv_nsec -= now.tv_nsec - since->tv_nsec;
  if (timeout->tv_nsec < 0) timeout->tv_sec--, timeout->tv_nsec += 1000000000;
  if (timeout->tv_nsec >= 1000000000) timeout->tv_sec++, timeout->tv_nsec -= 1000000000;
  if (timeout->tv_sec < 0) *timeout = (struct timespec){0, 0};
  *since = now;
}

/* As recvmmsg(2) has it, bugs included: the time-out is looked at after each message only. */
EXPORT int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout) {
  if (!OURS(fd)) {
    int result = real.recvmmsg(fd, messages, count, flags, timeout);
    for (int i = 0; i < result; i++)
      if (messages[i].msg_hdr.msg_controllen > 0) look_for_sockets(&messages[i].msg_hdr);
    return result;
  }
  if (!messages && count > 0) return errno = EFAULT, -1;
  if (timeout && (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1000000000)) return errno = EINVAL, -1;
  struct timespec start;
  clock_gettime(CLOCK_MONOTONIC, &start);
  unsigned done = 0;
  while (done < count) {
    ssize_t result = received(fd, library.recvmsg(fd, &messages[done].msg_hdr, flags & ~MSG_WAITFORONE));
    if (result < 0 && done == 0 && library_disowns(fd)) return real.recvmmsg(fd, messages, count, flags, timeout);
    if (result < 0) break;
    messages[done++].msg_len = (unsigned)result;
    if (flags & MSG_WAITFORONE) flags |= MSG_DONTWAIT;
    if (timeout) count_down(timeout, &start);
    if (timeout && timeout->tv_sec == 0 && timeout->tv_nsec == 0) break;
    /* News are told at once. */
    if (messages[done - 1].msg_hdr.msg_flags & MSG_OOB) break;
  }
  return done > 0 || count == 0 ? (int)done : -1;
}
