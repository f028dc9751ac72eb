/* nng over ipc://, pub and sub. See nng_pub(7), nng_sub(7). */
#define IPN_BENCH_A_PEER
#include "peer.h"

#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>
#include <unistd.h>

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

struct end {
  nng_socket socket;
  nng_msg *message;
  size_t size;
  int flags;
};

/* At most 64 MiB of them. */
static int queue(size_t size) {
  size_t room = (64 << 20) / size;
  return room > 4096 ? 4096 : room < 4 ? 4 : (int)room;
}

static unsigned window(size_t size) { return (unsigned)queue(size) / 2; }

static struct end *open_end(const struct peer_setting *setting, char address[512]) {
  struct end *end = calloc(1, sizeof *end);
  end->size = setting->size;
  end->flags = setting->spins ? NNG_FLAG_NONBLOCK : 0;
  snprintf(address, 512, "ipc://%s.nng", setting->path);
  return end;
}

static void *open_writer(const struct peer_setting *setting) {
  char address[512];
  struct end *end = open_end(setting, address);
  int error = nng_pub0_open(&end->socket);
  if (!error) error = nng_socket_set_int(end->socket, NNG_OPT_SENDBUF, queue(setting->size));
  if (!error) error = nng_listen(end->socket, address, NULL, 0);
  return error ? peer_null(peer_fail("nng_listen: %s", nng_strerror(error))) : end;
}

static void *lend(void *writer) {
  struct end *end = writer;
  int error = nng_msg_alloc(&end->message, end->size);
  return error ? peer_null(peer_fail("nng_msg_alloc: %s", nng_strerror(error))) : nng_msg_body(end->message);
}

static int send_lent(void *writer) {
  struct end *end = writer;
  int error = nng_sendmsg(end->socket, end->message, 0);
  return error ? peer_fail("nng_sendmsg: %s", nng_strerror(error)) : 0;
}

static void *open_reader(const struct peer_setting *setting) {
  char address[512];
  struct end *end = open_end(setting, address);
  int error = nng_sub0_open(&end->socket);
  if (!error) error = nng_socket_set(end->socket, NNG_OPT_SUB_SUBSCRIBE, "", 0);
  if (!error) error = nng_socket_set_int(end->socket, NNG_OPT_RECVBUF, queue(setting->size));
  if (!error) error = nng_socket_set_size(end->socket, NNG_OPT_RECVMAXSZ, 0);
  if (!error) error = nng_socket_set_ms(end->socket, NNG_OPT_RECONNMINT, 5);
  if (!error)
    while ((error = nng_dial(end->socket, address, NULL, 0)) == NNG_ECONNREFUSED || error == NNG_ENOENT) usleep(1000);
  return error ? peer_null(peer_fail("nng_dial: %s", nng_strerror(error))) : end;
}

static int receive(void *reader, peer_take *take, void *context) {
  struct end *end = reader;
  unsigned looks = 0;
  for (int more = 1; more;) {
    nng_msg *message;
    int error = nng_recvmsg(end->socket, &message, end->flags);
    if (error == NNG_EAGAIN) {
      peer_relax(&looks);
      continue;
    }
    if (error) return peer_fail("nng_recvmsg: %s", nng_strerror(error));
    more = take(context, nng_msg_body(message));
    nng_msg_free(message);
  }
  return 0;
}

static void close_reader(void *reader) { nng_close(((struct end *)reader)->socket); }

const struct peer peer = {
    .name = "nng", .release = TEXT(NNG_MAJOR_VERSION) "." TEXT(NNG_MINOR_VERSION) "." TEXT(NNG_PATCH_VERSION),
    .settings = "pub and sub over ipc, queues of 4096 messages or 64 MiB; it loses, so readers give credits for half a queue",
    .window = window, .open_writer = open_writer, .lend = lend, .send = send_lent, .open_reader = open_reader, .receive = receive,
    .close_reader = close_reader, .failure = peer_failure,
};
