/* ipn_control.h: what a node and its keeper say to each other, over a SOCK_SEQPACKET socket.
 *
 * The node asks, the keeper answers each request once and in order, and never says anything unasked: news travel in
 * the shared page (ipn_records.h) and by bells. One request, or one answer, is one packet. Descriptors ride on the
 * packet that speaks of them. Reserved words are zero. */
#ifndef IPN_CONTROL_H
#define IPN_CONTROL_H

#include <stddef.h>
#include <stdint.h>
#include "ipn.h"
#include "ipn_policy.h"
#include "ipn_records.h"

#define IPN_CONTROL_MAGIC 0x49504e43u /* "IPNC" */
#define IPN_CONTROL_VERSION 5u

enum ipn_operation {
  IPN_OP_HELLO = 1,   /* -> O_PATH of the marker, and some right; or a member's handle (a claim); <- network page, marker socket, O_PATH */
  IPN_OP_BIND,        /* -> the policy's shared object where `want` says so, or nothing; the right to manage;
                       * <- value: 1 for the first of all binds, whose `options` count. A refusal may be followed by text */
  IPN_OP_CONNECT,     /* key; -> node region, reader's bell, writer's bell, clapper of the handle, and the handle or nothing; <- port, node id */
  IPN_OP_PULL,        /* value: roster version known; <- ipn_roster_item records and their descriptors */
  IPN_OP_POOL,        /* -> slot pool; <- value: index of this writer's cursor in every region */
  IPN_OP_SHUTDOWN,    /* value: 1 receiving, 2 sending, 3 both */
  IPN_OP_SET,         /* option, value or text */
  IPN_OP_GET,         /* option; <- value or text */
  IPN_OP_DRAINED,     /* value: node id of a departed writer that has nothing more for us */
  IPN_OP_STATUS,      /* value: where to go on, 0 at first; <- ipn_status_item records */
  IPN_OP_DELAYS,      /* value: as for STATUS; <- ipn_delays_item records of those who receive */
  IPN_OP_SHOW,        /* key; -> the handle of who is bound, and its clapper: whoever has it later may claim what it stands for */
  IPN_OP_LEAVE,       /* neither bound nor connected from here on */
  IPN_OP_SETTLE,      /* what was claimed is taken over: the former owner may go */
  IPN_OP_POLICY_SET,  /* port: level, option; the value's bytes follow the request */
  IPN_OP_POLICY_GET,  /* port: level, option, value: room; <- bytes */
  IPN_OP_POLICY_IOCTL, /* value: request; the argument's bytes follow; <- as many bytes */
  IPN_OP_NEWS,        /* <- the next ipn_news_item, or none; value: how many there were up to it */
  IPN_OP_RETURN,      /* to a new keeper, in place of HELLO, by the process that had it: value: node id or 0; want: what it had;
                         -> O_PATH of the marker, of a node also what CONNECT hands in, of a writer its pool;
                         <- network page. The node is back with its next PULL: by then it looks at our page. */
};

struct ipn_options {
  uint32_t protocol, mtu, node_limit, pool_size, flags, mode, history, persist;
};

/* Every request. `text` is IPN_SO_DESCR's. */
struct ipn_request {
  uint32_t magic, version;
  uint32_t record_version, operation;
  int32_t option;
  int32_t port;            /* CONNECT: the wish, or IPN_PORTNO_ANY */
  uint64_t value;
  uint64_t epoch;          /* PULL, RETURN: of the log that is known, 0 at first; CONNECT: a number of the asker's own */
  struct ipn_options options;
  uint64_t key;            /* CONNECT, SHOW: what a stroke of the clapper consists of */
  uint32_t want;           /* CONNECT: IPN_WANT_* */
  uint32_t text_length;
  char text[IPN_DESCRLEN];
};
#define IPN_WANT_RECEIVE 1u
#define IPN_WANT_SEND 2u
#define IPN_WANT_OOB 4u
#define IPN_PROTOCOL_OF_POLICY 0xffffffffu /* BIND: the one that the policy registers */
#define IPN_WANT_POLICY 8u /* BIND: the first descriptor is a policy */
#define IPN_WANT_NUMNODES 16u /* RETURN: IPN_SO_WANT_OOB_NUMNODES */
#define IPN_WANT_MANAGE 32u  /* RETURN: it is bound; HELLO: it will bind, and without a right is told so */

/* HELLO with a handle. `value`: the place of a process that has replaced itself is taken, or the rights of one that lives
 * are shared. `rights`: IPN_MEMBER_* of its node, and these. */
