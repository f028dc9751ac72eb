/* Checks of the preload's functions: `wrappers` lists their names, `wrappers NAME PATH` runs one on a network at PATH. */
#include "wrappers.h"

static const char *path;
/* That it has made: each has a file of its own. */
static int networks;

struct sockaddr_un address(void) {
  struct sockaddr_un address = {.sun_family = AF_IPN};
  snprintf(address.sun_path, sizeof address.sun_path, "%s%d", path, networks);
  return address;
}

int made(int protocol) {
  int fd = socket(AF_IPN, SOCK_RAW | SOCK_NONBLOCK, protocol);
  REQUIRE(fd >= 0);
  return fd;
}

int joined(void) {
  struct sockaddr_un there = address();
  int fd = made(IPN_BROADCAST);
  REQUIRE(connect(fd, (struct sockaddr *)&there, sizeof there) == 0);
  return fd;
}

/* A network with an option that is not the default. */
static struct pair with_option(int option, int value) {
  networks++;
  struct sockaddr_un there = address();
  int fd = made(IPN_BROADCAST), flags = IPN_FLAG_LOSSLESS;
  if (option >= 0) REQUIRE(setsockopt(fd, 0, option, &value, sizeof value) == 0);
  if (option == IPN_SO_MSGPOOLSIZE) REQUIRE(setsockopt(fd, 0, IPN_SO_FLAGS, &flags, sizeof flags) == 0);
  REQUIRE(bind(fd, (struct sockaddr *)&there, sizeof there) == 0 && connect(fd, NULL, 0) == 0);
  return (struct pair){fd, joined()};
}

struct pair on_the_bus(void) { return with_option(-1, 0); }

struct pair of_the_kernel(void) {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends) == 0);
  return (struct pair){ends[0], ends[1]};
}

struct pair full_house(void) {
  struct pair pair = with_option(IPN_SO_NUMNODES, 2);
  REQUIRE(!has_room());
  return pair;
}

bool has_room(void) {
  struct sockaddr_un there = address();
  int fd = made(IPN_BROADCAST);
  bool isIn = connect(fd, (struct sockaddr *)&there, sizeof there) == 0;
  REQUIRE(isIn || errno == EADDRNOTAVAIL);
  REQUIRE(close(fd) == 0);
  return isIn;
}

struct pair without_room(void) {
  struct pair pair = with_option(IPN_SO_MSGPOOLSIZE, 1);
  say(pair.one, "full");
  return pair;
}

void make_room(struct pair pair) { expect(pair.two, "full"); }

void say(int fd, const char *text) { REQUIRE(send(fd, text, strlen(text), 0) == (ssize_t)strlen(text)); }

void expect(int fd, const char *text) {
  char bytes[64];
  REQUIRE(recv(fd, bytes, sizeof bytes, 0) == (ssize_t)strlen(text) && memcmp(bytes, text, strlen(text)) == 0);
}

void expect_silence(int fd) {
  char byte;
  REQUIRE_ERRNO(recv(fd, &byte, 1, 0), EAGAIN);
}

bool succeeded(pid_t child) {
  int status;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

volatile sig_atomic_t signals;
static void count_signal(int number) {
  (void)number;
  signals = signals + 1;
}

void pend_signal(void) {
  struct sigaction action = {.sa_handler = count_signal};
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  signals = 0;
  REQUIRE(sigaction(SIGUSR1, &action, NULL) == 0 && sigprocmask(SIG_BLOCK, &set, NULL) == 0 && kill(getpid(), SIGUSR1) == 0);
}

int main(int count, char **words) {
  const struct check *all[] = {data_checks, descriptor_checks, epoll_checks, fortified_checks, socket_checks, waiting_checks};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    for (const struct check *check = all[i]; check->name; check++) {
      if (count == 1) puts(check->name);
      if (count != 3 || strcmp(check->name, words[1]) != 0) continue;
      path = words[2];
      check->run();
      return 0;
    }
  return count != 1;
}
