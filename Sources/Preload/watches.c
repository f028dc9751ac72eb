#include "watches.h"

#include <sys/stat.h>
#include <unistd.h>

struct watch watches[WATCHES];
int watches_used;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void watches_acquire(void) { pthread_mutex_lock(&lock); }
void watches_release(void) { pthread_mutex_unlock(&lock); }

ino_t socket_of(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

struct watch *watch_find(int set, int fd) {
  ino_t socket = socket_of(fd);
  for (struct watch *watch = watches; watch < watches + watches_used; watch++)
    if (watch->set == set && watch->name == fd && watch->socket == socket) return watch;
  return NULL;
}

struct watch *watch_find_free(void) {
  for (int i = 0; i < watches_used; i++)
    if (watches[i].set < 0) return &watches[i];
  if (watches_used == WATCHES) return NULL;
  watches[watches_used].set = -1;
  return &watches[watches_used++];
}

/* Level-triggered where the program waits for messages: then the set itself is readable as long as there are some, also for
 * whoever polls the set. Else something to do may be there for long that is not asked for, and must not wake twice. */
int watch_tell_kernel(int operation, struct watch *watch) {
  struct epoll_event event = {.events = 0, .data.ptr = watch};
  bool isLevel = false;
  /* Others of the same socket may have come to the same number. */
  for (struct watch *other = watches; other < watches + watches_used; other++) {
    if (other->set != watch->set || other->fd != watch->fd || other->is_spent) continue;
    event.events |= EPOLLIN | EPOLLET | (other->wanted.events & EPOLLWAKEUP);
    if (other->wanted.events & EPOLL_IN && !(other->wanted.events & EPOLLET)) isLevel = true;
  }
  if (isLevel) event.events &= ~(uint32_t)EPOLLET;
  return real.epoll_ctl(watch->set, operation, watch->fd, &event);
}

int watch_enter(struct watch *watch) {
  for (struct watch *other = watches; other < watches + watches_used; other++)
    if (other->set == watch->set && other->fd == watch->fd && other->socket != watch->socket) other->set = -1;
  int result = watch_tell_kernel(EPOLL_CTL_ADD, watch);
  return result < 0 && errno == EEXIST ? watch_tell_kernel(EPOLL_CTL_MOD, watch) : result;
}

int watch_withdraw(struct watch *watch) {
  struct watch gone = *watch;
  watch->set = -1;
  for (struct watch *other = watches; other < watches + watches_used; other++)
    if (other->set == gone.set && other->fd == gone.fd) return watch_tell_kernel(EPOLL_CTL_MOD, other);
  return real.epoll_ctl(gone.set, EPOLL_CTL_DEL, gone.fd, NULL);
}

void watches_note_end(int fd, uint32_t events) {
  if (watches_used == 0) return;
  int error = errno;
  watches_acquire();
  ino_t socket = socket_of(fd);
  for (struct watch *watch = watches; watch < watches + watches_used; watch++)
    if (watch->set >= 0 && (watch->fd == fd || watch->socket == socket)) watch->told &= ~events;
  watches_release();
  errno = error;
}

/* Another number of the same socket, or -1. */
static int other_number(int fd) {
  ino_t socket = socket_of(fd);
  for (unsigned other = table_next(&ours, 0); other < TABLE_LIMIT; other = table_next(&ours, other + 1))
    if (other != (unsigned)fd && socket_of((int)other) == socket) return (int)other;
  return -1;
}

/* The kernel keeps the socket in its sets while another number for it is open, and so do we, by that number: what it has by one that is
 * closed can be changed no more. */
void watches_leave_number(int fd) {
  if (watches_used == 0) return;
  int error = errno;
  watches_acquire();
  for (struct watch *watch = watches; watch < watches + watches_used; watch++) {
    if (watch->set < 0 || watch->fd != fd) continue;
    struct watch moved = *watch;
    /* A child that closes what it has inherited takes nothing out of its parent's sets. */
    bool isMine = moved.maker == getpid();
    if (isMine) watch_withdraw(watch);
    watch->set = -1;
    if (!isMine || (moved.fd = other_number(fd)) < 0) continue;
    *watch = moved;
    watch_enter(watch);
  }
  watches_release();
  errno = error;
}

void watches_forget_set(int set) {
  watches_acquire();
  table_remove(&watched, set);
  for (struct watch *watch = watches; watch < watches + watches_used; watch++)
    if (watch->set == set) watch->set = -1;
  watches_release();
}

