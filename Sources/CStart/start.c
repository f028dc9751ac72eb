/* What our programs look at before anything else of them runs, the beginnings of the libraries that they load included.
 *
 * A program in Swift, and some libraries in C++, end by SIGABRT or SIGSEGV where malloc(3) fails, and the kernel ends any by
 * SIGSEGV whose stack cannot grow. Where memory is promised only as far as it is there (vm.overcommit_memory=2), or the process has
 * a limit (ulimit -v, -d), that may happen at any place. So what a start takes is reserved once, and given back for it to be
 * taken; the stack grows now. Nothing is touched but a page. */
#include "CLinux.h"

#define STACK (1u << 20)
#define FLOOR (8u << 20)

/* The kernel grows the stack down to wherever it is touched. */
__attribute__((noinline)) static void grow_stack(void) {
  volatile char room[STACK];
  room[0] = 0;
}

static void complain(const char *program) {
  const char *slash = strrchr(program, '/');
  char line[256];
  int length = snprintf(line, sizeof line, "%.100s: no memory to start with: it wants %u MiB more: free some, or raise the limit (ulimit -v, -d)\n",
                        slash ? slash + 1 : program, (FLOOR + STACK) >> 20);
  ssize_t ignored = write(STDERR_FILENO, line, (size_t)length);
  (void)ignored;
  _exit(1);
}

static void begin(int count, char **arguments) {
  if (linux_find_room(FLOOR + STACK) < 0) complain(count > 0 ? arguments[0] : "ipn");
  struct rlimit limit;
  if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur >= 2 * STACK) grow_stack();
}

/* Before every constructor. Programs only: a library has none of these. See ld.so(8) and the generic ABI of System V. */
__attribute__((section(".preinit_array"), used)) static void (*const at_first)(int, char **) = begin;
