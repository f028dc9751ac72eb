/* Numbers: given out, copied, closed, inherited. */
#include "descriptors.h"
#include "watches.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* Whose memory this is. Kept by fork's handlers, which vfork and clone do not run. */
static pid_t owner;

bool is_borrower(void) { return getpid() != owner; }

int take(int made) {
  if ((unsigned)made >= TABLE_LIMIT) return library.close(made), errno = EMFILE, -1;
  table_add(&ours, made);
  return made;
}

/* A second number for a socket of ours. */
static int take_duplicate(int fd, int made) {
  if (made < 0 || !table_has(&ours, fd)) return made;
  if ((unsigned)made >= TABLE_LIMIT || library.duplicated(fd, made) < 0) return real.close(made), errno = EMFILE, -1;
  table_add(&ours, made);
  return made;
}

void recognize(int fd) {
  struct sockaddr_un name;
  socklen_t length = sizeof name;
  static const char prefix[] = {0, 'i', 'p', 'n', ':'};
  if (real.getsockname(fd, (struct sockaddr *)&name, &length) < 0 || name.sun_family != AF_UNIX) return;
  if (length < offsetof(struct sockaddr_un, sun_path) + sizeof prefix || memcmp(name.sun_path, prefix, sizeof prefix)) return;
  /* libipn takes it up at the first call, and not before: it may only be on its way to somebody else. */
  if ((unsigned)fd < TABLE_LIMIT && library_load()) table_add(&ours, fd);
}

/* MARK: Copies */

EXPORT int dup(int fd) {
  int made = real.dup(fd);
  return OURS(fd) && !is_borrower() ? take_duplicate(fd, made) : made;
}

/* Until it is closed the number is ours: a call of another thread would sleep in the kernel, in which nothing ever comes. */
static int leave(int fd) {
  watches_leave_number(fd);
  int result = library.close(fd);
  if (result < 0) library_disowns(fd);
  return result;
}

/* libipn closes a program's number, and makes no other meanwhile; but one may have come with a message, and have this number. */
static int close_for_library(int fd) {
  int result = real.close(fd), error = errno;
  table_remove(&ours, fd);
  recognize(fd);
  errno = error;
  return result;
}

/* For what has closed a number by itself: the kernel, in dup2, and the C library, in fclose. */
static void forget(int fd) {
  int error = errno;
  table_remove(&ours, fd);
  library.closed(fd);
  errno = error;
}

/* dup3 where one of the two is ours. */
static int replace(int fd, int wanted, int flags) {
  bool isCopy = table_has(&ours, fd), isLoss = table_has(&ours, wanted);
  /* Before: afterwards the number tells no more what else the socket has. */
  if (isLoss && real.fcntl(fd, F_GETFD, NULL) >= 0 && (flags < 0 || (flags & ~O_CLOEXEC) == 0)) watches_leave_number(wanted);
  int made = flags < 0 ? real.dup2(fd, wanted) : real.dup3(fd, wanted, flags);
  if (made >= 0 && isLoss) forget(wanted);
  return isCopy ? take_duplicate(fd, made) : made;
}

#define IS_CONCERNED(fd, wanted)                                                                                               \
  ((table_has(&ours, fd) || table_has(&ours, wanted)) && fd != wanted && !library_calls(__builtin_return_address(0)) &&        \
   !is_borrower())

/* A program that closes what it does not know, as daemons do, and copies to a number that it takes for free: what libipn has there
 * stays. In a child of vfork the numbers are a table of its own. */
#define IS_KEPT(fd) (IS_INNER(fd) && !is_borrower())

EXPORT int dup2(int fd, int wanted) {
  if (IS_KEPT(wanted)) return errno = EBUSY, -1;
  return IS_CONCERNED(fd, wanted) ? replace(fd, wanted, -1) : real.dup2(fd, wanted);
}

EXPORT int dup3(int fd, int wanted, int flags) {
  if (IS_KEPT(wanted)) return errno = EBUSY, -1;
  return IS_CONCERNED(fd, wanted) ? replace(fd, wanted, flags) : real.dup3(fd, wanted, flags);
}

