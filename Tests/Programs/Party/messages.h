/* messages.h: what a party does with messages. */

static int flags_of(const char *letters) {
  int flags = 0;
  for (; *letters; letters++) {
    if (*letters == 'd') flags |= MSG_DONTWAIT;
    if (*letters == 'p') flags |= MSG_PEEK;
    if (*letters == 't') flags |= MSG_TRUNC;
    if (*letters == 'o') flags |= MSG_OOB;
  }
  return flags;
}

static Answer shown(const unsigned char *bytes, ssize_t length, ssize_t room, const char *more) {
  ssize_t there = length < room ? length : room;
  for (ssize_t i = 0; i < there; i++)
    if (bytes[i] < ' ' || bytes[i] > '~' || there > 100) return ok("%zd%s #%u", length, more, hash(bytes, (size_t)there));
  return ok("%zd%s%s%.*s", length, more, there ? " " : "", (int)there, (const char *)bytes);
}

/* `send SLOT FLAGS TEXT`, FLAGS `-` for none */
static Answer send_text(int fd, Words *words) {
  int flags = flags_of(word(words));
  ssize_t sent = CALL(send)(fd, words->at, strlen(words->at), flags);
  return sent < 0 ? failed() : ok("%zd", sent);
}

/* `sendfill SLOT FLAGS LENGTH SEED` */
static Answer send_fill(int fd, Words *words) {
  int flags = flags_of(word(words));
  size_t length = (size_t)number(words);
  unsigned char *bytes = malloc(length + 1);
  fill(bytes, length, (unsigned)number(words));
  ssize_t sent = CALL(send)(fd, bytes, length, flags);
  Answer answer = sent < 0 ? failed() : ok("%zd #%u", sent, hash(bytes, length));
  free(bytes);
  return answer;
}

/* `recv SLOT FLAGS LENGTH` */
static Answer receive(int fd, Words *words) {
  int flags = flags_of(word(words));
  size_t room = (size_t)number(words);
  unsigned char *bytes = malloc(room + 1);
  ssize_t length = CALL(recv)(fd, bytes, room, flags);
  Answer answer = length < 0 ? failed() : shown(bytes, length, (ssize_t)room, "");
  free(bytes);
  return answer;
}

/* `sendmsg SLOT FLAGS TAG TEXT`: in pieces of a byte and the rest. */
static Answer send_message(int fd, Words *words) {
  int flags = flags_of(word(words));
  uint64_t tag = strtoull(word(words), NULL, 0);
  size_t length = strlen(words->at), first = length ? 1 : 0;
  struct iovec parts[3] = {{words->at, first}, {NULL, 0}, {words->at + first, length - first}};
  union {
    struct cmsghdr head;
    char room[CMSG_SPACE(sizeof tag)];
  } control = {.head = {CMSG_LEN(sizeof tag), IPN_CMSG_LEVEL, IPN_CMSG_TAG}};
  memcpy(CMSG_DATA(&control.head), &tag, sizeof tag);
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t sent = CALL(sendmsg)(fd, &message, flags);
  return sent < 0 ? failed() : ok("%zd", sent);
}

/* `recvmsg SLOT FLAGS LENGTH`: what came with it is named after the length: `trunc`, `ctrunc`, `oob`, `lost=`, `tag=`; news as
 * `readers/writers`. */
static Answer receive_message(int fd, Words *words) {
  int flags = flags_of(word(words));
  size_t room = (size_t)number(words), first = room / 3;
  unsigned char *bytes = malloc(room + 1);
  struct iovec parts[2] = {{bytes, first}, {bytes + first, room - first}};
  char control[256], more[256] = "";
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t length = CALL(recvmsg)(fd, &message, flags);
  if (length < 0) return free(bytes), failed();
  if (message.msg_flags & MSG_TRUNC) strcat(more, " trunc");
  if (message.msg_flags & MSG_CTRUNC) strcat(more, " ctrunc");
  if (message.msg_flags & MSG_OOB) strcat(more, " oob");
  for (struct cmsghdr *item = CMSG_FIRSTHDR(&message); item; item = CMSG_NXTHDR(&message, item)) {
    struct ipn_loss loss;
    uint64_t tag;
    if (item->cmsg_level != IPN_CMSG_LEVEL) continue;
    if (item->cmsg_type == IPN_CMSG_LOSS) {
      memcpy(&loss, CMSG_DATA(item), sizeof loss);
      sprintf(more + strlen(more), " lost=%llu+%llu", (unsigned long long)loss.first, (unsigned long long)loss.count);
    } else if (item->cmsg_type == IPN_CMSG_TAG) {
      memcpy(&tag, CMSG_DATA(item), sizeof tag);
      sprintf(more + strlen(more), " tag=%llu", (unsigned long long)tag);
    }
  }
  struct numnode_oob news;
  Answer answer;
  if (message.msg_flags & MSG_OOB && length == sizeof news) {
    memcpy(&news, bytes, sizeof news);
    answer = ok("%zd%s %d:%d %d/%d", length, more, news.level, news.tag, news.numreaders, news.numwriters);
  } else {
    answer = shown(bytes, length, (ssize_t)room, more);
  }
  free(bytes);
  return answer;
}

/* `stream SLOT COUNT ID`: messages that say who sent them, and which they are. */
static Answer stream(int fd, Words *words) {
  unsigned count = (unsigned)number(words), message[2] = {0, (unsigned)number(words)};
  for (; message[0] < count; message[0]++)
    if (CALL(send)(fd, message, sizeof message, 0) < 0) return failed();
  return ok("%u", count);
}

/* `gather SLOT COUNT [ID]`: takes so many, those of one sender where it is named; each sender's in order and each once. Answers
 * with the number of senders. */
static Answer gather(int fd, Words *words) {
  unsigned next[1024] = {0};
  long count = number(words), id = *words->at ? number(words) : -1, senders = 0;
  for (long i = 0; i < count;) {
    unsigned message[2];
    ssize_t length = CALL(recv)(fd, message, sizeof message, 0);
    if (length < 0) return failed();
    if (length != sizeof message || message[1] >= 1024) return ok("%zd bytes after %ld messages", length, i);
    if (message[0] == 0) senders++;
    if (message[0] != next[message[1]]++) return ok("%u:%u out of order", message[1], message[0]);
    if (id < 0 || message[1] == id) i++;
  }
  return ok("%ld from %ld", count, senders);
}
