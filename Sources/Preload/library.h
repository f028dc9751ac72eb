/* library.h: libipn, which is loaded when the first socket of ours is made or found: a program without one pays nothing. */
#ifndef PRELOAD_LIBRARY_H
#define PRELOAD_LIBRARY_H

#include "table.h"

#include <errno.h>
#include <ipn.h>

#pragma GCC visibility push(hidden)

#define LIBRARY_FUNCTIONS(X)                                                                                                   \
  X(socket) X(close) X(bind) X(connect) X(shutdown) X(getsockname) X(getpeername) X(setsockopt) X(getsockopt) X(ioctl)         \
  X(send) X(sendmsg) X(recv) X(recvmsg) X(ppoll) X(arrivals) X(is_socket) X(duplicated) X(closed) X(next_own)

/* Whoever finds a descriptor in the table finds these filled in. */
struct library {
#define X(name) __typeof__(ipn_##name) *name;
  LIBRARY_FUNCTIONS(X)
#undef X
};
extern struct library library;

/* Loads it, once. Where that fails: says why in a line on standard error, once, and sets EAFNOSUPPORT. */
bool library_load(void);

/* Whether a call comes from libipn or from here: they mean the descriptor as the kernel knows it. The caller's address
 * tells, and not a mark on the thread, which a signal handler that interrupts libipn would inherit and a longjmp out of
 * it would leave behind. */
bool library_calls(const void *caller);

/* Whether a number is one that libipn has opened for itself, and somebody else speaks of it. */
#define IS_INNER(fd) (library.next_own && (fd) >= 0 && library.next_own((unsigned)(fd)) == (unsigned)(fd) && !library_calls(__builtin_return_address(0)))

#define OURS(fd) (table_has(&ours, fd) && !library_calls(__builtin_return_address(0)))

/* A number that was closed where nobody here sees it (fclose, raw system calls) may belong to something else by now. For
 * calls of libipn that have failed: whether this was it. The number is then forgotten. */
bool library_disowns(int fd);

/* The body of a function: what libipn does for a descriptor of ours, and the C library for any other. */
#define DISPATCH(fd, caller, mine, theirs)                                                                                     \
  if (!table_has(&ours, fd) || library_calls(caller)) return theirs;                                                           \
  __auto_type result = mine;                                                                                                   \
  return result < 0 && library_disowns(fd) ? theirs : result

/* A function that stands in front of the C library's. What it does for ours is out of line, and far away: the way of all others is a look
 * and a jump, with nothing saved, nothing restored, and no branch that is taken. Tools/preload-cost says what that costs. */
#define INTERPOSE(type, name, mine, arguments, ...)                                                                            \
  static __attribute__((noinline, cold)) type name##_ours(__VA_ARGS__, const void *caller) {                                   \
    DISPATCH(fd, caller, mine, real.name arguments);                                                                           \
  }                                                                                                                            \
  EXPORT type name(__VA_ARGS__) {                                                                                              \
    return table_may_have(&ours, fd) ? name##_ours WITH_CALLER arguments : real.name arguments;                                \
  }
#define WITH_CALLER(...) (__VA_ARGS__, __builtin_return_address(0))

#pragma GCC visibility pop
#endif
