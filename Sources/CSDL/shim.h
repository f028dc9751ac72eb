/* SDL 2 for Swift. SDL.h renames main() unless told not to: a Swift program has its own. */
#define SDL_MAIN_HANDLED 1
#include <SDL2/SDL.h>
#include <dlfcn.h>

/* alsa-lib prints every failed attempt to find a card on standard error, over the picture in a terminal. SDL links it on
 * some systems; the error itself comes back through SDL. */
static inline void csdl_alsa_says_nothing(const char *file, int line, const char *function, int error, const char *format, ...) {
  (void)file, (void)line, (void)function, (void)error, (void)format;
}
static inline void csdl_quiet_alsa(void) {
  int (*set_handler)(void (*)(const char *, int, const char *, int, const char *, ...)) =
      (int (*)(void (*)(const char *, int, const char *, int, const char *, ...)))dlsym(NULL /* everything that is loaded */, "snd_lib_error_set_handler");
  if (set_handler) set_handler(csdl_alsa_says_nothing);
}

/* SDL_WINDOWPOS_CENTERED is built by macros that call macros, which do not import. */
static inline int csdl_window_centered(void) { return (int)SDL_WINDOWPOS_CENTERED; }

/* AUDIO_F32SYS is chosen by the byte order of the machine with #if, and may vanish on import. */
static inline SDL_AudioFormat csdl_audio_f32(void) { return AUDIO_F32SYS; }
