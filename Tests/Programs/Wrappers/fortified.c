/* What is called in place of read and the like where a program is compiled with _FORTIFY_SOURCE, as distributions do. The
 * compiler knows the room, and not the length. */
#undef _FORTIFY_SOURCE
#define _FORTIFY_SOURCE 2
#include "wrappers.h"

static volatile size_t seven = 7, nine = 9;

/* Whether a child that does more than there is room for is ended by the C library. */
static bool aborts(void (*overrun)(int fd), int fd) {
  int status;
  pid_t child = fork();
  if (child == 0) {
    close(STDERR_FILENO);
    overrun(fd);
    _exit(0);
  }
  return waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void over_read(int fd) {
  char bytes[8];
  (void)!read(fd, bytes, nine);
}
static void check___read_chk(void) {
  struct pair pair = on_the_bus();
  char bytes[8];
  say(pair.one, "abc");
  REQUIRE(read(pair.two, bytes, seven) == 3 && aborts(over_read, pair.two));
}

static void over_recv(int fd) {
  char bytes[8];
  (void)!recv(fd, bytes, nine, 0);
}
static void check___recv_chk(void) {
  struct pair pair = on_the_bus();
  char bytes[8];
  say(pair.one, "abc");
  REQUIRE(recv(pair.two, bytes, seven, MSG_PEEK) == 3 && recv(pair.two, bytes, seven, 0) == 3 && aborts(over_recv, pair.two));
}

static void over_recvfrom(int fd) {
  char bytes[8];
  (void)!recvfrom(fd, bytes, nine, 0, NULL, NULL);
}
static void check___recvfrom_chk(void) {
  struct pair pair = on_the_bus();
  struct sockaddr_un from;
  socklen_t length = sizeof from;
  char bytes[8];
  say(pair.one, "abc");
  REQUIRE(recvfrom(pair.two, bytes, seven, 0, (struct sockaddr *)&from, &length) == 3 && length == 0);
  REQUIRE(aborts(over_recvfrom, pair.two));
}

static volatile nfds_t one = 1, three = 3;
static const struct timespec no_time = {0, 0};

static void over_poll(int fd) {
  struct pollfd set[2] = {{.fd = fd}, {.fd = fd}};
  poll(set, three, 0);
}
static void check___poll_chk(void) {
  struct pair pair = without_room();
  struct pollfd set[2] = {{.fd = pair.one, .events = POLLOUT}, {.fd = -1}};
  REQUIRE(poll(set, one, 0) == 0);
  make_room(pair);
  REQUIRE(poll(set, one, 0) == 1 && set[0].revents == POLLOUT && aborts(over_poll, pair.one));
}

static void over_ppoll(int fd) {
  struct pollfd set[2] = {{.fd = fd}, {.fd = fd}};
  ppoll(set, three, &no_time, NULL);
}
static void check___ppoll_chk(void) {
  struct pair pair = without_room();
  struct pollfd set[2] = {{.fd = pair.one, .events = POLLOUT}, {.fd = -1}};
  REQUIRE(ppoll(set, one, &no_time, NULL) == 0);
  make_room(pair);
  REQUIRE(ppoll(set, one, &no_time, NULL) == 1 && set[0].revents == POLLOUT && aborts(over_ppoll, pair.one));
}

const struct check fortified_checks[] = {
    {"__read_chk", check___read_chk},   {"__recv_chk", check___recv_chk},   {"__recvfrom_chk", check___recvfrom_chk},
    {"__poll_chk", check___poll_chk},   {"__ppoll_chk", check___ppoll_chk}, {NULL, NULL},
};
