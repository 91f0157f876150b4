/* state.h - what sink.c, notes.c and import.c share about the import that is going on. */
#ifndef STORE_IMPORT_STATE_H
#define STORE_IMPORT_STATE_H

#include "store/import/sink.h"
#include "store/trace.h"

#include <sqlite3.h>

enum { SINK_SPANS = 4096, SINK_OPS = 4096, SINK_WORDS = 16, NOTES_MAX = 200 };

struct json;

enum note_kind { NOTE_SKIPPED, NOTE_UNKNOWN, NOTE_SUSPECT, NOTE_KINDS };

struct notes {
    struct import_count item[NOTES_MAX];
    size_t n;
    size_t last; /* the one counted last: the same reason often comes again */
};

struct cost_op {
    struct import_cost key;
    char *text; /* holds the key's strings */
    int64_t id;
};

struct import {
    struct store *s;
    struct source *source;
    const struct import_options *options;
    const struct importer *importer;
    struct arena *arena;
    const char *path, *base, *title;
    char salt[65];             /* of hashed names; "" until needed */
    char word[SINK_WORDS][16]; /* hashed names handed out last */
    int word_next;
    long line;

    int64_t trace_id, origin_unix_ns;
    int64_t read, kept;
    struct notes notes[NOTE_KINDS];

    int64_t rows, mark; /* handed over so far; stored by an earlier transaction */
    int64_t seq[TABLES], position;
    bool in_batch;
    sqlite3_stmt *insert[TABLES];

    struct span *spans; /* SINK_SPANS of them, on their way to the store */
    size_t spans_n;
    struct arena *span_names;

    struct cost_op *op; /* SINK_OPS of them, by hash */

    struct json *settings; /* of the measurement being put together */
    const char *subject;
    struct {
        const char *name;
        double at, value;
    } * figures;
    size_t figures_n, figures_size;
};

int sink_commit(struct import *im, struct err *err); /* stores what was handed over, with its mark */
/* One sentence about what is in the store of this import. */
int describe_import(struct import *im, char *out, size_t size, struct err *err);

void sink_abandon(struct import *im); /* undoes what is not committed */

#endif
