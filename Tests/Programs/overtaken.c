/* A signal handler receives in a thread whose receive it has interrupted, and ends; another thread receives meanwhile. One
 * message goes to one of them, although both were asleep in the same call. */
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

enum { ROUNDS = 200, MESSAGES = 20 };

static int mine;
static pid_t threads[2];
static volatile sig_atomic_t handled;
static unsigned taken[ROUNDS * MESSAGES + 2];

static void take_nothing(int signal) {
  char room[16];
  int error = errno;
  (void)signal;
  if (ipn_recv(mine, room, sizeof room, MSG_DONTWAIT) >= 0) _exit(8);
  errno = error;
  handled = 1;
}

/* Until it is told that this was the last. */
static void *receive(void *which) {
  __atomic_store_n(&threads[which != NULL], (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
  while (1) {
    unsigned number = 0;
    REQUIRE(ipn_recv(mine, &number, sizeof number, 0) == sizeof number);
    if (number == 0) return NULL;
    REQUIRE(number < sizeof taken / sizeof *taken);
    __atomic_fetch_add(&taken[number], 1, __ATOMIC_RELAXED);
  }
}

static void wait_until_asleep(pid_t *thread) {
  char path[64], state = 0;
  pid_t number;
  while ((number = __atomic_load_n(thread, __ATOMIC_ACQUIRE)) == 0) sched_yield();
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", number);
  for (int times = 0; times < 3;) {
    FILE *file = fopen(path, "r");
    REQUIRE(file && fscanf(file, "%*d (%*[^)]) %c", &state) == 1);
    fclose(file);
    times = state == 'S' ? times + 1 : 0;
    sched_yield();
  }
}

static unsigned taken_so_far(unsigned end) {
  unsigned sum = 0;
  for (unsigned i = 1; i < end; i++) sum += __atomic_load_n(&taken[i], __ATOMIC_RELAXED);
  return sum;
}

int main(int count, char **arguments) {
  REQUIRE(count == 2);
  /* What is lost is lost for ever. */
  alarm(60);
  mine = joined(arguments[1], 1);
  int other = joined(arguments[1], 0);
  struct sigaction action = {.sa_handler = take_nothing, .sa_flags = SA_RESTART};
  REQUIRE(sigaction(SIGUSR1, &action, NULL) == 0);
  unsigned number = 0;
  for (int round = 0; round < ROUNDS; round++) {
    pthread_t first, second;
    threads[0] = threads[1] = 0;
    handled = 0;
    REQUIRE(pthread_create(&first, NULL, receive, NULL) == 0);
    wait_until_asleep(&threads[0]);
    REQUIRE(pthread_kill(first, SIGUSR1) == 0);
    while (!handled) sched_yield();
    REQUIRE(pthread_create(&second, NULL, receive, &threads) == 0);
    wait_until_asleep(&threads[1]);
    for (int i = 0; i < MESSAGES; i++) {
      number++;
      REQUIRE(ipn_send(other, &number, sizeof number, 0) == sizeof number);
      while (taken_so_far(number + 1) < number) sched_yield();
    }
    unsigned last = 0;
    for (int i = 0; i < 2; i++) REQUIRE(ipn_send(other, &last, sizeof last, 0) == sizeof last);
    REQUIRE(pthread_join(first, NULL) == 0 && pthread_join(second, NULL) == 0);
  }
  for (unsigned i = 1; i <= number; i++) REQUIRE(taken[i] == 1);
  return ipn_close(other) != 0 || ipn_close(mine) != 0;
}
