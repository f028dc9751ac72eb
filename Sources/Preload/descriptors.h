/* descriptors.h: how a number becomes ours. */
#ifndef PRELOAD_DESCRIPTORS_H
#define PRELOAD_DESCRIPTORS_H

#include "library.h"

#pragma GCC visibility push(hidden)

/* Enters a descriptor that libipn has made; where the number is beyond the table, closes it: EMFILE. Returns it, or -1. */
int take(int made);
/* Enters a descriptor from elsewhere, if it is one of ours: inherited, or sent over a Unix socket. */
void recognize(int fd);
/* Whether this is a child that borrows its parent's memory until it calls exec (vfork): what it does to its own
 * descriptors must leave no trace here. */
bool is_borrower(void);

#pragma GCC visibility pop
#endif
