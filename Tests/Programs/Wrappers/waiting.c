/* poll and select: that there is no room, the kernel does not know. */
#include "wrappers.h"

#include <sys/resource.h>

static const struct timespec no_time = {0, 0};

/* Nothing is there. */
static void *volatile nowhere = (void *)16;

static void polls(int (*wait)(struct pollfd *, nfds_t)) {
  REQUIRE_ERRNO(wait(nowhere, 1), EFAULT);
  struct pair pair = without_room();
  struct pollfd set[2] = {{.fd = pair.one, .events = POLLOUT}, {.fd = pair.two, .events = POLLIN}};
  REQUIRE(wait(set, 1) == 0 && set[0].revents == 0);
  REQUIRE(wait(set, 2) == 1 && set[1].revents == POLLIN);
  make_room(pair);
  REQUIRE(wait(set, 2) == 1 && set[0].revents == POLLOUT && set[1].revents == 0);
}

static int by_poll(struct pollfd *set, nfds_t count) { return poll(set, count, 0); }
static int by_ppoll(struct pollfd *set, nfds_t count) { return ppoll(set, count, &no_time, NULL); }
static void check_poll(void) { polls(by_poll); }

static void check_ppoll(void) {
  polls(by_ppoll);
  sigset_t none;
  struct pollfd entry = {.fd = joined(), .events = POLLIN};
  sigemptyset(&none);
  pend_signal();
  REQUIRE_ERRNO(ppoll(&entry, 1, NULL, &none), EINTR);
  REQUIRE(signals == 1);
}

#define MANY 4096
static void put(uint64_t *set, int fd) { set[fd / 64] |= UINT64_C(1) << fd % 64; }
static bool holds(const uint64_t *set, int fd) { return set[fd / 64] >> fd % 64 & 1; }

/* Sets of more numbers than an fd_set has, as the kernel takes them. */
static void selects_many(int (*wait)(int, fd_set *, fd_set *), int fd) {
  struct rlimit room;
  REQUIRE(getrlimit(RLIMIT_NOFILE, &room) == 0);
  room.rlim_cur = MANY;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &room) == 0);
  /* Before there is a number beyond an fd_set's, the kernel knows of none: what comes after it is not looked at. */
  uint64_t *few = calloc(MANY, sizeof *few), *in = few + MANY / 64, *out = few + MANY / 32;
  put(few, fd);
  put(few, 3000);
  REQUIRE(wait(MANY, (fd_set *)few, NULL) == 0 && !holds(few, fd) && holds(few, 3000));
  struct pair pair = of_the_kernel();
  say(pair.one, "there");
  REQUIRE(dup2(fd, 3000) == 3000 && dup2(pair.two, 3500) == 3500);
  /* Beyond the limit, in its word, and not. */
  int numbers[] = {fd, 3000, 3500, 3515, 3700};
  for (int i = 0; i < 5; i++) put(in, numbers[i]);
  put(out, 3000);
  put(out, pair.one);
  REQUIRE(wait(3510, (fd_set *)in, (fd_set *)out) == 3);
  REQUIRE(!holds(in, fd) && !holds(in, 3000) && holds(in, 3500) && !holds(in, 3515) && holds(in, 3700));
  REQUIRE(holds(out, 3000) && holds(out, pair.one));
  put(in, fd);
  REQUIRE_ERRNO(wait(MANY, (fd_set *)in, NULL), EBADF);
  REQUIRE(holds(in, fd) && holds(in, 3700));
  free(few);
  REQUIRE(close(3000) == 0 && close(3500) == 0);
}

static void selects(int (*wait)(int, fd_set *, fd_set *)) {
  pid_t child = fork();
  if (child == 0) {
    selects_many(wait, of_the_kernel().one);
    _exit(0);
  }
  REQUIRE(succeeded(child));
  REQUIRE_ERRNO(wait(1, nowhere, NULL), EFAULT);
  struct pair pair = without_room();
  int limit = (pair.one > pair.two ? pair.one : pair.two) + 1;
  fd_set in, out;
  FD_ZERO(&in);
  FD_ZERO(&out);
  FD_SET(pair.one, &out);
  REQUIRE(wait(limit, NULL, &out) == 0 && !FD_ISSET(pair.one, &out));
  FD_SET(pair.one, &out);
  FD_SET(pair.two, &in);
  REQUIRE(wait(limit, &in, &out) == 1 && FD_ISSET(pair.two, &in) && !FD_ISSET(pair.one, &out));
  make_room(pair);
  FD_SET(pair.one, &out);
  REQUIRE(wait(limit, &in, &out) == 1 && !FD_ISSET(pair.two, &in) && FD_ISSET(pair.one, &out));
  selects_many(wait, pair.one);
}

static int by_select(int limit, fd_set *in, fd_set *out) {
  struct timeval time = {0, 0};
  return select(limit, in, out, NULL, &time);
}
static int by_pselect(int limit, fd_set *in, fd_set *out) { return pselect(limit, in, out, NULL, &no_time, NULL); }

static void check_select(void) {
  selects(by_select);
  /* What is left of the time is told. */
  struct timeval time = {100, 0};
  int fd = joined();
  fd_set out;
  FD_ZERO(&out);
  FD_SET(fd, &out);
  REQUIRE(select(fd + 1, NULL, &out, NULL, &time) == 1 && time.tv_sec == 99);
  REQUIRE_ERRNO(select(-1, NULL, &out, NULL, &time), EINVAL);
  /* So many microseconds that they are seconds; more of them than there are; and none that have passed already. */
  fd_set in;
  FD_ZERO(&in);
  FD_SET(fd, &in);
  time = (struct timeval){98, 2000000};
  REQUIRE(select(fd + 1, NULL, &out, NULL, &time) == 1 && time.tv_sec == 99);
  time = (struct timeval){INT64_MAX, 999999};
  REQUIRE(select(fd + 1, NULL, &out, NULL, &time) == 1);
  for (int i = 0; i < 2; i++) {
    time = (struct timeval){-i, i - 1};
    REQUIRE_ERRNO(select(fd + 1, &in, NULL, NULL, &time), EINVAL);
  }
}

static void check_pselect(void) {
  selects(by_pselect);
  /* A signal that is blocked otherwise interrupts, and nothing is said of the sets. */
  int fd = joined();
  sigset_t none;
  fd_set in;
  FD_ZERO(&in);
  FD_SET(fd, &in);
  sigemptyset(&none);
  pend_signal();
  REQUIRE(pselect(fd + 1, &in, NULL, NULL, &no_time, NULL) == 0 && signals == 0);
  FD_SET(fd, &in);
  REQUIRE_ERRNO(pselect(fd + 1, &in, NULL, NULL, NULL, &none), EINTR);
  REQUIRE(signals == 1);
}

const struct check waiting_checks[] = {
    {"poll", check_poll},
    {"ppoll", check_ppoll},
    {"select", check_select},
    {"pselect", check_pselect},
    {NULL, NULL},
};
