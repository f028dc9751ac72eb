#include "table.h"

struct table ours;
struct table watched;

unsigned table_next(const struct table *table, unsigned fd) {
  while (fd < TABLE_LIMIT) {
    uint64_t word = atomic_load_explicit(&table->words[fd / 64], memory_order_relaxed) >> fd % 64;
    if (word) return fd + (unsigned)__builtin_ctzll(word);
    fd = (fd / 64 + 1) * 64;
  }
  return TABLE_LIMIT;
}
