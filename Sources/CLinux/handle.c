#include "CLinux.h"

#include <linux/filter.h>
#include <stddef.h>

/* Newer than the C library's header on some systems. */
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

/* The filter sees a datagram's bytes from offset 0, words in network order. The last byte's low bits say what a stroke is for. */
int linux_filter_key(int socket, uint64_t key) {
  unsigned char bytes[8];
  memcpy(bytes, &key, sizeof bytes);
  uint32_t first = (uint32_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
  uint32_t second = (uint32_t)bytes[4] << 24 | bytes[5] << 16 | bytes[6] << 8 | (bytes[7] & ~LINUX_STROKE_ANY);
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, first, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~(uint32_t)LINUX_STROKE_ANY),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, second, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, sizeof bytes),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
  return setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

int linux_bind_abstract(int socket, const char *name, size_t length) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (length > sizeof address.sun_path - 1) return errno = ENAMETOOLONG, -1;
  memcpy(address.sun_path + 1, name, length);
  return bind(socket, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + 1 + length);
}

ssize_t linux_abstract_name(int socket, char *name, size_t room) {
  struct sockaddr_un address;
  socklen_t length = sizeof address;
  if (getsockname(socket, (struct sockaddr *)&address, &length) < 0) return -1;
  size_t head = offsetof(struct sockaddr_un, sun_path) + 1;
  if (address.sun_family != AF_UNIX || length <= head || address.sun_path[0] != 0) return 0;
  size_t count = length - head < room ? length - head : room;
  memcpy(name, address.sun_path + 1, count);
  return (ssize_t)count;
}

static int datagram_to(const struct sockaddr_un *address, socklen_t length) {
  int made = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (made < 0) return -1;
  if (connect(made, (const struct sockaddr *)address, length) == 0) return made;
  int code = errno;
  close(made);
  return errno = code, -1;
}

int linux_datagram_to(int named) {
  struct sockaddr_un address;
  socklen_t length = sizeof address;
  return getsockname(named, (struct sockaddr *)&address, &length) < 0 ? -1 : datagram_to(&address, length);
}

/* Only to what has a handle's name: whoever handed it over chose to whom it leads, and may have no right to send there himself. A path
 * would be walked with our rights, too. */
int linux_datagram_like(int connected) {
  struct sockaddr_un address;
  socklen_t length = sizeof address;
  if (getpeername(connected, (struct sockaddr *)&address, &length) < 0) return -1;
  size_t head = offsetof(struct sockaddr_un, sun_path), prefix = strlen(LINUX_HANDLE_PREFIX);
  if (address.sun_family != AF_UNIX || length < head + 1 + prefix || address.sun_path[0] != 0 ||
      memcmp(address.sun_path + 1, LINUX_HANDLE_PREFIX, prefix) != 0)
    return errno = EDESTADDRREQ, -1;
  return datagram_to(&address, length);
}

/* Kernels before 5.14 do not tell, and are taken for another. See socket(7). */
static int is_of_our_namespace(int socket_) {
  uint64_t own = 0, other = 1;
  socklen_t size = sizeof own;
  int made = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (made < 0) return 0;
  int result = getsockopt(made, SOL_SOCKET, SO_NETNS_COOKIE, &own, &size) == 0 &&
               getsockopt(socket_, SOL_SOCKET, SO_NETNS_COOKIE, &other, &size) == 0 && own == other;
  close(made);
  return result;
}

int linux_is_heard(int connected, uint64_t key) {
  int made = linux_datagram_like(connected);
  if (made >= 0) return close(made), 1;
  /* Somebody's stroke was refused, and with it the system has taken the connection apart; or it never led to a handle. */
  if (errno == ENOTCONN || errno == EDESTADDRREQ) return 0;
  if (errno != ECONNREFUSED) return 1;
  if (is_of_our_namespace(connected)) return 0;
  return send(connected, &key, sizeof key, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || (errno != ECONNREFUSED && errno != ENOTCONN);
}

int linux_drain_datagrams(int socket) {
  enum { ROOM = 32 };
  char bytes[ROOM][8];
  struct iovec parts[ROOM];
  struct mmsghdr messages[ROOM];
  memset(messages, 0, sizeof messages);
  for (int index = 0; index < ROOM; index++) {
    parts[index] = (struct iovec){.iov_base = bytes[index], .iov_len = sizeof bytes[index]};
    messages[index].msg_hdr.msg_iov = &parts[index];
    messages[index].msg_hdr.msg_iovlen = 1;
  }
  int kinds = 0, count = ROOM;
  /* Not without end: whoever strikes all the time shall only wake us too often. */
  for (int round = 0; round < 8 && count == ROOM; round++) {
    count = recvmmsg(socket, messages, ROOM, MSG_DONTWAIT, NULL);
    for (int index = 0; index < count; index++) {
      int kind = bytes[index][7] & LINUX_STROKE_ANY;
      kinds |= kind ? kind : LINUX_STROKE_ANY;
    }
  }
  return kinds;
}
