/* sieve.h: what programs on a network of the policy `sieve` can ask of it. */
#ifndef SIEVE_H
#define SIEVE_H

#include <stdint.h>
#include <sys/ioctl.h>

#define SIEVE_PROTOCOL 41

/* Option, level SIEVE_PROTOCOL: up to SIEVE_PREFIX_MAX bytes that a message must begin with to reach this node. None, as
 * at first: every message does. */
#define SIEVE_SO_PREFIX 1
#define SIEVE_PREFIX_MAX 32

/* ioctl: what was sifted so far. With reset other than 0 the counts begin again, for who is bound (EPERM). */
struct sieve_counts {
  uint64_t passed; /* copies that went to a recipient */
  uint64_t held;   /* copies that a prefix held back */
  uint64_t unheard; /* messages that nobody wanted */
  uint64_t reset;
};
#define SIEVE_COUNTS _IOWR('S', 1, struct sieve_counts)

/* Out of band, to a sender: its message reached nobody. The bytes are the message's first ones. */
#define SIEVE_OOB_UNHEARD 1

#endif
