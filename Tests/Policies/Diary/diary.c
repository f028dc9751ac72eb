/* diary: writes down which of its calls were made, in a file that a node's option names. For the tests. */
#include <errno.h>
#include <ipn_policy.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct diary {
  char before[4096]; /* what happened before there was a file */
  FILE *file;
};

__attribute__((format(printf, 2, 3))) static void note(struct ipn_policy_network *net, const char *format, ...) {
  struct diary *diary = net->state;
  char line[128];
  va_list values;
  va_start(values, format);
  vsnprintf(line, sizeof line, format, values);
  va_end(values);
  if (diary->file) {
    fputs(line, diary->file);
    fflush(diary->file);
  } else if (strlen(diary->before) + strlen(line) < sizeof diary->before) {
    strcat(diary->before, line);
  }
}

static int newnet(struct ipn_policy_network *net) {
  net->state = calloc(1, sizeof(struct diary));
  if (!net->state) return -ENOMEM;
  note(net, "newnet %u\n", net->node_limit);
  return 0;
}

static int resizenet(struct ipn_policy_network *net, uint32_t old_limit, uint32_t new_limit) {
  note(net, "resizenet %u %u, still %u\n", old_limit, new_limit, net->node_limit);
  return new_limit == 5 ? -EXFULL : 0;
}

static void delnet(struct ipn_policy_network *net) {
  struct diary *diary = net->state;
  note(net, "delnet\n");
  if (diary->file) fclose(diary->file);
  free(diary);
}

static int newport(struct ipn_policy_network *net, const struct ipn_policy_node *node) {
  note(net, "newport %d\n", node->port);
  return node->port;
}

static void postnewport(struct ipn_policy_network *net, const struct ipn_policy_node *node) { note(net, "postnewport %d\n", node->port); }

static void predelport(struct ipn_policy_network *net, int port) { note(net, "predelport %d\n", port); }

static void delport(struct ipn_policy_network *net, int port) { note(net, "delport %d\n", port); }

static int handlemsg(struct ipn_policy_network *net, int from, struct ipn_policy_message *message) {
  note(net, "handlemsg %d of %zu bytes\n", from, message->length);
  return 0;
}

static int set_option(
    struct ipn_policy_network *net, const struct ipn_policy_node *node, int level, int option, const void *value, size_t length) {
  struct diary *diary = net->state;
  (void)node;
  char path[256];
  if (level != (int)net->protocol || option != 1) return -ENOPROTOOPT;
  if (length >= sizeof path || diary->file) return -EINVAL;
  memcpy(path, value, length);
  path[length] = 0;
  FILE *file = fopen(path, "we");
  if (!file) return -errno;
  fputs(diary->before, file);
  fflush(file);
  diary->file = file;
  return 0;
}

const struct ipn_policy ipn_policy_entry = {
    .version = IPN_POLICY_VERSION,
    .size = sizeof(struct ipn_policy),
    .protocol = 43,
    .name = "diary",
    .newport = newport,
    .handlemsg = handlemsg,
    .postnewport = postnewport,
    .predelport = predelport,
    .delport = delport,
    .newnet = newnet,
    .resizenet = resizenet,
    .delnet = delnet,
    .setsockopt = set_option,
};
