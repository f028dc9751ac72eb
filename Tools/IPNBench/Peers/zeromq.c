/* ZeroMQ over ipc://, XPUB and SUB. See zmq_setsockopt(3). */
#define IPN_BENCH_A_PEER
#include "peer.h"

#include <zmq.h>

struct end {
  void *context, *socket;
  zmq_msg_t message;
  size_t size;
  int flags;
};

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

static struct end *open_end(const struct peer_setting *setting, int type, int high_water_mark) {
  struct end *end = calloc(1, sizeof *end);
  end->size = setting->size;
  end->flags = setting->spins ? ZMQ_DONTWAIT : 0;
  end->context = zmq_ctx_new();
  end->socket = zmq_socket(end->context, type);
  /* At most 64 MiB of them. */
  size_t room = (64 << 20) / setting->size;
  int mark = room > 1000 ? 1000 : room < 4 ? 4 : (int)room;
  zmq_setsockopt(end->socket, high_water_mark, &mark, sizeof mark);
  return end;
}

static void *open_writer(const struct peer_setting *setting) {
  struct end *end = open_end(setting, ZMQ_XPUB, ZMQ_SNDHWM);
  char address[512];
  snprintf(address, sizeof address, "ipc://%s.zmq", setting->path);
  int one = 1, linger = 3000;
  zmq_setsockopt(end->socket, ZMQ_XPUB_NODROP, &one, sizeof one);
  zmq_setsockopt(end->socket, ZMQ_LINGER, &linger, sizeof linger);
  if (zmq_bind(end->socket, address) < 0) return peer_null(peer_fail("zmq_bind: %s", zmq_strerror(zmq_errno())));
  return end;
}

static void *lend(void *writer) {
  struct end *end = writer;
  if (zmq_msg_init_size(&end->message, end->size) < 0) return peer_null(peer_fail("zmq_msg_init_size: %s", zmq_strerror(zmq_errno())));
  return zmq_msg_data(&end->message);
}

static int send_lent(void *writer) {
  struct end *end = writer;
  while (zmq_msg_send(&end->message, end->socket, 0) < 0)
    if (errno != EAGAIN && errno != EINTR) return peer_fail("zmq_msg_send: %s", zmq_strerror(zmq_errno()));
  return 0;
}

static void *open_reader(const struct peer_setting *setting) {
  struct end *end = open_end(setting, ZMQ_SUB, ZMQ_RCVHWM);
  char address[512];
  snprintf(address, sizeof address, "ipc://%s.zmq", setting->path);
  int milliseconds = 5;
  zmq_setsockopt(end->socket, ZMQ_SUBSCRIBE, "", 0);
  zmq_setsockopt(end->socket, ZMQ_RECONNECT_IVL, &milliseconds, sizeof milliseconds);
  if (zmq_connect(end->socket, address) < 0) return peer_null(peer_fail("zmq_connect: %s", zmq_strerror(zmq_errno())));
  return end;
}

static int receive(void *reader, peer_take *take, void *context) {
  struct end *end = reader;
  unsigned looks = 0;
  for (int more = 1; more;) {
    zmq_msg_init(&end->message);
    if (zmq_msg_recv(&end->message, end->socket, end->flags) >= 0) {
      more = take(context, zmq_msg_data(&end->message));
      zmq_msg_close(&end->message);
    } else if (errno == EAGAIN) {
      peer_relax(&looks);
    } else if (errno != EINTR) {
      return peer_fail("zmq_msg_recv: %s", zmq_strerror(zmq_errno()));
    }
  }
  return 0;
}

static void close_reader(void *reader) {
  struct end *end = reader;
  zmq_close(end->socket);
  zmq_ctx_term(end->context);
}

const struct peer peer = {
    .name = "ZeroMQ", .release = TEXT(ZMQ_VERSION_MAJOR) "." TEXT(ZMQ_VERSION_MINOR) "." TEXT(ZMQ_VERSION_PATCH),
    .settings = "XPUB with XPUB_NODROP over ipc, high-water marks of 1000 messages or 64 MiB, zmq_msg_init_size filled in place",
    .open_writer = open_writer, .lend = lend, .send = send_lent, .open_reader = open_reader, .receive = receive,
    .close_reader = close_reader, .failure = peer_failure,
};
