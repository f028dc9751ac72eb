/* ipn_records.h: what the processes of a network share, and nothing else of it.
 *
 * Three kinds of memory, each a memfd that one process writes and all others map read-only:
 *
 *   network page (the keeper's)   options, counts, roster version; the roll, for the keeper that may come after it
 *   node region  (each node's)    bell state, the writer's head and oldest, a cursor per possible writer
 *   slot pool    (each writer's)  ring of entries, payloads in size classes
 *
 *   node region                            slot pool
 *   +--------------------------+ 0         +----------------------------+ 0
 *   | ipn_node_header          |           | ipn_pool_header            |
 *   +--------------------------+ 512       |                            |
 *   | ipn_delays               |           |                            |
 *   +--------------------------+ 4096      +----------------------------+ 4096
 *   | ipn_cursor of writer 0   |           | ring: ipn_entry per place  |
 *   | ipn_cursor of writer 1   |           +----------------------------+ a page's border
 *   | ...                      |           | payloads of class 0 ...    |
 *   +--------------------------+           +----------------------------+ a page's border
 *     sparse: a page exists                | payloads of class 1 ...    |
 *     once a writer of it does             +----------------------------+ ...
 *
 * Words marked "atomic" are only ever touched by atomic loads and stores; who writes, in which order and which
 * fence meets which stands in Sources/IPNRing. What another process wrote is its word only: it is copied
 * once, and its bounds are checked on the copy. Integers are native: all of this is one machine's. */
#ifndef IPN_RECORDS_H
#define IPN_RECORDS_H

#include <stddef.h>
#include <stdint.h>

/* Any change of a layout below raises it; the keeper and every node compare theirs. */
#define IPN_RECORD_VERSION 4

#define IPN_NETWORK_MAGIC 0x49504e4e45543031ull /* "IPNNET01" */
#define IPN_NODE_MAGIC 0x49504e4e4f443031ull    /* "IPNNOD01" */
#define IPN_POOL_MAGIC 0x49504e504f4f4c31ull    /* "IPNPOOL1" */

#define IPN_PAGE 4096
#define IPN_LINE 64
#define IPN_CURSORS 65536 /* in a region: as many writers as there can be nodes */
#define IPN_PINS 4        /* messages of one writer that a reader may hold */
#define IPN_NO_PIN 0   /* a pin holds sequence + 1 */
#define IPN_CLASS_MIN_LOG2 8
#define IPN_CLASS_STEP_LOG2 1 /* finer than by four: half-used slots leave half of the cache's sets unused */

/* The keeper writes it; every node maps it. */
struct ipn_network_page {
  uint64_t magic;
  uint32_t record_version;
  uint32_t protocol;       /* IPN_BROADCAST, ... */
  uint32_t mtu;            /* bytes */
  uint32_t node_limit;     /* IPN_SO_NUMNODES as it is now */
  uint32_t pool_size;      /* messages, IPN_SO_MSGPOOLSIZE */
  uint32_t flags;          /* IPN_FLAG_LOSSLESS */
  uint32_t history;        /* messages */
  uint32_t persist, mode, reserved2;
  uint64_t process_space;  /* inode of the keeper's pid namespace: the roll's process ids count in it */
  uint64_t roll_used;      /* entries of the roll from here on were never used */
  uint64_t door;           /* when the keeper's door was made: the file at the rendezvous tells the last keeper by it */
  uint64_t reserved0[7];
  /* @128, atomic: grows by one at every change of the roster. */
  uint64_t roster_version;
  uint64_t pending;        /* routed and LOSSLESS: messages that the keeper has taken and not all recipients have read */
  uint64_t ended;          /* routed: the signal that its policy died of; 0 while it lives */
  uint64_t reserved1[5];
  /* @192, atomic: 32 bits version | 16 bits readers | 16 bits writers, so that one load tells all. */
  uint64_t counts;
  uint64_t reserved3[7];
};

