/*
 * progress.h - what a long command shows on stderr while it works.
 *
 * auto draws one rewritten line when stderr is a terminal and nothing when it
 * is not; plain prints one line per step; json one object per step; none is
 * silent.  Any thread may call progress_step().
 */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdbool.h>

enum progress_mode { PROGRESS_AUTO, PROGRESS_PLAIN, PROGRESS_JSON, PROGRESS_NONE };

struct progress;

struct progress *progress_new(enum progress_mode mode, bool quiet);
void progress_free(struct progress *p); /* ends the line; NULL is fine */

/* All accept p == NULL and then do nothing. `total` <= 0 means unknown. */
void progress_begin(struct progress *p, const char *what, double total);
void progress_step(struct progress *p, double done, const char *detail); /* done so far, of total; detail may be NULL */
void progress_end(struct progress *p);

#endif
