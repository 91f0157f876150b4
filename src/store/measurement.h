/*
 * measurement.h - imported measurements, one struct a row of the published table.
 *
 * A measurement is a subject, the settings it was made under (texts and
 * numbers) and its figures, names with SI units in them.  Everything lives in
 * the arena given.
 */
#ifndef STORE_MEASUREMENT_H
#define STORE_MEASUREMENT_H

#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

struct arena;

struct measured_setting {
    const char *name, *text; /* text: NULL when it is a number */
    double number;           /* NAN when it is a text */
};

struct measured_value {
    const char *name;
    double at; /* bucket bound or place in a series; NAN for single values */
    double value;
};

struct measured_row {
    int64_t seq;
    const char *subject;
    struct measured_setting *settings;
    size_t settings_n;
    struct measured_value *values;
    size_t values_n;
};

/* All measurements of a trace, in the order of the file. */
int measured_load(struct store *s, int64_t trace_id, struct arena *a, struct measured_row **rows, size_t *n,
                  struct err *err);

double measured_number(const struct measured_row *m, const char *setting);    /* NAN when absent or a text */
const char *measured_text(const struct measured_row *m, const char *setting); /* "" when absent or a number */
double measured_figure(const struct measured_row *m, const char *name);       /* the first; NAN when absent */

#endif
