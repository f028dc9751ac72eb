/* A reader that joins a LOSSLESS network receives every message from its join on: the roster's version, the heads that
 * the keeper notes, and the floor that a writer keeps for a newcomer whose cursor is not placed yet.
 *
 * keeper: new version out, then note the head. writer: publish, then look at the version; nothing is retired for a
 * version that is not known, and for a newcomer nothing above the last message that was checked. reader: starts at the
 * noted head.
 *
 * Sources/IPNKeeper: Keeper.connect; Sources/IPN: Outbox.publish, retire, rebuild; Intake.adopt.
 * Must hold as it stands; must fail with -DHEAD_BEFORE_VERSION or -DFLOOR_AT_NEXT. */
#define MESSAGES 4
#define UNSET 99

byte version = 0;
byte head = 0, retired = 0;           /* below `retired` slots are given away */
byte start = UNSET;                   /* noted by the keeper */
byte tail = UNSET;                    /* placed by the reader */

active proctype keeper() {
#ifdef HEAD_BEFORE_VERSION
  start = head;
  version = 1
#else
  version = 1;
  start = head
#endif
}

active proctype writer() {
  byte next = 0, known = 0, checked = 0, floor = 0, keep;
  do
  :: next == MESSAGES -> break
  :: else ->
    next++;
    head = next;                      /* and its fence: all of this runs in memory's order */
    if
    :: version == known -> checked = next
    :: else ->
      known = version;
#ifdef FLOOR_AT_NEXT
      floor = next;
#else
      floor = checked;
#endif
      checked = next
    fi;
    /* retire, now or later */
    if
    :: skip
    :: true ->
      if
      :: version != known ->
        known = version;
        floor = checked
      :: else
      fi;
      keep = next;
      if
      :: known == 1 ->
        if
        :: tail == UNSET -> keep = floor
        :: else -> keep = tail
        fi
      :: else
      fi;
      if
      :: keep > retired -> retired = keep
      :: else
      fi
    fi
  od
}

active proctype reader() {
  start != UNSET;
  tail = start;
  do
  :: tail == MESSAGES -> break
  :: tail < MESSAGES && tail < head ->
    assert(retired <= tail);          /* what it reads is still there */
    tail++
  od
}
