/* odd: does what a policy should not, when a message tells it to. For the tests. */
#include <errno.h>
#include <ipn_policy.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Option 1 reads this: handlemsg's calls, the deepest hop, what the last injectmsg said. */
struct tally {
  uint64_t handled, deepest;
  int64_t last;
  uint64_t made;
};

static int says(const struct ipn_policy_message *message, const char *word) {
  return message->length >= strlen(word) && memcmp(message->data, word, strlen(word)) == 0;
}

static int newnet(struct ipn_policy_network *net) {
  if (net->mtu == 666) abort();
  if (net->mtu == 667) return -ENOTUNIQ;
  if (net->mtu == 668) _exit(0);
  net->state = calloc(1, sizeof(struct tally));
  return net->state ? 0 : -ENOMEM;
}

static void delnet(struct ipn_policy_network *net) { free(net->state); }

/* Ports from above; nobody gets port 0. */
static int newport(struct ipn_policy_network *net, const struct ipn_policy_node *node) {
  if (node->port == 13) return -ECONNABORTED;
  if (node->port == 14) return -1000000;
  if (node->port == 15) return INT_MIN;
  return (int)net->node_limit - 1 - node->port;
}

static __attribute__((noinline)) int dive(volatile int depth) { return depth == 0 ? 0 : dive(depth + 1) + 1; }

/* Returns what was said of the last port where somebody receives. */
static int send_all(struct ipn_policy_network *net, int from, const struct ipn_policy_message *message) {
  int last = -ENOENT;
  for (int port = 0; port < (int)net->node_limit; port++) {
    int result = port == from ? -ENOENT : net->host->sendmsg(net, port, message);
    if (result != -ENOENT) last = result;
  }
  return last;
}

static int handlemsg(struct ipn_policy_network *net, int from, struct ipn_policy_message *message) {
  struct tally *tally = net->state;
  unsigned depth = net->host->hop_depth(net);
  tally->handled++;
  if (depth > tally->deepest) tally->deepest = depth;
  if (says(message, "segv")) *(volatile int *)8 = 1;
  if (says(message, "abort")) abort();
  if (says(message, "kill")) raise(SIGKILL);
  if (says(message, "dive")) dive(1);
  if (says(message, "exit")) exit(0);
  if (says(message, "quick")) quick_exit(0);
  if (says(message, "_exit")) _exit(0);
  if (says(message, "_Exit")) _Exit(0);
  if (says(message, "leave")) pthread_exit(NULL);
  if (says(message, "close"))
    for (int number = 3; number < 1000; number++) close(number);
  if (says(message, "child")) {
    pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid(child, NULL, 0);
  }
  if (says(message, "loop")) { /* two for one: without a limit it would never end */
    tally->last = net->host->injectmsg(net, from, message);
    if (depth == 0) net->host->injectmsg(net, from, message);
    return 0;
  }
  if (says(message, "make ")) { /* as many messages of its own as can be had */
    int wanted = atoi((const char *)message->data + 5);
    for (int number = 0; number < wanted; number++) {
      struct ipn_policy_message *made = net->host->msgpool_alloc(net, sizeof number);
      if (!made) break;
      memcpy(made->data, &number, sizeof number);
      made->tag = 77;
      tally->made++;
      send_all(net, from, made);
      net->host->msgpool_put(net, made);
    }
    return 0;
  }
  if (says(message, "news ")) { /* for every port, and some that are none: `made` reached somebody, `last` is what else was said */
    for (int port = -2; port <= (int)net->node_limit + 1; port++) {
      int result = net->host->oobsendmsg(net, port, 9, message->data, message->length);
      if (result == 0) tally->made++;
      else tally->last = result;
    }
    return 0;
  }
  if (says(message, "vast")) { /* lengths of more than half of all sizes: `made` are refused as they should be */
    const struct ipn_policy_host *host = net->host;
    struct ipn_policy_message vast = {message->data, (size_t)-1, (size_t)-1, 0};
    for (int port = 0; port < (int)net->node_limit; port++) {
      int result = host->sendmsg(net, port, &vast);
      if (result != -ENOENT) tally->made += result == -EMSGSIZE;
    }
    tally->made += host->injectmsg(net, from, &vast) == -EMSGSIZE;
    tally->made += host->oobsendmsg(net, from, 9, message->data, (size_t)-1) == -EMSGSIZE;
    tally->made += host->msgpool_alloc(net, (size_t)-1) == NULL;
    message->length = (size_t)-1;
  }
  if (says(message, "long")) message->length = (size_t)net->mtu + 1;
  tally->last = send_all(net, from, message);
  return 0;
}

static int get_option(
    struct ipn_policy_network *net, const struct ipn_policy_node *node, int level, int option, void *value, size_t *length) {
  (void)node;
  if (level != (int)net->protocol) return -ENOPROTOOPT;
  if (option == 2) { /* it says that it wrote more than there is room for */
    *length = (size_t)-1;
    return 0;
  }
  if (option == 3) return INT_MIN;
  if (option != 1) return -ENOPROTOOPT;
  if (*length < sizeof(struct tally)) return -EINVAL;
  memcpy(value, net->state, sizeof(struct tally));
  *length = sizeof(struct tally);
  return 0;
}

const struct ipn_policy ipn_policy_entry = {
    .version = IPN_POLICY_VERSION,
    .size = sizeof(struct ipn_policy),
    .protocol = 42,
    .name = "odd",
    .newport = newport,
    .handlemsg = handlemsg,
    .newnet = newnet,
    .delnet = delnet,
    .getsockopt = get_option,
};
