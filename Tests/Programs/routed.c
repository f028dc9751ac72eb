/* A network with a policy, the example `sieve`: its option, its request, and what it tells out of band. */
#include "check.h"
#include <ipn_policy.h>
#include <sys/ioctl.h>

#define SIEVE 41
#define SIEVE_SO_PREFIX 1
struct sieve_counts {
  uint64_t passed, held, unheard, reset;
};
#define SIEVE_COUNTS _IOWR('S', 1, struct sieve_counts)

static int member(const char *path, int protocol) {
  struct sockaddr_un address = address_of(path);
  int made = ipn_socket(AF_IPN, SOCK_RAW, protocol), on = 1;
  REQUIRE(made >= 0);
  REQUIRE(ipn_setsockopt(made, 0, IPN_SO_HANDLE_OOB, &on, sizeof on) == 0);
  REQUIRE(ipn_connect(made, (struct sockaddr *)&address, sizeof address) == 0);
  return made;
}

int main(int count, char **arguments) {
  REQUIRE(count == 2);
  /* Nobody registered it here; any member learns what the network has. */
  REQUIRE_ERRNO(ipn_socket(AF_IPN, SOCK_RAW, 63), EPROTONOSUPPORT);
  int one = member(arguments[1], IPN_ANY), two = member(arguments[1], IPN_ANY), protocol = 0;
  socklen_t length = sizeof protocol;
  REQUIRE(ipn_getsockopt(one, 0, IPN_SO_PROTOCOL, &protocol, &length) == 0 && protocol == SIEVE);
  struct sockaddr_un address = address_of(arguments[1]);
  int other = ipn_socket(AF_IPN, SOCK_RAW, IPN_BROADCAST);
  REQUIRE_ERRNO(ipn_connect(other, (struct sockaddr *)&address, sizeof address), EPROTO);

  char room[64] = "";
  REQUIRE(ipn_setsockopt(two, SIEVE, SIEVE_SO_PREFIX, "b", 1) == 0);
  length = sizeof room;
  REQUIRE(ipn_getsockopt(two, SIEVE, SIEVE_SO_PREFIX, room, &length) == 0 && length == 1 && room[0] == 'b');
  length = 0;
  REQUIRE_ERRNO(ipn_getsockopt(two, SIEVE, SIEVE_SO_PREFIX, room, &length), EINVAL);
  REQUIRE_ERRNO(ipn_setsockopt(two, SIEVE, 9, "b", 1), ENOPROTOOPT);

  REQUIRE(ipn_send(one, "bee", 3, 0) == 3 && ipn_send(one, "cow", 3, 0) == 3);
  REQUIRE(ipn_recv(two, room, sizeof room, 0) == 3 && memcmp(room, "bee", 3) == 0);
  /* News: level, tag, and what it is about. */
  int head[2] = {0};
  struct iovec parts[2] = {{head, sizeof head}, {room, sizeof room}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  REQUIRE(ipn_recvmsg(one, &message, MSG_PEEK) == sizeof head + 3 && message.msg_flags & MSG_OOB);
  memset(room, 0, sizeof room);
  REQUIRE(ipn_recvmsg(one, &message, 0) == sizeof head + 3 && message.msg_flags & MSG_OOB);
  REQUIRE(head[0] == SIEVE && head[1] == 1 && memcmp(room, "cow", 3) == 0);
  REQUIRE_ERRNO(ipn_recv(one, room, sizeof room, MSG_DONTWAIT), EAGAIN);

  struct sieve_counts counts = {0};
  REQUIRE(ipn_ioctl(one, SIEVE_COUNTS, &counts) == 0 && counts.passed == 1 && counts.held == 1 && counts.unheard == 1);
  counts.reset = 1;
  REQUIRE_ERRNO(ipn_ioctl(one, SIEVE_COUNTS, &counts), EPERM);
  REQUIRE_ERRNO(ipn_ioctl(one, _IOWR('S', 2, int), &counts), ENOTTY);
  return 0;
}
