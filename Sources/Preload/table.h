/* table.h: which descriptors are ours. Atomic, no lock: what every interposed call looks at first. */
#ifndef PRELOAD_TABLE_H
#define PRELOAD_TABLE_H

#include "real.h"

#include <stdatomic.h>

#pragma GCC visibility push(hidden)

/* Linux gives out no higher numbers unless fs.nr_open was raised; then those above are not taken. Pages of the table that
 * nobody looks at cost nothing. */
#define TABLE_LIMIT (1u << 20)

struct table {
  /* How many of ours end in these 16 bits: all that a call looks at which is about something else. */
  _Atomic uint8_t endings[1 << 16];
  _Atomic uint64_t words[TABLE_LIMIT / 64];
  /* One more than the highest that ever was in it. */
  _Atomic unsigned end;
};
extern struct table ours;    /* sockets of ours */
extern struct table watched; /* epoll sets that sockets of ours are registered with */

/* False where it is not in the table; no more than a hint where it may be. Relaxed: whoever has the number from another thread
 * has it by a synchronisation of the program's own. */
static inline bool table_may_have(const struct table *table, int fd) {
  return __builtin_expect(atomic_load_explicit(&table->endings[(uint16_t)fd], memory_order_relaxed) != 0, 0);
}

static inline bool table_has(const struct table *table, int fd) {
  unsigned number = (unsigned)fd;
  if (!table_may_have(table, fd) || number >= TABLE_LIMIT) return false;
  return atomic_load_explicit(&table->words[number / 64], memory_order_relaxed) >> number % 64 & 1;
}

static inline unsigned table_end(const struct table *table) { return atomic_load_explicit(&table->end, memory_order_relaxed); }

void table_add(struct table *table, int fd);
void table_remove(struct table *table, int fd);

/* The first at or after `fd`, or TABLE_LIMIT. */
unsigned table_next(const struct table *table, unsigned fd);

#pragma GCC visibility pop
#endif
