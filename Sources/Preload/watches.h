/* watches.h: sockets of ours in epoll sets.
 *
 * The kernel knows of a socket of ours only that there is something to do: data, news, awaited room, or the end. So a set
 * holds it with a token of ours as its data; which tokens came out of epoll_wait only says that it is time to look, and
 * what is told to the program is what ipn_ppoll says of the sockets at that moment. */
#ifndef PRELOAD_WATCHES_H
#define PRELOAD_WATCHES_H

#include "library.h"

#include <pthread.h>

#pragma GCC visibility push(hidden)

/* A socket of ours in a set, in which it stays as long as it has a number. Its address is the token. */
struct watch {
  int set; /* -1: unused */
  int name; /* the number that the program has registered */
  int fd; /* one that the socket has now, by which the kernel and libipn know it */
  ino_t socket; /* whose name it was: the number may be another's by now */
  pid_t maker; /* forked children have the kernel's set, and this as a copy */
  struct epoll_event wanted;
  uint32_t told; /* edge-triggered: what the program knows already */
  uint64_t arrivals; /* edge-triggered: as ipn_arrivals had it then */
  bool is_spent; /* EPOLLONESHOT, and told */
};

/* More are ENOSPC, as over /proc/sys/fs/epoll/max_user_watches. In place, so that a token is known as one also after its
 * watch has gone: a thread may come out of epoll_wait with it while another removes it. */
#define WATCHES 4096
extern struct watch watches[WATCHES];
extern int watches_used; /* from here on none was ever used */

/* Around all that follows. */
void watches_acquire(void);
void watches_release(void);

#define EPOLL_IN (EPOLLIN | EPOLLRDNORM)

/* All numbers of a socket have one inode, which no other has. */
ino_t socket_of(int fd);
/* As the kernel knows what is registered: by the number, and by what has it. */
struct watch *watch_find(int set, int fd);
/* NULL where there are too many. */
struct watch *watch_find_free(void);
/* Has the kernel's set wait (EPOLL_CTL_ADD) or wait for something else (EPOLL_CTL_MOD). */
int watch_tell_kernel(int operation, struct watch *watch);
/* Registers it by the number that it has now. */
int watch_enter(struct watch *watch);
/* Takes it away from there. */
int watch_withdraw(struct watch *watch);

/* Themselves with the lock: */

/* A call on the socket has found that these are so no more (EAGAIN): their next beginning is an edge. */
void watches_note_end(int fd, uint32_t events);
/* A number of a socket is about to be another's, or nobody's. */
void watches_leave_number(int fd);
void watches_forget_set(int set);

#pragma GCC visibility pop
#endif
