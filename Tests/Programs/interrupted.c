/* Signal handlers that use the socket whose call they have interrupted, as they do with any: one that closes it and ends the
 * program, one that receives, one that jumps out of the call, one that polls, and one that sends. */
#include "check.h"
#include <setjmp.h>
#include <signal.h>
#include <time.h>

static int mine, other;
static sigjmp_buf out;

static void close_and_end(int signal) {
  (void)signal;
  ipn_close(mine);
  _exit(7);
}

static void close_only(int signal) {
  (void)signal;
  ipn_close(mine);
}

static void take_one(int signal) {
  char room[16];
  (void)signal;
  if (ipn_recv(mine, room, sizeof room, MSG_DONTWAIT) >= 0) _exit(8);
  say(other, "after the handler");
}

static void jump(int signal) {
  (void)signal;
  siglongjmp(out, 1);
}

/* The parent sends the signal when this one sleeps in its call: it says so by its state. */
static void wait_until_asleep(pid_t child) {
  char path[64], state = 0;
  snprintf(path, sizeof path, "/proc/%d/stat", child);
  for (int times = 0; times < 3;) {
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%*d %*s %c", &state) != 1) exit(1);
    fclose(file);
    times = state == 'S' ? times + 1 : 0;
    usleep(2000);
  }
}

/* Amid whatever the program does: it is sent, or the handler is told that this is not the time. Nothing is lost of what was sent. */
static volatile sig_atomic_t sent, refused;

static void send_amid(int signal) {
  (void)signal;
  int error = errno;
  if (ipn_send(mine, "from the handler", 17, 0) == 17) {
    sent++;
  } else {
    if (errno != EDEADLK) _exit(10);
    refused++;
  }
  errno = error;
}

static void send_amid_sends(const char *path) {
  enum { WANTED = 200 };
  char room[32];
  long own = 0, received = 0;
  struct sigaction action = {.sa_handler = send_amid, .sa_flags = SA_RESTART};
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  struct itimerspec often = {{0, 100000}, {0, 100000}};
  timer_t timer;
  mine = joined(path, 0);
  other = joined(path, 0);
  REQUIRE(sigaction(SIGUSR1, &action, NULL) == 0 && timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  REQUIRE(timer_settime(timer, 0, &often, NULL) == 0);
  while (sent < WANTED || refused < WANTED) {
    say(mine, "plainly");
    own++;
    /* Where the handler can send. */
    for (volatile int i = 0; i < 2000; i++) {}
    while (ipn_recv(other, room, sizeof room, MSG_DONTWAIT) > 0) received++;
  }
  REQUIRE(timer_delete(timer) == 0);
  while (ipn_recv(other, room, sizeof room, MSG_DONTWAIT) > 0) received++;
  /* Where the machine is busy, the handler may send more at a time than a LOSSY receiver is kept. */
  uint64_t lost = 0;
  socklen_t length = sizeof lost;
  REQUIRE(ipn_getsockopt(other, 0, IPN_SO_LOST, &lost, &length) == 0);
  REQUIRE(received + (long)lost == own + sent);
  REQUIRE(ipn_close(mine) == 0 && ipn_close(other) == 0);
}

static void look(int signal) {
  struct pollfd entry = {.fd = mine, .events = POLLIN};
  (void)signal;
  if (ipn_poll(&entry, 1, 0) != 0) _exit(8);
  say(other, "after the handler");
}

static volatile sig_atomic_t handled, taken;

/* Makes room for the send that it has interrupted, and sends first. */
static void send_before(int signal) {
  char room[32];
  (void)signal;
  while (ipn_recv(other, room, sizeof room, MSG_DONTWAIT) > 0) taken++;
  say(mine, "from the handler");
  handled = 1;
}

/* The handler's call sleeps, too, and is woken; then so is the one below. */
static int steps[2];

static void receive_first(int signal) {
  char byte = 0;
  (void)signal;
  REQUIRE(write(steps[1], &byte, 1) == 1);
  expect(mine, "first");
  REQUIRE(write(steps[1], &byte, 1) == 1);
}

static int ended_with(pid_t child) {
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child && WIFEXITED(status));
  return WEXITSTATUS(status);
}

/* A child that is amid a call of the body's when the handler comes. */
static pid_t interrupted(const char *path, void (*handler)(int), int restarts, void (*body)(void)) {
  int gate[2];
  char byte = 0;
  REQUIRE(pipe(gate) == 0);
  pid_t child = fork();
  if (child == 0) {
    /* What is lost is lost for ever. */
    alarm(60);
    struct sigaction action = {.sa_handler = handler, .sa_flags = restarts ? SA_RESTART : 0};
    sigaction(SIGUSR1, &action, NULL);
    mine = joined(path, 0);
    other = joined(path, 0);
    REQUIRE(write(gate[1], &byte, 1) == 1);
    body();
    exit(0);
  }
  REQUIRE(read(gate[0], &byte, 1) == 1);
  wait_until_asleep(child);
  REQUIRE(kill(child, SIGUSR1) == 0);
  close(gate[0]);
  close(gate[1]);
  return child;
}

