/* waiting.h: poll, select and epoll on a socket of a party. Events are letters: i, o, p; I, O their other names, b, w those in a
 * band; r where nothing more will come; h for a hang-up, n for no socket. */

static const struct {
  char letter;
  int event;
} events_named[] = {{'i', POLLIN},     {'p', POLLPRI},    {'o', POLLOUT},   {'h', POLLHUP},   {'n', POLLNVAL},
                    {'I', POLLRDNORM}, {'O', POLLWRNORM}, {'b', POLLRDBAND}, {'w', POLLWRBAND}, {'r', POLLRDHUP}};
#define EVENTS_NAMED (sizeof events_named / sizeof *events_named)

static short events_of(const char *letters) {
  int events = 0;
  for (size_t i = 0; i < EVENTS_NAMED; i++)
    if (strchr(letters, events_named[i].letter)) events |= events_named[i].event;
  return (short)events;
}

static Answer events_shown(int result, unsigned events) {
  char letters[EVENTS_NAMED + 1] = "", *end = letters;
  if (result < 0) return failed();
  if (result == 0) return ok("none");
  for (size_t i = 0; i < EVENTS_NAMED; i++)
    if (events & (unsigned)events_named[i].event) *end++ = events_named[i].letter;
  return ok("%s", letters);
}

/* `poll SLOT EVENTS MILLISECONDS`, with a pipe beside it that is never ready. */
static Answer poll_socket(int fd, Words *words) {
  int ends[2];
  if (pipe(ends) < 0) return failed();
  struct pollfd set[2] = {{ends[0], POLLIN, 0}, {fd, events_of(word(words)), 0}};
  int result = CALL(poll)(set, 2, (int)number(words));
  close(ends[0]), close(ends[1]);
  return events_shown(result, (unsigned)(unsigned short)set[1].revents);
}

/* `plainpoll SLOT MILLISECONDS`: what the kernel says of the descriptor, for programs that know poll(2) only. */
static Answer poll_plain(int fd, Words *words) {
  struct pollfd set = {fd, POLLIN, 0};
  return events_shown(poll(&set, 1, (int)number(words)), (unsigned)(unsigned short)set.revents);
}

/* `select SLOT EVENTS MILLISECONDS` */
static Answer select_socket(int fd, Words *words) {
  short events = events_of(word(words));
  long milliseconds = number(words);
  fd_set sets[3];
  short masks[3] = {POLLIN, POLLOUT, POLLPRI};
  for (int i = 0; i < 3; i++) {
    FD_ZERO(&sets[i]);
    if (events & masks[i]) FD_SET(fd, &sets[i]);
  }
  struct timeval timeout = {milliseconds / 1000, milliseconds % 1000 * 1000};
  int result = select(fd + 1, &sets[0], &sets[1], &sets[2], milliseconds < 0 ? NULL : &timeout);
  unsigned found = 0;
  for (int i = 0; result > 0 && i < 3; i++)
    if (FD_ISSET(fd, &sets[i])) found |= (unsigned short)masks[i];
  return events_shown(result, found);
}

/* One set for the process. */
static int set = -1;

/* `watch SLOT EVENTS`: i, o, p, and e for edges, 1 for once. Again for a change; `watch SLOT none` ends it. */
static Answer watch(int fd, Words *words) {
  char *letters = word(words);
  if (set < 0) set = epoll_create1(EPOLL_CLOEXEC);
  if (is(letters, "none")) return done(epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL));
  struct epoll_event event = {.events = (uint32_t)events_of(letters), .data.u64 = 0xfeed00000000 + (unsigned)fd};
  if (strchr(letters, 'e')) event.events |= EPOLLET;
  if (strchr(letters, '1')) event.events |= EPOLLONESHOT;
  int result = epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  if (result < 0 && errno == EEXIST) result = epoll_ctl(set, EPOLL_CTL_MOD, fd, &event);
  return done(result);
}

/* `await SLOT MILLISECONDS`: the next event of the set, which must be the socket's. */
static Answer await(int fd, Words *words) {
  struct epoll_event event;
  int result = epoll_wait(set, &event, 1, (int)number(words));
  if (result > 0 && event.data.u64 != 0xfeed00000000 + (unsigned)fd) return ok("data of another");
  return events_shown(result, event.events);
}
