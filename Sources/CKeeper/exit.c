/* A policy that leaves by _exit(2) or _Exit(3) finds these: a program's functions come before the C library's. Those stay the C library's
 * for itself: exit(3) has handlers. */
#include "CLinux.h"

#define EXPORT __attribute__((visibility("default"), used))

EXPORT void _exit(int status) { linux_exit_at_once(status); }
EXPORT void _Exit(int status) { linux_exit_at_once(status); }
