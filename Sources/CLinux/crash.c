/* A policy is anybody's code in a keeper's process. When it crashes, or ends the process, nobody is left to say so: what is called then
 * does, with nothing but system calls, and takes away what a keeper that ends takes away. */
#include "CLinux.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/syscall.h>

/* A file as it was at first: whatever has its name by now may be another. */
struct place {
  dev_t device;
  ino_t number;
  char path[PATH_MAX];
};

static struct {
  pid_t process; /* 0: nothing to tell. A policy's children have this, too. */
  volatile uint64_t *word;
  struct place door, marker;
  int file;
} crash;

static bool is_at(const struct place *place, const struct stat *status) {
  return status->st_dev == place->device && status->st_ino == place->number;
}

/* In its folder, whatever comes to lie on the way there meanwhile. */
static void remove_place(const struct place *place, char *path) {
  char *slash = strrchr(path, '/');
  if (!slash) return;
  *slash = 0;
  int folder = open(slash == path ? "/" : path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  struct stat there;
  if (fstatat(folder, slash + 1, &there, AT_SYMLINK_NOFOLLOW) == 0 && is_at(place, &there)) unlinkat(folder, slash + 1, 0);
}

static void name_of_descriptor(int number, char link[32]) {
  strcpy(link, "/proc/self/fd/");
  char digits[12];
  int count = 0;
  do digits[count++] = (char)('0' + number % 10);
  while (number /= 10);
  size_t end = strlen(link);
  while (count > 0) link[end++] = digits[--count];
  link[end] = 0;
}

/* The name that a file has now; false where the descriptor is another's by now. */
static bool find_name(int file, const struct place *place, char path[PATH_MAX]) {
  char link[32];
  struct stat status;
  if (fstat(file, &status) < 0 || !is_at(place, &status)) return false;
  name_of_descriptor(file, link);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length <= 0) return false;
  path[length] = 0;
  return true;
}

static void tidy(void) {
  static char path[PATH_MAX];
  if (crash.process != getpid()) return;
  crash.process = 0;
  /* A policy may have closed what it did not know. */
  if (!find_name(crash.file, &crash.marker, path)) strcpy(path, crash.marker.path);
  remove_place(&crash.marker, path);
  strcpy(path, crash.door.path);
  remove_place(&crash.door, path);
}

static void handle(int number) {
  if (crash.process == getpid()) __atomic_store_n(crash.word, (uint64_t)number, __ATOMIC_SEQ_CST);
  tidy();
  /* Back to what it was: the same signal ends the process now, with a core where cores are wanted. */
  signal(number, SIG_DFL);
  raise(number);
}

static void handle_signals(void) {
  static const int deadly[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
  /* The stack may be what was used up. */
  static char stack[64 * 1024];
  stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&other, NULL);
  struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) sigaction(deadly[i], &action, NULL);
}

/* The keeper's thread ends, and others would stay, which keep nothing. */
static void end_process(void *process) {
  (void)process;
  if (crash.process == getpid()) linux_exit_at_once(EXIT_FAILURE);
}

static void handle_exits(void) {
  static bool areHandled;
  static pthread_key_t key;
  if (areHandled) return;
  areHandled = true;
  atexit(tidy);
  at_quick_exit(tidy);
  if (pthread_key_create(&key, end_process) == 0) pthread_setspecific(key, &crash);
}

static bool note(struct place *place, const char *path, const struct stat *status) {
  if (strlen(path) >= sizeof place->path) return false;
  place->device = status->st_dev;
  place->number = status->st_ino;
  strcpy(place->path, path);
  return true;
}

void linux_tell_crash(void *word, const char *path, int file) {
  struct stat door, marker;
  char link[32], name[PATH_MAX];
  name_of_descriptor(file, link);
  ssize_t length = readlink(link, name, sizeof name - 1);
  name[length > 0 ? length : 0] = 0;
  if (lstat(path, &door) < 0 || fstat(file, &marker) < 0) return;
  if (!note(&crash.door, path, &door) || !note(&crash.marker, name, &marker)) return;
  crash.word = word;
  crash.file = file;
  crash.process = getpid();
  handle_exits();
  handle_signals();
}

void linux_tell_no_crash(void) { crash.process = 0; }

void linux_exit_at_once(int status) {
  tidy();
  for (;;) syscall(SYS_exit_group, status);
}
