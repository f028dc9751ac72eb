/* A descriptor over a Unix socket, with one byte. See unix(7). */
#include "check.h"

union rights {
  struct cmsghdr head;
  char bytes[CMSG_SPACE(sizeof(int))];
};

static inline int take(int from) {
  char byte;
  int descriptor;
  union rights control;
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  REQUIRE(recvmsg(from, &message, 0) == 1);
  memcpy(&descriptor, CMSG_DATA(&control.head), sizeof descriptor);
  return descriptor;
}

static inline void pass(int to, int descriptor) {
  char byte = 0;
  union rights control = {.head = {CMSG_LEN(sizeof descriptor), SOL_SOCKET, SCM_RIGHTS}};
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  memcpy(CMSG_DATA(&control.head), &descriptor, sizeof descriptor);
  REQUIRE(sendmsg(to, &message, 0) == 1);
}
