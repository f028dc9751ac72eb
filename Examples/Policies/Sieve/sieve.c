/* sieve: a node receives the messages that begin with what it asked for, and a sender is told, out of band, what nobody
 * wanted. See sieve.h.
 *
 *   ipn create /tmp/net --policy .build/debug/libsieve.so */
#include "sieve.h"

#include <errno.h>
#include <ipn_policy.h>
#include <stdlib.h>
#include <string.h>

struct hole {
  unsigned char is_there, length;
  unsigned char prefix[SIEVE_PREFIX_MAX];
};

/* Behind net->state. */
struct sieve {
  uint32_t limit;
  struct hole *holes; /* one for each port */
  struct sieve_counts counts;
};

static int newnet(struct ipn_policy_network *net) {
  struct sieve *sieve = calloc(1, sizeof *sieve);
  if (!sieve) return -ENOMEM;
  sieve->limit = net->node_limit;
  sieve->holes = calloc(net->node_limit, sizeof *sieve->holes);
  if (!sieve->holes) {
    free(sieve);
    return -ENOMEM;
  }
  net->state = sieve;
  return 0;
}

static int resizenet(struct ipn_policy_network *net, uint32_t old_limit, uint32_t new_limit) {
  struct sieve *sieve = net->state;
  struct hole *holes = realloc(sieve->holes, new_limit * sizeof *holes);
  if (!holes) return -ENOMEM;
  if (new_limit > old_limit) memset(holes + old_limit, 0, (new_limit - old_limit) * sizeof *holes);
  sieve->holes = holes;
  sieve->limit = new_limit;
  return 0;
}

static void delnet(struct ipn_policy_network *net) {
  struct sieve *sieve = net->state;
  free(sieve->holes);
  free(sieve);
}

static int newport(struct ipn_policy_network *net, const struct ipn_policy_node *node) {
  (void)net;
  return node->port;
}

static void postnewport(struct ipn_policy_network *net, const struct ipn_policy_node *node) {
  ((struct sieve *)net->state)->holes[node->port] = (struct hole){.is_there = 1};
}

static void predelport(struct ipn_policy_network *net, int port) {
  ((struct sieve *)net->state)->holes[port] = (struct hole){0};
}

static int handlemsg(struct ipn_policy_network *net, int from, struct ipn_policy_message *message) {
  struct sieve *sieve = net->state;
  int heard = 0;
  for (uint32_t port = 0; port < sieve->limit; port++) {
    const struct hole *hole = &sieve->holes[port];
    if (!hole->is_there || (int)port == from) continue;
    if (message->length < hole->length || memcmp(message->data, hole->prefix, hole->length) != 0) {
      sieve->counts.held++;
    } else if (net->host->sendmsg(net, (int)port, message) == 0) {
      sieve->counts.passed++;
      heard = 1;
    }
  }
  if (heard) return 0;
  sieve->counts.unheard++;
  size_t told = message->length < SIEVE_PREFIX_MAX ? message->length : SIEVE_PREFIX_MAX;
  net->host->oobsendmsg(net, from, SIEVE_OOB_UNHEARD, message->data, told); /* to who handles OOB */
  return 0;
}

static struct hole *hole_of(struct ipn_policy_network *net, const struct ipn_policy_node *node, int level, int option) {
  if (level != SIEVE_PROTOCOL || option != SIEVE_SO_PREFIX || node->port < 0) return NULL;
  return &((struct sieve *)net->state)->holes[node->port];
}

static int set_option(
    struct ipn_policy_network *net, const struct ipn_policy_node *node, int level, int option, const void *value, size_t length) {
  struct hole *hole = hole_of(net, node, level, option);
  if (!hole) return node->port < 0 ? -ENOTCONN : -ENOPROTOOPT;
  if (length > SIEVE_PREFIX_MAX) return -EINVAL;
  if (length > 0) memcpy(hole->prefix, value, length);
  hole->length = (unsigned char)length;
  return 0;
}

static int get_option(
    struct ipn_policy_network *net, const struct ipn_policy_node *node, int level, int option, void *value, size_t *length) {
  const struct hole *hole = hole_of(net, node, level, option);
  if (!hole) return node->port < 0 ? -ENOTCONN : -ENOPROTOOPT;
  if (*length < hole->length) return -EINVAL;
  memcpy(value, hole->prefix, hole->length);
  *length = hole->length;
  return 0;
}

static int control(
    struct ipn_policy_network *net, const struct ipn_policy_node *node, unsigned long request, void *argument, size_t length) {
  struct sieve *sieve = net->state;
  struct sieve_counts asked;
  if (request != SIEVE_COUNTS) return -ENOTTY;
  if (length != sizeof asked) return -EINVAL;
  memcpy(&asked, argument, sizeof asked);
  if (asked.reset && !(node->rights & IPN_POLICY_MANAGES)) return -EPERM;
  memcpy(argument, &sieve->counts, sizeof sieve->counts);
  if (asked.reset) sieve->counts = (struct sieve_counts){0};
  return 0;
}

const struct ipn_policy ipn_policy_entry = {
    .version = IPN_POLICY_VERSION,
    .size = sizeof(struct ipn_policy),
    .protocol = SIEVE_PROTOCOL,
    .name = "sieve",
    .newport = newport,
    .handlemsg = handlemsg,
    .postnewport = postnewport,
    .predelport = predelport,
    .newnet = newnet,
    .resizenet = resizenet,
    .delnet = delnet,
    .setsockopt = set_option,
    .getsockopt = get_option,
    .ioctl = control,
};
