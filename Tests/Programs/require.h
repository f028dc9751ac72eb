/* What a test program says of itself: where it is wrong, and why, and its end. */
#ifndef REQUIRE_H
#define REQUIRE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How it ends: a child that shares its parent's standard streams takes _exit(2). */
#ifndef REQUIRE_END
#define REQUIRE_END exit
#endif

#define REQUIRE(condition)                                                                        \
  do {                                                                                            \
    if (!(condition)) {                                                                           \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, strerror(errno));        \
      REQUIRE_END(1);                                                                             \
    }                                                                                             \
  } while (0)
#define REQUIRE_ERRNO(call, code)   \
  do {                              \
    errno = 0;                      \
    REQUIRE((call) == -1);          \
    REQUIRE(errno == (code));       \
  } while (0)

#endif
