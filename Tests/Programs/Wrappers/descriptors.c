/* Numbers: copied, closed, inherited. */
#include "wrappers.h"

#include <sys/syscall.h>

/* A copy is the same socket, which stays as long as there is a number for it. */
static void is_copy(struct pair pair, int copy) {
  REQUIRE(copy >= 0);
  say(copy, "from a copy");
  expect(pair.one, "from a copy");
  REQUIRE(close(pair.two) == 0 && !has_room());
  say(pair.one, "to a copy");
  expect(copy, "to a copy");
  REQUIRE(close(copy) == 0 && has_room());
}

static void check_dup(void) {
  struct pair pair = full_house();
  is_copy(pair, dup(pair.two));
}

static void replaces(int (*replace)(int fd, int wanted)) {
  struct pair pair = full_house();
  int file = open("/dev/null", O_RDWR), number = open("/dev/null", O_RDWR);
  REQUIRE_ERRNO(replace(pair.two, -1), EBADF);
  REQUIRE(replace(pair.two, number) == number);
  /* What is copied over leaves with its last number, and its number is the other's. */
  REQUIRE(replace(file, pair.two) == pair.two && !has_room() && write(pair.two, "nobody hears", 12) == 12);
  expect_silence(pair.one);
  pair.two = number;
  is_copy(pair, replace(number, 100));
  int last = joined();
  REQUIRE(!has_room() && replace(file, last) == last && has_room());
}

static int by_dup2(int fd, int wanted) { return dup2(fd, wanted); }
static int by_dup3(int fd, int wanted) { return dup3(fd, wanted, O_CLOEXEC); }

static void check_dup2(void) {
  int fd = made(IPN_BROADCAST);
  REQUIRE(dup2(fd, fd) == fd);
  replaces(by_dup2);
}

static void check_dup3(void) {
  int fd = made(IPN_BROADCAST);
  REQUIRE_ERRNO(dup3(fd, fd, 0), EINVAL);
  REQUIRE(dup3(fd, 60, 0) == 60 && fcntl(60, F_GETFD) == 0);
  REQUIRE(dup3(fd, 61, O_CLOEXEC) == 61 && fcntl(61, F_GETFD) == FD_CLOEXEC);
  replaces(by_dup3);
}

static void copies(int (*control)(int fd, int command, ...)) {
  struct pair pair = full_house();
  int copy = control(pair.two, F_DUPFD, 70), other = control(pair.two, F_DUPFD_CLOEXEC, 70);
  REQUIRE(copy == 70 && control(copy, F_GETFD) == 0);
  REQUIRE(other == 71 && control(other, F_GETFD) == FD_CLOEXEC);
  /* O_NONBLOCK is the socket's, FD_CLOEXEC the number's. */
  REQUIRE(control(copy, F_SETFL, 0) == 0 && !(control(other, F_GETFL) & O_NONBLOCK));
  REQUIRE(control(other, F_SETFL, O_NONBLOCK) == 0);
  say(other, "from another");
  expect(pair.one, "from another");
  REQUIRE(close(other) == 0);
  is_copy(pair, copy);
}
static void check_fcntl(void) { copies(fcntl); }
/* What fcntl is where files are large: -D_FILE_OFFSET_BITS=64. */
static void check_fcntl64(void) { copies(fcntl64); }

/* MARK: Ends */

/* A next socket with the number would end what was left of the last. */
static void has_left(int number) { REQUIRE(open("/dev/null", O_RDWR) == number && has_room()); }

static void check_close(void) {
  struct pair pair = full_house();
  REQUIRE(close(pair.two) == 0);
  REQUIRE_ERRNO(close(pair.two), EBADF);
  has_left(pair.two);
}

static void check_fclose(void) {
  struct pair pair = full_house();
  FILE *stream = fdopen(pair.two, "r+");
  REQUIRE(stream && fclose(stream) == 0);
  has_left(pair.two);
}

static void check_close_range(void) {
  struct pair pair = full_house();
  REQUIRE(dup2(pair.two, 80) == 80 && dup2(pair.two, 82) == 82 && close(pair.two) == 0);
  int set = dup2(epoll_create1(0), 81);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = 80};
  REQUIRE(epoll_ctl(set, EPOLL_CTL_ADD, 80, &event) == 0);
  REQUIRE_ERRNO(close_range(82, 80, 0), EINVAL);
  REQUIRE(close_range(80, 81, 0) == 0 && !has_room());
  REQUIRE_ERRNO(recv(80, &event, 1, 0), EBADF);
  REQUIRE_ERRNO(epoll_wait(81, &event, 1, 0), EBADF);
  /* Marked, and not closed. */
  REQUIRE(close_range(82, ~0u, CLOSE_RANGE_CLOEXEC) == 0 && fcntl(82, F_GETFD) == FD_CLOEXEC);
  say(82, "still there");
  expect(pair.one, "still there");
  REQUIRE(close_range(82, ~0u, 0) == 0 && has_room());
}

static void check_closefrom(void) {
  struct pair pair = full_house();
  REQUIRE(dup2(pair.two, 90) == 90 && close(pair.two) == 0);
  closefrom(90);
  REQUIRE(has_room());
}

/* MARK: Processes */

/* A child that was made without the handlers of pthread_atfork: a socket is its own, and its parent's goes on. */
static void check__Fork(void) {
  struct pair pair = on_the_bus();
  pid_t child = _Fork();
  if (child == 0) {
    int copy = dup(pair.two);
    say(copy, "from the child");
    REQUIRE(close(copy) == 0 && close(pair.two) == 0);
    _exit(0);
  }
  REQUIRE(succeeded(child));
  expect(pair.one, "from the child");
  expect(pair.two, "from the child");
  say(pair.two, "from the parent");
  expect(pair.one, "from the parent");
}

const struct check descriptor_checks[] = {
    {"dup", check_dup},       {"dup2", check_dup2},     {"dup3", check_dup3},
    {"fcntl", check_fcntl},   {"fcntl64", check_fcntl64}, {"close", check_close},
    {"fclose", check_fclose}, {"close_range", check_close_range}, {"closefrom", check_closefrom},
    {"_Fork", check__Fork},   {NULL, NULL},
};
