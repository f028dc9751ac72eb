/* Loads the library while threads are there, uses it in each, and lets go of it: neither the library's own thread nor what it does at
 * a thread's end or a fork may lose its code. Arguments: the library, a network. */
#include "check.h"
#include <dlfcn.h>
#include <pthread.h>

static pthread_barrier_t barrier;
static __typeof__(ipn_socket) *open_socket;
static __typeof__(ipn_connect) *connect_socket;
static __typeof__(ipn_close) *close_socket;
static struct sockaddr_un address;

static void visit(void) {
  int made = open_socket(AF_IPN, SOCK_RAW, IPN_BROADCAST);
  REQUIRE(made >= 0 && connect_socket(made, (struct sockaddr *)&address, sizeof address) == 0 && close_socket(made) == 0);
}

static void *use(void *unused) {
  pthread_barrier_wait(&barrier); /* here is the library */
  pthread_barrier_wait(&barrier);
  visit();
  pthread_barrier_wait(&barrier); /* and gone */
  pthread_barrier_wait(&barrier);
  return unused;
}

int main(int count, char **arguments) {
  REQUIRE(count == 3);
  address = address_of(arguments[2]);
  pthread_t threads[3];
  REQUIRE(pthread_barrier_init(&barrier, NULL, 4) == 0);
  for (int i = 0; i < 3; i++) REQUIRE(pthread_create(&threads[i], NULL, use, NULL) == 0);
  pthread_barrier_wait(&barrier);
  void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (!library) fprintf(stderr, "%s\n", dlerror());
  REQUIRE(library);
  REQUIRE((open_socket = (__typeof__(open_socket))dlsym(library, "ipn_socket")));
  REQUIRE((connect_socket = (__typeof__(connect_socket))dlsym(library, "ipn_connect")));
  REQUIRE((close_socket = (__typeof__(close_socket))dlsym(library, "ipn_close")));
  visit();
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  REQUIRE(dlclose(library) == 0);
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < 3; i++) REQUIRE(pthread_join(threads[i], NULL) == 0);
  pid_t child = fork();
  if (child == 0) _exit(0);
  REQUIRE(succeeded(child));
  return 0;
}
