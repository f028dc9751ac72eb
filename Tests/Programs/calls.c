/* Every call of ipn.h, once and together. The statements of the specification have a suite of their own. */
#include "check.h"
#include <sys/epoll.h>

int main(int count, char **arguments) {
  REQUIRE(count == 2);
  int one = joined(arguments[1], 1), two = joined(arguments[1], 0), on = 1;
  char room[64];
  struct pollfd entry = {.fd = two, .events = POLLIN | POLLOUT | POLLPRI};

  say(one, "text");
  REQUIRE(ipn_recv(two, room, sizeof room, MSG_PEEK) == 5 && strcmp(room, "text") == 0);
  REQUIRE(ipn_ioctl(two, 0x541B /* FIONREAD */, &on) == 0 && on == 5);
  REQUIRE(ipn_recv(two, room, 2, MSG_TRUNC) == 5 && memcmp(room, "te", 2) == 0);
  REQUIRE_ERRNO(ipn_recv(two, room, sizeof room, MSG_DONTWAIT), EAGAIN);

  /* A message of parts with a tag; a receive in parts with all that travels beside it. */
  union {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(uint64_t))];
  } tagged = {.head = {CMSG_LEN(sizeof(uint64_t)), IPN_CMSG_LEVEL, IPN_CMSG_TAG}};
  *(uint64_t *)CMSG_DATA(&tagged.head) = 42;
  struct iovec parts[2] = {{"ab", 2}, {"cde", 3}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2, .msg_control = &tagged, .msg_controllen = sizeof tagged};
  REQUIRE(ipn_sendmsg(one, &message, 0) == 5);
  struct iovec rooms[2] = {{room, 1}, {room + 8, 3}};
  char control[128];
  struct msghdr received = {.msg_iov = rooms, .msg_iovlen = 2, .msg_control = control, .msg_controllen = sizeof control};
  REQUIRE(ipn_recvmsg(two, &received, 0) == 4 && received.msg_flags == MSG_TRUNC);
  REQUIRE(room[0] == 'a' && memcmp(room + 8, "bcd", 3) == 0);
  struct cmsghdr *head = CMSG_FIRSTHDR(&received);
  REQUIRE(head->cmsg_level == IPN_CMSG_LEVEL && head->cmsg_type == IPN_CMSG_TAG && *(uint64_t *)CMSG_DATA(head) == 42);

  /* What was lost, and which. */
  for (int index = 0; index < 20; index++) say(one, "x");
  received.msg_controllen = sizeof control;
  REQUIRE(ipn_recvmsg(two, &received, 0) == 2);
  head = CMSG_FIRSTHDR(&received);
  REQUIRE(head != NULL && head->cmsg_type == IPN_CMSG_LOSS);
  struct ipn_loss loss;
  memcpy(&loss, CMSG_DATA(head), sizeof loss);
  REQUIRE(loss.count == 12 && loss.first == 2);
  uint64_t lost;
  socklen_t length = sizeof lost;
  REQUIRE(ipn_getsockopt(two, 0, IPN_SO_LOST, &lost, &length) == 0 && lost == 12);
  REQUIRE(ipn_getsockopt(two, 0, IPN_SO_LOST, &lost, &length) == 0 && lost == 0);
  while (ipn_recv(two, room, sizeof room, MSG_DONTWAIT) >= 0) {}

  /* In place. */
  struct ipn_loan loan;
  struct ipn_message borrowed;
  REQUIRE(ipn_loan(one, &loan, 100, 0) == 0);
  memcpy(loan.bytes, "in place", 9);
  loan.length = 9;
  loan.tag = 7;
  REQUIRE(ipn_publish(one, &loan) == 0);
  REQUIRE(ipn_loan(one, &loan, 100, 0) == 0 && ipn_cancel(one, &loan) == 0);
  REQUIRE(ipn_borrow(two, &borrowed, 0) == 1);
  REQUIRE(borrowed.length == 9 && borrowed.tag == 7 && strcmp(borrowed.bytes, "in place") == 0);
  REQUIRE(ipn_return(two, &borrowed) == 0);

  /* News, and every way to wait. */
  on = 1;
  REQUIRE(ipn_poll(&entry, 1, 0) == 1 && entry.revents == POLLOUT);
  REQUIRE(ipn_setsockopt(two, 0, IPN_SO_HANDLE_OOB, &on, sizeof on) == 0);
  REQUIRE(ipn_setsockopt(two, 0, IPN_SO_WANT_OOB_NUMNODES, &on, sizeof on) == 0);
  REQUIRE(ipn_poll(&entry, 1, -1) == 1 && entry.revents == (POLLIN | POLLPRI | POLLOUT));
  struct numnode_oob news;
  REQUIRE(ipn_borrow(two, &borrowed, 0) == 1 && borrowed.flags == MSG_OOB && borrowed.length == sizeof news);
  memcpy(&news, borrowed.bytes, sizeof news);
  REQUIRE(news.level == 0 && news.tag == 0 && news.numreaders == 2 && news.numwriters == 2);
  REQUIRE(ipn_return(two, &borrowed) == 0);
  int epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  REQUIRE(epoll_ctl(epoll, EPOLL_CTL_ADD, two, &event) == 0 && epoll_wait(epoll, &event, 1, 0) == 0);
  say(one, "y");
  REQUIRE(epoll_wait(epoll, &event, 1, -1) == 1);
  expect(two, "y");
  REQUIRE(epoll_wait(epoll, &event, 1, 0) == 0);

  /* The end of one side. */
  int copy = dup(two);
  REQUIRE(ipn_duplicated(two, copy) == 0 && ipn_close(two) == 0);
  say(one, "z");
  expect(copy, "z");
  on = 0;
  REQUIRE(ipn_setsockopt(copy, 0, IPN_SO_WANT_OOB_NUMNODES, &on, sizeof on) == 0);
  REQUIRE(ipn_shutdown(copy, SHUT_RD) == 0 && ipn_recv(copy, room, sizeof room, 0) == 0);
  REQUIRE_ERRNO(ipn_send(one, room, 1515, 0), EMSGSIZE);
  REQUIRE(ipn_shutdown(one, SHUT_WR) == 0);
  REQUIRE_ERRNO(ipn_send(one, room, 1, 0), EPIPE);
  REQUIRE(ipn_close(copy) == 0 && ipn_close(one) == 0);
  REQUIRE_ERRNO(ipn_close(one), EBADF);
  return 0;
}
