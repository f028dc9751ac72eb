/* Messages in and out. What is usual is asked of the kernel: each check runs with a pair of its sockets, too. */
#include "wrappers.h"

#define BOTH(body)            \
  do {                        \
    body(of_the_kernel());    \
    body(on_the_bus());       \
  } while (0)

/* What the compiler must not know: it would refuse. */
static volatile int too_few = -1, too_many = 1025;

static void read_pair(struct pair pair) {
  char bytes[8] = "";
  REQUIRE_ERRNO(read(pair.two, bytes, sizeof bytes), EAGAIN);
  say(pair.one, "abc");
  say(pair.one, "longer than that");
  REQUIRE(read(pair.two, bytes, 0) == 0);
  REQUIRE(read(pair.two, bytes, sizeof bytes) == 3 && memcmp(bytes, "abc", 3) == 0);
  REQUIRE(read(pair.two, bytes, sizeof bytes) == 8 && memcmp(bytes, "longer t", 8) == 0);
  expect_silence(pair.two);
}
static void check_read(void) { BOTH(read_pair); }

static void write_pair(struct pair pair) {
  REQUIRE(write(pair.one, "abc", 3) == 3 && write(pair.one, "", 0) == 0 && write(pair.one, "d", 1) == 1);
  expect(pair.two, "abc");
  expect(pair.two, "");
  expect(pair.two, "d");
}
static void check_write(void) { BOTH(write_pair); }

static void readv_pair(struct pair pair) {
  char first[2], second[4];
  struct iovec parts[3] = {{first, 2}, {NULL, 0}, {second, 4}};
  REQUIRE_ERRNO(readv(pair.two, parts, 3), EAGAIN);
  say(pair.one, "abcd");
  say(pair.one, "eight by");
  REQUIRE(readv(pair.two, parts, 0) == 0 && readv(pair.two, parts + 1, 1) == 0);
  REQUIRE_ERRNO(readv(pair.two, parts, too_few), EINVAL);
  REQUIRE_ERRNO(readv(pair.two, parts, too_many), EINVAL);
  REQUIRE(readv(pair.two, parts, 3) == 4 && memcmp(first, "ab", 2) == 0 && memcmp(second, "cd", 2) == 0);
  REQUIRE(readv(pair.two, parts, 3) == 6 && memcmp(second, "ght ", 4) == 0);
  expect_silence(pair.two);
}
static void check_readv(void) { BOTH(readv_pair); }

static void writev_pair(struct pair pair) {
  struct iovec parts[3] = {{"ab", 2}, {NULL, 0}, {"cde", 3}};
  REQUIRE(writev(pair.one, parts, 3) == 5);
  REQUIRE(writev(pair.one, parts, 0) == 0 && writev(pair.one, parts + 1, 1) == 0);
  REQUIRE_ERRNO(writev(pair.one, parts, too_few), EINVAL);
  REQUIRE_ERRNO(writev(pair.one, parts, too_many), EINVAL);
  expect(pair.two, "abcde");
  expect_silence(pair.two);
}
static void check_writev(void) { BOTH(writev_pair); }

static void send_pair(struct pair pair) {
  REQUIRE(send(pair.one, "abc", 3, MSG_NOSIGNAL | MSG_DONTWAIT) == 3 && send(pair.one, NULL, 0, 0) == 0);
  expect(pair.two, "abc");
  expect(pair.two, "");
}
static void check_send(void) { BOTH(send_pair); }

static void recv_pair(struct pair pair) {
  char bytes[4];
  REQUIRE_ERRNO(recv(pair.two, bytes, sizeof bytes, MSG_DONTWAIT), EAGAIN);
  say(pair.one, "abcdef");
  say(pair.one, "next");
  REQUIRE(recv(pair.two, bytes, sizeof bytes, MSG_PEEK) == 4 && memcmp(bytes, "abcd", 4) == 0);
  REQUIRE(recv(pair.two, bytes, sizeof bytes, MSG_TRUNC) == 6);
  REQUIRE(recv(pair.two, NULL, 0, 0) == 0);
  expect_silence(pair.two);
}
static void check_recv(void) { BOTH(recv_pair); }

/* Everybody is addressed, whatever the address; the kernel's pair takes none. */
static void check_sendto(void) {
  struct pair kernel = of_the_kernel(), pair = on_the_bus();
  struct sockaddr_un there = address();
  REQUIRE(sendto(kernel.one, "abc", 3, 0, NULL, 0) == 3);
  expect(kernel.two, "abc");
  REQUIRE(sendto(pair.one, "abc", 3, 0, NULL, 0) == 3);
  REQUIRE(sendto(pair.one, "def", 3, MSG_DONTWAIT, (struct sockaddr *)&there, sizeof there) == 3);
  expect(pair.two, "abc");
  expect(pair.two, "def");
}

static void recvfrom_pair(struct pair pair) {
  char bytes[8];
  struct sockaddr_un from;
  socklen_t length = sizeof from;
  REQUIRE_ERRNO(recvfrom(pair.two, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &length), EAGAIN);
  say(pair.one, "abc");
  say(pair.one, "def");
  REQUIRE(recvfrom(pair.two, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &length) == 3 && length == 0);
  REQUIRE(recvfrom(pair.two, bytes, sizeof bytes, 0, NULL, NULL) == 3 && memcmp(bytes, "def", 3) == 0);
}
static void check_recvfrom(void) { BOTH(recvfrom_pair); }

