/* No lost wake-up: FENCE publish with FENCE arm, and, with the names changed, FENCE wait with FENCE room.
 *
 * One side says "there is something" (head; a reader's tail) and looks whether the other sleeps (armed; waiting). The
 * other says "I am about to sleep" and looks whether there is something. A store stands in its processor's buffer until
 * it is written back, at any later moment; a fence waits for that. Without either fence both looks may come too early.
 * A writer that waits for a quarter of its pool is in room.pml.
 *
 * Sources/IPNRing: PoolWriter.publish, Inbox.arm; Inbox.advance; Sources/IPN: Outbox.waitForRoom.
 * Must hold as it stands; must fail with -DNO_FENCE_PUBLISH or -DNO_FENCE_ARM. */
#define MESSAGES 3

byte head = 0, armed = 0;             /* as memory has them */
byte own_head = 0, own_armed = 0;     /* as their writers see them: what differs stands in a buffer */
bool bell = false;
bool done = false;

#define flushed_head (own_head == head)
#define flushed_armed (own_armed == armed)

active proctype buffers() {           /* writes back whenever it likes */
  do
  :: atomic { !flushed_head -> head = own_head }
  :: atomic { !flushed_armed -> armed = own_armed }
  :: done && flushed_head && flushed_armed -> break
  od
}

active proctype writer() {
  byte i = 0, rung = 0;
  do
  :: i == MESSAGES -> break
  :: else ->
    own_head = own_head + 1;
#ifndef NO_FENCE_PUBLISH
    flushed_head;
#endif
    if                                /* one stroke for each sleep: odd numbers are sleeps */
    :: atomic { (armed % 2 == 1 && armed != rung) -> rung = armed }; bell = true
    :: else
    fi;
    i++
  od
}

active proctype reader() {
  byte tail = 0, sleeps = 0;
  do
  :: tail == MESSAGES -> break
  :: tail < MESSAGES && tail < head -> tail++
  :: else ->
    bell = false;                     /* silence, then arm, then look again */
    sleeps = sleeps + 2;
    own_armed = sleeps - 1;
#ifndef NO_FENCE_ARM
    flushed_armed;
#endif
    if
    :: tail < head
    :: else -> bell                   /* a sleep that nobody ends is a deadlock: an invalid end state */
    fi;
    own_armed = sleeps
  od;
  done = true
}
