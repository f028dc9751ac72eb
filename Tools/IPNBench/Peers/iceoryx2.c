/* iceoryx2 by its Python package, which is a thin layer over the library in Rust: see iceoryx2_peer.py. */
#define PEER_MODULE "iceoryx2_peer"
#include "python.h"

const struct peer peer = {
    .name = "iceoryx2", .release = PEER_RELEASE,
    .settings = "from Python; loans filled in place, no safe overflow, RetryUntilDelivered, buffers of 16 messages, 4 from 4 MiB on; readers "
                "sleep on an event service",
    .prepare = prepare, .open_writer = open_writer, .lend = lend, .send = send_lent, .open_reader = open_reader, .receive = receive,
    .close_reader = close_reader, .failure = peer_failure,
};
