/* A socket that one thread closes while others are in calls with its number, or about to be. */
#include "call.h"
#include "check.h"
#include <dirent.h>
#include <sched.h>

static int socket_;

/* MARK: Asleep in calls */

static long receive(void) {
  char room[16];
  return ipn_recv(socket_, room, sizeof room, 0);
}
static long send_more(void) { return ipn_send(socket_, "x", 1, 0); }
static long poll_news(void) {
  struct pollfd entry = {.fd = socket_, .events = POLLPRI};
  return ipn_poll(&entry, 1, -1);
}

static void set(int option, int value) { REQUIRE(ipn_setsockopt(socket_, 0, option, &value, sizeof value) == 0); }

/* The end is everybody's, also where news could still come. */
static void whoever_sleeps(const char *path, bool wants_news) {
  struct call calls[3], polling;
  socket_ = joined(path, 0);
  set(IPN_SO_HANDLE_OOB, wants_news);
  set(IPN_SO_WANT_OOB_NUMNODES, wants_news);
  char news[64];
  if (wants_news) REQUIRE(ipn_recv(socket_, news, sizeof news, 0) == sizeof(struct numnode_oob));
  for (int i = 0; i < 3; i++) begin(&calls[i], receive);
  begin(&polling, poll_news);
  REQUIRE(ipn_close(socket_) == 0);
  for (int i = 0; i < 3; i++) REQUIRE(end(&calls[i]) == 0);
  REQUIRE(end(&polling) == 1);
  REQUIRE_ERRNO(ipn_recv(socket_, news, sizeof news, 0), EBADF);
}

static void whoever_waits_for_room(int reader) {
  struct call calls[2];
  while (ipn_send(socket_, "x", 1, MSG_DONTWAIT) == 1) {}
  REQUIRE(errno == EAGAIN);
  for (int i = 0; i < 2; i++) begin(&calls[i], send_more);
  REQUIRE(ipn_close(socket_) == 0);
  for (int i = 0; i < 2; i++) {
    REQUIRE(end(&calls[i]) == -1);
    REQUIRE(errno == EPIPE);
  }
  char room[16];
  while (ipn_recv(reader, room, sizeof room, MSG_DONTWAIT) == 1) {}
}

/* MARK: On their way into calls */

static _Atomic bool is_over;
static _Atomic int shared = -1;

/* Receives until its call fails, as programs do that are ended by a close. */
static void *receive_all(void *argument) {
  int fd = *(int *)argument;
  char room[16];
  while (ipn_recv(fd, room, sizeof room, 0) > 0) {}
  return NULL;
}

/* Again and again, with a number that may have been closed a moment ago. */
static void *intrude(void *unused) {
  (void)unused;
  char room[16];
  while (!is_over) {
    int fd = shared;
    if (fd < 0) sched_yield();
    else if (ipn_send(fd, "u", 1, MSG_DONTWAIT) < 0) (void)!ipn_recv(fd, room, sizeof room, MSG_DONTWAIT);
  }
  return NULL;
}

static int count_descriptors(void) {
  int count = 0;
  DIR *folder = opendir("/proc/self/fd");
  REQUIRE(folder);
  while (readdir(folder)) count++;
  closedir(folder);
  return count;
}

/* Whoever is left on the network as nobody's would hold up the sender of a LOSSLESS one for ever. */
static void whoever_comes_too_late(const char *path, int sender) {
  pthread_t intruder, receiver;
  int before = 0;
  char room[16];
  REQUIRE(pthread_create(&intruder, NULL, intrude, NULL) == 0);
  for (int round = 0; round < 400; round++) {
    /* After the first there is what stays, and perhaps what has not gone yet. */
    if (round == 1) before = count_descriptors();
    int made = joined(path, 0);
    REQUIRE(pthread_create(&receiver, NULL, receive_all, &made) == 0);
    shared = made;
    for (int i = 0; i < 50; i++) {
      ipn_send(sender, "m", 1, MSG_DONTWAIT);
      while (ipn_recv(sender, room, sizeof room, MSG_DONTWAIT) > 0) {}
    }
    REQUIRE(ipn_close(made) == 0);
    shared = -1;
    REQUIRE(pthread_join(receiver, NULL) == 0);
  }
  is_over = true;
  REQUIRE(pthread_join(intruder, NULL) == 0);
  /* The keeper has perhaps still to say that they have gone. */
  for (; count_descriptors() > before; usleep(1000))
    while (ipn_recv(sender, room, sizeof room, MSG_DONTWAIT) > 0) {}
  for (int i = 0; i < 100; i++) REQUIRE(ipn_send(sender, "m", 1, 0) == 1);
}

/* MARK: Numbers that nobody spoke of */

static void a_duplicate_goes_on(const char *path, int other) {
  int first = joined(path, 0), second = dup(first), port = -1;
  socklen_t length = sizeof port;
  say(other, "before");
  REQUIRE(ipn_close(first) == 0);
  say(other, "after");
  expect(second, "before");
  expect(second, "after");
  int third = dup(second);
  REQUIRE(ipn_close(second) == 0 && ipn_getsockopt(third, 0, IPN_SO_PORT, &port, &length) == 0 && port == 1);
  REQUIRE(ipn_close(third) == 0);
  REQUIRE_ERRNO(ipn_close(third), EBADF);

  /* As it was made, without a name. */
  struct sockaddr_un address = address_of(path);
  first = ipn_socket(AF_IPN, SOCK_RAW, IPN_BROADCAST), second = dup(first);
  REQUIRE(ipn_close(first) == 0);
  REQUIRE(ipn_connect(second, (struct sockaddr *)&address, sizeof address) == 0);
  first = dup(second);
  REQUIRE(ipn_close(second) == 0 && ipn_close(first) == 0);
}

/* A number that was closed may be the library's own by now: to a program that comes late there is nothing. */
static void the_librarys_own_are_nobodys(int sender) {
#ifndef UNDER_PRELOAD
  char room[16];
  int own = 0;
  for (unsigned fd = ipn_next_own(0); fd != UINT32_MAX; fd = ipn_next_own(fd + 1), own++) {
    REQUIRE_ERRNO(ipn_recv((int)fd, room, sizeof room, MSG_DONTWAIT), EBADF);
    REQUIRE_ERRNO(ipn_close((int)fd), EBADF);
  }
  REQUIRE(own >= 13 && ipn_send(sender, "m", 1, 0) == 1);
#else
  (void)sender;
#endif
}

int main(int count, char **arguments) {
  REQUIRE(count == 2);
  alarm(120);
  const char *path = arguments[1];
  socket_ = ipn_socket(AF_IPN, SOCK_RAW, IPN_BROADCAST);
  struct sockaddr_un address = address_of(path);
  set(IPN_SO_FLAGS, IPN_FLAG_LOSSLESS);
  REQUIRE(ipn_bind(socket_, (struct sockaddr *)&address, sizeof address) == 0 && ipn_connect(socket_, NULL, 0) == 0);
  int one = socket_;
  whoever_sleeps(path, false);
  whoever_sleeps(path, true);
  socket_ = joined(path, 0);
  whoever_waits_for_room(one);
  a_duplicate_goes_on(path, one);
  whoever_comes_too_late(path, one);
  the_librarys_own_are_nobodys(one);
  REQUIRE(ipn_close(one) == 0);
  return 0;
}
