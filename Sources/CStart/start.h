/* Nothing to call: whoever links this begins with it. See start.c. */
