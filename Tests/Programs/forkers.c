/* Forks of every kind while threads are in calls, with CLinux/fork.c alone: what a library cannot promise of the C library's own
 * locks, which a signal handler that forks may find taken, is no part of this. Argument: the way of forking. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "../../Sources/CLinux/fork.c"
#include "require.h"

/* Held over forks; and one that nobody knows of, as those of the Swift run-time. */
static pthread_mutex_t known = PTHREAD_MUTEX_INITIALIZER, hidden = PTHREAD_MUTEX_INITIALIZER;
static atomic_int is_over, forks;

static void touch(pthread_mutex_t *lock) {
  if (pthread_mutex_trylock(lock) != 0) {
    int was_inside = linux_fall_asleep();
    pthread_mutex_lock(lock);
    linux_wake_up(was_inside);
  }
  pthread_mutex_unlock(lock);
}

static void touch_hidden(void) {
  pthread_mutex_lock(&hidden);
  for (volatile int i = 0; i < 100; i++) {}
  pthread_mutex_unlock(&hidden);
}

static void doze(long nanoseconds) {
  int was_inside = linux_fall_asleep();
  nanosleep(&(struct timespec){0, nanoseconds}, NULL);
  linux_wake_up(was_inside);
}

static void call(void) {
  int was_inside = linux_enter();
  touch_hidden();
  touch(&known);
  doze(1000);
  touch_hidden();
  linux_leave(was_inside);
}

static void *call_on(void *unused) {
  while (!is_over) call();
  return unused;
}

static void *call_once(void *unused) {
  call();
  return unused;
}

/* Threads come and go as well. */
static void *come_and_go(void *unused) {
  while (!is_over) {
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, call_once, NULL) == 0);
    REQUIRE(pthread_join(thread, NULL) == 0);
  }
  return unused;
}

static int succeeded(pid_t child) {
  int status;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* A child finds nothing taken, and is a parent of its own. */
static void fork_plainly(void) {
  pid_t child = fork();
  if (child == 0) {
    call();
    pid_t grandchild = fork();
    if (grandchild == 0) {
      call();
      _exit(0);
    }
    _exit(!succeeded(grandchild));
  }
  REQUIRE(succeeded(child));
  forks++;
}

/* A child that no handler of fork(2) has seen has its parent's threads in its memory, awake as they were, and forks. */
static void fork_by_clone(void) {
  long child = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
  if (child == 0) {
    pid_t grandchild = fork();
    if (grandchild == 0) _exit(0);
    _exit(!succeeded(grandchild));
  }
  REQUIRE(succeeded((pid_t)child));
  forks++;
}

static volatile sig_atomic_t is_holding;

static void fork_in_handler(int number) {
  (void)number;
  int error = errno;
  pid_t child = fork();
  if (child == 0) _exit(0);
  REQUIRE(succeeded(child));
  forks++;
  /* A call amid a call, which leaves the one below as it was: asleep, else the others' forks would wait for it. */
  if (!is_holding) call();
  errno = error;
}

/* The handler interrupts a thread that is awake inside, holds a lock, or sleeps there. */
static void fork_from_handlers(void) {
  struct sigaction action = {.sa_handler = fork_in_handler, .sa_flags = SA_RESTART};
  REQUIRE(sigaction(SIGALRM, &action, NULL) == 0);
  struct itimerval often = {{0, 1000}, {0, 1000}}, never = {0};
  int wanted = forks + 100;
  REQUIRE(setitimer(ITIMER_REAL, &often, NULL) == 0);
  while (forks < wanted) {
    int was_inside = linux_enter();
    is_holding = 1;
    pthread_mutex_lock(&known);
    for (volatile int i = 0; i < 10000; i++) {}
    pthread_mutex_unlock(&known);
    is_holding = 0;
    doze(100000);
    linux_leave(was_inside);
  }
  REQUIRE(setitimer(ITIMER_REAL, &never, NULL) == 0);
}

int main(int count, char **arguments) {
  REQUIRE(count == 2);
  REQUIRE(linux_hold_over_forks(&known) == 0);
  sigset_t alarms;
  sigemptyset(&alarms);
  sigaddset(&alarms, SIGALRM);
  pthread_sigmask(SIG_BLOCK, &alarms, NULL);
  void *(*const work[])(void *) = {call_on, call_on, come_and_go, call_on};
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) REQUIRE(pthread_create(&threads[i], NULL, work[i], NULL) == 0);
  pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
  if (strcmp(arguments[1], "plain") == 0) while (forks < 300) fork_plainly();
  else if (strcmp(arguments[1], "clone") == 0) while (forks < 4) fork_by_clone();
  else if (strcmp(arguments[1], "handler") == 0) fork_from_handlers();
  else return 2;
  is_over = 1;
  for (int i = 0; i < 4; i++) REQUIRE(pthread_join(threads[i], NULL) == 0);
  return 0;
}
