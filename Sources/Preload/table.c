#include "table.h"

struct table ours;
struct table watched;

_Static_assert(TABLE_LIMIT >> 16 <= UINT8_MAX, "as many may have one ending");

static uint64_t bit(int fd) { return UINT64_C(1) << (unsigned)fd % 64; }

/* Counted first, and not counted last: whoever looks meanwhile looks twice. */
void table_add(struct table *table, int fd) {
  unsigned end = table_end(table);
  while (end <= (unsigned)fd && !atomic_compare_exchange_weak(&table->end, &end, (unsigned)fd + 1)) {}
  atomic_fetch_add(&table->endings[(uint16_t)fd], 1);
  if (atomic_fetch_or(&table->words[(unsigned)fd / 64], bit(fd)) & bit(fd)) atomic_fetch_sub(&table->endings[(uint16_t)fd], 1);
}

void table_remove(struct table *table, int fd) {
  if (atomic_fetch_and(&table->words[(unsigned)fd / 64], ~bit(fd)) & bit(fd)) atomic_fetch_sub(&table->endings[(uint16_t)fd], 1);
}

unsigned table_next(const struct table *table, unsigned fd) {
  for (unsigned end = table_end(table); fd < end;) {
    uint64_t word = atomic_load_explicit(&table->words[fd / 64], memory_order_relaxed) >> fd % 64;
    if (word) return fd + (unsigned)__builtin_ctzll(word);
    fd = (fd / 64 + 1) * 64;
  }
  return TABLE_LIMIT;
}
