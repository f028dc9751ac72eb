#include "library.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* As it is installed, and as it is built: there, the tool has the name. */
static const char *const names[] = {"libipn.so", "libipn-c.so"};
#define NAMES (sizeof names / sizeof *names)

struct library library;

/* Where code lies: ours, and libipn's. */
struct extent {
  uintptr_t start, end;
};
static struct extent extents[2];

static int measure(struct dl_phdr_info *object, size_t size, void *argument) {
  (void)size;
  struct extent extent = {UINTPTR_MAX, 0};
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &object->dlpi_phdr[i];
    if (part->p_type != PT_LOAD) continue;
    uintptr_t start = object->dlpi_addr + part->p_vaddr, end = start + part->p_memsz;
    if (start < extent.start) extent.start = start;
    if (end > extent.end) extent.end = end;
  }
  uintptr_t known[2] = {(uintptr_t)library_load, (uintptr_t)argument};
  for (int i = 0; i < 2; i++)
    if (known[i] >= extent.start && known[i] < extent.end) extents[i] = extent;
  return 0;
}

bool library_calls(const void *caller) {
  uintptr_t place = (uintptr_t)caller;
  for (int i = 0; i < 2; i++)
    if (place >= extents[i].start && place < extents[i].end) return true;
  return false;
}

static void complain(const char *reason) {
  char line[PATH_MAX + 256];
  int length = snprintf(line, sizeof line, "libipn-preload: no AF_IPN sockets: %s: install libipn.so beside it\n", reason);
  if (length > 0) (void)real.write(STDERR_FILENO, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}

/* Beside ourselves, else wherever the loader looks. */
static void *open_library(void) {
  Dl_info self;
  char path[PATH_MAX];
  const char *slash = dladdr((void *)library_load, &self) ? strrchr(self.dli_fname, '/') : NULL;
  for (size_t i = 0; slash && i < NAMES; i++) {
    int length = snprintf(path, sizeof path, "%.*s%s", (int)(slash - self.dli_fname) + 1, self.dli_fname, names[i]);
    if (length < (int)sizeof path && access(path, F_OK) == 0) return dlopen(path, RTLD_NOW | RTLD_LOCAL);
  }
  return dlopen(names[0], RTLD_NOW | RTLD_LOCAL);
}

static bool is_loaded;

static void load(void) {
  void *handle = open_library();
  if (!handle) return complain(dlerror());
  struct library found;
#define X(name)                                                                                                                \
  if (!(found.name = (__typeof__(ipn_##name) *)dlsym(handle, "ipn_" #name))) return complain(dlerror());
  LIBRARY_FUNCTIONS(X)
#undef X
  library = found;
  dl_iterate_phdr(measure, (void *)library.socket);
  is_loaded = true;
}

bool library_load(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  int error = errno;
  pthread_once(&once, load);
  errno = is_loaded ? error : EAFNOSUPPORT;
  return is_loaded;
}

bool library_disowns(int fd) {
  int error = errno;
  if (error != EBADF && error != ENOTSOCK) return false;
  bool isOurs = library.is_socket(fd) == 1;
  if (!isOurs) table_remove(&ours, fd);
  /* Another thread may have made one meanwhile. */
  if (!isOurs && library.is_socket(fd) == 1) table_add(&ours, fd), isOurs = true;
  errno = error;
  return !isOurs;
}
