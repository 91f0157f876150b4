/*
 * jread.h - JSON read piece by piece, however large the document is.
 *
 * The caller walks the document in the order it is written; nothing is kept
 * but the string or number just read:
 *
 *     if (jread_enter(r, '{'))
 *         while ((key = jread_member(r)) != NULL)
 *             if (strcmp(key, "dur") == 0)
 *                 dur = jread_real(r);
 *             else if (strcmp(key, "args") == 0 && jread_enter(r, '['))
 *                 while (jread_element(r))
 *                     sum += jread_real(r);
 *
 * A value nobody asked for is passed over by the next jread_member() or
 * jread_element(), so unknown keys need no code.  After a syntax error every
 * function answers "nothing more", all loops end, and jread_bad() says what
 * was wrong and where.
 *
 * Input comes from a source, or from one line of text.  Nesting deeper than
 * JREAD_DEPTH is an error.  Strings are handed out decoded, cut after
 * JREAD_STRING bytes; numbers keep their text, so that integers beyond 2^53 survive.
 * NaN and Infinity, which Python writes, read as null.
 */
#ifndef STORE_IMPORT_JREAD_H
#define STORE_IMPORT_JREAD_H

#include "store/import/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JREAD_DEPTH = 128, JREAD_STRING = 8 << 20, JREAD_KEY = 256 };

struct jread;

struct jread *jread_new(void);
void jread_free(struct jread *r);

void jread_text(struct jread *r, const char *text, size_t n, long line); /* one document in memory */
void jread_source(struct jread *r, struct source *s);                    /* to be read to its end */

/* The first byte of the next value: one of { [ " t f n or '0' for a number; 0 at the end or after an error.
 */
char jread_peek(struct jread *r);

bool jread_enter(struct jread *r, char kind); /* '{' or '['; false (value untouched) if it is another kind */
const char *jread_member(struct jread *r);    /* the next key, valid until the next one; NULL at the end */
bool jread_element(struct jread *r);

/*
 * Values.  Another kind than the one wanted gives NULL, NAN or false and is passed over.  The smallest
 * integer, -2^63, is none: it stands for "unknown" behind this floor.
 */
const char *jread_string(struct jread *r); /* valid until the next string or number */
double jread_real(struct jread *r); /* also from a string that holds a number, as many traces have it */
bool jread_int(struct jread *r, int64_t *out); /* exact; also from a string; 12.0 is an integer too */
bool jread_id(struct jread *r,
              int64_t *out); /* a name that is a number: all 64 bits, above 2^63 as negative */
bool jread_bool(struct jread *r);
const char *jread_scalar(struct jread *r); /* string, number or true/false/null as text; NULL for { and [ */
void jread_skip(struct jread *r);

/* After a whole document: true when another one follows, as in a file of several. */
bool jread_again(struct jread *r);

/* True when only white space follows; otherwise an error is noted. */
bool jread_finished(struct jread *r);

const char *jread_bad(const struct jread *r); /* what is wrong; NULL while nothing is */
long jread_line(const struct jread *r);       /* where it reads: line from 1, ... */
long jread_column(const struct jread *r);     /* ... byte in the line from 1 */
int jread_error(const struct jread *r,
                struct err *err); /* a failure of the source, if that ended it; else 0 */

#endif
