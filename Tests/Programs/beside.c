/* Calls of one thread beside a call of another that sleeps on the same socket. */
#include "call.h"
#include "check.h"
#include <sys/epoll.h>
#include <sys/time.h>

static int one, two;

static char got[2][16];
static long receive(void) { return ipn_recv(two, got[0], sizeof got[0], 0); }
static long receive_too(void) { return ipn_recv(two, got[1], sizeof got[1], 0); }
static long send_third(void) { return ipn_send(one, "third", 6, 0); }
static long send_fourth(void) { return ipn_send(one, "fourth", 7, 0); }
static long poll_room(void) {
  struct pollfd entry = {.fd = one, .events = POLLOUT};
  return ipn_poll(&entry, 1, -1);
}

static void limit(int option, int microseconds) {
  struct timeval time = {0, microseconds};
  REQUIRE(ipn_setsockopt(option == SO_RCVTIMEO ? two : one, SOL_SOCKET, option, &time, sizeof time) == 0);
}

/* MARK: Beside a receive */

static void beside_a_receive(void) {
  char room[16];
  int length = 7, spin = 1;
  struct call call, other;
  struct ipn_message borrowed[4], fifth;
  for (int i = 0; i < 4; i++) {
    say(one, "held");
    REQUIRE(ipn_borrow(two, &borrowed[i], 0) == 1);
  }
  begin(&call, receive);
  REQUIRE_ERRNO(ipn_recv(two, room, sizeof room, MSG_DONTWAIT), EAGAIN);
  REQUIRE_ERRNO(ipn_recv(two, room, sizeof room, MSG_DONTWAIT | MSG_PEEK), EAGAIN);
  REQUIRE_ERRNO(ipn_borrow(two, &fifth, MSG_DONTWAIT), EAGAIN);
  REQUIRE(ipn_ioctl(two, 0x541B /* FIONREAD */, &length) == 0 && length == 0);
  REQUIRE(ipn_setsockopt(two, 0, IPN_SO_SPIN, &spin, sizeof spin) == 0);
  struct pollfd entry = {.fd = two, .events = POLLIN};
  REQUIRE(ipn_poll(&entry, 1, 0) == 0);
  /* It, too, has time for so long only. */
  limit(SO_RCVTIMEO, 20000);
  REQUIRE_ERRNO(ipn_recv(two, room, sizeof room, 0), EAGAIN);
  limit(SO_RCVTIMEO, 0);
  /* All places are taken until these are back; who sleeps is not told that there is none. */
  for (int i = 0; i < 4; i++) REQUIRE(ipn_return(two, &borrowed[i]) == 0);
  say(one, "woken");
  REQUIRE(end(&call) == 6 && strcmp(got[0], "woken") == 0);

  /* Two that sleep get one each. */
  begin(&call, receive);
  begin(&other, receive_too);
  say(one, "a");
  say(one, "b");
  REQUIRE(end(&call) == 2 && end(&other) == 2 && got[0][0] + got[1][0] == 'a' + 'b');

  /* The end of the socket is everybody's. */
  begin(&call, receive);
  begin(&other, receive_too);
  REQUIRE(ipn_close(two) == 0);
  long first = end(&call), second = end(&other);
  REQUIRE(first <= 0 && second <= 0);
}

/* MARK: Beside a send, on a LOSSLESS network for two messages */

static void beside_a_send(void) {
  struct call call, polling, other;
  uint64_t tag = 0;
  struct pollfd entry = {.fd = one, .events = POLLOUT};
  say(one, "first");
  say(one, "second");
  begin(&call, send_third);
  REQUIRE_ERRNO(ipn_send(one, "x", 1, MSG_DONTWAIT), EAGAIN);
  struct ipn_loan loan;
  REQUIRE_ERRNO(ipn_loan(one, &loan, 1, MSG_DONTWAIT), EAGAIN);
  REQUIRE(ipn_setsockopt(one, 0, IPN_SO_TAG, &tag, sizeof tag) == 0);
  REQUIRE(ipn_poll(&entry, 1, 0) == 0);
  limit(SO_SNDTIMEO, 20000);
  REQUIRE_ERRNO(ipn_send(one, "x", 1, 0), EAGAIN);
  limit(SO_SNDTIMEO, 0);
  begin(&other, send_fourth);
  begin(&polling, poll_room);
  /* Room for both, and for whoever polls. */
  expect(two, "first");
  expect(two, "second");
  REQUIRE(end(&call) == 6 && end(&other) == 7);
  expect(two, "third");
  expect(two, "fourth");
  REQUIRE(end(&polling) == 1);

  /* Who has been told that there is no room, and waits in a set, is told also where another has slept for it meanwhile. */
  int set = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN | EPOLLET};
  say(one, "first");
  say(one, "second");
  REQUIRE_ERRNO(ipn_send(one, "x", 1, MSG_DONTWAIT), EAGAIN);
  REQUIRE(epoll_ctl(set, EPOLL_CTL_ADD, one, &event) == 0);
  while (epoll_wait(set, &event, 1, 0) > 0) {}
  begin(&call, send_third);
  expect(two, "first");
  expect(two, "second");
  REQUIRE(end(&call) == 6);
  REQUIRE(epoll_wait(set, &event, 1, -1) == 1);
  expect(two, "third");

  /* A loan is a turn as well: for its own thread an error, for others a wait. */
  REQUIRE(ipn_loan(one, &loan, 6, 0) == 0);
  memcpy(loan.bytes, "lent-", 6);
  REQUIRE(ipn_poll(&entry, 1, 0) == 0);
  begin(&call, send_third);
  REQUIRE(ipn_publish(one, &loan) == 0);
  REQUIRE(end(&call) == 6);
  expect(two, "lent-");
  expect(two, "third");
  close(set);
}

int main(int count, char **arguments) {
  REQUIRE(count == 2);
  alarm(60);
  one = joined(arguments[1], 1), two = joined(arguments[1], 0);
  beside_a_receive();
  REQUIRE(ipn_close(one) == 0);

  struct sockaddr_un address = address_of(arguments[1]);
  int flags = IPN_FLAG_LOSSLESS, pool = 2;
  strncat(address.sun_path, "-lossless", sizeof address.sun_path - strlen(address.sun_path) - 1);
  one = ipn_socket(AF_IPN, SOCK_RAW, IPN_BROADCAST);
  REQUIRE(ipn_setsockopt(one, 0, IPN_SO_FLAGS, &flags, sizeof flags) == 0);
  REQUIRE(ipn_setsockopt(one, 0, IPN_SO_MSGPOOLSIZE, &pool, sizeof pool) == 0);
  REQUIRE(ipn_bind(one, (struct sockaddr *)&address, sizeof address) == 0 && ipn_connect(one, NULL, 0) == 0);
  two = joined(address.sun_path, 0);
  beside_a_send();
  REQUIRE(ipn_close(one) == 0 && ipn_close(two) == 0);
  return 0;
}
