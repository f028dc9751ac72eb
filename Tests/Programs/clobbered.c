/* `clobbered PATH`, with the library: who closes the library's descriptors after all, and opens files in their place, is told so
 * instead of having them written to without end. */
#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>

int main(int count, char **arguments) {
  REQUIRE(count == 2);
  int one = joined(arguments[1], 1), two = joined(arguments[1], 0), own = 0;
  char byte;
  for (unsigned fd = ipn_next_own(0); fd != UINT32_MAX; fd = ipn_next_own(fd + 1)) {
    REQUIRE(fd > 2 && (int)fd != one && (int)fd != two && fcntl((int)fd, F_GETFD) == FD_CLOEXEC);
    own++;
    int file = memfd_create("file", MFD_CLOEXEC);
    REQUIRE(dup2(file, (int)fd) == (int)fd && close(file) == 0);
  }
  REQUIRE(own > 4);
  REQUIRE_ERRNO(ipn_recv(one, &byte, 1, 0), EBADF);
  for (unsigned fd = ipn_next_own(0); fd != UINT32_MAX; fd = ipn_next_own(fd + 1)) {
    struct stat status;
    REQUIRE(fstat((int)fd, &status) == 0 && status.st_size <= 256);
  }
  return 0;
}
