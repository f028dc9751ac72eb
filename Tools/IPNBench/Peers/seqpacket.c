/* SOCK_SEQPACKET of AF_UNIX: a connection for each reader. See unix(7). */
#define _GNU_SOURCE
#define IPN_BENCH_A_PEER
#include "peer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MOST_READERS 64

struct end {
  size_t size;
  void *buffer;
  int socket; /* the listener's, or the reader's */
  int flags;
  _Atomic int count;
  int readers[MOST_READERS];
};

static struct sockaddr_un address(const struct peer_setting *setting) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s.seqpacket", setting->path);
  return address;
}

static struct end *open_end(const struct peer_setting *setting) {
  struct end *end = calloc(1, sizeof *end);
  end->size = setting->size;
  end->buffer = peer_buffer(setting->size);
  end->flags = setting->spins ? MSG_DONTWAIT : 0;
  end->socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  return end;
}

static void *accept_readers(void *argument) {
  struct end *end = argument;
  for (;;) {
    int reader = accept4(end->socket, NULL, NULL, SOCK_CLOEXEC);
    if (reader < 0 || end->count == MOST_READERS) return NULL;
    size_t wanted = end->size * 4;
    int room = wanted < 1 << 20 ? 1 << 20 : wanted > 16 << 20 ? 16 << 20 : (int)wanted;
    /* Beyond the system's limit for root; up to the limit for everybody else. */
    if (setsockopt(reader, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) < 0)
      setsockopt(reader, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    end->readers[end->count] = reader;
    atomic_fetch_add(&end->count, 1);
  }
}

static void *open_writer(const struct peer_setting *setting) {
  struct end *end = open_end(setting);
  struct sockaddr_un name = address(setting);
  if (bind(end->socket, (void *)&name, sizeof name) < 0 || listen(end->socket, MOST_READERS) < 0)
    return peer_null(peer_fail("%s: %s", name.sun_path, strerror(errno)));
  pthread_t thread;
  pthread_create(&thread, NULL, accept_readers, end);
  return end;
}

static void *lend(void *writer) { return ((struct end *)writer)->buffer; }

static int send_lent(void *writer) {
  struct end *end = writer;
  int count = atomic_load_explicit(&end->count, memory_order_acquire);
  for (int i = 0; i < count; i++) {
    if (send(end->readers[i], end->buffer, end->size, MSG_NOSIGNAL) == (ssize_t)end->size) continue;
    if (errno == EPIPE || errno == ECONNRESET) continue; /* has left */
    return peer_fail("send: %s", strerror(errno));
  }
  return 0;
}

static void *open_reader(const struct peer_setting *setting) {
  struct end *end = open_end(setting);
  struct sockaddr_un name = address(setting);
  while (connect(end->socket, (void *)&name, sizeof name) < 0) {
    if (errno != ENOENT && errno != ECONNREFUSED) return peer_null(peer_fail("connect: %s", strerror(errno)));
    usleep(1000);
  }
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
      return got == 0 ? peer_fail("the writer has gone") : peer_fail("recv: %s", strerror(errno));
    }
  }
}

static void close_reader(void *reader) { close(((struct end *)reader)->socket); }

const struct peer peer = {
    .name = "SOCK_SEQPACKET", .release = "", .settings = "a connection for each reader, SO_SNDBUFFORCE for 4 messages, 1 to 16 MiB",
    .open_writer = open_writer, .lend = lend, .send = send_lent, .open_reader = open_reader, .receive = receive,
    .close_reader = close_reader, .failure = peer_failure,
};
