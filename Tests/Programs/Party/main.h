/* main.h: the conversation. */
#include "party.h"

#include "messages.h"
#include "waiting.h"

static Answer perform(char *line);

/* `\xe9` in a path is that byte, which no line in UTF-8 could have. */
static void unescape(char *path) {
  for (; (path = strstr(path, "\\x")); path++) {
    char digits[3] = {path[2], path[3], 0};
    *path = (char)strtol(digits, NULL, 16);
    memmove(path + 1, path + 4, strlen(path + 4) + 1);
  }
}

/* The reverse. */
static const char *escape(const char *path) {
  static char text[4 * sizeof(struct sockaddr_un)];
  char *end = text;
  for (; *path; path++) end += sprintf(end, *path & 0x80 ? "\\x%02x" : "%c", *path & 0xff);
  return *end = 0, text;
}

static Answer bind_or_connect(bool binds, int fd, Words *words) {
  char *path = word(words);
  unescape(path);
  struct sockaddr_un address = {.sun_family = AF_IPN};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  struct sockaddr *given = is(path, "-") ? NULL : (struct sockaddr *)&address;
  socklen_t length = given ? sizeof address : 0;
  return done(binds ? CALL(bind)(fd, given, length) : CALL(connect)(fd, given, length));
}

static Answer name(bool isOwn, int fd) {
  struct sockaddr_un address;
  socklen_t length = sizeof address;
  memset(&address, 0, sizeof address);
  int result = isOwn ? CALL(getsockname)(fd, (struct sockaddr *)&address, &length)
                     : CALL(getpeername)(fd, (struct sockaddr *)&address, &length);
  return result < 0 ? failed() : ok("%s", length > sizeof(sa_family_t) ? escape(address.sun_path) : "nothing");
}

/* Values are numbers of four bytes; `8:N` for eight, `s:TEXT` for a text, `b:N` for so many zero bytes, `x:N` for so many that are
 * no UTF-8, `null` for nothing at all. */
static Answer set_option(int fd, Words *words) {
  int level = (int)number(words), option = (int)number(words);
  char *value = words->at, zero[256] = "";
  int small = (int)strtol(value, NULL, 0);
  uint64_t large = strtoull(value + 2, NULL, 0);
  if (strncmp(value, "s:", 2) == 0) return done(CALL(setsockopt)(fd, level, option, value + 2, (socklen_t)strlen(value + 2)));
  if (strncmp(value, "8:", 2) == 0) return done(CALL(setsockopt)(fd, level, option, &large, sizeof large));
  if (strncmp(value, "b:", 2) == 0) return done(CALL(setsockopt)(fd, level, option, zero, (socklen_t)large));
  char strange[256];
  memset(strange, 0xe9, sizeof strange);
  if (strncmp(value, "x:", 2) == 0) return done(CALL(setsockopt)(fd, level, option, strange, (socklen_t)large));
  if (is(value, "null")) return done(CALL(setsockopt)(fd, level, option, NULL, 0));
  return done(CALL(setsockopt)(fd, level, option, &small, sizeof small));
}

/* `get SLOT LEVEL OPTION ROOM` */
static Answer get_option(int fd, Words *words) {
  int level = (int)number(words), option = (int)number(words);
  socklen_t length = (socklen_t)number(words);
  union {
    int small;
    uint64_t large;
    char text[256];
  } value;
  if (CALL(getsockopt)(fd, level, option, &value, &length) < 0) return failed();
  if (level == 0 && option == IPN_SO_DESCR) return ok("%.*s", (int)length, value.text);
  return length == 8 ? ok("%llu", (unsigned long long)value.large) : ok("%d", value.small);
}

static Answer set_timeout(int fd, Words *words) {
  int option = is(word(words), "r") ? SO_RCVTIMEO : SO_SNDTIMEO;
  long milliseconds = number(words);
  struct timeval time = {milliseconds / 1000, milliseconds % 1000 * 1000};
  return done(CALL(setsockopt)(fd, SOL_SOCKET, option, &time, sizeof time));
}

