/* What Linux has and Swift's Glibc module does not show: GNU extensions, macros that make values (CMSG_*, O_PATH),
 * and the one thing that cannot be written in Swift at all, a child made between fork and exec. */
#ifndef CLINUX_H
#define CLINUX_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <features.h>
/* Two types of the C library look different with _GNU_SOURCE, and the compiler refuses a program in which it meets
 * both, which depends on the order in which files are compiled. So they come as Glibc and swift-system see them. */
#pragma push_macro("__USE_XOPEN")
#pragma push_macro("__USE_GNU")
#undef __USE_XOPEN
#undef __USE_GNU
#include <sys/select.h>   /* fd_set */
#include <sys/resource.h> /* enum __rusage_who */
#pragma pop_macro("__USE_GNU")
#pragma pop_macro("__USE_XOPEN")
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* open(2) is variadic, which Swift does not import. */
int linux_open(const char *path, int flags, mode_t mode);
int linux_open_at(int folder, const char *name, int flags, mode_t mode);
int linux_fcntl(int descriptor, int command, int argument);
int linux_ioctl(int descriptor, unsigned long request, void *argument);
static inline int linux_is_path_descriptor(int descriptor) { int flags = fcntl(descriptor, F_GETFL); return flags >= 0 && (flags & O_PATH) != 0; }
int linux_is_unix_datagram(int descriptor);

/* Device and inode as the system knows them now, without asking the file's server: 0, or -1 with errno. See statx(2). */
int linux_identity(int descriptor, uint64_t *device, uint64_t *inode);

/* Notes that a descriptor is this library's own, which a program that knows nothing of it must not close. Returns its number, which
 * is another where it was one of the standard streams'. */
int linux_own(int descriptor);
/* It is closed, or given away. */
void linux_disown(int descriptor);
/* The first such number at or after `from`, or UINT32_MAX. */
unsigned linux_next_own(unsigned from);

/* f_type of statfs(2); 0 where it cannot tell. Not in Glibc's module. */
static inline uint64_t linux_file_system(int descriptor) {
  struct statfs status;
  return fstatfs(descriptor, &status) == 0 ? (uint64_t)status.f_type : 0;
}

/* errno and MAP_FAILED are macros that Swift does not import. */
static inline int linux_errno(void) { return errno; }
static inline void *linux_map_shared(int descriptor, size_t size, int protection) {
  void *base = mmap(NULL, size, protection, MAP_SHARED, descriptor, 0);
  return base == MAP_FAILED ? NULL : base;
}

/* Whether this process may have so much memory of its own, just now: reserved and given back, not touched. 0, or -1 with errno. */
static inline int linux_find_room(size_t bytes) {
  void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return base == MAP_FAILED ? -1 : munmap(base, bytes);
}

/* A detached thread with a stack of so many bytes: 0, or an errno. The type of its attributes comes to Swift from the module that
 * was compiled first. */
static inline int linux_start_thread(size_t stack, void *(*body)(void *), void *argument) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, stack);
  pthread_t thread;
  int error = pthread_create(&thread, &attributes, body, argument);
  pthread_attr_destroy(&attributes);
  return error;
}

/* Bytes of swap that nobody uses. See sysinfo(2). */
static inline uint64_t linux_free_swap(void) {
  struct sysinfo system;
  return sysinfo(&system) == 0 ? (uint64_t)system.freeswap * system.mem_unit : 0;
}

/* Read-only, over what is mapped there. */
static inline int linux_map_over(void *base, int descriptor, size_t size) {
  return mmap(base, size, PROT_READ, MAP_SHARED | MAP_FIXED, descriptor, 0) == MAP_FAILED ? -1 : 0;
}

/* Locks one byte of a file for its description (F_OFD_SETLK). */
int linux_lock_byte(int descriptor, off_t place, int waiting);

/* prctl(2) is variadic. */
void linux_end_with_parent(void);

/* A connected pair of datagram sockets, for bells. Both ends never block. */
int linux_datagram_pair(int ends[2]);
/* Lets nobody send descriptors there: whoever drops one unseen could be held up by it. Where the kernel cannot (before
 * Linux 6.16), nothing happens. */
