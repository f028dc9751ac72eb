/* What the bench needs of Linux and Swift's Glibc module does not show, and the count of allocations. */
#ifndef CBENCH_H
#define CBENCH_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include "peer.h"

/* CLOCK_MONOTONIC, nanoseconds. */
uint64_t bench_now(void);

/* Sleeps until that time. */
void bench_sleep_until(uint64_t nanoseconds);

/* Processor seconds of this process so far, user and system, all threads. */
double bench_cpu_seconds(void);

/* The same of all children that have ended and been waited for. */
double bench_children_cpu_seconds(void);

/* A memfd of `size` zero bytes with close-on-exec, or -1. */
int bench_memory(size_t size);

/* Maps a memfd to read and write, all pages present. NULL on failure. */
void *bench_map(int descriptor, size_t size);

/* An eventfd with close-on-exec, whose reads block. */
int bench_event(void);

/* A SOCK_STREAM pair with close-on-exec, and room for `size` bytes on the way to the second. */
int bench_stream_pair(int pair[2], int size);

/* What standard output was, as a descriptor of its own: libraries that print go to /dev/null from now on. */
int bench_claim_output(void);

/* Room for a megabyte in a pipe. */
void bench_widen_pipe(int end);

/* Waits until a child has ended, and leaves it to be waited for: its number, or -1. See waitid(2). */
int bench_ended_child(void);
bool bench_has_ended(int child);

/* This process dies with its parent, may be traced by its siblings, and lives `seconds` at the longest. */
void bench_be_worker(unsigned seconds);

/* Whether allocations are counted from now on; off, a call costs one load more than the C library's. */
void bench_count_allocations(int on);
uint64_t bench_allocations(void);

/* The sum of all 64-bit words; `count` is a multiple of 32. */
uint64_t bench_sum(const void *bytes, size_t count);

static inline void bench_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

#endif
