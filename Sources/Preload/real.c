/* Finds the C library's own functions. ioctl and fcntl are variadic there and are called here with their one argument:
 * where Linux runs, an argument that is no floating-point number travels the same way in both. */
#include "real.h"

#include <dlfcn.h>
#include <errno.h>

#define X(result, name, parameters, arguments)                                                                                 \
  static result first_##name parameters {                                                                                      \
    real_resolve();                                                                                                            \
    return real.name arguments;                                                                                                \
  }                                                                                                                            \
  static result absent_##name parameters { return errno = ENOSYS, -1; }
#pragma GCC diagnostic ignored "-Wunused-parameter"
REAL_FUNCTIONS(X)
#undef X

struct real real = {
#define X(result, name, parameters, arguments) .name = first_##name,
    REAL_FUNCTIONS(X)
#undef X
};

/* Twice at the same time does no harm: both store the same pointers. */
void real_resolve(void) {
  void *found;
#define X(result, name, parameters, arguments)                                                                                 \
  found = dlsym(RTLD_NEXT, #name);                                                                                             \
  real.name = found ? (result(*) parameters)found : absent_##name;
  REAL_FUNCTIONS(X)
#undef X
}
