#include "CLinux.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* The kernel's list of the network namespace's Unix sockets, with the files that they are bound to and the users that they are of:
 * see sock_diag(7). It has the device as the kernel itself writes it, and 32 bits of the inode. */

static int ask(int socket) {
  struct {
    struct nlmsghdr head;
    struct unix_diag_req wanted;
  } request = {
      {.nlmsg_len = sizeof request, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
      {.sdiag_family = AF_UNIX, .udiag_states = UINT32_MAX, .udiag_show = UDIAG_SHOW_VFS | UDIAG_SHOW_UID},
  };
  return send(socket, &request, sizeof request, 0) == sizeof request ? 0 : -1;
}

/* Whether an entry is bound to this file: 2 for a marker, which takes in nothing, and then also whose it is; 1 for another socket. */
static int is_bound_to(const struct nlmsghdr *entry, uint32_t device, uint32_t inode, uid_t *maker) {
  const struct unix_diag_msg *found = NLMSG_DATA(entry);
  int isIt = 0, isKnown = 0, isShut = 0;
  int left = (int)(entry->nlmsg_len - NLMSG_LENGTH(sizeof *found));
  for (const struct rtattr *part = (const struct rtattr *)(found + 1); RTA_OK(part, left); part = RTA_NEXT(part, left)) {
    const struct unix_diag_vfs *file = RTA_DATA(part);
    if (part->rta_type == UNIX_DIAG_VFS) isIt = file->udiag_vfs_dev == device && file->udiag_vfs_ino == inode;
    /* The kernel's own numbers: the first bit is for receiving, SHUT_RD + 1. */
    if (part->rta_type == UNIX_DIAG_SHUTDOWN) isShut = *(const uint8_t *)RTA_DATA(part) & 1;
    if (part->rta_type == UNIX_DIAG_UID) {
      isKnown = 1;
      *maker = *(const uint32_t *)RTA_DATA(part);
    }
  }
  if (!isIt || !isKnown) return 0;
  return found->udiag_type == SOCK_DGRAM && isShut ? 2 : 1;
}

/* Two of the same 32 bits, of different users, are nobody's. */
static int look(int socket, uint32_t device, uint32_t inode, uid_t *maker) {
  union {
    struct nlmsghdr head;
    char bytes[8192];
  } room;
  int count = 0, others = 0;
  if (ask(socket) < 0) return -1;
  while (1) {
    ssize_t left = recv(socket, &room, sizeof room, 0);
    if (left < 0 && errno == EINTR) continue;
    if (left <= 0) return -1;
    for (struct nlmsghdr *entry = &room.head; NLMSG_OK(entry, left); entry = NLMSG_NEXT(entry, left)) {
      uid_t user;
      if (entry->nlmsg_type == NLMSG_DONE) return count ? 0 : (errno = others ? ENOTSOCK : ENOENT, -1);
      if (entry->nlmsg_type == NLMSG_ERROR) return errno = EIO, -1;
      int found = is_bound_to(entry, device, inode, &user);
      others += found == 1;
      if (found != 2) continue;
      if (count++ && user != *maker) return errno = ENOTUNIQ, -1;
      *maker = user;
    }
  }
}

int linux_socket_maker(uint64_t device, uint64_t inode, uid_t *maker) {
  if (inode > UINT32_MAX) return errno = EOVERFLOW, -1;
  int list = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (list < 0) return -1;
  /* From nobody but the kernel. */
  const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  int result = connect(list, (const struct sockaddr *)&kernel, sizeof kernel) < 0 ? -1 : look(list, major(device) << 20 | minor(device), (uint32_t)inode, maker);
  int error = errno;
  close(list);
  return errno = error, result;
}

int linux_knows_all_users(void) {
  unsigned count = 0;
  FILE *map = fopen("/proc/self/uid_map", "re");
  if (!map) return 0;
  int found = fscanf(map, "%*u %*u %u", &count);
  fclose(map);
  return found == 1 && count == UINT32_MAX;
}
