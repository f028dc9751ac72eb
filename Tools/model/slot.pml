/* No message is read while it is overwritten, on a LOSSY network: FENCE retire with FENCE pin.
 *
 * The writer raises `oldest`, fences, looks at the pin, and only then gives the slot away. The reader copies the ring's
 * entry, pins the sequence, fences, and looks at `oldest`: if that has not passed, copy and slot are good for as long as
 * it likes. Stores stand in a buffer until written back; a fence waits for that.
 *
 * Sources/IPNRing: PoolWriter.publish, retire; WriterView.take.
 * Must hold as it stands; must fail with -DNO_FENCE_RETIRE, -DNO_FENCE_PIN or -DENTRY_AFTER_PIN. */
#define LIMIT 1     /* messages that a slow reader may have pending */
#define RING 2
#define SLOTS 3     /* LIMIT, a pin, and one to write to */
#define MESSAGES 5
#define NONE 99

byte slot[SLOTS];                     /* the sequence that a slot's bytes belong to; NONE while they are written */
byte entry[RING];                     /* sequence -> slot */
byte head = 0;
byte oldest = 0, own_oldest = 0;
byte pin = NONE, own_pin = NONE;
bool done = false;

active proctype buffers() {
  do
  :: atomic { oldest != own_oldest -> oldest = own_oldest }
  :: atomic { pin != own_pin -> pin = own_pin }
  :: done && oldest == own_oldest && pin == own_pin -> break
  od
}

active proctype writer() {
  byte next = 0, i, free;
  byte holds[SLOTS];                  /* NONE: free; else the sequence that is in it */
  for (i : 0 .. SLOTS - 1) { holds[i] = NONE }
  do
  :: next == MESSAGES -> break
  :: else ->
    if
    :: next - own_oldest >= LIMIT ->
      own_oldest = next - LIMIT + 1;  /* retire */
#ifndef NO_FENCE_RETIRE
      oldest == own_oldest;
#endif
      for (i : 0 .. SLOTS - 1) {
        if
        :: holds[i] != NONE && holds[i] < own_oldest && holds[i] != pin -> holds[i] = NONE
        :: else
        fi
      }
    :: else
    fi;
    free = NONE;
    for (i : 0 .. SLOTS - 1) {
      if
      :: holds[i] == NONE -> free = i
      :: else
      fi
    }
    assert(free != NONE);             /* a LOSSY writer never waits */
    slot[free] = NONE;
    slot[free] = next;
    holds[free] = next;
    entry[next % RING] = free;
    head = next + 1;
    next++
  od
}

active proctype reader() {
  byte tail = 0, copy, looked, seen = 0, lost = 0;
  do
  :: tail == MESSAGES -> break
  :: tail < MESSAGES && tail < head ->
#ifndef ENTRY_AFTER_PIN
    copy = entry[tail % RING];
#endif
    own_pin = tail;
#ifndef NO_FENCE_PIN
    pin == own_pin;
#endif
    looked = oldest;
    if
    :: looked > tail -> lost = lost + (looked - tail); tail = looked
    :: else ->
#ifdef ENTRY_AFTER_PIN
      copy = entry[tail % RING];
#endif
      assert(slot[copy] == tail);     /* the first byte */
      assert(slot[copy] == tail);     /* and the last, as late as it likes */
      seen++;
      tail++
    fi;
    own_pin = NONE
  od;
  assert(seen + lost == MESSAGES);    /* losses are counted exactly */
  done = true
}
