/* ipn.h: Inter Process Networking for C, a bus for processes. The numbers are those of the 2007 proposal, and ours.
 *
 * A network is a file; its r, w and x bits say who may receive, send and manage. Whoever is connected receives what the
 * others send. The calls are those of sockets, with `ipn_` in front: the same arguments, the same errors. Link with
 * `pkg-config --cflags --libs ipn`; ipn(7) tells the whole story.
 *
 *   int s = ipn_socket(AF_IPN, SOCK_RAW, IPN_BROADCAST);
 *   struct sockaddr_un sun = {.sun_family = AF_IPN, .sun_path = "/tmp/net"};
 *   ipn_bind(s, (struct sockaddr *)&sun, sizeof sun);
 *   ipn_connect(s, NULL, 0);
 *   ipn_send(s, "hello", 5, 0);
 */
#ifndef IPN_H
#define IPN_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/select.h> /* sigset_t, also with -std=c99, where signal.h has none */
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

struct timespec; /* with -std=c99 time.h has none */

#ifdef __cplusplus
extern "C" {
#endif

#define AF_IPN 34
#define PF_IPN AF_IPN

/* Protocols: the third argument of socket(2). Ours start at 4. */
#define IPN_ANY 0
#define IPN_BROADCAST 1
#define IPN_VDESWITCH 2
#define IPN_VDESWITCH_L3 3

/* Options: level 0, values are int unless said. From 0x80 on they are set before bind or connect. */
#define IPN_SO_PORT 0
#define IPN_SO_DESCR 1 /* text, up to IPN_DESCRLEN bytes in any code */
#define IPN_SO_CHANGE_NUMNODES 2
#define IPN_SO_HANDLE_OOB 3
#define IPN_SO_WANT_OOB_NUMNODES 4
#define IPN_SO_MTU 0x80
#define IPN_SO_NUMNODES 0x81
#define IPN_SO_MSGPOOLSIZE 0x82
#define IPN_SO_FLAGS 0x83
#define IPN_SO_MODE 0x84
/* Options that 2007 did not have. */
#define IPN_SO_HISTORY 0x100 /* sent messages that a writer keeps for those who join later */
#define IPN_SO_WINDOW 0x101  /* this node's own limit on pending messages */
#define IPN_SO_PERSIST 0x102 /* the network lives on without nodes, until this is cleared; before bind, the one that it makes */
#define IPN_SO_TAG 0x103     /* uint64_t: travels beside the payload of what is sent from now on, unread by the bus */
#define IPN_SO_LOST 0x104    /* uint64_t, read only: messages lost since it was last asked for */
#define IPN_SO_REPLAY 0x105  /* before connect: begin with what writers kept as history */
#define IPN_SO_SPIN 0x106    /* microseconds to look for a message before going to sleep */
#define IPN_SO_PROTOCOL 0x107 /* read only: the network's protocol */

#define IPN_FLAG_LOSSLESS 1

#define IPN_PORTNO_ANY (-1)
#define IPN_DESCRLEN 128

#define IPN_MTU_DEFAULT 1514
#define IPN_MTU_MAX (1 << 30)
#define IPN_NUMNODES_DEFAULT 32
#define IPN_NUMNODES_MAX 65535
#define IPN_MSGPOOLSIZE_DEFAULT 8
#define IPN_MSGPOOLSIZE_MAX 65536
#define IPN_HISTORY_MAX 65536
#define IPN_MODE_DEFAULT 0777

/* Out of band: who is there. Level 0 and tag 0 are the bus's own; a policy's level is its protocol. */
#define IPN_OOB_NUMNODE_TAG 0
struct numnode_oob {
  int level;
  int tag;
  int numreaders;
  int numwriters;
};

/* Control messages of ipn_recvmsg: level IPN_CMSG_LEVEL. */
#define IPN_CMSG_LEVEL 0x49504e
#define IPN_CMSG_LOSS 1 /* struct ipn_loss: what was lost right before this message; absent where nothing was */
#define IPN_CMSG_TAG 2  /* uint64_t: the sender's tag; absent where it is 0. Also taken by ipn_sendmsg */
struct ipn_loss {
  uint64_t sender; /* a number that the network gives to no other node */
  uint64_t first;  /* number of the first message that was lost, counted by its sender from 0 */
  uint64_t count;  /* how many, one after another */
};

/* Every call returns -1 and sets errno where it fails, as its namesake in section 2 of the manual does. A descriptor is
 * a real one: poll(2), select(2) and epoll(7) say POLLIN where there is something to do (data, news, awaited room, or the
 * end), fcntl(2) sets O_NONBLOCK and FD_CLOEXEC, SO_RCVTIMEO and SO_SNDTIMEO are set by setsockopt(2) or ipn_setsockopt.
 * Leave with ipn_close: a plain close(2) leaves only when the process ends. Any number of threads may use one; where one of
 * them closes it, calls of the others that sleep there end, a receive with 0 and a send with EPIPE, and later ones say EBADF. */

/* domain: AF_IPN, or 33 or 13, which programs of 2008 used; type: SOCK_RAW, with SOCK_NONBLOCK and SOCK_CLOEXEC. */
int ipn_socket(int domain, int type, int protocol);
int ipn_close(int descriptor);
int ipn_bind(int descriptor, const struct sockaddr *address, socklen_t length);
int ipn_connect(int descriptor, const struct sockaddr *address, socklen_t length);
int ipn_shutdown(int descriptor, int how);
int ipn_getsockname(int descriptor, struct sockaddr *address, socklen_t *length);
int ipn_getpeername(int descriptor, struct sockaddr *address, socklen_t *length);
/* level 0 for the options above; the network's protocol for those of its policy; SOL_SOCKET for SO_TYPE, SO_DOMAIN, SO_PROTOCOL, SO_ERROR, SO_RCVTIMEO, SO_SNDTIMEO. */
int ipn_setsockopt(int descriptor, int level, int option, const void *value, socklen_t length);
int ipn_getsockopt(int descriptor, int level, int option, void *value, socklen_t *length);
int ipn_ioctl(int descriptor, unsigned long request, void *argument);

ssize_t ipn_send(int descriptor, const void *bytes, size_t length, int flags);
ssize_t ipn_sendmsg(int descriptor, const struct msghdr *message, int flags);
/* Flags: MSG_DONTWAIT, MSG_PEEK, MSG_TRUNC (returns the whole length). 0 after the receiving side was shut down. */
ssize_t ipn_recv(int descriptor, void *bytes, size_t length, int flags);
/* Sets MSG_TRUNC, MSG_CTRUNC, and MSG_OOB for news out of band: struct numnode_oob, or an int of level, an int of tag and what
 * a policy says. */
ssize_t ipn_recvmsg(int descriptor, struct msghdr *message, int flags);

/* poll(2) over descriptors of either kind, exact for ours: POLLIN for data or news, POLLPRI for news, POLLOUT always when
 * LOSSY, while there is room when LOSSLESS, and once sending was shut down, POLLRDHUP at the end of receiving, POLLHUP when the
 * network is gone, and POLLIN with it. POLLRDNORM goes with POLLIN, POLLWRNORM and POLLWRBAND with POLLOUT. */
int ipn_poll(struct pollfd *descriptors, nfds_t count, int milliseconds);
/* As ppoll(2): a time-out in nanoseconds, NULL for none, and signals that are blocked only while it waits. */
int ipn_ppoll(struct pollfd *descriptors, nfds_t count, const struct timespec *timeout, const sigset_t *mask);

/* For edges: another number when another message has come since, read or not, or somebody who sends has come or gone; and the
 * next one is an edge for epoll(7) in any case. Without it, edge-triggered, read until EAGAIN: only then is there another. 0 for
 * what is no socket of ours. */
uint64_t ipn_arrivals(int descriptor);

/* Zero copy. A borrowed message lies in its sender's memory, read-only, until it is returned; its sender could change it
 * meanwhile: check a copy of what a decision depends on. Four of each sender at a time (ENOBUFS). */
struct ipn_message {
  const void *bytes;
  size_t length;
  uint64_t tag;
  struct ipn_loss loss; /* count 0: nothing was lost */
  uint64_t sequence;    /* the sender's number for it */
  uint64_t time;        /* CLOCK_MONOTONIC, nanoseconds, when it was sent; 0 on a LOSSLESS network */
  int flags;            /* MSG_OOB for news: bytes is then a struct numnode_oob, or what a policy sends */
  int reserved;
  void *handle;
};
/* 1 for a message, 0 after the receiving side was shut down. Flags: MSG_DONTWAIT. */
int ipn_borrow(int descriptor, struct ipn_message *message, int flags);
int ipn_return(int descriptor, struct ipn_message *message);

/* A loaned slot is written in place and then published or cancelled, before another send: EDEADLK for the thread that has it,
 * others wait. EINVAL for another socket's loan, EMSGSIZE for one that was made longer: it stays one. EPIPE after SHUT_WR: it is
 * given back. The memory stays when the socket is closed meanwhile, until an
 * attempt to publish or cancel it (EBADF). */
struct ipn_loan {
  void *bytes;
  size_t length; /* as asked for; may be made smaller before it is published */
  uint64_t tag;
  void *handle;
};
int ipn_loan(int descriptor, struct ipn_loan *loan, size_t length, int flags);
int ipn_publish(int descriptor, struct ipn_loan *loan);
int ipn_cancel(int descriptor, struct ipn_loan *loan);

/* Whether a descriptor is one of ours: 1 or 0. Also for one that was inherited, or came over a Unix socket. */
int ipn_is_socket(int descriptor);
/* Another number for the same socket, as the kernel's dup gives it: `made` is to be known as `descriptor` is. One that nobody has
 * told of is found when it is used, or when the last of the others is closed. */
int ipn_duplicated(int descriptor, int made);
/* The number was closed, or given to something else (dup2), without ipn_close: leaves as that does, and closes nothing. To be told,
 * as the library believes its numbers. */
int ipn_closed(int descriptor);
/* The first number at or after `from` that the library has opened for itself, or UINT32_MAX. A program that closes whatever it does
 * not know leaves those alone; under the preload they cannot be closed. */
unsigned ipn_next_own(unsigned from);

#ifdef __cplusplus
}
#endif

#endif
