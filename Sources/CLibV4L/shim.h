/* libv4l2 for Swift, which converts what a camera gives into what was asked for. Every shim says why it is here. */
#ifndef CLIBV4L_SHIM_H
#define CLIBV4L_SHIM_H

#include <errno.h>
#include <libv4l2.h>
#include <stdio.h>
#include <sys/mman.h>

/* What goes wrong it writes on standard error beside what it returns, unless it has a file for that: a global variable, which
 * Swift takes for shared state. 0, or an errno; the descriptor stays its opener's if it fails. */
static inline int clibv4l_take(int descriptor) {
    if (!v4l2_log_file) v4l2_log_file = fopen("/dev/null", "we");
    return v4l2_fd_open(descriptor, 0) < 0 ? (errno ? errno : EINVAL) : 0;
}

/* v4l2_ioctl is variadic. 0, or an errno; EINTR is tried again. */
static inline int clibv4l_call(int descriptor, unsigned long request, void *argument) {
    while (v4l2_ioctl(descriptor, request, argument) < 0)
        if (errno != EINTR) return errno;
    return 0;
}

/* MAP_FAILED is a cast inside a macro. NULL with errno in *error. */
static inline void *clibv4l_map(int descriptor, size_t length, unsigned offset, int *error) {
    void *base = v4l2_mmap(NULL, length, PROT_READ, MAP_SHARED, descriptor, offset);
    *error = base == MAP_FAILED ? errno : 0;
    return base == MAP_FAILED ? NULL : base;
}

#endif
