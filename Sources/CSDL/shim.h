/* SDL 2 for Swift. SDL.h renames main() unless told not to: a Swift program has its own. */
#define SDL_MAIN_HANDLED 1
#include <SDL2/SDL.h>

/* SDL_WINDOWPOS_CENTERED is built by macros that call macros, which do not import. */
static inline int csdl_window_centered(void) { return (int)SDL_WINDOWPOS_CENTERED; }
