/* A child between fork and exec may only make system calls, so this is C. */
#include "CLinux.h"

#include <dlfcn.h>

#include <sys/syscall.h>

#define FIRST 3

/* The thread sanitizer takes each clone(2) for a fork(2), and sets itself up anew in the child's memory, which is the parent's here: a
 * call that it does not know, and children that it does not watch. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
int __clone(int (*)(void *), void *, int, void *, ...);
#define clone __clone
#define UNWATCHED __attribute__((no_sanitize("thread")))
#endif
#endif
#ifndef UNWATCHED
#define UNWATCHED
#endif

struct order {
  const char *path;
  char *const *arguments;
  char *const *environment;
  const int *list;
  size_t count;
  char *stack; /* for the last of the children */
  volatile int error; /* shared with the parent: the children run in its memory, one at a time */
};

static void clear_signals(void) {
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Moves the list out of the way first: a wanted number may be the source of another. */
static int place(const struct order *order) {
  int parked[8];
  if (order->count > sizeof parked / sizeof *parked) return errno = EINVAL, -1;
  for (size_t i = 0; i < order->count; i++) {
    parked[i] = fcntl(order->list[i], F_DUPFD_CLOEXEC, FIRST + (int)order->count);
    if (parked[i] < 0) return -1;
  }
  for (size_t i = 0; i < order->count; i++)
    if (dup2(parked[i], FIRST + (int)i) < 0) return -1;
  int null = open("/dev/null", O_RDWR);
  if (null < 0) return -1;
  for (int i = 0; i < FIRST; i++)
    if (dup2(null, i) < 0) return -1;
  if (syscall(SYS_close_range, FIRST + (unsigned)order->count, ~0u, 0) < 0) return -1;
  return 0;
}

UNWATCHED static int become(void *argument) {
  struct order *order = argument;
  execve(order->path, order->arguments, order->environment);
  order->error = errno;
  return 127;
}

/* Runs in a process whose end tells nobody: not a SIGCHLD, not wait(2). */
UNWATCHED static int between(void *argument) {
  struct order *order = argument;
  clear_signals();
  if (setsid() < 0 || place(order) < 0 || chdir("/") < 0) {
    order->error = errno;
    return 1;
  }
  umask(077);
  /* Not vfork(3): of that the address sanitizer believes that it is called on a thread's own stack, and clears what lies between. */
  if (clone(become, order->stack, CLONE_VM | CLONE_VFORK | SIGCHLD, order) < 0) order->error = errno;
  return 0;
}

int linux_spawn_detached(const char *path, char *const arguments[], char *const environment[], const int *list, size_t count) {
  size_t size = 64 * 1024;
  char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return -1;
  struct order order = {path, arguments, environment, list, count, stack + size / 2, 0};
  /* The program's handlers must not run on a borrowed memory. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t middle = clone(between, stack + size, CLONE_VM | CLONE_VFORK, &order); /* exit signal 0: not a child to wait for */
  int error = middle < 0 ? errno : order.error;
  if (middle > 0)
    while (waitpid(middle, NULL, __WCLONE) < 0 && errno == EINTR) {
    }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  munmap(stack, size);
  if (error) return errno = error, -1;
  return 0;
}

const char *linux_object_path(const void *place) {
  Dl_info information;
  return dladdr(place, &information) != 0 ? information.dli_fname : NULL;
}
