#define _GNU_SOURCE
#define PARTY_LIBRARY
#include "../Party/main.h"