static void sendmsg_pair(struct pair pair) {
  struct iovec parts[2] = {{"ab", 2}, {"c", 1}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  REQUIRE(sendmsg(pair.one, &message, MSG_NOSIGNAL) == 3);
  message.msg_iovlen = 0;
  REQUIRE(sendmsg(pair.one, &message, 0) == 0);
  expect(pair.two, "abc");
  expect(pair.two, "");
}
static void check_sendmsg(void) { BOTH(sendmsg_pair); }

static void recvmsg_pair(struct pair pair) {
  char first[2], second[2];
  struct sockaddr_un from;
  struct iovec parts[2] = {{first, 2}, {second, 2}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2, .msg_name = &from, .msg_namelen = sizeof from};
  REQUIRE_ERRNO(recvmsg(pair.two, &message, 0), EAGAIN);
  say(pair.one, "abcdef");
  REQUIRE(recvmsg(pair.two, &message, 0) == 4 && message.msg_flags == MSG_TRUNC && message.msg_namelen == 0);
  REQUIRE(memcmp(first, "ab", 2) == 0 && memcmp(second, "cd", 2) == 0);
}

/* A socket of ours that comes over a Unix socket is one. */
static void check_recvmsg(void) {
  BOTH(recvmsg_pair);
  struct pair bus = {.one = joined(), .two = joined()}, carrier = of_the_kernel();
  union {
    struct cmsghdr head;
    char room[CMSG_SPACE(sizeof(int))];
  } control = {.head = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
  memcpy(CMSG_DATA(&control.head), &bus.two, sizeof bus.two);
  char byte = 0;
  int given;
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  REQUIRE(sendmsg(carrier.one, &message, 0) == 1 && recvmsg(carrier.two, &message, 0) == 1);
  memcpy(&given, CMSG_DATA(&control.head), sizeof given);
  say(bus.one, "for whoever has it");
  expect(given, "for whoever has it");
}

static void sendmmsg_pair(struct pair pair) {
  char bytes[4] = "abc", large[300000];
  struct iovec parts[3] = {{bytes, 3}, {bytes, 1}, {large, sizeof large}};
  struct mmsghdr messages[3] = {{{.msg_iov = parts, .msg_iovlen = 1}, 9}, {{.msg_iov = parts + 1, .msg_iovlen = 1}, 9},
                                {{.msg_iov = parts + 2, .msg_iovlen = 1}, 9}};
  memset(large, 'x', sizeof large);
  REQUIRE(sendmmsg(pair.one, messages, 2, 0) == 2 && messages[0].msg_len == 3 && messages[1].msg_len == 1);
  REQUIRE(sendmmsg(pair.one, messages, 0, 0) == 0);
  expect(pair.two, "abc");
  expect(pair.two, "a");
  /* What cannot be sent is told where nothing was sent before it. */
  messages[2].msg_len = 9;
  REQUIRE(sendmmsg(pair.one, messages + 1, 2, 0) == 1 && messages[2].msg_len == 9);
  REQUIRE_ERRNO(sendmmsg(pair.one, messages + 2, 1, 0), EMSGSIZE);
  expect(pair.two, "a");
  expect_silence(pair.two);
}
static void check_sendmmsg(void) { BOTH(sendmmsg_pair); }

static void recvmmsg_pair(struct pair pair) {
  char bytes[3][4];
  struct iovec parts[3] = {{bytes[0], 4}, {bytes[1], 4}, {bytes[2], 4}};
  struct mmsghdr messages[3] = {{{.msg_iov = parts, .msg_iovlen = 1}, 9}, {{.msg_iov = parts + 1, .msg_iovlen = 1}, 9},
                                {{.msg_iov = parts + 2, .msg_iovlen = 1}, 9}};
  REQUIRE_ERRNO(recvmmsg(pair.two, messages, 3, 0, NULL), EAGAIN);
  REQUIRE(recvmmsg(pair.two, messages, 0, 0, NULL) == 0);
  say(pair.one, "abc");
  say(pair.one, "longer");
  REQUIRE(recvmmsg(pair.two, messages, 3, 0, NULL) == 2 && messages[0].msg_len == 3 && messages[1].msg_len == 4);
  REQUIRE(messages[0].msg_hdr.msg_flags == 0 && messages[1].msg_hdr.msg_flags == MSG_TRUNC && memcmp(bytes[1], "long", 4) == 0);
  /* The first may be waited for; those that are not there are not. */
  REQUIRE(fcntl(pair.two, F_SETFL, 0) == 0);
  say(pair.one, "one");
  REQUIRE(recvmmsg(pair.two, messages, 3, MSG_WAITFORONE, NULL) == 1 && memcmp(bytes[0], "one", 3) == 0);
  /* How much is left is told; what is no time is refused. */
  struct timespec time = {100, 0}, wrong = {1, 1000000000};
  say(pair.one, "two");
  REQUIRE(recvmmsg(pair.two, messages, 1, 0, &time) == 1 && time.tv_sec == 99);
  say(pair.one, "three");
  REQUIRE_ERRNO(recvmmsg(pair.two, messages, 1, 0, &wrong), EINVAL);
  struct timespec none = {0, 0};
  say(pair.one, "four");
  REQUIRE(recvmmsg(pair.two, messages, 3, 0, &none) == 1 && none.tv_sec == 0 && none.tv_nsec == 0);
}
static void check_recvmmsg(void) { BOTH(recvmmsg_pair); }

const struct check data_checks[] = {
    {"read", check_read},         {"write", check_write},       {"readv", check_readv},       {"writev", check_writev},
    {"send", check_send},         {"recv", check_recv},         {"sendto", check_sendto},     {"recvfrom", check_recvfrom},
    {"sendmsg", check_sendmsg},   {"recvmsg", check_recvmsg},   {"sendmmsg", check_sendmmsg}, {"recvmmsg", check_recvmmsg},
    {NULL, NULL},
};
