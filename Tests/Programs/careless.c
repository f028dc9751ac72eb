/* `careless PATH`, under the preload: a daemon closes every number but its own, opens files in their place, and puts its standard streams
 * where it likes. The library's own descriptors are not among them, and nothing is written to its files. */
#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

static off_t length_of(int file) {
  struct stat status;
  REQUIRE(fstat(file, &status) == 0);
  return status.st_size;
}

int main(int count, char **arguments) {
  REQUIRE(count == 2);
  /* Before the library opens anything: it stays away from the streams' numbers. */
  int one = ipn_socket(AF_IPN, SOCK_RAW, IPN_BROADCAST);
  struct sockaddr_un address = address_of(arguments[1]);
  close(0);
  close(1);
  REQUIRE(ipn_bind(one, (struct sockaddr *)&address, sizeof address) == 0 && ipn_connect(one, NULL, 0) == 0);
  REQUIRE(open("/dev/null", O_RDONLY) == 0 && open("/dev/null", O_WRONLY) == 1);
  int two = joined(arguments[1], 0);
  for (int fd = 3; fd < 1024; fd++)
    if (fd != one && fd != two) close(fd);
  REQUIRE(close_range((unsigned)(one > two ? one : two) + 1, ~0u, 0) == 0);
  int files[16];
  for (int i = 0; i < 16; i++) REQUIRE((files[i] = memfd_create("file", MFD_CLOEXEC)) >= 0);
  /* Somebody sleeps for a message, and is woken by it. */
  pid_t child = fork();
  if (child == 0) {
    usleep(50000);
    say(two, "from a child");
    _exit(0);
  }
  expect(one, "from a child");
  REQUIRE(succeeded(child));
  expect(two, "from a child");
  say(one, "both ways");
  expect(two, "both ways");
  struct timeval limit = {.tv_usec = 50000};
  char byte;
  REQUIRE(setsockopt(one, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
  REQUIRE_ERRNO(ipn_recv(one, &byte, 1, 0), EAGAIN);
  for (int i = 0; i < 16; i++) REQUIRE(length_of(files[i]) == 0);
  /* No number of a socket's neighbours can be taken from it. */
  for (int fd = 3; fd < 64; fd++)
    if (fcntl(fd, F_GETFD) >= 0 && fd != one && fd != two && dup2(0, fd) < 0) REQUIRE(errno == EBUSY);
  say(two, "still there");
  expect(one, "still there");
  return 0;
}
