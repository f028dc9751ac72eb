/* The patterns of 2008, as a program of that time would have them: peers that are all alike; a sender that does not listen;
 * receivers that do not speak. It knows the numbers by heart: there was no header to install.
 *
 *   Samples2008 FAMILY peer|sender|receiver PATH
 *
 * Peers and senders send the lines of standard input; peers and receivers print what comes, until the end of their input. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define IPN_BROADCAST 1

static void check(const char *call, int result) {
  if (result < 0) perror(call), exit(1);
}

static void copy(int from, int to) {
  char bytes[1514];
  ssize_t count = read(from, bytes, sizeof bytes);
  if (count < 0) perror("read"), exit(1);
  if (count == 0) exit(0);
  if (write(to, bytes, (size_t)count) < 0) perror("write"), exit(1);
}

int main(int count, char **words) {
  if (count != 4) return 2;
  int family = atoi(words[1]);
  struct sockaddr_un sun = {.sun_family = (sa_family_t)family};
  strncpy(sun.sun_path, words[3], sizeof sun.sun_path - 1);
  int s = socket(family, SOCK_RAW, IPN_BROADCAST);
  check("socket", s);
  if (strcmp(words[2], "peer") == 0) {
    check("bind", bind(s, (struct sockaddr *)&sun, sizeof sun));
    check("connect", connect(s, NULL, 0));
  } else if (strcmp(words[2], "sender") == 0) {
    check("shutdown", shutdown(s, SHUT_RD));
    check("bind", bind(s, (struct sockaddr *)&sun, sizeof sun));
    check("connect", connect(s, NULL, 0));
  } else {
    check("shutdown", shutdown(s, SHUT_WR));
    check("connect", connect(s, (struct sockaddr *)&sun, sizeof sun));
  }
  puts("ready");
  fflush(stdout);
  int isSender = strcmp(words[2], "sender") == 0;
  for (;;) {
    struct pollfd set[2] = {{STDIN_FILENO, POLLIN, 0}, {isSender ? -1 : s, POLLIN, 0}};
    check("poll", poll(set, 2, -1));
    if (set[1].revents) copy(s, STDOUT_FILENO);
    if (set[0].revents) copy(STDIN_FILENO, s);
  }
}
