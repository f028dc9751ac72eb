/* UDP multicast on the loopback interface. See ip(7), udp(7). */
#define _GNU_SOURCE
#define IPN_BENCH_A_PEER
#include "peer.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

struct end {
  size_t size;
  void *buffer;
  int socket, flags;
};

/* A group of this run's own. */
static struct sockaddr_in group(const struct peer_setting *setting) {
  unsigned hash = peer_hash(setting->path);
  return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((unsigned short)(20000 + hash % 20000)),
                              .sin_addr.s_addr = htonl(0xEF010000u | (hash >> 16))};
}

static struct end *open_end(const struct peer_setting *setting) {
  struct end *end = calloc(1, sizeof *end);
  end->size = setting->size;
  end->buffer = peer_buffer(setting->size);
  end->flags = setting->spins ? MSG_DONTWAIT : 0;
  end->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  return end;
}

static void set_room(int socket, int forced, int ordinary, int room) {
  if (setsockopt(socket, SOL_SOCKET, forced, &room, sizeof room) < 0) setsockopt(socket, SOL_SOCKET, ordinary, &room, sizeof room);
}

static void *open_writer(const struct peer_setting *setting) {
  struct end *end = open_end(setting);
  struct sockaddr_in address = group(setting);
  struct ip_mreqn interface = {.imr_ifindex = (int)if_nametoindex("lo")};
  int one = 1;
  set_room(end->socket, SO_SNDBUFFORCE, SO_SNDBUF, 4 << 20);
  if (setsockopt(end->socket, IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof interface) < 0 ||
      setsockopt(end->socket, IPPROTO_IP, IP_MULTICAST_LOOP, &one, sizeof one) < 0 ||
      connect(end->socket, (void *)&address, sizeof address) < 0)
    return peer_null(peer_fail("multicast on lo: %s", strerror(errno)));
  return end;
}

static void *lend(void *writer) { return ((struct end *)writer)->buffer; }

static int send_lent(void *writer) {
  struct end *end = writer;
  while (send(end->socket, end->buffer, end->size, 0) != (ssize_t)end->size) {
    if (errno != ENOBUFS && errno != EAGAIN) return peer_fail("send: %s", strerror(errno));
    sched_yield();
  }
  return 0;
}

static void *open_reader(const struct peer_setting *setting) {
  struct end *end = open_end(setting);
  struct sockaddr_in address = group(setting);
  struct ip_mreqn membership = {.imr_multiaddr = address.sin_addr, .imr_ifindex = (int)if_nametoindex("lo")};
  int one = 1;
  set_room(end->socket, SO_RCVBUFFORCE, SO_RCVBUF, 8 << 20);
  if (setsockopt(end->socket, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
      bind(end->socket, (void *)&address, sizeof address) < 0 ||
      setsockopt(end->socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership) < 0)
    return peer_null(peer_fail("joining the group on lo: %s", strerror(errno)));
  return end;
}

static int receive(void *reader, peer_take *take, void *context) {
  struct end *end = reader;
  unsigned looks = 0;
  for (;;) {
    ssize_t got = recv(end->socket, end->buffer, end->size, end->flags);
    if (got == (ssize_t)end->size) {
      if (!take(context, end->buffer)) return 0;
    } else if (got < 0 && errno == EAGAIN) {
      peer_relax(&looks);
    } else {
      return peer_fail("recv: %s", strerror(errno));
    }
  }
}

static void close_reader(void *reader) { close(((struct end *)reader)->socket); }

static unsigned window(size_t size) { return size > 32768 ? 64 : size > 1024 ? 1024 : 2048; }

const struct peer peer = {
    .name = "UDP multicast", .release = "",
    .settings = "on lo, SO_RCVBUFFORCE 8 MiB; it loses, so readers give credits: 2048 messages, 1024 over 1 KiB, 64 over 32 KiB; "
                "65,504 bytes at the longest",
    .longest = 65504, .window = window, .open_writer = open_writer, .lend = lend, .send = send_lent, .open_reader = open_reader,
    .receive = receive, .close_reader = close_reader, .failure = peer_failure,
};
