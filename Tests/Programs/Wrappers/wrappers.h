/* wrappers.h: what the checks of the preload's functions share.
 *
 * A check is named after a function, and is about what that function does for a socket of ours: it passes under the preload,
 * and fails where the preload lacks that one function. Sockets do not block, so that what is missing is seen at once. */
#ifndef WRAPPERS_H
#define WRAPPERS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* As a program of 2008 would have them. */
#define AF_IPN 34
#define IPN_BROADCAST 1
#define IPN_SO_NUMNODES 0x81
#define IPN_SO_MSGPOOLSIZE 0x82
#define IPN_SO_FLAGS 0x83
#define IPN_FLAG_LOSSLESS 1

#define REQUIRE_END _exit
#include "../require.h"

struct check {
  const char *name;
  void (*run)(void);
};
extern const struct check data_checks[], descriptor_checks[], epoll_checks[], fortified_checks[], socket_checks[], waiting_checks[];

/* Two that hear each other: sockets of ours, or a pair of the kernel's, which says what is usual. */
struct pair {
  int one, two;
};
struct pair on_the_bus(void);
struct pair of_the_kernel(void);

/* The last network that the check has made. */
struct sockaddr_un address(void);
int made(int protocol);
/* A new socket on the network that `on_the_bus` has made. */
int joined(void);
/* Two sockets on a network that has room for no third. */
struct pair full_house(void);
/* Whether somebody has left it since. */
bool has_room(void);
/* Two sockets on a LOSSLESS network; `one` finds no room until `make_room`. */
struct pair without_room(void);
void make_room(struct pair pair);

void say(int fd, const char *text);
void expect(int fd, const char *text);
void expect_silence(int fd);
bool succeeded(pid_t child);
/* SIGUSR1 is blocked and pending; its handler counts. */
void pend_signal(void);
extern volatile sig_atomic_t signals;

#endif
