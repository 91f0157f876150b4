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

/* An estimate of a result document.  NAN: not there. */
struct estimate {
    double mean, lo, hi;     /* lo, hi: what the simulation's own sampling leaves open */
    double pred_lo, pred_hi; /* with the uncertainty of calibrated parameters added */
};

struct estimate estimate_read(const struct json *object, const char *key); /* an {E}, a number, or absent */
struct estimate estimate_of(double value);
bool estimate_is_known(struct estimate e);
struct estimate estimate_widest(struct estimate e); /* lo, hi are the prediction's where there is one */

enum label_style {
    LABEL_NUMBER,
    LABEL_COUNT, /* whole */
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
char *label_interval(char *buf, size_t size, struct estimate e,
                     enum label_style style); /* "[800, 825]" or "" */
char *label_value(char *buf, size_t size, double value, enum label_style style);

#endif
