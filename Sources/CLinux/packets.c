#include "CLinux.h"

#include <linux/sockios.h>
#include <stddef.h>

#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

int linux_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }
int linux_open_at(int folder, const char *name, int flags, mode_t mode) { return openat(folder, name, flags, mode); }
int linux_lock_byte(int descriptor, off_t place, int waiting) {
  struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = place, .l_len = 1};
  return fcntl(descriptor, waiting ? F_OFD_SETLKW : F_OFD_SETLK, &range);
}

int linux_fcntl(int descriptor, int command, int argument) { return fcntl(descriptor, command, argument); }

void linux_end_with_parent(void) { prctl(PR_SET_PDEATHSIG, SIGTERM); }

int linux_is_unix_datagram(int descriptor) {
  int domain = 0, type = 0;
  socklen_t size = sizeof domain;
  return getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX &&
         getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM;
}

int linux_identity(int descriptor, uint64_t *device, uint64_t *inode) {
  struct statx status;
  if (statx(descriptor, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &status) < 0) return -1;
  *device = makedev(status.stx_dev_major, status.stx_dev_minor);
  *inode = status.stx_ino;
  return 0;
}

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

void linux_refuse_descriptors(int socket) { setsockopt(socket, SOL_SOCKET, SO_PASSRIGHTS, &(int){0}, sizeof(int)); }

void linux_ring(int bell) {
  uint64_t emptied;
  struct iovec part = {&emptied, sizeof emptied};
  preadv2(bell, &part, 1, -1, RWF_NOWAIT);
}

ssize_t linux_await_stroke(int bell) {
  /* The most that an eventfd holds: not a stroke more finds room, and poll(2) calls it not writable. */
  uint64_t silent = UINT64_MAX - 1;
  return write(bell, &silent, sizeof silent);
}

int linux_datagram_pair(int ends[2]) {
  if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) return -1;
  for (int i = 0; i < 2; i++) linux_refuse_descriptors(ends[i]);
  return 0;
}

union control {
  struct cmsghdr align;
  char bytes[CMSG_SPACE(LINUX_MOST_DESCRIPTORS * sizeof(int))];
};

ssize_t linux_send(int socket, const struct iovec *parts, size_t part_count, const int *descriptors, size_t count, int flags) {
  union control control;
  struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = part_count};
  if (count > LINUX_MOST_DESCRIPTORS) return errno = EINVAL, -1;
  if (count > 0) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(rights), descriptors, count * sizeof(int));
  }
  return sendmsg(socket, &message, flags | MSG_NOSIGNAL);
}

ssize_t linux_receive(int socket, void *bytes, size_t size, int *descriptors, size_t *count, int flags) {
  union control control;
  struct iovec part = {.iov_base = bytes, .iov_len = size};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  size_t room = *count, held = 0;
  *count = 0;
  ssize_t length = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
  if (length < 0) return -1;
  int cut = message.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? EMSGSIZE : 0;
  for (struct cmsghdr *part_ = CMSG_FIRSTHDR(&message); part_; part_ = CMSG_NXTHDR(&message, part_)) {
    if (part_->cmsg_level != SOL_SOCKET || part_->cmsg_type != SCM_RIGHTS) continue;
    size_t here = (part_->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < here; i++) {
      int descriptor;
      memcpy(&descriptor, CMSG_DATA(part_) + i * sizeof(int), sizeof descriptor);
      if (held < room) {
        descriptors[held++] = descriptor;
      } else {
        close(descriptor);
        cut = EMSGSIZE;
      }
    }
  }
  *count = held;
  /* A list is cut where it is longer than any of ours, or where no number was free for the next one. */
  if (cut && !(message.msg_flags & MSG_TRUNC) && held < room) cut = EMFILE;
  if (cut) return errno = cut, -1;
  return length;
}

/* An empty packet looks like the end, and the other side's end comes before what it has left: as often as a socket's queue can hold
 * packets. Those that hold none are taken out. */
int linux_holds_descriptors(int socket) {
  for (int round = 0; round < 300; round++) {
    char byte;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    /* There is no room for descriptors, which a look leaves where they are. */
    if (recvmsg(socket, &message, MSG_PEEK | MSG_DONTWAIT) < 0) return 0;
    if (message.msg_flags & MSG_CTRUNC) return 1;
    recv(socket, &byte, 1, MSG_DONTWAIT);
  }
  return 0;
}

int linux_unread(int socket) {
  int bytes = 0;
  return ioctl(socket, SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

int linux_peer(int socket, pid_t *pid, uid_t *uid, gid_t *gid) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return -1;
  *pid = peer.pid;
  *uid = peer.uid;
  *gid = peer.gid;
  return 0;
}

int linux_peer_groups(int socket, gid_t *groups, size_t *count) {
  socklen_t size = (socklen_t)(*count * sizeof *groups);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0) {
    *count = size / sizeof *groups; /* what ERANGE asks for */
    return -1;
  }
  *count = size / sizeof *groups;
  return 0;
}

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

int linux_peer_pidfd(int socket, pid_t pid) {
  int descriptor = -1;
  socklen_t size = sizeof descriptor;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &descriptor, &size) == 0) return descriptor;
  return (int)syscall(SYS_pidfd_open, pid, 0);
}

int linux_pidfd(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

socklen_t linux_address(struct sockaddr_un *address, const char *path) {
  size_t length = strlen(path);
  if (length == 0 || length >= sizeof address->sun_path) return 0;
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  memcpy(address->sun_path, path, length + 1);
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
}
