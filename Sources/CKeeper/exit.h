/* Nothing to call: whoever links this ends with it. See exit.c. */
