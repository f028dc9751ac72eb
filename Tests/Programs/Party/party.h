/* party.h: a party of the conformance suite in C. It is told what to do on standard input, a line each, and answers with a
 * line: `ok …`, or the name of an errno. Compiled twice: for libipn (PARTY_LIBRARY: `ipn_*`), and as a program of 2008, which
 * knows nothing but the calls of sockets and is run under the preload. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <ipn.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef PARTY_LIBRARY
#define CALLS(X)                                                                                                               \
  X(socket) X(close) X(bind) X(connect) X(shutdown) X(getsockname) X(getpeername) X(setsockopt) X(getsockopt) X(ioctl)         \
  X(send) X(sendmsg) X(recv) X(recvmsg) X(poll) X(duplicated)
static struct {
#define X(name) __typeof__(ipn_##name) *name;
  CALLS(X)
#undef X
} library;
#define CALL(name) library.name

static void find_library(void) {
  char path[4096];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - 32);
  while (length > 0 && path[length - 1] != '/') length--;
  strcpy(path + length, "libipn-c.so");
  void *handle = dlopen(path, RTLD_NOW);
  if (!handle) fprintf(stderr, "%s\n", dlerror()), exit(120);
#define X(name)                                                                                                                \
  if (!(library.name = dlsym(handle, "ipn_" #name))) fprintf(stderr, "no ipn_%s\n", #name), exit(120);
  CALLS(X)
#undef X
}
#else
#define CALL(name) name
static void find_library(void) {}
#endif

#define SLOTS 1024
static int slots[SLOTS];

typedef struct {
  char text[4096];
} Answer;

static Answer failed(void) {
  Answer answer;
  snprintf(answer.text, sizeof answer.text, "%s", strerrorname_np(errno));
  return answer;
}

__attribute__((format(printf, 1, 2))) static Answer ok(const char *format, ...) {
  Answer answer = {"ok "};
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(answer.text + 3, sizeof answer.text - 3, format, arguments);
  va_end(arguments);
  if (!answer.text[3]) answer.text[2] = 0;
  return answer;
}

static Answer done(long result) { return result < 0 ? failed() : ok("%s", ""); }

/* Words of a line. */
typedef struct {
  char *at;
} Words;

static char *word(Words *words) {
  while (*words->at == ' ') words->at++;
  char *start = words->at;
  while (*words->at && *words->at != ' ') words->at++;
  if (*words->at) *words->at++ = 0;
  return start;
}
static long number(Words *words) { return strtol(word(words), NULL, 0); }
static bool is(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* Bytes that a seed and a place determine. */
static void fill(unsigned char *bytes, size_t length, unsigned seed) {
  for (size_t i = 0; i < length; i++) bytes[i] = (unsigned char)((i * 2654435761u + seed * 40503u) >> 7);
}

static unsigned hash(const unsigned char *bytes, size_t length) {
  unsigned value = 2166136261u;
  for (size_t i = 0; i < length; i++) value = (value ^ bytes[i]) * 16777619u;
  return value;
}
