#include "CBench.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

uint64_t bench_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void bench_sleep_until(uint64_t nanoseconds) {
  struct timespec time = {(time_t)(nanoseconds / 1000000000u), (long)(nanoseconds % 1000000000u)};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static double seconds(struct timeval time) { return (double)time.tv_sec + 1e-6 * (double)time.tv_usec; }

static double used(int who) {
  struct rusage usage;
  getrusage(who, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double bench_cpu_seconds(void) { return used(RUSAGE_SELF); }
double bench_children_cpu_seconds(void) { return used(RUSAGE_CHILDREN); }

int bench_memory(size_t size) {
  int descriptor = memfd_create("ipn-bench", MFD_CLOEXEC);
  if (descriptor < 0) return -1;
  if (ftruncate(descriptor, (off_t)size) < 0) return close(descriptor), -1;
  return descriptor;
}

void *bench_map(int descriptor, size_t size) {
  void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, descriptor, 0);
  return base == MAP_FAILED ? NULL : base;
}

int bench_event(void) { return eventfd(0, EFD_CLOEXEC); }

int bench_stream_pair(int pair[2], int size) {
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) return -1;
  /* Beyond the system's limit for root; up to the limit for everybody else. */
  if (setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  return 0;
}

int bench_claim_output(void) {
  int output = fcntl(1, F_DUPFD_CLOEXEC, 256);
  int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2(null, 1);
  close(null);
  return output;
}

void bench_widen_pipe(int end) { fcntl(end, F_SETPIPE_SZ, 1 << 20); }

int bench_ended_child(void) {
  siginfo_t info = {0};
  return waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) < 0 ? -1 : info.si_pid;
}

bool bench_has_ended(int child) {
  siginfo_t info = {0};
  return waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child;
}

void bench_be_worker(unsigned seconds) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
  alarm(seconds);
}

__attribute__((noinline)) uint64_t bench_sum(const void *bytes, size_t count) {
  const uint64_t *word = bytes;
  uint64_t sums[4] = {0};
  for (size_t i = 0; i < count / 8; i += 4)
    for (size_t lane = 0; lane < 4; lane++) sums[lane] += word[i + lane];
  return sums[0] + sums[1] + sums[2] + sums[3];
}
