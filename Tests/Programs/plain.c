/* Knows nothing of ipn.h: a program for the address family of 2007. */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define AF_IPN 34
#define IPN_BROADCAST 1

int main(int count, char **arguments) {
  struct sockaddr_un address = {.sun_family = AF_IPN};
  char room[16];
  int one = socket(AF_IPN, SOCK_RAW, IPN_BROADCAST), two = socket(AF_IPN, SOCK_RAW, IPN_BROADCAST);
  if (count != 2 || one < 0 || two < 0) return perror("socket"), 1;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", arguments[1]);
  if (bind(one, (struct sockaddr *)&address, sizeof address) < 0 || connect(one, NULL, 0) < 0) return perror("bind"), 1;
  if (connect(two, (struct sockaddr *)&address, sizeof address) < 0) return perror("connect"), 1;
  if (write(one, "hello", 6) != 6 || read(two, room, sizeof room) != 6) return perror("message"), 1;
  printf("got %s\n", room);
  return close(one) + close(two);
}
