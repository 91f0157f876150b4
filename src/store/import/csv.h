/*
 * csv.h - comma-separated values with a header line, record by record.
 *
 * RFC 4180: quoted fields may hold commas, doubled quotes and line ends.
 * Columns are known by name, so their order and additional ones do not matter;
 * those that nobody asks for are reported as unknown.
 */
#ifndef STORE_IMPORT_CSV_H
#define STORE_IMPORT_CSV_H

#include "store/import/sink.h"

enum { CSV_FIELDS = 256, CSV_RECORD_MAX = 1 << 20 /* of a record that spans lines */ };

struct csv {
    struct import *im;
    const char *name[CSV_FIELDS]; /* of the columns; in the import's arena */
    bool asked[CSV_FIELDS];
    int columns;
    char *field[CSV_FIELDS]; /* of the record; until the next one */
    int fields;
    int bad; /* column of the first field that is not what was asked for, from 1; 0: all well */
    const char *why;
    long line;    /* where the record begins */
    char *record; /* one that spans lines */
    size_t record_n, record_size;
};

/* The whole of a CSV importer's run(): opens, calls `rows`, which reads records to the end, closes. */
int csv_import(struct import *im, int (*rows)(struct csv *c, struct import *im, struct err *err),
               struct err *err);

/* Reads the header; with `names` (NULL at the end) the file has none and its columns are called so. */
int csv_open(struct csv *c, struct import *im, const char *const *names, struct err *err);
void csv_close(struct csv *c);

int csv_column(struct csv *c, const char *name); /* place of a column, -1 if there is none */
int csv_need(struct csv *c, const char *name, int *column, struct err *err); /* refused if there is none */
void csv_ignore(struct csv *c, const char *name);                            /* known, not wanted */
int csv_end_columns(struct csv *c, struct err *err); /* reports the columns nobody asked for */

/* The next record with as many fields as the header: 1; 0 at the end.  Others are counted as malformed. */
int csv_next(struct csv *c, struct err *err);

/* Fields of the record.  Absent or empty: NAN, IMPORT_NONE, "".  Anything else than asked for sets c->bad. */
double csv_real(struct csv *c, int column);
int64_t csv_count(struct csv *c, int column); /* a whole number from 0 */
const char *csv_text(struct csv *c, int column);

/* Call when all fields of the record are read: true when all were well, else the record is counted as
 * malformed. */
bool csv_good(struct csv *c, int *rc, struct err *err);

#endif
