#include "CLinux.h"

#include <pthread.h>
#include <sys/ioctl.h>

/* CMSG_* are macros, and msg_control may be any memory of the caller's. */
size_t linux_put_control(struct msghdr *message, size_t room, size_t used, int level, int type, const void *data, size_t size) {
  if (used + CMSG_SPACE(size) > room) {
    message->msg_flags |= MSG_CTRUNC;
    return used;
  }
  struct cmsghdr head = {.cmsg_len = CMSG_LEN(size), .cmsg_level = level, .cmsg_type = type};
  char *place = (char *)message->msg_control + used;
  memset(place, 0, CMSG_SPACE(size));
  memcpy(place, &head, sizeof head);
  memcpy(place + CMSG_LEN(0), data, size);
  return used + CMSG_SPACE(size);
}

int linux_get_control(const struct msghdr *message, int level, int type, void *data, size_t size) {
  struct msghdr *list = (struct msghdr *)message;
  const char *end = (char *)message->msg_control + message->msg_controllen;
  for (struct cmsghdr *item = CMSG_FIRSTHDR(list); item != NULL; item = CMSG_NXTHDR(list, item)) {
    /* CMSG_NXTHDR looks at the next header, and nobody at what follows it. */
    if (item->cmsg_len < sizeof *item || item->cmsg_len > (size_t)(end - (const char *)item)) return -1;
    if (item->cmsg_level != level || item->cmsg_type != type) continue;
    if (item->cmsg_len != CMSG_LEN(size)) return -1;
    memcpy(data, CMSG_DATA(item), size);
    return 1;
  }
  return 0;
}

int linux_is_nonblocking(int descriptor) {
  int flags = fcntl(descriptor, F_GETFL);
  return flags >= 0 && (flags & O_NONBLOCK) != 0;
}

int linux_ioctl(int descriptor, unsigned long request, void *argument) { return ioctl(descriptor, request, argument); }

int linux_dup3(int descriptor, int made, int flags) { return dup3(descriptor, made, flags); }