void linux_refuse_descriptors(int socket);
/* Bells that are eventfds: full while they are silent, and emptied by a stroke. A stroke never waits, whatever other holders do. */
void linux_ring(int bell);
/* Sleeps until there is a stroke, and takes it: 8, or -1 with errno. EAGAIN where another holder has made it O_NONBLOCK. */
ssize_t linux_await_stroke(int bell);
/* Whether the other ends of a datagram pair's end are all closed; else they are sent nothing, which nobody reads. */
static inline int linux_is_deaf(int end) { return send(end, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN; }
/* A stroke for one that is a socket; a full one has been rung. */
static inline void linux_ring_datagram(int socket) { send(socket, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL); }

/* A socket that takes only datagrams that are these 8 bytes: whoever else finds its name cannot make it readable. The two low
 * bits of the last byte may be any: they say what a stroke is for, and where neither is set, it may be for either. */
#define LINUX_STROKE_DATA 1
#define LINUX_STROKE_ROOM 2
#define LINUX_STROKE_ANY 3
int linux_filter_key(int socket, uint64_t key);
/* The names of such sockets begin with this, behind the zero byte of an abstract name. */
#define LINUX_HANDLE_PREFIX "ipn:"
/* An abstract name (unix(7)): bytes that stand in no folder. The name is without its leading zero byte. */
int linux_bind_abstract(int socket, const char *name, size_t length);
/* Bytes of the abstract name, at most `room`; 0 where a socket has none. */
ssize_t linux_abstract_name(int socket, char *name, size_t room);
/* A new socket that sends to `named`, or to where `connected` does: a description of its own for each who rings. `EDESTADDRREQ` where
 * `connected` does not lead to a handle. */
int linux_datagram_to(int named);
int linux_datagram_like(int connected);
/* Takes the 8-byte datagrams that are there, some hundreds at most. Returns what they were for; 0 where none was there. */
int linux_drain_datagrams(int socket);
static inline void linux_send_key(int socket, uint64_t key) { send(socket, &key, sizeof key, MSG_DONTWAIT | MSG_NOSIGNAL); }
/* Whether anybody has the socket open that `connected` sends to. By its name: a stroke with a wrong key is dropped by the filter of one
 * that is closed, too. Only where names are others', in another network namespace, by a stroke. */
int linux_is_heard(int connected, uint64_t key);

/* As many as the system lets ride on one packet (SCM_MAX_FD): what found no room would be closed by the system in our name, and
 * we would wait for that. */
#define LINUX_MOST_DESCRIPTORS 253
/* One packet with up to `count` descriptors. Returns bytes or -1 with errno. */
ssize_t linux_send(int socket, const struct iovec *parts, size_t part_count, const int *descriptors, size_t count, int flags);

/* One packet. `*count` comes in as room and goes out as the number received, all O_CLOEXEC, also where it fails. A packet
 * or a list of descriptors that was cut is EMSGSIZE, EMFILE where this process has no number left for them. */
ssize_t linux_receive(int socket, void *bytes, size_t size, int *descriptors, size_t *count, int flags);

/* Adds a control message behind `used` bytes of them; sets MSG_CTRUNC where it does not fit in `room`. Returns the bytes
 * used then. The other looks for one: 1 where it is there, -1 where it has another size, or a message is longer than what holds it. See cmsg(3). */
size_t linux_put_control(struct msghdr *message, size_t room, size_t used, int level, int type, const void *data, size_t size);
int linux_get_control(const struct msghdr *message, int level, int type, void *data, size_t size);

int linux_is_nonblocking(int descriptor);
int linux_dup3(int descriptor, int made, int flags);
/* EPERM for 1, and so on. */
static inline const char *linux_errno_name(int error) { return strerrorname_np(error) ? strerrorname_np(error) : "?"; }
/* ppoll(2), which the C library shows with _GNU_SOURCE only. */
static inline int linux_ppoll(struct pollfd *set, nfds_t count, const struct timespec *timeout, const sigset_t *mask) {
  return ppoll(set, count, timeout, mask);
}
/* Has a lock taken before each fork(2) and let go of on both sides, so that no thread is amid what it guards. They are taken in
 * no order of their own: nobody may wait for one with another held. -1: no memory. See pthread_atfork(3). */
int linux_hold_over_forks(pthread_mutex_t *lock);
/* Around each call of a library that others' programs use, and around what a thread sleeps in there, or waits for a lock in:
 * a fork(2) waits until no thread is awake inside. Else a child could find a lock for ever taken that nobody here can see, such
 * as those of the Swift run-time around types that are used for the first time. The second of each pair is given what the first
 * said, so that calls may nest, also by way of a signal handler. Sleep outside calls is nothing to them. errno stays as it is.
 * linux_enter: LINUX_INSIDE where this thread is amid a call already; LINUX_UNSEEN where there is no memory to note it. */
#define LINUX_INSIDE 1
#define LINUX_UNSEEN 2
int linux_enter(void);
void linux_leave(int was_inside);
int linux_fall_asleep(void);
void linux_wake_up(int was_inside);
/* Around a sleep amid a call in which a signal handler may make calls too: the thread holds nothing that those could want. */
int linux_let_handlers_in(void);
void linux_keep_handlers_out(int was_busy);
/* For whoever is long awake inside: lets a fork that waits go first. One load where there is none. */
void linux_give_way_to_fork(void);
/* A word that is 0 in each new process that has a copy of this one's memory, however it was made; NULL and errno where there
 * is no memory. See MADV_WIPEONFORK in madvise(2). */
intptr_t *linux_word_cleared_by_fork(void);

/* The kernel's own number of a socket, that no other ever has (an inode's comes again); 0 where it is none. See socket(7). */
static inline uint64_t linux_socket_cookie(int socket) {
  uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  return getsockopt(socket, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}
/* Whether a packet with descriptors waits in a socket that receives no more; others are dropped on the way to it. */
int linux_holds_descriptors(int socket);
/* Whether the other end has not received all that was sent. */
int linux_unread(int socket);

/* Peer's process, and its groups as the kernel has them now (SO_PEERGROUPS). */
int linux_peer(int socket, pid_t *pid, uid_t *uid, gid_t *gid);
int linux_peer_groups(int socket, gid_t *groups, size_t *count);

/* The user who made the socket that is bound to a file: 0, or -1 with errno; ENOENT where none is in this network namespace. */
int linux_socket_maker(uint64_t device, uint64_t inode, uid_t *maker);

/* Whether each user has a number of his own in this process' user namespace. */
int linux_knows_all_users(void);

/* A pidfd of the peer: SO_PEERPIDFD where the kernel has it, else pidfd_open(2) of `pid`. */
int linux_peer_pidfd(int socket, pid_t pid);
int linux_pidfd(pid_t pid);

/* The C library declares the address of these as a transparent union. */
static inline int linux_accept(int socket, int flags) { return accept4(socket, NULL, NULL, flags); }
static inline int linux_connect(int socket, const struct sockaddr *address, socklen_t length) { return connect(socket, address, length); }
static inline int linux_name(int socket, struct sockaddr *address, socklen_t *length) { return getsockname(socket, address, length); }
static inline int linux_bind(int socket, const struct sockaddr *address, socklen_t length) { return bind(socket, address, length); }

/* Renames, and replaces nothing: EEXIST. See renameat2(2). */
static inline int linux_rename_new(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE); }

/* sockaddr_un of `path`; its length, or 0 where the path does not fit. */
socklen_t linux_address(struct sockaddr_un *address, const char *path);

/* The file that the object at `place` was loaded from, or NULL. See dladdr(3). */
const char *linux_object_path(const void *place);

/* Starts `path` as nobody's child that a program could wait for: a session of its own, signals as at boot,
 * descriptors `list` as 3, 4, ..., the null device as 0, 1 and 2, nothing else. 0, or -1 with errno, also exec's. */
int linux_spawn_detached(const char *path, char *const arguments[], char *const environment[], const int *list, size_t count);

/* Before a deadly signal, exit(3), quick_exit(3) or the end of the calling thread ends this process: a signal's number goes to the shared
 * word, and the socket at `path` and the file that `file` is a descriptor of go away. For a program that runs code of others. */
void linux_tell_crash(void *word, const char *path, int file);
/* From here on the process ends by its own will. */
void linux_tell_no_crash(void);
/* As _exit(2), and tells before. */
void linux_exit_at_once(int status) __attribute__((noreturn));

/* A wait between two looks at a shared word. */
static inline void linux_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

#endif
