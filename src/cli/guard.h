/*
 * guard.h - what is printed on a terminal shows, and commands nothing.
 *
 * Names of stages, owners, traces come from files that others wrote, and commands print them in many places.
 * Where stdout is a terminal, it is given a door of its own: control characters (see text_control()) leave it
 * as '?'.  Files and pipes get their bytes as they are.
 */
#ifndef CLI_GUARD_H
#define CLI_GUARD_H

void guard_terminal(void); /* once, before anything is printed */

#endif
