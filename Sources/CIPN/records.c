/* The headers are the target; this file makes the compiler see each of them alone, asserts included. */
#include "ipn.h"
#include "ipn_control.h"
#include "ipn_media.h"
#include "ipn_policy.h"
#include "ipn_records.h"
