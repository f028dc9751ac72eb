/* A forked child gets a node of its own with its first call; its parent's goes on as if nothing had been. */
#include "check.h"

int main(int count, char **arguments) {
  REQUIRE(count == 2);
  int parent = joined(arguments[1], 1), other = joined(arguments[1], 0);
  pid_t silent = fork();
  if (silent == 0) {
    for (int stream = 0; stream < 3; stream++) close(stream);
    pause();
    _exit(0);
  }
  pid_t child = fork();
  if (child == 0) {
    int port = -1;
    socklen_t length = sizeof port;
    say(parent, "from the child");
    REQUIRE(ipn_getsockopt(parent, 0, IPN_SO_PORT, &port, &length) == 0 && port == 2);
    expect(parent, "for the child");
    exit(0);
  }
  expect(other, "from the child");
  expect(parent, "from the child");
  say(other, "for the child");
  expect(parent, "for the child");
  REQUIRE(succeeded(child));
  say(parent, "from the parent");
  expect(other, "from the parent");
  /* A number that a child closes without a word, and that its next socket has. */
  pid_t careless = fork();
  if (careless == 0) {
    REQUIRE(close(parent) == 0 && joined(arguments[1], 0) == parent);
    exit(0);
  }
  REQUIRE(succeeded(careless));
  say(parent, "still there");
  expect(other, "still there");
  /* Who has the descriptors but never used them is no member; but the network lives as long as its sockets. */
  printf("%d\n", silent);
  return 0;
}
