/* A policy is anybody's code in a keeper's process. When it crashes, nobody is left to say so: the handler does, with
 * nothing but system calls, and takes away what a keeper that ends takes away. */
#include "CLinux.h"

#include <limits.h>

static struct {
  volatile uint64_t *word;
  char path[PATH_MAX];
  int file;
} crash = {.file = -1};

static void remove_file(void) {
  char link[32] = "/proc/self/fd/", name[PATH_MAX];
  char digits[12];
  int count = 0, number = crash.file;
  do digits[count++] = (char)('0' + number % 10);
  while (number /= 10);
  size_t end = strlen(link);
  while (count > 0) link[end++] = digits[--count];
  link[end] = 0;
  ssize_t length = readlink(link, name, sizeof name - 1);
  if (length <= 0) return;
  name[length] = 0;
  /* In its folder, whatever comes to lie on the way there meanwhile. */
  char *slash = strrchr(name, '/');
  if (!slash) return;
  *slash = 0;
  int folder = open(slash == name ? "/" : name, O_PATH | O_DIRECTORY | O_CLOEXEC);
  struct stat ours, there;
  if (fstat(crash.file, &ours) < 0 || fstatat(folder, slash + 1, &there, AT_SYMLINK_NOFOLLOW) < 0) return;
  if (ours.st_dev == there.st_dev && ours.st_ino == there.st_ino) unlinkat(folder, slash + 1, 0);
}

static void handle(int number) {
  __atomic_store_n(crash.word, (uint64_t)number, __ATOMIC_SEQ_CST);
  remove_file();
  unlink(crash.path);
  /* Back to what it was: the same signal ends the process now, with a core where cores are wanted. */
  signal(number, SIG_DFL);
  raise(number);
}

void linux_tell_crash(void *word, const char *path, int file) {
  static const int deadly[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
  if (strlen(path) >= sizeof crash.path) return;
  crash.word = word;
  crash.file = file;
  strcpy(crash.path, path);
  /* The stack may be what was used up. */
  static char stack[64 * 1024];
  stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&other, NULL);
  struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) sigaction(deadly[i], &action, NULL);
}
