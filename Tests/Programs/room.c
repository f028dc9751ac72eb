/* `room PATH edge|level COUNT`: a writer that never sleeps in a send waits for room in an epoll set, again and again, and a
 * reader waits there for messages. Neither may wait for what is there already. */
#include "check.h"
#include <sys/epoll.h>

#ifdef UNDER_PRELOAD
#define ROOM EPOLLOUT
#else
/* To the kernel a socket of ours is readable where there is something to do. */
#define ROOM EPOLLIN
#endif

/* What is lost is lost for ever; so is what comes later than this. */
#define FOR_EVER 20000
#define POOL 16

static int set_of(int fd, uint32_t events) {
  int set = epoll_create1(0);
  struct epoll_event event = {.events = events};
  REQUIRE(set >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0);
  return set;
}

static void await(int set, const char *what, long number) {
  struct epoll_event event;
  int count = epoll_wait(set, &event, 1, FOR_EVER);
  if (count == 0) fprintf(stderr, "%s at message %ld was not told\n", what, number);
  REQUIRE(count == 1);
}

static int read_all(int fd, uint32_t edge, long count) {
  long number;
  int set = set_of(fd, EPOLLIN | edge);
  for (long expected = 0; expected < count;) {
    await(set, "a message", expected);
    while (ipn_recv(fd, &number, sizeof number, MSG_DONTWAIT) == sizeof number) {
      REQUIRE(number == expected++);
      /* Now and then the pool is full for a while. */
      if (number % 97 == 0) usleep((useconds_t)(number % 150));
    }
  }
  return 0;
}

#ifndef UNDER_PRELOAD
/* Step by step, where the kernel knows only that there is something to do: room is an edge each time, however often it was told
 * before, and also where a receive that found nothing has come between. */
static void each_time(const char *path, int one) {
  char room[16];
  int two = joined(path, 0), set = set_of(one, EPOLLIN | EPOLLET);
  for (int i = 0; i < POOL; i++) say(one, "x");
  for (int i = 0; i < 60; i++) {
    REQUIRE(ipn_send(one, "y", 2, MSG_DONTWAIT) == -1 && errno == EAGAIN);
    expect(two, "x");
    if (i >= 30) REQUIRE_ERRNO(ipn_recv(one, room, sizeof room, MSG_DONTWAIT), EAGAIN);
    await(set, "room, step by step,", i);
    say(one, "x");
  }
  /* Who has looked often enough and does not send does not want it. */
  REQUIRE_ERRNO(ipn_send(one, "y", 2, MSG_DONTWAIT), EAGAIN);
  expect(two, "x");
  for (int i = 0; i < 20; i++) REQUIRE_ERRNO(ipn_recv(one, room, sizeof room, MSG_DONTWAIT), EAGAIN);
  struct pollfd entry = {.fd = one, .events = POLLIN};
  REQUIRE(poll(&entry, 1, 0) == 0);
  close(set);
  REQUIRE(ipn_close(two) == 0);
}
#endif

int main(int count, char **arguments) {
  REQUIRE(count == 4);
  uint32_t edge = strcmp(arguments[2], "edge") == 0 ? EPOLLET : 0;
  long messages = atol(arguments[3]);
  struct sockaddr_un address = address_of(arguments[1]);
  int flags = IPN_FLAG_LOSSLESS, pool = POOL, ready[2];
  char byte = 0;
  int one = ipn_socket(AF_IPN, SOCK_RAW, IPN_BROADCAST);
  REQUIRE(ipn_setsockopt(one, 0, IPN_SO_FLAGS, &flags, sizeof flags) == 0);
  REQUIRE(ipn_setsockopt(one, 0, IPN_SO_MSGPOOLSIZE, &pool, sizeof pool) == 0);
  REQUIRE(ipn_bind(one, (struct sockaddr *)&address, sizeof address) == 0 && ipn_connect(one, NULL, 0) == 0);
#ifndef UNDER_PRELOAD
  each_time(arguments[1], one);
#endif
  REQUIRE(pipe(ready) == 0);
  pid_t reader = fork();
  if (reader == 0) {
    int two = joined(arguments[1], 0);
    REQUIRE(write(ready[1], &byte, 1) == 1);
    _exit(read_all(two, edge, messages));
  }
  /* Without an end of its own it is told when the reader has failed. */
  close(ready[1]);
  REQUIRE(read(ready[0], &byte, 1) == 1);
  int set = set_of(one, ROOM | edge);
  for (long i = 0; i < messages; i++)
    while (ipn_send(one, &i, sizeof i, MSG_DONTWAIT) < 0) {
      REQUIRE(errno == EAGAIN);
      await(set, "room", i);
    }
  REQUIRE(succeeded(reader));
  REQUIRE(ipn_close(one) == 0);
  return 0;
}
