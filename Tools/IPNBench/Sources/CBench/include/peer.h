/* What the bench asks of a peer: a shared object for each, that exports one `const struct peer peer`.
 *
 * One writer and its readers are processes of their own; each opens its end, and all ends of a run are given the same path. Whatever
 * goes wrong is said with `peer_fail`, whose text the bench prints in place of a figure. */
#ifndef IPN_BENCH_PEER_H
#define IPN_BENCH_PEER_H

#include <stddef.h>

struct peer_setting {
  const char *path; /* this run's alone; nothing is there yet */
  size_t size;      /* bytes of every message */
  int readers;      /* how many there are at the start */
  int index;        /* which of them this is; -1 for the writer */
  int spins;        /* the reader looks all the time instead of going to sleep */
};

/* Is handed each message; says whether to go on. */
typedef int peer_take(void *context, const void *bytes);

struct peer {
  const char *name;     /* as the tables have it */
  const char *release;  /* version of what is measured */
  const char *settings; /* one line: what was chosen, as its documentation advises for speed */
  size_t longest;       /* bytes of the longest message; 0 where only memory sets a limit */
  int no_spinning;      /* its readers cannot poll */

  /* How many messages may be on their way before the writer has to wait for the slowest reader's word; NULL where the
   * peer itself loses nothing. Readers give that word in a page that the bench shares, as a program of its user would have to. */
  unsigned (*window)(size_t size);
  /* A process that has to run meanwhile: fills in its arguments, up to a NULL; NULL where there is none. */
  int (*daemon)(const struct peer_setting *setting, const char *arguments[16]);

  int (*prepare)(void); /* has its libraries ready, before an end is opened; may be called again; NULL where nothing is to do */
  void *(*open_writer)(const struct peer_setting *setting);
  void *(*lend)(void *writer);  /* where the next message is to be written */
  int (*send)(void *writer);    /* sends it; waits where the peer is full */
  void *(*open_reader)(const struct peer_setting *setting);
  int (*receive)(void *reader, peer_take *take, void *context); /* until `take` says no */
  void (*close_reader)(void *reader); /* leaves; NULL where the end of the process does */
  const char *(*failure)(void);
};

#ifdef IPN_BENCH_A_PEER
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char peer_reason[256];
static const char *peer_failure(void) { return peer_reason; }

/* Always -1. */
__attribute__((format(printf, 1, 2))) static inline int peer_fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(peer_reason, sizeof peer_reason, format, arguments);
  va_end(arguments);
  return -1;
}

static inline void *peer_null(int failed) { (void)failed; return NULL; }

/* Between two looks: lets others run now and then, for there may be more spinners than processors. */
static inline void peer_relax(unsigned *looks) {
  if (++*looks % 64 == 0) sched_yield();
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/* Memory for a message, present from the start. */
static inline void *peer_buffer(size_t size) {
  void *buffer = aligned_alloc(4096, (size + 4095) & ~(size_t)4095);
  if (buffer) memset(buffer, 1, size);
  return buffer;
}

/* A short name that is this run's alone, for what has no files: the path's last two parts hold the bench's number and the run's. */
static inline unsigned peer_hash(const char *path) {
  unsigned hash = 2166136261u;
  for (; *path; path++) hash = (hash ^ (unsigned char)*path) * 16777619u;
  return hash;
}
#endif

#endif
