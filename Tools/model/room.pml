/* No stalled LOSSLESS writer: one with a full pool sleeps until all have read a quarter of it (here: two of four), and is rung by
 * each reader once, when it has come there; the last one's stroke ends the sleep. FENCE wait with FENCE room.
 *
 * The writer says how far it wants them (wanted), then that it sleeps (waiting), fences, and looks at the tails. A reader says how far
 * it is (tail), fences, and looks whether the writer sleeps, then at what it wants. Stores stand in a buffer until written back; what
 * follows a releasing store may overtake it, what precedes it may not.
 *
 * The sleep has no bound here, so what holds holds without the millisecond of the code. That is for something else: a reader
 * that wants an answer before it reads on (ANSWER) would wait for a writer that waits for it, as it would not where the writer
 * took room for a single message.
 *
 * Sources/IPN: Outbox.waitForQuarter, waitForRoom; Intake.ringWaiting. Sources/IPNRing: Inbox.advance.
 * Must hold as it stands, and with -DANSWER -DBOUND; must fail with -DNO_FENCE_WAIT, -DNO_FENCE_ROOM, -DNO_SECOND_LOOK,
 * -DWANTED_AFTER_WAITING, -DRUNG_TOO_EARLY or -DANSWER alone. */
#define READERS 2
#define LIMIT 4
#define QUARTER 2
#ifdef BOUND
#define MESSAGES 5
#else
#define MESSAGES 7
#endif

byte head = 0;                        /* that readers hear of it is wake.pml's affair */
byte tail[READERS], own_tail[READERS];
byte waiting = 0, own_waiting = 0;    /* odd: asleep, each sleep under a number of its own */
byte wanted = 0, own_wanted = 0;
bool bell = false;

#define flushed(word) (own_##word == word)
#define slowest(result) result = (tail[0] < tail[1] -> tail[0] : tail[1])
#define hasRoom (next - slow < LIMIT)

active proctype buffers() {           /* writes back whenever it likes; end: it may do so for ever */
end:
  do
  :: atomic { own_tail[0] != tail[0] -> tail[0] = own_tail[0] }
  :: atomic { own_tail[1] != tail[1] -> tail[1] = own_tail[1] }
  :: atomic { !flushed(wanted) -> wanted = own_wanted }
#ifdef WANTED_AFTER_WAITING
  :: atomic { !flushed(waiting) -> waiting = own_waiting }
#else
  :: atomic { !flushed(waiting) && flushed(wanted) -> waiting = own_waiting }
#endif
  od
}

inline fall_asleep() {
  sleeps = sleeps + 2;
  own_waiting = sleeps - 1;
#ifndef NO_FENCE_WAIT
  flushed(waiting) && flushed(wanted)
#endif
}

active proctype writer() {
  byte next = 0, sleeps = 0, slow = 0;
  do
  :: next == MESSAGES -> break
  :: else ->
    slowest(slow);
    if
    :: hasRoom
    :: else ->
      own_wanted = slow + QUARTER;    /* waitForQuarter */
      fall_asleep();
      do
#ifdef NO_SECOND_LOOK
      :: atomic { bell -> bell = false };
         slowest(slow);
         if
         :: slow >= own_wanted -> break
         :: else
         fi
#else
      :: slowest(slow);
         if
         :: slow >= own_wanted -> break
         :: else ->
           if
           :: atomic { bell -> bell = false }
#ifdef BOUND
           :: true -> break           /* the time may be over at any moment */
#endif
           fi
         fi
#endif
      od;
      if
      :: hasRoom
      :: else ->                      /* waitForRoom: any room */
        own_wanted = 0;
        do
        :: fall_asleep();
           slowest(slow);
           if
           :: hasRoom -> break
           :: else -> atomic { bell -> bell = false }
           fi
        od
      fi;
      own_waiting = sleeps
    fi;
    next++;
    head = next
  od
}

active [READERS] proctype reader() {
  byte me = _pid - 2, rung = 0, seen;
  do
  :: own_tail[me] == MESSAGES -> break
#ifdef ANSWER
  :: own_tail[me] < head && (own_tail[me] != 1 || head > LIMIT) ->
#else
  :: own_tail[me] < head ->
#endif
    own_tail[me] = own_tail[me] + 1;
#ifndef NO_FENCE_ROOM
    own_tail[me] == tail[me];
#endif
    seen = waiting;
    if
    :: seen % 2 == 1 && seen != rung ->
      if
#ifdef RUNG_TOO_EARLY
      :: rung = seen; bell = true
#else
      :: own_tail[me] >= wanted -> rung = seen; bell = true
      :: else
#endif
      fi
    :: else
    fi
  od
}