/* Behind the network page: who is connected. The keeper writes it at each step before it answers, and never reads it:
 * it is what the next keeper knows if this one is killed (see IPNKeeper/Keeper+Absentees.swift).
 *
 *   free --(all else, then node_id)--> entered --(answered)--> a node of the network --(node_id = 0)--> free */
struct ipn_roll_entry {
  uint64_t node_id;        /* atomic: 0 while free; stored last, taken away first */
  uint64_t state;          /* atomic: IPN_ROLL_* in the low half, the index of the writer's cursor in the high one */
  uint64_t process;        /* the pidfd's inode, which no two processes share where the kernel has pidfs (6.9) */
  int32_t port;
  uint32_t pid, uid, reserved0;
  uint64_t call;           /* the number of the request by which it connected: who asks again is told apart by it */
  uint64_t reserved1[2];
};
#define IPN_ROLL_RECEIVES 1u
#define IPN_ROLL_SENDS 2u
#define IPN_ROLL_HAS_POOL 4u  /* it has sent: the cursor counts */
#define IPN_ROLL_DEPARTED 8u  /* it has left, and somebody has not read all that it sent */
#define IPN_ROLL_ANSWERED 16u /* it knows that it is connected */
#define IPN_ROLL_BOUND 32u    /* it was bound first, which took a right */
#define IPN_ROLL_ENTRIES 131072 /* the connected, and as many who left unread messages */

/* A reader's place in one writer's stream. Written by the reader, read by that writer.
 *
 *   unset --(reader adopts the writer)--> placed: tail, then generation --(another writer with this index)--> unset
 *
 * `generation` is stored after `tail` is reset, so a successor with the same index never sees its predecessor's. */
struct ipn_cursor {
  uint64_t generation;     /* atomic: the writer's node id, 0 before it was adopted */
  uint64_t tail;           /* atomic: the next sequence this reader wants */
  uint64_t pin[IPN_PINS];  /* atomic: sequence + 1 of a message that is being read in place; IPN_NO_PIN */
  uint64_t lost;           /* messages of this writer that were overwritten before they were read */
  uint64_t reserved;
};

/* The head of a node region. The node writes it; everybody else reads. */
struct ipn_node_header {
  uint64_t magic;
  uint32_t record_version;
  uint32_t reserved;
  uint64_t node_id;        /* given by the keeper, never twice */
  uint64_t reserved0[5];
  /* @64, atomic: with IPN_ASLEEP while the reader sleeps or is about to; with IPN_POLLS too where it does not sleep in a
   * call of ours but may poll its handle. Each sleep has a number of its own, so that a writer rings it once. A line of
   * its own: every publish reads it. */
  uint64_t armed;
  uint64_t reserved1[7];
  /* @128, atomic: what the writer publishes. `head`: next sequence. `oldest`: the first that may still be read. */
  uint64_t head;
  uint64_t oldest;
  uint64_t news;           /* the keeper's on a routed network: messages out of band for this node, so far */
  uint64_t sent_bytes;     /* for `ipn show`; here, as the writer has this line in its hands with each message */
  uint64_t reserved2[4];
  /* @192, atomic: as `armed`, while the writer waits for room on a LOSSLESS network. Every reader looks after each
   * message, and rings once its tail has come to `wanted`, which is stored before. */
  uint64_t waiting;
  uint64_t wanted;
  uint64_t reserved3[6];
  /* @256, atomic: counts for `ipn show`; nothing is decided by them. */
  uint64_t received;
  uint64_t lost;           /* over all writers */
  uint64_t dropped;        /* own messages that found no slot and no keeper: lost to all */
  uint64_t received_bytes;
  uint64_t reserved4[4];
};

/* How long messages had been under way when their reader took them, and what it misses: the reader's own word, for `ipn top`. The
 * bus knows of no time but when a message was sent, so it counts what the reading program says (media: since capture).
 *
 *   bucket 0: less than 1024 ns     bucket i: from (4 + (i - 1) % 4) * 2^(8 + (i - 1) / 4) ns on, four to an octave
 *   the last: all that is longer (206 s) */
