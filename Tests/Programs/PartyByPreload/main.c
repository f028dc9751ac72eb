#define _GNU_SOURCE
#include "../Party/main.h"
