/* What is done to a socket as a whole: made, named, joined, configured. */
#include "descriptors.h"

#include <stdarg.h>

/* AF_IPN as it was proposed, and as the programs of 2008 had it: on loan from other families, whose sockets, too, are
 * made with these numbers. Theirs are of other types. */
static bool is_family(int domain) { return domain == AF_IPN || domain == 33 || domain == 13; }

static bool is_candidate(int domain, int type, int protocol) {
  return is_family(domain) && (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) == SOCK_RAW && protocol >= 0;
}

EXPORT int socket(int domain, int type, int protocol) {
  if (!is_candidate(domain, type, protocol) || library_calls(__builtin_return_address(0)) || !library_load())
    return real.socket(domain, type, protocol);
  int made = library.socket(domain, type, protocol);
  /* A number that neither the proposal nor an installed policy knows is another family's. */
  if (made < 0 && errno == EPROTONOSUPPORT && protocol > IPN_VDESWITCH_L3) return real.socket(domain, type, protocol);
  return made < 0 ? -1 : take(made);
}

EXPORT int socketpair(int domain, int type, int protocol, int ends[2]) {
  if (is_candidate(domain, type, protocol) && protocol <= IPN_VDESWITCH_L3) return errno = EOPNOTSUPP, -1;
  return real.socketpair(domain, type, protocol, ends);
}

INTERPOSE(
    int, bind, library.bind(fd, address, length),
    (fd, address, length), int fd, const struct sockaddr *address, socklen_t length)

INTERPOSE(
    int, connect, library.connect(fd, address, length),
    (fd, address, length), int fd, const struct sockaddr *address, socklen_t length)

INTERPOSE(int, shutdown, library.shutdown(fd, how), (fd, how), int fd, int how)

INTERPOSE(
    int, getsockname, library.getsockname(fd, address, length),
    (fd, address, length), int fd, struct sockaddr *address, socklen_t *length)

INTERPOSE(
    int, getpeername, library.getpeername(fd, address, length),
    (fd, address, length), int fd, struct sockaddr *address, socklen_t *length)

INTERPOSE(
    int, setsockopt, library.setsockopt(fd, level, option, value, length),
    (fd, level, option, value, length), int fd, int level, int option, const void *value, socklen_t length)

INTERPOSE(
    int, getsockopt, library.getsockopt(fd, level, option, value, length),
    (fd, level, option, value, length), int fd, int level, int option, void *value, socklen_t *length)

EXPORT int ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  DISPATCH(fd, __builtin_return_address(0), library.ioctl(fd, request, argument), real.ioctl(fd, request, argument));
}
