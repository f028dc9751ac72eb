/* What the test programs share: they say what went wrong and where, and end. */
#include <errno.h>
#include <ipn.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* The same programs, as those would be that know nothing of ipn.h. */
#ifdef UNDER_PRELOAD
#define ipn_socket socket
#define ipn_bind bind
#define ipn_connect connect
#define ipn_send send
#define ipn_recv recv
#define ipn_poll poll
#define ipn_shutdown shutdown
#define ipn_close close
#define ipn_setsockopt setsockopt
#define ipn_getsockopt getsockopt
#endif

#include "require.h"

static inline struct sockaddr_un address_of(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_IPN};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  return address;
}

static inline int joined(const char *path, int binds) {
  struct sockaddr_un address = address_of(path);
  int made = ipn_socket(AF_IPN, SOCK_RAW, IPN_BROADCAST);
  REQUIRE(made >= 0);
  if (binds) REQUIRE(ipn_bind(made, (struct sockaddr *)&address, sizeof address) == 0);
  REQUIRE(ipn_connect(made, binds ? NULL : (struct sockaddr *)&address, binds ? 0 : sizeof address) == 0);
  return made;
}

static inline void expect(int descriptor, const char *text) {
  char room[256] = "";
  REQUIRE(ipn_recv(descriptor, room, sizeof room, 0) == (ssize_t)strlen(text) + 1);
  if (strcmp(room, text) != 0) fprintf(stderr, "got \"%s\", not \"%s\"\n", room, text);
  REQUIRE(strcmp(room, text) == 0);
}

static inline void say(int descriptor, const char *text) {
  REQUIRE(ipn_send(descriptor, text, strlen(text) + 1, 0) == (ssize_t)strlen(text) + 1);
}

static inline int succeeded(pid_t child) {
  int status;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
