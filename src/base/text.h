/*
 * text.h - growing strings, nearest names, hashes, safe files.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* A string that grows.  Start with {0}; text_free() when done. `s` is always terminated once anything was added. */
struct text {
    char *s;
    size_t len, cap;
};

void text_add(struct text *t, const char *s);
void text_add_n(struct text *t, const char *s, size_t n);
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_add_html(struct text *t, const char *s); /* & < > " ' become entities; control bytes become '?' */
void text_add_plain(struct text *t, const char *s); /* for a terminal: what text_control() finds becomes '?' */
void text_free(struct text *t);

/*
 * How many bytes at s are a character that commands rather than shows: control characters, those of ISO 6429
 * above 0x80, marks that turn the direction of writing.  A line's end and a tab are none of them; 0: none.
 */
size_t text_control(const char *s);

/* The name nearest to `found` by edit distance, or NULL when none is near enough to suggest. */
const char *text_nearest(const char *found, const char *const *names, size_t n);

/* Adds `did you mean "x"? (allowed: a, b, c)`, which ends a message about a name that is not among `names`. */
void text_add_suggestion(struct text *t, const char *found, const char *const *names, size_t n);

/* Lower-case hexadecimal SHA-256; out needs 65 bytes. */
void text_sha256(const void *data, size_t n, char out[65]);

/* Reads a whole file and puts a NUL after it; caller frees *out. "-" is stdin; `len` may be NULL. */
int text_read_file(const char *path, char **out, size_t *len, struct err *err);

/* Writes to a temporary name beside `path`, syncs, renames: never half a file. "-" is stdout; devices and pipes
 * are written in place. */
int text_write_file(const char *path, const void *data, size_t n, struct err *err);

#endif
