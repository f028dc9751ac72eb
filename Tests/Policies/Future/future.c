/* future: a policy of another version of the interface, which no keeper of ours may call. For the tests. */
#include <ipn_policy.h>

const struct ipn_policy ipn_policy_entry = {.version = IPN_POLICY_VERSION + 1, .size = 8};
