/*
 * measured.h - tables of measurements: a row of CSV is one measurement, a column a setting or a figure.
 *
 * Most published tables are of this kind, so a format is a list of columns.
 */
#ifndef STORE_IMPORT_MEASURED_H
#define STORE_IMPORT_MEASURED_H

#include "store/import/csv.h"

enum column_kind {
    COLUMN_END,
    TEXT,     /* a setting */
    PRIVATE,  /* a setting that --anonymize hashes */
    NUMBER,   /* a setting that is a number, times scale */
    FIGURE,   /* times scale */
    POSITIVE, /* a figure of which 0 and negative values mean that nobody measured it */
    LIST,     /* several figures with ; between them */
    TIME,     /* a point in time as text: a figure, in seconds from the first row's */
    UNUSED
};

struct measured_column {
    const char *csv, *name; /* in the file; in the store, with the unit */
    enum column_kind kind;
    double scale;
};

struct measured_table {
    const char *header;  /* what the first line begins with */
    const char *subject; /* of the measurements */
    const struct measured_column *columns;
    const char *const *names; /* of a file without header line; NULL: it has one */
    const char
        *repeated; /* the figure that was measured again and again; NULL: rows are different settings */
};

bool measured_begins(const struct import_head *h, const struct measured_table *t);
int measured_import(struct import *im, const struct measured_table *t, struct err *err);

#endif