static void in_a_child(const char *path, void (*handler)(int), int restarts, void (*body)(void), int expected) {
  REQUIRE(ended_with(interrupted(path, handler, restarts, body)) == expected);
}

static void just_receive(void) { expect(mine, "never"); }

/* The call ends: the program goes on, and its descriptor is closed. */
static void receive_closed(void) {
  char room[16];
  REQUIRE(ipn_recv(mine, room, sizeof room, 0) <= 0);
  REQUIRE_ERRNO(ipn_recv(mine, room, sizeof room, 0), EBADF);
}

static void receive_second(void) { expect(mine, "second"); }

static void receive_after(void) { expect(mine, "after the handler"); }

/* A poll ends with any handler. */
static void poll_and_receive(void) {
  struct pollfd entry = {.fd = mine, .events = POLLIN};
  REQUIRE_ERRNO(ipn_poll(&entry, 1, -1), EINTR);
  REQUIRE(ipn_poll(&entry, 1, -1) == 1 && entry.revents == POLLIN);
  receive_after();
}

/* Until there is no room, and none is made but by the handler: each message arrives once. */
static void send_without_room(void) {
  char room[32];
  long own = 0;
  while (!handled) {
    if (ipn_send(mine, "plainly", 8, 0) == 8) own++;
    else REQUIRE(errno == EINTR);
  }
  while (ipn_recv(other, room, sizeof room, MSG_DONTWAIT) > 0) taken++;
  REQUIRE(taken == own + 1);
  say(mine, "at last");
  expect(other, "at last");
}

static void receive_in_time(void) {
  char room[16];
  if (sigsetjmp(out, 1) == 0) {
    ipn_recv(mine, room, sizeof room, 0);
    _exit(9);
  }
  say(other, "one");
  struct pollfd entry = {.fd = mine, .events = POLLIN};
  REQUIRE(ipn_poll(&entry, 1, -1) == 1 && entry.revents == POLLIN);
  expect(mine, "one");
  say(mine, "two");
  expect(other, "two");
  REQUIRE(ipn_close(mine) == 0 && ipn_close(other) == 0);
}

/* A LOSSLESS network whose maker reads nothing, and holds nobody up. */
static int made_for_two_messages(const char *path) {
  struct sockaddr_un address = address_of(path);
  int flags = IPN_FLAG_LOSSLESS, pool = 2;
  int made = ipn_socket(AF_IPN, SOCK_RAW, IPN_BROADCAST);
  REQUIRE(made >= 0 && ipn_setsockopt(made, 0, IPN_SO_FLAGS, &flags, sizeof flags) == 0);
  REQUIRE(ipn_setsockopt(made, 0, IPN_SO_MSGPOOLSIZE, &pool, sizeof pool) == 0);
  REQUIRE(ipn_bind(made, (struct sockaddr *)&address, sizeof address) == 0 && ipn_shutdown(made, SHUT_RD) == 0);
  REQUIRE(ipn_connect(made, NULL, 0) == 0);
  return made;
}

static void sleep_in_both(const char *path, int sender) {
  char byte = 0;
  REQUIRE(pipe(steps) == 0);
  pid_t child = interrupted(path, receive_first, 1, receive_second);
  const char *messages[] = {"first", "second"};
  for (int i = 0; i < 2; i++) {
    REQUIRE(read(steps[0], &byte, 1) == 1);
    wait_until_asleep(child);
    say(sender, messages[i]);
  }
  REQUIRE(ended_with(child) == 0);
}

int main(int count, char **arguments) {
  REQUIRE(count == 2);
  int first = joined(arguments[1], 1);
  /* As in the children: who waits for itself waits for ever. */
  alarm(120);
  char narrow[256];
  REQUIRE(snprintf(narrow, sizeof narrow, "%s-narrow", arguments[1]) < (int)sizeof narrow);
  int second = made_for_two_messages(narrow);
  for (int restarts = 0; restarts < 2; restarts++) {
    in_a_child(arguments[1], close_and_end, restarts, just_receive, 7);
    in_a_child(arguments[1], close_only, restarts, receive_closed, 0);
    in_a_child(arguments[1], jump, restarts, receive_in_time, 0);
    in_a_child(arguments[1], take_one, restarts, poll_and_receive, 0);
    in_a_child(narrow, send_before, restarts, send_without_room, 0);
  }
  in_a_child(arguments[1], take_one, 1, receive_after, 0);
  in_a_child(arguments[1], look, 1, receive_after, 0);
  sleep_in_both(arguments[1], first);
  send_amid_sends(arguments[1]);
  return ipn_close(second) != 0 || ipn_close(first) != 0;
}
