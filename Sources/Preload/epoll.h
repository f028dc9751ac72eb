/* epoll.h: sockets of ours in epoll sets.
 *
 * The kernel knows of a socket of ours only that there is something to do: data, news, awaited room, or the end. So a set
 * holds it with a token of ours as its data; which tokens came out of epoll_wait only says that it is time to look, and
 * what is told to the program is what ipn_ppoll says of the sockets at that moment. */
#ifndef PRELOAD_EPOLL_H
#define PRELOAD_EPOLL_H

#include "library.h"

#pragma GCC visibility push(hidden)

/* A call on the socket has found that these are so no more (EAGAIN): their next beginning is an edge. */
void epoll_note_end(int fd, uint32_t events);
void epoll_forget_socket(int fd);
void epoll_forget_set(int set);

#pragma GCC visibility pop
#endif
