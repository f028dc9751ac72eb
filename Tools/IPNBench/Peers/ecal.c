/* eCAL by its Python package, whose C++ headers are not in it: see ecal_peer.py. */
#define PEER_MODULE "ecal_peer"
#include "python.h"

const struct peer peer = {
    .name = "eCAL", .release = PEER_RELEASE,
    .settings = "from Python; shared memory only, 3 memory files, acknowledged (500 ms), zero copy to a single reader (to several it then loses "
                "messages); no polling interface",
    .no_spinning = 1, .prepare = prepare, .open_writer = open_writer, .lend = lend, .send = send_lent, .open_reader = open_reader,
    .receive = receive, .close_reader = close_reader, .failure = peer_failure,
};
