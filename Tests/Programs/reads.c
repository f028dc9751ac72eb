/* What a read(2) of one byte costs, with nothing but the C library or under the preload: `reads steps [beside]` prints the instructions of
 * one outside of the kernel; `reads time ROUNDS [beside]` prints four times of one in nanoseconds: by the C library's function, by the
 * one that this program finds, and by both once more, which shows what cannot be told apart. beside: a socket of AF_IPN,
 * of a higher number, is open. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "require.h"

#define AF_IPN 34
#define IPN_BROADCAST 1
typedef ssize_t reader(int, void *, size_t);

/* As a program calls it that knows nothing of all this. */
static void read_by_name(int fd, int count) {
  char byte;
  for (int i = 0; i < count; i++) REQUIRE(read(fd, &byte, 1) == 1);
}

/* A child that does so often, step by step. */
static long steps(int fd, int count) {
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    read_by_name(fd, 1); /* whoever calls a function first has it looked up */
    REQUIRE(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 && raise(SIGSTOP) == 0);
    read_by_name(fd, count);
    _exit(0);
  }
  long made = 0;
  int status;
  REQUIRE(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
  for (;; made++) {
    REQUIRE(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0 && waitpid(child, &status, 0) == child);
    if (WIFEXITED(status)) break;
    REQUIRE(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
  }
  REQUIRE(WEXITSTATUS(status) == 0);
  return made;
}

/* Short rounds: most find the processor to themselves. */
static double nanoseconds(reader *call, int fd) {
  enum { READS = 500 };
  struct timespec start, end;
  char byte;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (int i = 0; i < READS; i++) REQUIRE(call(fd, &byte, 1) == 1);
  clock_gettime(CLOCK_MONOTONIC, &end);
  return ((end.tv_sec - start.tv_sec) * 1e9 + end.tv_nsec - start.tv_nsec) / READS;
}

/* In turns, each way as often the first; the best of each. */
static void compare(int fd, long rounds) {
  void *library = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
  REQUIRE(library);
  reader *bare = (reader *)dlsym(library, "read"), *found = (reader *)dlsym(RTLD_DEFAULT, "read");
  REQUIRE(bare && found);
  reader *ways[] = {bare, found, bare, found};
  double best[] = {1e9, 1e9, 1e9, 1e9};
  for (long i = 0; i < 4 * rounds; i++) {
    long way = (i + i / 4) % 4;
    double time = nanoseconds(ways[way], fd);
    if (time < best[way]) best[way] = time;
  }
  printf("%.3f %.3f %.3f %.3f\n", best[0], best[1], best[2], best[3]);
}

int main(int count, char **words) {
  REQUIRE(count >= 2);
  int fd = open("/dev/zero", O_RDONLY);
  REQUIRE(fd >= 0);
  if (strcmp(words[count - 1], "beside") == 0) REQUIRE(socket(AF_IPN, SOCK_RAW, IPN_BROADCAST) > fd);
  if (strcmp(words[1], "time") == 0) {
    REQUIRE(count >= 3 && atol(words[2]) > 0);
    compare(fd, atol(words[2]));
  } else {
    /* Two lengths, and the difference: what begins and ends a program is not a read's. */
    enum { READS = 1000 };
    printf("%ld\n", (steps(fd, 1 + READS) - steps(fd, 1)) / READS);
  }
}
