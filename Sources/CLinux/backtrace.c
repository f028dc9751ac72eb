/* The Swift run-time sets up handlers of its own for seven signals, and a stack for them, where it finds its backtracer: right for
 * a program in Swift, and none of a library's business in a program in C. libipn is linked with `--wrap` around the function that
 * does so (see ld(1)): here it is left to who asks for it by SWIFT_BACKTRACE. */
#include <stdlib.h>

/* There in libipn alone. 0, or an errno. */
extern int __real__swift_installCrashHandler(void) __attribute__((weak));

int __wrap__swift_installCrashHandler(void) { return getenv("SWIFT_BACKTRACE") ? __real__swift_installCrashHandler() : 0; }
