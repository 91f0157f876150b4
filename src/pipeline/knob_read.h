/*
 * knob_read.h - the inside of reading knobs, shared by its two parts and by nobody else.
 *
 *   knob.c         paths, listed values, the level that the scenario has
 *   knob_range.c   a range: its ends, step or points, and the grid that follows
 */
#ifndef PIPELINE_KNOB_READ_H
#define PIPELINE_KNOB_READ_H

#include "base/param.h"
#include "pipeline/knob.h"

struct knob_reader {
    const struct json *tree, *json;
    const char *where; /* "FILE: $.knobs[2]" */
    struct arena *a;
    const struct param *row;   /* of the first path in the parameter table; NULL: it has none */
    const struct param **rows; /* of each path */
    struct knob *k;
    struct err *err;
};

int knob_bad_key(const struct knob_reader *r, const char *key, const char *what); /* the error's code */
int knob_check_value(const struct knob_reader *r, const struct json *v,
                     const char *where); /* every path must be able to take it */
bool knob_is_number(const struct param *row);
double knob_between(double lo, double hi, bool is_log, double share);

int knob_read_range(struct knob_reader *r);

#endif
