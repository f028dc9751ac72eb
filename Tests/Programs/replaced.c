/* After exec the descriptor has its port, its place, and what is pending. */
#include "check.h"

static int after(const char *number, const char *path) {
  int socket = atoi(number), port = -1, oob = 0;
  socklen_t length = sizeof port;
  struct sockaddr_un name;
  struct pollfd entry = {.fd = socket, .events = POLLIN};
  REQUIRE(poll(&entry, 1, -1) == 1);
  /* What a sender has left behind comes in its turn, wherever that is. */
  const char *next[] = {"second", "third", "fourth"};
  for (int got = 0, left = 0; got < 3 || left < 1;) {
    char room[32] = "";
    REQUIRE(ipn_recv(socket, room, sizeof room, 0) > 0);
    if (strcmp(room, "left behind") == 0) REQUIRE(++left == 1);
    else REQUIRE(got < 3 && strcmp(room, next[got++]) == 0);
  }
  REQUIRE(ipn_getsockopt(socket, 0, IPN_SO_PORT, &port, &length) == 0 && port == 7);
  REQUIRE(ipn_getsockopt(socket, 0, IPN_SO_HANDLE_OOB, &oob, &length) == 0 && oob == 1);
  length = sizeof name;
  REQUIRE(ipn_getsockname(socket, (struct sockaddr *)&name, &length) == 0 && strcmp(name.sun_path, path) == 0);
  REQUIRE_ERRNO(ipn_connect(socket, NULL, 0), EISCONN);
  say(socket, "done");
  /* A child of the new program is a child like any. */
  pid_t child = fork();
  if (child == 0) {
    say(socket, "from a child");
    exit(0);
  }
  expect(socket, "from a child");
  REQUIRE(succeeded(child));
  /* Its right to manage the network came along. */
  int nodes = 40;
  REQUIRE(ipn_setsockopt(socket, 0, IPN_SO_CHANGE_NUMNODES, &nodes, sizeof nodes) == 0);
  REQUIRE(ipn_close(socket) == 0);
  return 0;
}

/* Bound, and not connected yet: the new program connects. */
static int bound_after(const char *number) {
  REQUIRE(ipn_connect(atoi(number), NULL, 0) == 0);
  say(atoi(number), "bound before");
  return 0;
}

int main(int count, char **arguments) {
  if (count == 3) return bound_after(arguments[2]);
  if (count == 4) return after(arguments[2], arguments[3]);
  REQUIRE(count == 2);
  int watcher, lossless = IPN_FLAG_LOSSLESS;
  struct sockaddr_un address = address_of(arguments[1]);
  watcher = ipn_socket(AF_IPN, SOCK_RAW, IPN_BROADCAST);
  REQUIRE(ipn_setsockopt(watcher, 0, IPN_SO_FLAGS, &lossless, sizeof lossless) == 0);
  REQUIRE(ipn_bind(watcher, (struct sockaddr *)&address, sizeof address) == 0 && ipn_connect(watcher, NULL, 0) == 0);
  int gate[2];
  REQUIRE(pipe(gate) == 0);
  pid_t child = fork();
  if (child == 0) {
    int socket = ipn_socket(AF_IPN, SOCK_RAW, IPN_BROADCAST), port = 7, on = 1;
    char number[12], byte;
    close(gate[1]);
    REQUIRE(ipn_setsockopt(socket, 0, IPN_SO_PORT, &port, sizeof port) == 0);
    REQUIRE(ipn_setsockopt(socket, 0, IPN_SO_HANDLE_OOB, &on, sizeof on) == 0);
    REQUIRE(ipn_bind(socket, (struct sockaddr *)&address, sizeof address) == 0 && ipn_connect(socket, NULL, 0) == 0);
    say(socket, "ready");
    expect(socket, "first");
    say(socket, "begun");
    REQUIRE(read(gate[0], &byte, 1) == 1);
    snprintf(number, sizeof number, "%d", socket);
    /* A helper that touches nothing, and has all that this process had open. */
    pid_t helper = fork();
    if (helper == 0) {
      REQUIRE(read(gate[0], &byte, 1) == 0);
      exit(0);
    }
    close(gate[0]);
    execl(arguments[0], arguments[0], "after", number, arguments[1], NULL);
    exit(1);
  }
  expect(watcher, "ready");
  /* Sent before exec, and read only after it. */
  say(watcher, "first");
  expect(watcher, "begun");
  say(watcher, "second");
  say(watcher, "third");
  int leaver = joined(arguments[1], 0);
  say(leaver, "left behind");
  REQUIRE(ipn_close(leaver) == 0);
  expect(watcher, "left behind");
  REQUIRE(write(gate[1], "x", 1) == 1);
  say(watcher, "fourth");
  expect(watcher, "done");
  expect(watcher, "from a child");
  REQUIRE(succeeded(child));
  child = fork();
  if (child == 0) {
    int socket = ipn_socket(AF_IPN, SOCK_RAW, IPN_BROADCAST);
    char number[12];
    REQUIRE(ipn_bind(socket, (struct sockaddr *)&address, sizeof address) == 0);
    snprintf(number, sizeof number, "%d", socket);
    execl(arguments[0], arguments[0], "after", number, NULL);
    exit(1);
  }
  expect(watcher, "bound before");
  REQUIRE(succeeded(child));
  return 0;
}
