/* Wrong arguments and calls in the wrong order: an errno each, as the kernel has it, and nothing that was there is gone. */
#include "check.h"
#include <limits.h>
#include <stdint.h>

static int one, two;

/* What was sent before a call went wrong is there after it. */
static void still_there(void) { expect(two, "kept"); }

static void check_parts(void) {
  char room[16];
  struct iovec nowhere = {NULL, 5}, endless = {room, SIZE_MAX}, fine = {room, sizeof room};
  struct msghdr message = {.msg_iov = &nowhere, .msg_iovlen = 1};
  REQUIRE_ERRNO(ipn_sendmsg(one, &message, 0), EFAULT);
  REQUIRE_ERRNO(ipn_recv(two, room, sizeof room, MSG_DONTWAIT), EAGAIN);
  say(one, "kept");
  REQUIRE_ERRNO(ipn_recvmsg(two, &message, 0), EFAULT);
  message.msg_iov = &endless;
  REQUIRE_ERRNO(ipn_sendmsg(one, &message, 0), EINVAL);
  REQUIRE_ERRNO(ipn_recvmsg(two, &message, 0), EINVAL);
  message.msg_iov = NULL;
  REQUIRE_ERRNO(ipn_sendmsg(one, &message, 0), EFAULT);
  REQUIRE_ERRNO(ipn_recvmsg(two, &message, 0), EFAULT);
  message.msg_iov = &fine, message.msg_iovlen = 5000;
  REQUIRE_ERRNO(ipn_sendmsg(one, &message, 0), EMSGSIZE);
  message.msg_iovlen = SIZE_MAX;
  REQUIRE_ERRNO(ipn_recvmsg(two, &message, 0), EMSGSIZE);
  REQUIRE_ERRNO(ipn_sendmsg(one, NULL, 0), EFAULT);
  REQUIRE_ERRNO(ipn_recvmsg(two, NULL, 0), EFAULT);
  still_there();
}

static void check_lengths(void) {
  char room[16];
  REQUIRE_ERRNO(ipn_send(one, NULL, 1, 0), EFAULT);
  REQUIRE_ERRNO(ipn_send(one, room, SIZE_MAX, 0), EMSGSIZE);
  say(one, "kept");
  REQUIRE_ERRNO(ipn_recv(two, NULL, 1, 0), EFAULT);
  REQUIRE(ipn_recv(two, room, SIZE_MAX, MSG_PEEK) == 5);
  still_there();
}

static void check_controls(void) {
  char room[16];
  uint64_t tag = 5;
  struct iovec part = {room, sizeof room};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_controllen = 100};
  REQUIRE_ERRNO(ipn_sendmsg(one, &message, 0), EFAULT);
  /* One that says that it is longer than what holds it. */
  struct cmsghdr head = {CMSG_LEN(sizeof tag), IPN_CMSG_LEVEL, IPN_CMSG_TAG};
  message.msg_control = &head, message.msg_controllen = sizeof head;
  REQUIRE_ERRNO(ipn_sendmsg(one, &message, 0), EINVAL);
  /* One of another size than a tag's. */
  for (size_t size = 4; size <= 12; size += 8) {
    union {
      struct cmsghdr head;
      char bytes[CMSG_SPACE(12)];
    } other = {.head = {CMSG_LEN(size), IPN_CMSG_LEVEL, IPN_CMSG_TAG}};
    message.msg_control = &other, message.msg_controllen = CMSG_SPACE(size);
    REQUIRE_ERRNO(ipn_sendmsg(one, &message, 0), EINVAL);
  }
  REQUIRE(ipn_setsockopt(one, 0, IPN_SO_TAG, &tag, sizeof tag) == 0);
  say(one, "tagged");
  message.msg_control = NULL, message.msg_controllen = 100;
  REQUIRE(ipn_recvmsg(two, &message, 0) == 7 && message.msg_flags == MSG_CTRUNC && message.msg_controllen == 0);
  tag = 0;
  REQUIRE(ipn_setsockopt(one, 0, IPN_SO_TAG, &tag, sizeof tag) == 0);
}

static void check_numbers(void) {
  int value = 0;
  socklen_t length = (socklen_t)-1;
  struct sockaddr_un name;
  struct pollfd entry = {.fd = two, .events = POLLIN};
  REQUIRE_ERRNO(ipn_setsockopt(one, 0, IPN_SO_HANDLE_OOB, &value, length), EINVAL);
  REQUIRE_ERRNO(ipn_setsockopt(one, 0, IPN_SO_DESCR, "text", length), EINVAL);
  REQUIRE_ERRNO(ipn_getsockopt(one, 0, IPN_SO_PORT, &value, &length), EINVAL);
  REQUIRE_ERRNO(ipn_getsockname(one, (struct sockaddr *)&name, &length), EINVAL);
  REQUIRE_ERRNO(ipn_getsockname(one, NULL, &length), EFAULT);
  REQUIRE_ERRNO(ipn_bind(one, NULL, 0), EFAULT);
  REQUIRE(ipn_poll(NULL, 0, 0) == 0);
  REQUIRE_ERRNO(ipn_poll(NULL, 1, 0), EFAULT);
  REQUIRE_ERRNO(ipn_poll(&entry, (nfds_t)-1, 0), EINVAL);
}

