/* table.h: which descriptors are ours. A bit each, atomic, no lock: what every interposed call looks at first. */
#ifndef PRELOAD_TABLE_H
#define PRELOAD_TABLE_H

#include "real.h"

#include <stdatomic.h>

#pragma GCC visibility push(hidden)

/* Linux gives out no higher numbers unless fs.nr_open was raised; then those above are not taken. Pages of the table that
 * nobody looks at cost nothing. */
#define TABLE_LIMIT (1u << 20)

struct table {
  _Atomic uint64_t words[TABLE_LIMIT / 64];
};
extern struct table ours;    /* sockets of ours */
extern struct table watched; /* epoll sets that sockets of ours are registered with */

/* Relaxed: whoever has the number from another thread has it by a synchronisation of the program's own. */
static inline bool table_has(const struct table *table, int fd) {
  unsigned number = (unsigned)fd;
  if (number >= TABLE_LIMIT) return false;
  return atomic_load_explicit(&table->words[number / 64], memory_order_relaxed) >> number % 64 & 1;
}

static inline void table_add(struct table *table, int fd) {
  atomic_fetch_or(&table->words[(unsigned)fd / 64], UINT64_C(1) << (unsigned)fd % 64);
}

static inline void table_remove(struct table *table, int fd) {
  atomic_fetch_and(&table->words[(unsigned)fd / 64], ~(UINT64_C(1) << (unsigned)fd % 64));
}

/* The first at or after `fd`, or TABLE_LIMIT. */
unsigned table_next(const struct table *table, unsigned fd);

#pragma GCC visibility pop
#endif
