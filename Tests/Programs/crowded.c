/* Forks, and has several threads of each child do at once what nobody in it has done before: what is done once only, by whoever
 * comes first, keeps none of them for ever. */
#include "check.h"
#include <pthread.h>

enum { FORKS = 100, THREADS = 3 };
static const char *path;
static pthread_barrier_t together;

static void *take_part(void *unused) {
  char room[16];
  pthread_barrier_wait(&together);
  int node = joined(path, 0);
  struct pollfd entry = {.fd = node, .events = POLLOUT};
  REQUIRE(ipn_poll(&entry, 1, 0) == 1);
  say(node, "anything");
  while (ipn_recv(node, room, sizeof room, MSG_DONTWAIT) > 0) {}
  REQUIRE(ipn_close(node) == 0);
  return unused;
}

static void live(void) {
  pthread_t threads[THREADS];
  REQUIRE(pthread_barrier_init(&together, NULL, THREADS + 1) == 0);
  for (int i = 0; i < THREADS; i++) REQUIRE(pthread_create(&threads[i], NULL, take_part, NULL) == 0);
  take_part(NULL);
  for (int i = 0; i < THREADS; i++) REQUIRE(pthread_join(threads[i], NULL) == 0);
  _exit(0);
}

int main(int count, char **arguments) {
  REQUIRE(count == 2);
  path = arguments[1];
  struct sockaddr_un address = address_of(path);
  int kept = ipn_socket(AF_IPN, SOCK_RAW, IPN_BROADCAST);
  REQUIRE(ipn_bind(kept, (struct sockaddr *)&address, sizeof address) == 0);
  for (int i = 0; i < FORKS; i++) {
    pid_t child = fork();
    if (child == 0) live();
    REQUIRE(succeeded(child));
  }
  REQUIRE(ipn_close(kept) == 0);
  return 0;
}
