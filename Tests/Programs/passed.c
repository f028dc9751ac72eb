/* A descriptor that comes over a Unix socket has the rights of the socket that it is, whoever gets it. */
#include "passing.h"

int main(int count, char **arguments) {
  int pair[2], mode = 0700;
  REQUIRE(count == 2 && socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
  pid_t child = fork();
  if (child == 0) {
    struct sockaddr_un address = address_of(arguments[1]);
    if (geteuid() == 0) REQUIRE(setuid(65534) == 0);
    int given = take(pair[1]);
    REQUIRE(ipn_is_socket(given) == 1 && ipn_is_socket(pair[1]) == 0);
    if (geteuid() == 65534) {
      int own = ipn_socket(AF_IPN, SOCK_RAW, IPN_BROADCAST);
      REQUIRE_ERRNO(ipn_connect(own, (struct sockaddr *)&address, sizeof address), EACCES);
    }
    say(given, "hello");
    expect(given, "welcome");
    exit(0);
  }
  struct sockaddr_un address = address_of(arguments[1]);
  int socket = ipn_socket(AF_IPN, SOCK_RAW, IPN_BROADCAST);
  REQUIRE(ipn_setsockopt(socket, 0, IPN_SO_MODE, &mode, sizeof mode) == 0);
  REQUIRE(ipn_bind(socket, (struct sockaddr *)&address, sizeof address) == 0 && ipn_connect(socket, NULL, 0) == 0);
  pass(pair[0], socket);
  expect(socket, "hello");
  say(socket, "welcome");
  REQUIRE(succeeded(child));
  return 0;
}
