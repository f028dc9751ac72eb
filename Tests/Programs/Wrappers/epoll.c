/* epoll: which of ours a set holds, the kernel is not told. */
#include "wrappers.h"

#include <sys/syscall.h>

static const struct timespec no_time = {0, 0};
/* Of milliseconds: an event that does not come is a failure. */
#define WATCHDOG 30000

static int watching(int fd, uint32_t events) {
  int set = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = events, .data.u64 = 42};
  REQUIRE(set >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0);
  return set;
}

static void by_closing(int fd) { REQUIRE(close(fd) == 0); }
static void by_copying(int fd) { REQUIRE(dup2(STDERR_FILENO, fd) == fd); }
static void by_its_stream(int fd) { REQUIRE(fclose(fdopen(fd, "r")) == 0); }

/* A set has a socket as long as any number of it is open. */
static void outlives_its_number(struct pair pair, void (*end)(int fd)) {
  /* A number that nobody else is given meanwhile. */
  int copy = pair.two, fd = dup2(copy, 90), set = watching(fd, EPOLLIN);
  struct epoll_event events[4], other = {.events = EPOLLIN, .data.u64 = 43}, once = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = 44};
  end(fd);
  REQUIRE(epoll_wait(set, events, 4, 0) == 0);
  say(pair.one, "there");
  REQUIRE(epoll_wait(set, events, 4, WATCHDOG) == 1 && events[0].events == EPOLLIN && events[0].data.u64 == 42);
  /* What another number registered, this one does not change; its own is beside it. */
  REQUIRE_ERRNO(epoll_ctl(set, EPOLL_CTL_DEL, copy, NULL), ENOENT);
  REQUIRE(epoll_ctl(set, EPOLL_CTL_ADD, copy, &other) == 0 && epoll_wait(set, events, 4, 0) == 2);
  REQUIRE(epoll_ctl(set, EPOLL_CTL_DEL, copy, NULL) == 0 && epoll_wait(set, events, 4, 0) == 1 && events[0].data.u64 == 42);
  /* The number has come back. */
  REQUIRE(dup2(copy, fd) == fd);
  REQUIRE_ERRNO(epoll_ctl(set, EPOLL_CTL_ADD, fd, &once), EEXIST);
  REQUIRE(epoll_ctl(set, EPOLL_CTL_MOD, fd, &once) == 0 && close(fd) == 0);
  REQUIRE(epoll_wait(set, events, 4, WATCHDOG) == 1 && events[0].data.u64 == 44 && epoll_wait(set, events, 4, 0) == 0);
  expect(copy, "there");
  REQUIRE(close(copy) == 0 && epoll_wait(set, events, 4, 0) == 0 && close(set) == 0 && close(pair.one) == 0);
}

/* What a child does to its numbers is not its parent's. */
static void outlives_its_childs(struct pair pair) {
  int set = watching(pair.two, EPOLLIN);
  struct epoll_event event;
  pid_t child = fork();
  if (child == 0) _exit(close(pair.two) == 0 ? 0 : 1);
  REQUIRE(succeeded(child));
  say(pair.one, "there");
  /* Asked as somebody who sleeps is told. */
  struct pollfd sleeper = {.fd = set, .events = POLLIN};
  REQUIRE(poll(&sleeper, 1, WATCHDOG) == 1 && epoll_wait(set, &event, 1, 0) == 1 && event.data.u64 == 42);
}

/* An edge is where a call by any number has found the end. */
static void ends_by_any_number(struct pair pair) {
  int set = watching(pair.one, EPOLLOUT | EPOLLET), copy = dup(pair.one);
  struct epoll_event event;
  for (int i = 0; i < 2; i++) {
    REQUIRE_ERRNO(send(copy, "x", 1, 0), EAGAIN);
    make_room(pair);
    REQUIRE(epoll_wait(set, &event, 1, WATCHDOG) == 1 && event.events == EPOLLOUT);
    say(copy, "full");
  }
}

/* What may go with EPOLLEXCLUSIVE. */
static void excludes(struct pair pair) {
  int set = epoll_create1(0);
  struct epoll_event once = {.events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT}, alone = {.events = EPOLLIN | EPOLLEXCLUSIVE}, any = {.events = EPOLLIN};
  REQUIRE_ERRNO(epoll_ctl(set, EPOLL_CTL_ADD, pair.two, &once), EINVAL);
  REQUIRE_ERRNO(epoll_ctl(set, EPOLL_CTL_MOD, pair.two, &alone), EINVAL);
  REQUIRE(epoll_ctl(set, EPOLL_CTL_ADD, pair.two, &alone) == 0);
  REQUIRE_ERRNO(epoll_ctl(set, EPOLL_CTL_MOD, pair.two, &alone), EINVAL);
  REQUIRE_ERRNO(epoll_ctl(set, EPOLL_CTL_MOD, pair.two, &any), EINVAL);
  REQUIRE(epoll_ctl(set, EPOLL_CTL_DEL, pair.two, NULL) == 0 && close(set) == 0);
}

