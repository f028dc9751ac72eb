/* A thread in a call, and whether it sleeps there. */
#ifndef CALL_H
#define CALL_H

#include "require.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

struct call {
  pthread_t thread;
  long (*body)(void);
  long result;
  int error;
  _Atomic pid_t id;
};

static inline void *run(void *argument) {
  struct call *call = argument;
  call->id = (pid_t)syscall(SYS_gettid);
  call->result = call->body();
  call->error = errno;
  return NULL;
}

static inline bool is_asleep(pid_t id) {
  char path[64], text[512] = "";
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)id);
  int fd = open(path, O_RDONLY);
  if (fd < 0) return false;
  (void)!read(fd, text, sizeof text - 1);
  close(fd);
  const char *name = strrchr(text, ')');
  return name && name[2] == 'S';
}

/* Asleep ten times in a row: a lock's sleep or a page's is shorter than what this is about. */
static inline void begin(struct call *call, long (*body)(void)) {
  *call = (struct call){.body = body};
  REQUIRE(pthread_create(&call->thread, NULL, run, call) == 0);
  for (int seen = 0; seen < 10; usleep(1000)) seen = call->id && is_asleep(call->id) ? seen + 1 : 0;
}

static inline long end(struct call *call) {
  REQUIRE(pthread_join(call->thread, NULL) == 0);
  errno = call->error;
  return call->result;
}

#endif
