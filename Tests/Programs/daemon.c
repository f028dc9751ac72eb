/* `daemon PATH bound|connected|passed`: the process that has bound ends, and leaves its socket to a child, as daemons are made, or to
 * whom it was passed. The network lives on, and the heir is let in. */
#include "passing.h"

static int bound(const char *path) {
  struct sockaddr_un address = address_of(path);
  int made = ipn_socket(AF_IPN, SOCK_RAW, IPN_BROADCAST);
  REQUIRE(made >= 0 && ipn_bind(made, (struct sockaddr *)&address, sizeof address) == 0);
  return made;
}

static void heir(int socket, int isBound) {
  if (isBound) REQUIRE(ipn_connect(socket, NULL, 0) == 0);
  say(socket, "from the daemon");
  expect(socket, "for the daemon");
}

int main(int count, char **arguments) {
  REQUIRE(count == 3);
  const char *path = arguments[1];
  int isBound = strcmp(arguments[2], "bound") == 0, isPassed = strcmp(arguments[2], "passed") == 0;
  int gate[2], end[2], pair[2];
  REQUIRE(pipe(gate) == 0 && pipe(end) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  pid_t parent = fork();
  if (parent == 0) {
    int socket = isBound ? bound(path) : joined(path, 1);
    if (isPassed) {
      pass(pair[0], socket);
    } else if (fork() == 0) {
      char byte;
      close(end[0]);
      REQUIRE(read(gate[0], &byte, 1) == 1);
      heir(socket, isBound);
      exit(0);
    }
    _exit(0);
  }
  close(end[1]);
  REQUIRE(succeeded(parent));
  /* Nobody is there but us; and it is the same network. */
  int other = ipn_socket(AF_IPN, SOCK_RAW, IPN_BROADCAST), on = 1;
  struct sockaddr_un address = address_of(path);
  struct numnode_oob news;
  REQUIRE(ipn_setsockopt(other, 0, IPN_SO_HANDLE_OOB, &on, sizeof on) == 0);
  REQUIRE(ipn_setsockopt(other, 0, IPN_SO_WANT_OOB_NUMNODES, &on, sizeof on) == 0);
  REQUIRE(ipn_connect(other, (struct sockaddr *)&address, sizeof address) == 0);
  do REQUIRE(ipn_recv(other, &news, sizeof news, 0) == sizeof news);
  while (news.numreaders > 1 || news.numwriters > 1); /* the dead are counted out in a moment */
  REQUIRE(news.numreaders == 1 && news.numwriters == 1);
  int off = 0;
  REQUIRE(ipn_setsockopt(other, 0, IPN_SO_HANDLE_OOB, &off, sizeof off) == 0);
  pid_t receiver = isPassed ? fork() : 0;
  if (isPassed && receiver == 0) {
    heir(take(pair[1]), 0);
    exit(0);
  }
  REQUIRE(write(gate[1], "x", 1) == 1);
  expect(other, "from the daemon");
  say(other, "for the daemon");
  /* Its end, whosever child it is. */
  char byte;
  REQUIRE(read(end[0], &byte, 1) == 0);
  if (isPassed) REQUIRE(succeeded(receiver));
  return 0;
}