/* A loan is its socket's. */
static void check_loans(const char *path) {
  struct ipn_loan loan = {0}, other = {0};
  REQUIRE_ERRNO(ipn_loan(one, NULL, 5, 0), EFAULT);
  REQUIRE_ERRNO(ipn_publish(one, NULL), EFAULT);
  REQUIRE_ERRNO(ipn_publish(one, &loan), EINVAL);
  REQUIRE_ERRNO(ipn_loan(one, &loan, SIZE_MAX, 0), EMSGSIZE);
  REQUIRE(ipn_loan(one, &loan, 5, 0) == 0);
  memcpy(loan.bytes, "lent", 5);
  REQUIRE_ERRNO(ipn_loan(one, &other, 5, 0), EDEADLK);
  REQUIRE_ERRNO(ipn_loan(one, &other, 5, MSG_DONTWAIT), EDEADLK);
  REQUIRE_ERRNO(ipn_send(one, "x", 1, 0), EDEADLK);
  REQUIRE_ERRNO(ipn_publish(two, &loan), EINVAL);
  REQUIRE_ERRNO(ipn_cancel(two, &loan), EINVAL);
  REQUIRE(ipn_loan(two, &other, 5, 0) == 0);
  REQUIRE_ERRNO(ipn_publish(one, &other), EINVAL);
  REQUIRE(ipn_cancel(two, &other) == 0);
  struct ipn_loan copy = loan;
  REQUIRE(ipn_publish(one, &loan) == 0);
  REQUIRE_ERRNO(ipn_publish(one, &loan), EINVAL);
  REQUIRE_ERRNO(ipn_publish(one, &copy), EINVAL);
  expect(two, "lent");
  REQUIRE(ipn_loan(one, &loan, 5, 0) == 0);
  /* What was made longer is a loan all the same. */
  memcpy(loan.bytes, "lent", 5);
  for (size_t length = 6; length != 0; length = length == 6 ? SIZE_MAX : 0) {
    loan.length = length;
    REQUIRE_ERRNO(ipn_publish(one, &loan), EMSGSIZE);
  }
  loan.length = 5;
  REQUIRE(ipn_publish(one, &loan) == 0);
  expect(two, "lent");
  /* Closed meanwhile, and its number another's: the memory is there, and nothing is sent. */
  int third = joined(path, 0);
  REQUIRE(ipn_loan(third, &loan, 5, 0) == 0 && ipn_loan(one, &other, 5, 0) == 0);
  REQUIRE(ipn_close(third) == 0);
  memset(loan.bytes, 'x', 5);
  copy = loan;
  REQUIRE_ERRNO(ipn_publish(third, &loan), EBADF);
  third = joined(path, 0);
  REQUIRE_ERRNO(ipn_publish(third, &copy), EINVAL);
  REQUIRE(ipn_cancel(one, &other) == 0);
  /* Too late: it is given back, and nobody gets it. */
  REQUIRE(ipn_loan(third, &loan, 5, 0) == 0 && ipn_shutdown(third, SHUT_WR) == 0);
  REQUIRE_ERRNO(ipn_publish(third, &loan), EPIPE);
  REQUIRE_ERRNO(ipn_cancel(third, &loan), EINVAL);
  REQUIRE(ipn_close(third) == 0);
  say(one, "kept");
  still_there();
}

static void check_borrowed(const char *path) {
  struct ipn_message message;
  say(one, "in place");
  REQUIRE_ERRNO(ipn_borrow(two, NULL, 0), EFAULT);
  REQUIRE(ipn_borrow(two, &message, 0) == 1);
  REQUIRE_ERRNO(ipn_return(two, NULL), EFAULT);
  REQUIRE_ERRNO(ipn_return(one, &message), EINVAL);
  REQUIRE(strcmp(message.bytes, "in place") == 0 && ipn_return(two, &message) == 0);
  REQUIRE_ERRNO(ipn_return(two, &message), EINVAL);
  int third = joined(path, 0);
  say(one, "in place");
  expect(two, "in place");
  REQUIRE(ipn_borrow(third, &message, 0) == 1 && ipn_close(third) == 0);
  REQUIRE(strcmp(message.bytes, "in place") == 0);
  REQUIRE_ERRNO(ipn_return(third, &message), EBADF);
  REQUIRE(message.handle == NULL);
}

int main(int count, char **arguments) {
  REQUIRE(count == 2);
  /* What hangs ends here. */
  alarm(60);
  one = joined(arguments[1], 1), two = joined(arguments[1], 0);
  check_parts();
  check_lengths();
  check_controls();
  check_numbers();
  check_loans(arguments[1]);
  check_borrowed(arguments[1]);
  REQUIRE(ipn_close(one) == 0 && ipn_close(two) == 0);
  return 0;
}
