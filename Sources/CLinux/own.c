#include "CLinux.h"

#include <stdatomic.h>

/* Numbers of descriptors that this library has opened for itself: a bit each. Linux gives out no higher ones unless fs.nr_open was
 * raised; those are then not known as ours. Pages that nobody looks at cost nothing. */
#define LIMIT (1u << 20)
#define STREAMS 3

static _Atomic uint64_t words[LIMIT / 64];
/* Behind the highest that was ever ours: who looks for the next one, as each close under the preload does, stops here. */
static _Atomic unsigned end;

int linux_own(int descriptor) {
  int number = descriptor;
  if (number < STREAMS) {
    /* Where a program has closed its standard streams, it is about to open others in their place. */
    int above = fcntl(number, F_DUPFD_CLOEXEC, STREAMS);
    if (above >= 0) {
      close(number);
      number = above;
    }
  }
  if ((unsigned)number >= LIMIT) return number;
  atomic_fetch_or_explicit(&words[number / 64], UINT64_C(1) << number % 64, memory_order_relaxed);
  unsigned known = atomic_load_explicit(&end, memory_order_relaxed);
  while (known <= (unsigned)number && !atomic_compare_exchange_weak(&end, &known, (unsigned)number + 1)) {}
  return number;
}

void linux_disown(int descriptor) {
  if ((unsigned)descriptor >= LIMIT) return;
  atomic_fetch_and_explicit(&words[descriptor / 64], ~(UINT64_C(1) << descriptor % 64), memory_order_relaxed);
}

unsigned linux_next_own(unsigned from) {
  while (from < atomic_load_explicit(&end, memory_order_relaxed)) {
    uint64_t rest = atomic_load_explicit(&words[from / 64], memory_order_relaxed) >> from % 64;
    if (rest) return from + (unsigned)__builtin_ctzll(rest);
    from = (from / 64 + 1) * 64;
  }
  return UINT32_MAX;
}
