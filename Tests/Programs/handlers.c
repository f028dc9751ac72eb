/* Prints how many signals have another handler than their default, once the library is there. */
#include "check.h"
#include <signal.h>

int main(void) {
  int handled = 0;
  REQUIRE(ipn_close(ipn_socket(AF_IPN, SOCK_RAW, IPN_BROADCAST)) == 0);
  for (int number = 1; number < NSIG; number++) {
    struct sigaction action;
    if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN) handled++;
  }
  stack_t stack;
  REQUIRE(sigaltstack(NULL, &stack) == 0);
  if (!(stack.ss_flags & SS_DISABLE)) handled++;
  printf("%d\n", handled);
  return 0;
}