#define IPN_DELAY_BUCKETS 112
struct ipn_delays {
  uint64_t sum;            /* atomic: nanoseconds, of all that were counted */
  uint64_t skew;           /* atomic: by how much later pictures are taken than the sound that belongs to them: nanoseconds,
                              as a two's complement; 0 while unknown */
  uint64_t missing;        /* atomic: how much of the stream is missing for what was lost: nanoseconds + 1; 0 while unknown */
  uint64_t reserved[5];
  uint64_t count[IPN_DELAY_BUCKETS]; /* atomic: messages */
};

/* Everything else of the layout follows from the slots and the network's MTU: see PoolLayout. */
struct ipn_pool_header {
  uint64_t magic;
  uint32_t record_version;
  uint32_t slots_per_class;
  uint64_t node_id;
  uint64_t size;           /* bytes of the whole pool */
  uint64_t reserved[4];
};

/* What a message is and where it lies; the entry for sequence n is at place n modulo the ring. A reader copies it,
 * pins the sequence, and then looks at `oldest`: unless that has passed, the copy was whole. All that is needed of a
 * message is in the copy and in its slot, so nothing matters that is overwritten under a stalled reader. */
struct ipn_entry {
  uint64_t place;          /* atomic: 32 low bits of the sequence | 8 bits of class | 24 bits of slot; stored last */
  uint64_t length;         /* bytes */
  uint64_t time;           /* CLOCK_MONOTONIC, nanoseconds, at publish; 0 on a LOSSLESS network */
  uint64_t tag;            /* travels beside the payload, unread by the bus */
};

/* Where the shared words are, for languages that cannot ask offsetof. */
#define IPN_NETWORK_ROSTER 128
#define IPN_NETWORK_PENDING 136
#define IPN_NETWORK_ENDED 144
#define IPN_NETWORK_COUNTS 192
#define IPN_ROLL_NODE_ID 0
#define IPN_ROLL_STATE 8
#define IPN_NODE_ARMED 64
#define IPN_NODE_HEAD 128
#define IPN_NODE_OLDEST 136
#define IPN_NODE_NEWS 144
#define IPN_NODE_SENT_BYTES 152
#define IPN_NODE_WAITING 192
#define IPN_NODE_WANTED 200
#define IPN_NODE_RECEIVED 256
#define IPN_NODE_LOST 264
#define IPN_NODE_DROPPED 272
#define IPN_NODE_RECEIVED_BYTES 280
#define IPN_NODE_DELAYS 512
#define IPN_DELAYS_SUM 0
#define IPN_DELAYS_SKEW 8
#define IPN_DELAYS_MISSING 16
#define IPN_DELAYS_COUNT 64
#define IPN_CURSOR_GENERATION 0
#define IPN_CURSOR_TAIL 8
#define IPN_CURSOR_PIN 16
#define IPN_CURSOR_LOST 48
#define IPN_ENTRY 32

/* In `armed` and `waiting`. The bits above them number the sleeps. */
#define IPN_ASLEEP 1u
#define IPN_POLLS 2u
#define IPN_SLEEP_STEP 4u

/* Messages ahead of the one at hand, whose lines are asked for: a line takes as long as several short messages. */
#define IPN_AHEAD 4

/* Asks for a line to write to. A hint: wherever it points, nothing happens but time. */
static inline void ipn_prefetch_write(const void *line) {
#if defined(__x86_64__)
  __asm__ volatile("prefetchw (%0)" : : "r"(line)); /* the compiler's own asks for reading, on processors this old */
#else
  __builtin_prefetch(line, 1);
#endif
}

/* The same for a line to read. */
static inline void ipn_prefetch_read(const void *line) { __builtin_prefetch(line, 0); }