static Answer set_nonblocking(int fd, bool isOn) {
  int flags = fcntl(fd, F_GETFL);
  return done(fcntl(fd, F_SETFL, isOn ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}

static Answer duplicate(int fd, long slot) {
  int made = dup(fd);
#ifdef PARTY_LIBRARY
  if (made >= 0 && library.duplicated(fd, made) < 0) return failed();
#endif
  slots[slot] = made;
  return done(made);
}

/* `pass SLOT INTO`: over a Unix socket, to ourselves. */
static Answer pass(int fd, long slot) {
  int ends[2], given = -1;
  if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) < 0) return failed();
  union {
    struct cmsghdr head;
    char room[CMSG_SPACE(sizeof(int))];
  } control = {.head = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
  memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
  char byte = 0;
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  if (sendmsg(ends[0], &message, 0) < 0 || recvmsg(ends[1], &message, 0) < 0) return failed();
  memcpy(&given, CMSG_DATA(&control.head), sizeof given);
  close(ends[0]), close(ends[1]);
  slots[slot] = given;
  return done(given);
}

/* `exec SLOT`: becomes a new program that has inherited this socket. */
static Answer exec_with(long slot) {
  char place[32], descriptor[32];
  sprintf(place, "%ld", slot);
  sprintf(descriptor, "%d", slots[slot]);
  fcntl(slots[slot], F_SETFD, 0);
  execl("/proc/self/exe", "party", place, descriptor, NULL);
  return failed();
}

/* `forked LINE`: a child does it, and answers. */
static Answer forked(char *line) {
  int ends[2];
  Answer answer = {""};
  if (pipe(ends) < 0) return failed();
  pid_t child = fork();
  if (child == 0) {
    answer = perform(line);
    (void)!write(ends[1], answer.text, strlen(answer.text));
    _exit(0);
  }
  close(ends[1]);
  (void)!read(ends[0], answer.text, sizeof answer.text - 1);
  close(ends[0]);
  waitpid(child, NULL, 0);
  return answer;
}

/* `thread LINE` has another thread do it, whose answer `join` gives. */
static pthread_t thread;
static Answer threads_answer;
static void *run_thread(void *line) {
  threads_answer = perform(line);
  free(line);
  return NULL;
}

static void nothing(int signal) { (void)signal; }

/* `interrupt MILLISECONDS`: a signal again and again, so that one comes while a call sleeps; 0 ends it. */
static Answer interrupt(long milliseconds) {
  struct sigaction action = {.sa_handler = nothing};
  sigaction(SIGALRM, &action, NULL);
  struct itimerval timer = {{0, milliseconds * 1000}, {0, milliseconds * 1000}};
  return done(setitimer(ITIMER_REAL, &timer, NULL));
}

/* `become UID GID [GROUP…]` */
static Answer become(Words *words) {
  uid_t user = (uid_t)number(words);
  gid_t group = (gid_t)number(words), groups[8];
  size_t count = 0;
  while (*words->at && count < 8) groups[count++] = (gid_t)number(words);
  if (setgroups(count, groups) < 0 || setgid(group) < 0) return failed();
  return done(setuid(user));
}

/* `many FIRST COUNT PATH`: as many sockets, connected. */
static Answer many(Words *words) {
  long first = number(words), count = number(words);
  char *path = word(words);
  for (long i = first; i < first + count; i++) {
    if ((slots[i] = CALL(socket)(AF_IPN, SOCK_RAW, IPN_BROADCAST)) < 0) return failed();
    Words rest = {strdup(path)};
    Answer answer = bind_or_connect(false, slots[i], &rest);
    if (strncmp(answer.text, "ok", 2) != 0) return answer;
  }
  return ok("%ld", count);
}

static Answer perform(char *line) {
  Words words = {line};
  char *verb = word(&words);
  if (is(verb, "forked")) return forked(words.at);
  if (is(verb, "thread")) return done(-pthread_create(&thread, NULL, run_thread, strdup(words.at)));
  if (is(verb, "join")) return pthread_join(thread, NULL), threads_answer;
  if (is(verb, "interrupt")) return interrupt(number(&words));
  if (is(verb, "umask")) return umask((mode_t)strtol(word(&words), NULL, 8)), ok("%s", "");
  if (is(verb, "chdir")) return done(chdir(word(&words)));
  if (is(verb, "become")) return become(&words);
  if (is(verb, "many")) return many(&words);
  if (is(verb, "socketpair")) {
    int ends[2];
    return done(socketpair(AF_IPN, SOCK_RAW, IPN_BROADCAST, ends));
  }
  long slot = number(&words);
  int fd = slots[slot];
  if (is(verb, "socket")) {
    int domain = (int)number(&words), type = (int)number(&words), protocol = (int)number(&words);
    return done(slots[slot] = CALL(socket)(domain, type, protocol));
  }
  if (is(verb, "bind")) return bind_or_connect(true, fd, &words);
  if (is(verb, "connect")) return bind_or_connect(false, fd, &words);
  if (is(verb, "shutdown")) return done(CALL(shutdown)(fd, (int)number(&words)));
  if (is(verb, "close")) return done(CALL(close)(fd));
  if (is(verb, "listen")) return done(listen(fd, 1));
  if (is(verb, "accept")) return done(accept(fd, NULL, NULL));
  if (is(verb, "name")) return name(true, fd);
  if (is(verb, "peer")) return name(false, fd);
  if (is(verb, "set")) return set_option(fd, &words);
  if (is(verb, "get")) return get_option(fd, &words);
  if (is(verb, "timeout")) return set_timeout(fd, &words);
  if (is(verb, "nonblocking")) return set_nonblocking(fd, is(word(&words), "on"));
  if (is(verb, "send")) return send_text(fd, &words);
  if (is(verb, "sendfill")) return send_fill(fd, &words);
  if (is(verb, "sendmsg")) return send_message(fd, &words);
  if (is(verb, "recv")) return receive(fd, &words);
  if (is(verb, "recvmsg")) return receive_message(fd, &words);
  if (is(verb, "stream")) return stream(fd, &words);
  if (is(verb, "gather")) return gather(fd, &words);
  if (is(verb, "poll")) return poll_socket(fd, &words);
  if (is(verb, "plainpoll")) return poll_plain(fd, &words);
  if (is(verb, "select")) return select_socket(fd, &words);
  if (is(verb, "watch")) return watch(fd, &words);
  if (is(verb, "await")) return await(fd, &words);
  if (is(verb, "dup")) return duplicate(fd, number(&words));
  if (is(verb, "pass")) return pass(fd, number(&words));
  if (is(verb, "exec")) return exec_with(slot);
  return ok("what is %s?", verb);
}

int main(int count, char **words) {
  find_library();
  /* For hundreds of sockets in one process. */
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  for (int i = 0; i < SLOTS; i++) slots[i] = -1;
  if (count > 2) slots[atoi(words[1])] = atoi(words[2]);
  if (count > 2) puts("ok");
  fflush(stdout);
  char line[65536];
  /* Not through stdio: it would read ahead of an exec. */
  for (size_t length = 0;;) {
    ssize_t count = read(0, line + length, 1);
    /* `interrupt` is for calls that sleep, not for who waits to be told. */
    if (count < 0 && errno == EINTR) continue;
    if (count != 1) break;
    if (line[length] != '\n' && length < sizeof line - 1) length++;
    else {
      line[length] = 0;
      Answer answer = perform(line);
      printf("%s\n", answer.text);
      fflush(stdout);
      length = 0;
    }
  }
}
