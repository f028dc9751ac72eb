/* real.h: the C library's own functions, which those of the preload stand in front of. */
#ifndef PRELOAD_REAL_H
#define PRELOAD_REAL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
/* Fortified headers would redefine the very functions that are defined here. */
#undef _FORTIFY_SOURCE

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

#define EXPORT __attribute__((visibility("default")))
#pragma GCC visibility push(hidden)

/* X(result, name, parameters, arguments) */
#define REAL_FUNCTIONS(X)                                                                                                      \
  X(int, socket, (int domain, int type, int protocol), (domain, type, protocol))                                               \
  X(int, socketpair, (int domain, int type, int protocol, int ends[2]), (domain, type, protocol, ends))                        \
  X(int, bind, (int fd, const struct sockaddr *address, socklen_t length), (fd, address, length))                              \
  X(int, connect, (int fd, const struct sockaddr *address, socklen_t length), (fd, address, length))                           \
  X(int, shutdown, (int fd, int how), (fd, how))                                                                               \
  X(int, getsockname, (int fd, struct sockaddr *address, socklen_t *length), (fd, address, length))                            \
  X(int, getpeername, (int fd, struct sockaddr *address, socklen_t *length), (fd, address, length))                            \
  X(int, setsockopt, (int fd, int level, int option, const void *value, socklen_t length), (fd, level, option, value, length)) \
  X(int, getsockopt, (int fd, int level, int option, void *value, socklen_t *length), (fd, level, option, value, length))      \
  X(int, ioctl, (int fd, unsigned long request, void *argument), (fd, request, argument))                                      \
  X(int, fcntl, (int fd, int command, void *argument), (fd, command, argument))                                                \
  X(ssize_t, read, (int fd, void *bytes, size_t length), (fd, bytes, length))                                                  \
  X(ssize_t, write, (int fd, const void *bytes, size_t length), (fd, bytes, length))                                           \
  X(ssize_t, readv, (int fd, const struct iovec *parts, int count), (fd, parts, count))                                        \
  X(ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count))                                       \
  X(ssize_t, send, (int fd, const void *bytes, size_t length, int flags), (fd, bytes, length, flags))                          \
  X(ssize_t, recv, (int fd, void *bytes, size_t length, int flags), (fd, bytes, length, flags))                                \
  X(ssize_t, sendto,                                                                                                           \
    (int fd, const void *bytes, size_t length, int flags, const struct sockaddr *address, socklen_t size),                     \
    (fd, bytes, length, flags, address, size))                                                                                 \
  X(ssize_t, recvfrom, (int fd, void *bytes, size_t length, int flags, struct sockaddr *address, socklen_t *size),             \
    (fd, bytes, length, flags, address, size))                                                                                 \
  X(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))                                 \
  X(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))                                       \
  X(int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags), (fd, messages, count, flags))                \
  X(int, recvmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout),                    \
    (fd, messages, count, flags, timeout))                                                                                     \
  X(int, dup, (int fd), (fd))                                                                                                  \
  X(int, dup2, (int fd, int wanted), (fd, wanted))                                                                             \
  X(int, dup3, (int fd, int wanted, int flags), (fd, wanted, flags))                                                           \
  X(int, fclose, (FILE * stream), (stream))                                                                                    \
  X(int, close, (int fd), (fd))                                                                                                \
  X(int, close_range, (unsigned first, unsigned last, int flags), (first, last, flags))                                        \
  X(int, poll, (struct pollfd * set, nfds_t count, int milliseconds), (set, count, milliseconds))                              \
  X(int, ppoll, (struct pollfd * set, nfds_t count, const struct timespec *timeout, const sigset_t *mask),                     \
    (set, count, timeout, mask))                                                                                               \
  X(int, select, (int limit, fd_set *in, fd_set *out, fd_set *news, struct timeval *timeout), (limit, in, out, news, timeout)) \
  X(int, pselect,                                                                                                              \
    (int limit, fd_set *in, fd_set *out, fd_set *news, const struct timespec *timeout, const sigset_t *mask),                  \
    (limit, in, out, news, timeout, mask))                                                                                     \
  X(int, epoll_create, (int size), (size))                                                                                     \
  X(int, epoll_create1, (int flags), (flags))                                                                                  \
  X(int, epoll_ctl, (int set, int operation, int fd, struct epoll_event *event), (set, operation, fd, event))                  \
  X(int, epoll_wait, (int set, struct epoll_event *events, int most, int milliseconds), (set, events, most, milliseconds))     \
  X(int, epoll_pwait, (int set, struct epoll_event *events, int most, int milliseconds, const sigset_t *mask),                 \
    (set, events, most, milliseconds, mask))                                                                                   \
  X(int, epoll_pwait2,                                                                                                         \
    (int set, struct epoll_event *events, int most, const struct timespec *timeout, const sigset_t *mask),                     \
    (set, events, most, timeout, mask))                                                                                        \
  X(pid_t, _Fork, (void), ())

struct real {
#define X(result, name, parameters, arguments) result(*name) parameters;
  REAL_FUNCTIONS(X)
#undef X
};

/* Each begins as one that resolves them all, so that nobody has to ask whether they are there: `real.read(…)` is a load
 * and a jump. The constructor resolves them before there are threads or signals; only constructors of other libraries
 * come earlier. */
extern struct real real;
void real_resolve(void);

#pragma GCC visibility pop
#endif