_Static_assert(sizeof(struct ipn_network_page) == 256, "network page");
_Static_assert(offsetof(struct ipn_network_page, roster_version) == IPN_NETWORK_ROSTER, "network page");
_Static_assert(offsetof(struct ipn_network_page, pending) == IPN_NETWORK_PENDING, "network page");
_Static_assert(offsetof(struct ipn_network_page, ended) == IPN_NETWORK_ENDED, "network page");
_Static_assert(offsetof(struct ipn_network_page, counts) == IPN_NETWORK_COUNTS, "network page");
_Static_assert(sizeof(struct ipn_roll_entry) == IPN_LINE, "roll entry");
_Static_assert(offsetof(struct ipn_roll_entry, node_id) == IPN_ROLL_NODE_ID, "roll entry");
_Static_assert(offsetof(struct ipn_roll_entry, state) == IPN_ROLL_STATE, "roll entry");
_Static_assert(sizeof(struct ipn_cursor) == IPN_LINE, "a cursor is a cache line");
_Static_assert(offsetof(struct ipn_cursor, generation) == IPN_CURSOR_GENERATION, "cursor");
_Static_assert(offsetof(struct ipn_cursor, tail) == IPN_CURSOR_TAIL, "cursor");
_Static_assert(offsetof(struct ipn_cursor, pin) == IPN_CURSOR_PIN, "cursor");
_Static_assert(offsetof(struct ipn_cursor, lost) == IPN_CURSOR_LOST, "cursor");
_Static_assert(sizeof(struct ipn_node_header) == 320, "node header");
_Static_assert(offsetof(struct ipn_node_header, armed) == IPN_NODE_ARMED, "node header");
_Static_assert(offsetof(struct ipn_node_header, head) == IPN_NODE_HEAD, "node header");
_Static_assert(offsetof(struct ipn_node_header, oldest) == IPN_NODE_OLDEST, "node header");
_Static_assert(offsetof(struct ipn_node_header, news) == IPN_NODE_NEWS, "node header");
_Static_assert(offsetof(struct ipn_node_header, sent_bytes) == IPN_NODE_SENT_BYTES, "node header");
_Static_assert(offsetof(struct ipn_node_header, waiting) == IPN_NODE_WAITING, "node header");
_Static_assert(offsetof(struct ipn_node_header, wanted) == IPN_NODE_WANTED, "node header");
_Static_assert(offsetof(struct ipn_node_header, received) == IPN_NODE_RECEIVED, "node header");
_Static_assert(offsetof(struct ipn_node_header, lost) == IPN_NODE_LOST, "node header");
_Static_assert(offsetof(struct ipn_node_header, dropped) == IPN_NODE_DROPPED, "node header");
_Static_assert(offsetof(struct ipn_node_header, received_bytes) == IPN_NODE_RECEIVED_BYTES, "node header");
_Static_assert(sizeof(struct ipn_node_header) <= IPN_NODE_DELAYS, "the delays stand behind the header");
_Static_assert(IPN_NODE_DELAYS + sizeof(struct ipn_delays) <= IPN_PAGE, "and on its page, which is paid for");
_Static_assert(sizeof(struct ipn_delays) == 64 + 8 * IPN_DELAY_BUCKETS, "delays");
_Static_assert(offsetof(struct ipn_delays, sum) == IPN_DELAYS_SUM, "delays");
_Static_assert(offsetof(struct ipn_delays, skew) == IPN_DELAYS_SKEW, "delays");
_Static_assert(offsetof(struct ipn_delays, missing) == IPN_DELAYS_MISSING, "delays");
_Static_assert(offsetof(struct ipn_delays, count) == IPN_DELAYS_COUNT, "delays");
_Static_assert(sizeof(struct ipn_pool_header) == 64, "pool header");
_Static_assert(sizeof(struct ipn_entry) == IPN_ENTRY, "two entries are a cache line");

#endif
