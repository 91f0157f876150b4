/*
 * print.h - results as a person reads them: aligned tables, every estimate with its interval.
 */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include "base/json.h"
#include "pipeline/outcome.h"

/* "41.2 k/s ±0.8 %" (or the interval itself where a relative one says little); returns buf. */
char *print_estimate(char *buf, size_t size, const struct estimate *e, enum unit unit);

/* Words of a sentence, broken before column 80, every line behind `indent` blanks. */
void print_wrapped(const char *text, int indent);
/* The same for a command of a shell: broken before options, and lines that go on end in `more`. */
void print_wrapped_with(const char *text, int indent, const char *more);

void print_outcome(const struct outcome *o);
void print_warnings(const struct scenario *s);

/* To stderr, names in it as harmless to a terminal as text_add_plain() makes them. */
void print_remark(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints a document with a newline and frees it. */
void print_document(struct json *doc);

#endif
