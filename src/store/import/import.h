/*
 * import.h - other people's traces into the store.
 *
 * One file becomes one trace.  A format is one row of the table in formats.c:
 * it says how sure it is about the first bytes of a file, and it reads the file.
 *
 * How an import can be stopped at any moment and still end the same: a format
 * is a pure function of the file, so the rows it hands over come in the same
 * order every time.  They are stored in transactions of IMPORT_BATCH rows,
 * each with the number of rows stored so far.  Importing the file again reads
 * it from its start and stores the rows behind that mark.  The same file with
 * the same options is taken in once (by SHA-256); later imports only report.
 * A file that is refused leaves nothing behind.
 *
 * What is not a number, a known word or the name of something measured never
 * reaches the store: prompt text only with keep_text, credentials never.
 */
#ifndef STORE_IMPORT_IMPORT_H
#define STORE_IMPORT_IMPORT_H

#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct import;

/* What a format is told from. */
struct import_head {
    const char *path, *name; /* name: without folders and endings such as .csv.gz */
    const char *text;        /* decompressed, NUL-terminated */
    size_t n;
};

struct importer {
    const char *name, *help;
    const char *units;                         /* which fields are converted, and traps */
    int (*sniff)(const struct import_head *h); /* 0: no; up to 100: certainly.  NULL: only by --format */
    int (*run)(struct import *im, struct err *err);
    bool repeats; /* equal records are to be expected: they tell neither times nor what is measured */
};

extern const struct importer *const importers[]; /* NULL at the end */

struct import_options {
    const char *format; /* name of an importer, or NULL: find out */
    const char *map;    /* for the formats csv and jsonl, see map.c; NULL: none */
    const char *name;   /* of the trace; NULL: from the file's */
    bool strict, anonymize, keep_text;
};

struct import_count {
    const char *what;
    int64_t n;
    long line; /* first place; 0 if nowhere in particular */
};

/* What became of one file; strings live in the arena given. */
struct import_report {
    const char *file, *format, *trace;
    int64_t trace_id, read, kept, rows;
    bool known; /* it was in the store already */
    struct import_count *skipped, *unknown, *suspect;
    size_t skipped_n, unknown_n, suspect_n;
};

/* Malformed: ERR_TRACE with the place; the store is then as before. */
int import_file(struct store *s, const char *path, const struct import_options *options, struct arena *a,
                struct import_report *out, struct err *err);

#endif