static void check_epoll_ctl(void) {
  void (*const ends[])(int) = {by_closing, by_copying, by_its_stream};
  for (int i = 0; i < 3; i++) {
    outlives_its_number(of_the_kernel(), ends[i]);
    outlives_its_number(on_the_bus(), ends[i]);
  }
  excludes(of_the_kernel());
  excludes(on_the_bus());
  outlives_its_childs(of_the_kernel());
  outlives_its_childs(on_the_bus());
  ends_by_any_number(without_room());
  struct pair pair = without_room();
  int set = watching(pair.one, EPOLLOUT);
  struct epoll_event event = {.events = EPOLLOUT};
  REQUIRE(epoll_wait(set, &event, 1, 0) == 0);
  REQUIRE_ERRNO(epoll_ctl(set, EPOLL_CTL_ADD, pair.one, &event), EEXIST);
  REQUIRE_ERRNO(epoll_ctl(set, EPOLL_CTL_MOD, pair.two, &event), ENOENT);
  REQUIRE_ERRNO(epoll_ctl(set, EPOLL_CTL_DEL, pair.two, NULL), ENOENT);
  REQUIRE_ERRNO(epoll_ctl(set, 77, pair.one, &event), EINVAL);
}

static void awaits(int (*wait)(int set, struct epoll_event *, int most)) {
  struct pair pair = on_the_bus();
  int set = watching(pair.two, EPOLLIN);
  struct epoll_event events[2];
  REQUIRE(wait(set, events, 2) == 0);
  say(pair.one, "there");
  for (int most = 1; most <= 2; most++)
    REQUIRE(wait(set, events, most) == 1 && events[0].events == EPOLLIN && events[0].data.u64 == 42);
  expect(pair.two, "there");
  REQUIRE(wait(set, events, 2) == 0);
  REQUIRE_ERRNO(wait(set, events, 0), EINVAL);
}

static int by_epoll_wait(int set, struct epoll_event *events, int most) { return epoll_wait(set, events, most, 0); }
static int by_epoll_pwait(int set, struct epoll_event *events, int most) { return epoll_pwait(set, events, most, 0, NULL); }
static int by_epoll_pwait2(int set, struct epoll_event *events, int most) {
  return epoll_pwait2(set, events, most, &no_time, NULL);
}
static void check_epoll_wait(void) { awaits(by_epoll_wait); }

static void check_epoll_pwait(void) {
  awaits(by_epoll_pwait);
  int set = watching(joined(), EPOLLIN);
  struct epoll_event event;
  sigset_t none;
  sigemptyset(&none);
  pend_signal();
  REQUIRE(epoll_pwait(set, &event, 1, 0, NULL) == 0 && signals == 0);
  REQUIRE_ERRNO(epoll_pwait(set, &event, 1, -1, &none), EINTR);
  REQUIRE(signals == 1);
}

static void check_epoll_pwait2(void) {
  awaits(by_epoll_pwait2);
  int set = watching(joined(), EPOLLIN);
  struct epoll_event event;
  struct timespec wrong = {0, -1}, ages = {INT64_MAX, 0}, moment = {0, 1};
  sigset_t none;
  sigemptyset(&none);
  REQUIRE(epoll_pwait2(set, &event, 1, &moment, NULL) == 0);
  REQUIRE_ERRNO(epoll_pwait2(set, &event, 1, &wrong, NULL), EINVAL);
  pend_signal();
  REQUIRE_ERRNO(epoll_pwait2(set, &event, 1, &ages, &none), EINTR);
  REQUIRE(signals == 1);
}

/* A set that was closed where nobody sees it leaves nothing to the next with its number. */
static void forgets(int (*create)(void)) {
  struct pair pair = on_the_bus();
  int set = create(), next;
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = 42};
  REQUIRE(epoll_ctl(set, EPOLL_CTL_ADD, pair.two, &event) == 0);
  syscall(SYS_close, set);
  REQUIRE((next = create()) == set);
  say(pair.one, "there");
  REQUIRE(epoll_wait(next, &event, 1, 0) == 0);
}
static int by_epoll_create(void) { return epoll_create(1); }
static int by_epoll_create1(void) { return epoll_create1(0); }
static void check_epoll_create(void) { forgets(by_epoll_create); }
static void check_epoll_create1(void) { forgets(by_epoll_create1); }

const struct check epoll_checks[] = {
    {"epoll_create", check_epoll_create},
    {"epoll_create1", check_epoll_create1},
    {"epoll_ctl", check_epoll_ctl},
    {"epoll_wait", check_epoll_wait},
    {"epoll_pwait", check_epoll_pwait},
    {"epoll_pwait2", check_epoll_pwait2},
    {NULL, NULL},
};
