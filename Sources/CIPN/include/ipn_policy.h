/* ipn_policy.h: a delivery policy for IPN networks, as a shared object that anybody can write.
 *
 * A policy decides who receives what. It exports one symbol, the table `ipn_policy_entry`:
 *
 *   #include <ipn_policy.h>
 *   static int newport(struct ipn_policy_network *net, const struct ipn_policy_node *node) { return node->port; }
 *   static int handlemsg(struct ipn_policy_network *net, int from, struct ipn_policy_message *message) {
 *     return net->host->sendmsg(net, from == 0 ? 1 : 0, message);
 *   }
 *   const struct ipn_policy ipn_policy_entry = {IPN_POLICY_VERSION, sizeof(struct ipn_policy), 40, "pair",
 *                                               .newport = newport, .handlemsg = handlemsg};
 *
 *   cc -shared -fPIC -o pair.so pair.c && ipn create /tmp/net --policy ./pair.so
 *
 * Each network that is made with it loads it into its own keeper, whose only thread makes every call: nothing needs a
 * lock, messages have one order, and a policy that crashes or exits ends its own network and no other. Its standard streams
 * are the null device, and its directory is the root. A call must not block: nobody else is served meanwhile.
 *
 * A number is given back by removing the object: the networks that were made with it have it as long as they live. Put a new one
 * there by install(1) or rename(2); what is written over an object in use ends its networks.
 *
 * What it keeps of a network goes behind `net->state`, not into globals. Calls that return int return 0 (newport: a port)
 * or a negative errno, which is what the program that asked is told; EIO where it is no errno. */
#ifndef IPN_POLICY_H
#define IPN_POLICY_H

#include <stddef.h>
#include <stdint.h>
#include "ipn.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Raised where a field changes its meaning. New fields are added at the end, and tables say their size: a keeper takes
 * a table of its own version that is no shorter than the first ever was, and a policy looks at `size` before it uses
 * what was added later. */
#define IPN_POLICY_VERSION 1u
/* A message that was injected again that many times is dropped: cables make loops. */
#define IPN_POLICY_HOPS 16
/* Bytes of an option, an ioctl's argument or an out-of-band message, at most. */
#define IPN_POLICY_BYTES 4096

/* A message. Its bytes are a copy that its sender cannot reach: judged and changed as the policy likes. */
struct ipn_policy_message {
  unsigned char *data;
  size_t length; /* bytes; may be changed, up to room */
  size_t room;   /* at least the network's MTU */
  uint64_t tag;  /* travels beside the payload */
};

/* Who joins, leaves or asks. */
struct ipn_policy_node {
  uint32_t size;   /* of this record */
  int32_t port;    /* newport: what it asked for, or the lowest that is free; -1 for one that is bound only */
  uint32_t rights; /* IPN_POLICY_RECEIVES, ... */
  uint32_t uid;
  int32_t pid;
  uint32_t reserved;
};
#define IPN_POLICY_RECEIVES 1u
#define IPN_POLICY_SENDS 2u
#define IPN_POLICY_MANAGES 4u /* it is bound, which takes x */

struct ipn_policy_host;

/* One network. Made by the keeper; a policy writes to nothing of it but `state`. */
struct ipn_policy_network {
  uint32_t version, size; /* IPN_POLICY_VERSION of the keeper; bytes of this record */
  const struct ipn_policy_host *host;
  void *state; /* the policy's own: NULL at first */
  uint32_t protocol;
  uint32_t mtu;        /* bytes */
  uint32_t node_limit; /* ports are 0 to node_limit - 1 */
  uint32_t pool_size;  /* IPN_SO_MSGPOOLSIZE */
  uint32_t flags;      /* IPN_FLAG_LOSSLESS */
  uint32_t reserved;
  void *keeper; /* whose it is */
};

/* What the keeper does for a policy. Any of it may be called in any call, but for newnet and delnet. */
struct ipn_policy_host {
  uint32_t version, size;
  /* Delivers a copy of a message to a port; once for each recipient. The message stays the caller's.
   * -ENOENT: nobody receives there. -EMSGSIZE: over the MTU. -ENOBUFS: no memory. */
  int (*sendmsg)(struct ipn_policy_network *net, int port, const struct ipn_policy_message *message);
  /* Has a copy of a message handled after this one, as if it came from `port`, one hop deeper than what is handled now.
   * -ELOOP: it has made IPN_POLICY_HOPS hops, and is dropped. -ENOBUFS: too many wait already. */
  int (*injectmsg)(struct ipn_policy_network *net, int port, const struct ipn_policy_message *message);
  /* News for a port whose node handles OOB: received before data, with level = protocol and this tag. Of what a node
   * does not read the oldest go. -ENOENT: nobody there wants news. -EMSGSIZE: over IPN_POLICY_BYTES. */
  int (*oobsendmsg)(struct ipn_policy_network *net, int port, int tag, const void *bytes, size_t length);
  /* A message of the policy's own, with that length; NULL over the MTU, without memory, and on a LOSSLESS network where
   * as many of the policy's messages are pending as its pool has. Give it back with msgpool_put, sent or not. */
  struct ipn_policy_message *(*msgpool_alloc)(struct ipn_policy_network *net, size_t length);
  void (*msgpool_put)(struct ipn_policy_network *net, struct ipn_policy_message *message);
  /* How often what is handled now was injected; 0 for what came from a node. */
  unsigned (*hop_depth)(struct ipn_policy_network *net);
};

/* What a policy is. The first two calls are there; the others may be NULL. */
struct ipn_policy {
  uint32_t version; /* IPN_POLICY_VERSION */
  uint32_t size;    /* sizeof(struct ipn_policy) */
  uint32_t protocol; /* the number it registers: 2 or more; 0 and 1 are taken */
  const char *name;  /* for people */

  /* A node joins. Returns its port: free, and below node_limit; mostly node->port. */
  int (*newport)(struct ipn_policy_network *net, const struct ipn_policy_node *node);
  /* A message from a port: call sendmsg for each recipient. The message is the keeper's. */
  int (*handlemsg)(struct ipn_policy_network *net, int from, struct ipn_policy_message *message);

  /* The node at a port can be sent to from now on; it will not be for much longer; it is gone. */
  void (*postnewport)(struct ipn_policy_network *net, const struct ipn_policy_node *node);
  void (*predelport)(struct ipn_policy_network *net, int port);
  void (*delport)(struct ipn_policy_network *net, int port);

  /* A network is made: the place to set net->state. Its node limit changes, before it does. It ends. */
  int (*newnet)(struct ipn_policy_network *net);
  int (*resizenet)(struct ipn_policy_network *net, uint32_t old_limit, uint32_t new_limit);
  void (*delnet)(struct ipn_policy_network *net);

  /* Options of a level other than 0; the level of choice is the protocol. `*length` is the room, then what is there. */
  int (*setsockopt)(
      struct ipn_policy_network *net, const struct ipn_policy_node *node, int level, int option, const void *value, size_t length);
  int (*getsockopt)(
      struct ipn_policy_network *net, const struct ipn_policy_node *node, int level, int option, void *value, size_t *length);
  /* A request that is none of the bus's own; `length` bytes, as _IOC_SIZE(request) has it, go in and come back. */
  int (*ioctl)(struct ipn_policy_network *net, const struct ipn_policy_node *node, unsigned long request, void *argument, size_t length);
};

/* The one symbol that a policy exports. Compile with -fvisibility=hidden to hide all others. */
__attribute__((visibility("default"))) extern const struct ipn_policy ipn_policy_entry;

#ifdef __cplusplus
}
#endif

#endif
