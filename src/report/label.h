/*
 * label.h - short ways to write names and figures.
 */
#ifndef REPORT_LABEL_H
#define REPORT_LABEL_H

#include <stdbool.h>
#include <stddef.h>

struct json;

/* At most `most` characters of a name, the end replaced by "..." when it is longer; control bytes become
 * spaces. */
char *label_cut(char *buf, size_t size, const char *name, size_t most);

/* An estimate of a result document.  With prediction bounds these are lo and hi, and `predicts` says so. */
struct estimate {
    double mean, lo, hi; /* NAN: not there */
    bool predicts;
};

struct estimate estimate_read(const struct json *object, const char *key); /* an {E}, a number, or absent */
struct estimate estimate_of(double value);
bool estimate_is_known(struct estimate e);

enum label_style {
    LABEL_NUMBER,
    LABEL_PER_S,
    LABEL_GAIN,   /* "x1.62" */
    LABEL_FRAC,   /* "97.1 %" */
    LABEL_CHANGE, /* "+3.1 %" */
    LABEL_S,      /* "8.80 ms" */
    LABEL_BYTES,
    LABEL_USD,
    LABEL_USD_PER_H,
    LABEL_WATT
};

/* "812 [800, 825]/s"; a dash when nothing is known; just the value without an interval.  Returns buf. */
char *label_estimate(char *buf, size_t size, struct estimate e, enum label_style style);
char *label_value(char *buf, size_t size, double value, enum label_style style);

#endif
