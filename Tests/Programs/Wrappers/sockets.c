/* A socket as a whole: made, named, joined, configured. */
#include "wrappers.h"

#include <sys/ioctl.h>

static void check_socket(void) {
  for (int flags = 0; flags < 4; flags++) {
    int kinds = (flags & 1 ? SOCK_NONBLOCK : 0) | (flags & 2 ? SOCK_CLOEXEC : 0);
    int fd = socket(AF_IPN, SOCK_RAW | kinds, IPN_BROADCAST);
    REQUIRE(fd >= 0);
    REQUIRE(!!(fcntl(fd, F_GETFL) & O_NONBLOCK) == (flags & 1) && !!(fcntl(fd, F_GETFD) & FD_CLOEXEC) == flags >> 1);
  }
}

static void check_socketpair(void) {
  int ends[2];
  REQUIRE_ERRNO(socketpair(AF_IPN, SOCK_RAW, IPN_BROADCAST, ends), EOPNOTSUPP);
}

static void check_bind(void) {
  struct sockaddr_un there = address();
  int fd = made(IPN_BROADCAST);
  REQUIRE(bind(fd, (struct sockaddr *)&there, sizeof there) == 0 && access(there.sun_path, F_OK) == 0);
  REQUIRE_ERRNO(bind(fd, (struct sockaddr *)&there, sizeof there), EISCONN);
}

static void check_connect(void) {
  struct pair pair = on_the_bus();
  struct sockaddr_un there = address();
  REQUIRE_ERRNO(connect(pair.two, (struct sockaddr *)&there, sizeof there), EISCONN);
}

static void check_shutdown(void) {
  struct pair pair = on_the_bus();
  char byte;
  REQUIRE(shutdown(pair.two, SHUT_RD) == 0 && recv(pair.two, &byte, 1, 0) == 0);
}

static void check_names(int (*name)(int, struct sockaddr *, socklen_t *)) {
  struct pair pair = on_the_bus();
  struct sockaddr_un there = address(), told;
  socklen_t length = sizeof told;
  REQUIRE(name(pair.two, (struct sockaddr *)&told, &length) == 0);
  REQUIRE(told.sun_family == AF_IPN && strcmp(told.sun_path, there.sun_path) == 0);
}
static int name_of(int fd, struct sockaddr *told, socklen_t *length) { return getsockname(fd, told, length); }
static int peer_of(int fd, struct sockaddr *told, socklen_t *length) { return getpeername(fd, told, length); }
static void check_getsockname(void) { check_names(name_of); }
static void check_getpeername(void) { check_names(peer_of); }

static void check_setsockopt(void) {
  int fd = made(IPN_BROADCAST), nodes = 7;
  REQUIRE(setsockopt(fd, 0, IPN_SO_NUMNODES, &nodes, sizeof nodes) == 0);
}

static void check_getsockopt(void) {
  int fd = made(IPN_BROADCAST), nodes = 0;
  socklen_t length = sizeof nodes;
  REQUIRE(getsockopt(fd, 0, IPN_SO_NUMNODES, &nodes, &length) == 0 && nodes == 32 && length == sizeof nodes);
}

static void check_ioctl(void) {
  struct pair pair = on_the_bus();
  int length;
  say(pair.one, "abcde");
  REQUIRE(ioctl(pair.two, FIONREAD, &length) == 0 && length == 5);
}

const struct check socket_checks[] = {
    {"socket", check_socket},           {"socketpair", check_socketpair},   {"bind", check_bind},
    {"connect", check_connect},         {"shutdown", check_shutdown},       {"getsockname", check_getsockname},
    {"getpeername", check_getpeername}, {"setsockopt", check_setsockopt},   {"getsockopt", check_getsockopt},
    {"ioctl", check_ioctl},             {NULL, NULL},
};
