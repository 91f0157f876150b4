/*
 * color.h - colours of verdicts and marks, where a person reads.
 *
 * auto: on a terminal, unless NO_COLOR is set or TERM is dumb.  The meaning never hangs on the colour: it
 * only repeats what the word says.  A painted string has no width of its own, so pad first, paint then.
 */
#ifndef CLI_COLOR_H
#define CLI_COLOR_H

enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
void color_choose(enum color_mode mode); /* once, while the command line is read */

enum paint { PAINT_GOOD, PAINT_BAD, PAINT_DOUBT, PAINT_FAINT };

/* What goes around text on stdout: "" where there is no colour. */
const char *paint(enum paint p);
const char *paint_end(void);

const char *paint_verdict(const char *verdict); /* of rank: "helps", "hurts", ... */

#endif
