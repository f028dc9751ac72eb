/* alsa-lib for Swift, with what the importer cannot bring over. Every shim says why it is here. */
#ifndef CALSA_SHIM_H
#define CALSA_SHIM_H

#include <alsa/asoundlib.h>

/* Handlers of errors take a variable number of arguments. alsa-lib's own one writes every failed attempt to find a card on
 * standard error, over the picture in a terminal; the error itself comes back as a number. */
static inline void calsa_says_nothing(const char *file, int line, const char *function, int error, const char *format, ...) {
  (void)file, (void)line, (void)function, (void)error, (void)format;
}
static inline void calsa_quiet(void) { snd_lib_error_set_handler(calsa_says_nothing); }

/* errno values as alsa-lib returns them: below zero, from macros that vanish on import. */
static inline int calsa_xrun(void) { return -EPIPE; }
static inline int calsa_suspended(void) { return -ESTRPIPE; }
static inline int calsa_gone(void) { return -ENODEV; }
static inline int calsa_again(void) { return -EAGAIN; }

#endif
