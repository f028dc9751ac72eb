/* hub: everybody hears what anybody sends, as on a broadcast network, but through the keeper: in one order for all, and
 * with nobody's memory handed to anybody else.
 *
 *   ipn create /tmp/net --policy .build/debug/libhub.so */
#include <errno.h>
#include <ipn_policy.h>
#include <stdlib.h>

/* Behind net->state: a byte for each port, set where a node is. */
struct hub {
  uint32_t limit;
  unsigned char *there;
};

static int newnet(struct ipn_policy_network *net) {
  struct hub *hub = malloc(sizeof *hub);
  if (!hub) return -ENOMEM;
  hub->limit = net->node_limit;
  hub->there = calloc(net->node_limit, 1);
  if (!hub->there) {
    free(hub);
    return -ENOMEM;
  }
  net->state = hub;
  return 0;
}

static int resizenet(struct ipn_policy_network *net, uint32_t old_limit, uint32_t new_limit) {
  struct hub *hub = net->state;
  unsigned char *there = realloc(hub->there, new_limit);
  if (!there) return -ENOMEM;
  for (uint32_t port = old_limit; port < new_limit; port++) there[port] = 0;
  hub->there = there;
  hub->limit = new_limit;
  return 0;
}

static void delnet(struct ipn_policy_network *net) {
  struct hub *hub = net->state;
  free(hub->there);
  free(hub);
}

static int newport(struct ipn_policy_network *net, const struct ipn_policy_node *node) {
  (void)net;
  return node->port;
}

static void postnewport(struct ipn_policy_network *net, const struct ipn_policy_node *node) {
  ((struct hub *)net->state)->there[node->port] = 1;
}

static void predelport(struct ipn_policy_network *net, int port) { ((struct hub *)net->state)->there[port] = 0; }

static int handlemsg(struct ipn_policy_network *net, int from, struct ipn_policy_message *message) {
  const struct hub *hub = net->state;
  /* Who does not receive is refused with ENOENT, which is no fault. */
  for (uint32_t port = 0; port < hub->limit; port++)
    if (hub->there[port] && (int)port != from) net->host->sendmsg(net, (int)port, message);
  return 0;
}

const struct ipn_policy ipn_policy_entry = {
    .version = IPN_POLICY_VERSION,
    .size = sizeof(struct ipn_policy),
    .protocol = 40,
    .name = "hub",
    .newport = newport,
    .handlemsg = handlemsg,
    .postnewport = postnewport,
    .predelport = predelport,
    .newnet = newnet,
    .resizenet = resizenet,
    .delnet = delnet,
};
