/* Forks while other threads are in calls: no child finds a lock that nobody holds, or anything half written. */
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>

enum { FORKS = 40 };
static const char *noisy;
static int sender, receiver;
static atomic_int isOver;

static void *send_all(void *unused) {
  while (!isOver) say(sender, "noise");
  return unused;
}

static void *receive_all(void *unused) {
  char room[16];
  while (ipn_recv(receiver, room, sizeof room, 0) > 0) {}
  return unused;
}

static void *come_and_go(void *unused) {
  while (!isOver) REQUIRE(ipn_close(joined(noisy, 0)) == 0);
  return unused;
}

static void *poll_all(void *unused) {
  struct pollfd set[2] = {{.fd = sender, .events = POLLOUT}, {.fd = receiver, .events = POLLIN}};
  while (!isOver) REQUIRE(ipn_poll(set, 2, 0) >= 0);
  return unused;
}

/* Takes part in both networks, and leaves them. */
static void live(int quiet) {
  char room[16];
  say(quiet, "from a child");
  expect(quiet, "for a child");
  say(sender, "noise");
  REQUIRE(ipn_recv(receiver, room, sizeof room, 0) == 6);
  REQUIRE(ipn_close(quiet) == 0 && ipn_close(sender) == 0 && ipn_close(receiver) == 0);
  _exit(0);
}

int main(int count, char **arguments) {
  REQUIRE(count == 2);
  char path[100];
  snprintf(path, sizeof path, "%s-noisy", arguments[1]);
  noisy = path;
  int quiet = joined(arguments[1], 1), other = joined(arguments[1], 0);
  sender = joined(noisy, 1), receiver = joined(noisy, 0);
  void *(*const work[])(void *) = {send_all, receive_all, come_and_go, poll_all};
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) REQUIRE(pthread_create(&threads[i], NULL, work[i], NULL) == 0);
  for (int i = 0; i < FORKS; i++) {
    pid_t child = fork();
    if (child == 0) live(quiet);
    expect(other, "from a child");
    say(other, "for a child");
    REQUIRE(succeeded(child));
  }
  isOver = 1;
  REQUIRE(ipn_shutdown(receiver, SHUT_RD) == 0);
  for (int i = 0; i < 4; i++) REQUIRE(pthread_join(threads[i], NULL) == 0);
  /* The parent's own are as they were. */
  say(quiet, "from the parent");
  expect(other, "from the parent");
  return 0;
}