#define IPN_CLAIM_TAKES 1u
#define IPN_CLAIM_SHARES 2u
#define IPN_CLAIM_BOUND 0x100u
#define IPN_CLAIM_CONNECTED 0x200u
#define IPN_CLAIM_HANDLES_OOB 0x400u
#define IPN_CLAIM_WANTS_NUMNODES 0x800u

/* Every answer begins with this; `count` records of the operation's kind follow. */
struct ipn_answer {
  uint32_t magic, version;
  uint32_t record_version, operation;
  int32_t error;           /* 0 or an errno */
  int32_t port;
  uint64_t value;          /* CONNECT: node id; PULL: the version this answer reaches; GET: the value */
  uint64_t epoch;          /* PULL: of the log now; where it is not the asker's, forget who is not named */
  struct ipn_options options;
  uint32_t rights;         /* CONNECT: IPN_WANT_* that were granted */
  uint32_t count;
  uint32_t more;           /* PULL, STATUS: ask again */
  uint32_t text_length;
  char text[IPN_DESCRLEN];
};

#define IPN_ITEMS_MAX 512u       /* in one answer */
#define IPN_JOIN_DESCRIPTORS 6u
#define IPN_DESCRIPTORS_MAX 30u  /* in one answer: descriptors in flight are limited per user */

enum ipn_roster_event {
  IPN_EVENT_JOIN = 1,  /* descriptors: region, reader's bell, writer's bell, clapper; with IPN_MEMBER_IS_HEARD two more */
  IPN_EVENT_POOL,      /* descriptor: slot pool, for receivers only */
  IPN_EVENT_CHANGE,    /* receives or sends no longer */
  IPN_EVENT_DEPART,    /* nothing more will come of it: drain its pool, then say so */
  IPN_EVENT_GONE,      /* forget it */
  IPN_EVENT_KEEPER,    /* descriptors: what the keeper, another user's process, rings: reader's ear, writer's ear */
  IPN_EVENT_KNOWN,     /* it was here before the keeper: keep what you have of it */
};
#define IPN_MEMBER_RECEIVES 1u
#define IPN_MEMBER_SENDS 2u
/* Bells are eventfds that are full while they are silent: a stroke empties them. Between different users they are datagram
 * sockets: whoever holds an eventfd could take strokes away. What the asker listens to comes with the first node of a user that rings it: for its reader, its writer. */
#define IPN_MEMBER_RUNG_BY_DATAGRAM 4u
#define IPN_MEMBER_IS_HEARD 8u
#define IPN_MEMBER_WAS_THERE 16u /* POOL: it had one when the asker joined */
#define IPN_MEMBER_IS_KEEPER 32u /* routed: the reader of what we send, or the writer of what we receive */

struct ipn_roster_item {
  uint64_t node_id;
  uint32_t event, flags;
  uint32_t cursor;         /* POOL: index of the writer's cursor in every region */
  uint32_t descriptors;    /* how many of the packet's are this item's */
  uint64_t start;          /* POOL: the first message after the asker's join */
  uint64_t key;            /* JOIN: what a stroke of its clapper consists of */
};

struct ipn_status_item {
  uint64_t node_id, sent, received, lost, dropped, pending;
  uint64_t sent_bytes, received_bytes;
  int32_t port;            /* -1: bound only, or an observer */
  uint32_t flags;          /* IPN_MEMBER_* */
  uint32_t pid, uid;
  uint32_t text_length, reserved;
  char text[IPN_DESCRLEN];
};

struct ipn_delays_item {
  uint64_t node_id;
  struct ipn_delays delays; /* as its node wrote it: any numbers */
};
#define IPN_DELAYS_ITEMS_MAX 16u /* in one answer */

/* A policy's message out of band. */
struct ipn_news_item {
  int32_t level, tag;
  uint32_t length, reserved;
  uint8_t bytes[IPN_POLICY_BYTES];
};

_Static_assert(sizeof(struct ipn_options) == 32, "options");
_Static_assert(sizeof(struct ipn_request) == 88 + IPN_DESCRLEN, "request");
_Static_assert(sizeof(struct ipn_answer) == 88 + IPN_DESCRLEN, "answer");
_Static_assert(sizeof(struct ipn_roster_item) == 40, "roster item");
_Static_assert(sizeof(struct ipn_status_item) == 88 + IPN_DESCRLEN, "status item");
_Static_assert(IPN_DELAYS_ITEMS_MAX * sizeof(struct ipn_delays_item) <= IPN_ITEMS_MAX * sizeof(struct ipn_status_item), "an answer's room");

#endif