static int control(int fd, int command, void *argument) {
  int result = real.fcntl(fd, command, argument);
  if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && !is_borrower()) return take_duplicate(fd, result);
  return result;
}

/* O_NONBLOCK, FD_CLOEXEC and the like are the descriptor's own, where libipn finds them. */
#define CONTROL(fd, command)                                                                                                   \
  va_list arguments;                                                                                                           \
  va_start(arguments, command);                                                                                                \
  void *argument = va_arg(arguments, void *);                                                                                  \
  va_end(arguments);                                                                                                           \
  return OURS(fd) ? control(fd, command, argument) : real.fcntl(fd, command, argument)

EXPORT int fcntl(int fd, int command, ...) { CONTROL(fd, command); }
EXPORT int fcntl64(int fd, int command, ...) { CONTROL(fd, command); }

/* MARK: Ends */

EXPORT int close(int fd) {
  if (table_has(&watched, fd) && !is_borrower()) watches_forget_set(fd);
  if (!table_has(&ours, fd) || is_borrower()) return IS_KEPT(fd) ? (errno = EBADF, -1) : real.close(fd);
  if (library_calls(__builtin_return_address(0))) return close_for_library(fd);
  int result = leave(fd);
  return result < 0 && errno == ENOTSOCK ? real.close(fd) : result;
}

/* The C library closes the number of a stream without asking anybody. */
EXPORT int fclose(FILE *stream) {
  int fd = stream ? fileno_unlocked(stream) : -1;
  bool isLoss = OURS(fd) && !is_borrower();
  if (isLoss) watches_leave_number(fd);
  int result = real.fclose(stream);
  if (isLoss) forget(fd);
  return result;
}

/* All but what libipn has for itself. */
static int close_between(unsigned first, unsigned last, int flags) {
  for (unsigned kept; library.next_own && (kept = library.next_own(first)) <= last && kept != ~0u; first = kept + 1)
    if (kept > first && real.close_range(first, kept - 1, flags) < 0) return -1;
  return first <= last ? real.close_range(first, last, flags) : 0;
}

EXPORT int close_range(unsigned first, unsigned last, int flags) {
  if (!(flags & CLOSE_RANGE_CLOEXEC) && first <= last && !library_calls(__builtin_return_address(0)) && !is_borrower()) {
    for (unsigned fd = table_next(&ours, first); fd < TABLE_LIMIT && fd <= last; fd = table_next(&ours, fd + 1)) leave((int)fd);
    for (unsigned fd = table_next(&watched, first); fd < TABLE_LIMIT && fd <= last; fd = table_next(&watched, fd + 1))
      watches_forget_set((int)fd);
    return close_between(first, last, flags);
  }
  return real.close_range(first, last, flags);
}

EXPORT void closefrom(int first) { close_range(first < 0 ? 0 : (unsigned)first, ~0u, 0); }

/* MARK: Processes */

static void note_owner(void) { owner = getpid(); }

EXPORT pid_t _Fork(void) {
  pid_t child = real._Fork();
  if (child == 0) note_owner();
  return child;
}

/* Sockets of ours that came through exec are found by their names. */
static void look_at_inherited(void) {
  char entries[4096];
  int folder = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) {
    /* No /proc here: those that a program would know the numbers of. */
    for (int fd = 0; fd < 256; fd++) recognize(fd);
    return;
  }
  long length;
  while ((length = syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0)
    for (long at = 0; at < length;) {
      unsigned short size;
      memcpy(&size, entries + at + 16, sizeof size);
      const char *name = entries + at + 19; /* struct linux_dirent64: ino, off, reclen, type, name */
      if (*name != '.') recognize(atoi(name));
      at += size;
    }
  syscall(SYS_close, folder);
}

__attribute__((constructor)) static void begin(void) {
  int error = errno;
  real_resolve();
  note_owner();
  pthread_atfork(NULL, NULL, note_owner);
  look_at_inherited();
  errno = error;
}
