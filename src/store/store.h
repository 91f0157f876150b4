/*
 * store.h - one SQLite file that keeps traces, calibrations and results.
 *
 * Whatever a command found out lives here, so any report can be drawn again
 * and any calibration traced back to the spans it came from.  The schema, with
 * a comment on every column, is in schema.c; docs/store.md explains it to
 * people who query the file with sqlite3.
 *
 * SQLite is used in this folder only.  A store belongs to one thread at a
 * time; several programs may open the same file, one of them writing at any
 * moment (a writer waits up to ten seconds for another).  What a function
 * promises to store is there when it returned 0, even if the program is killed
 * in the next instant; a failure, a full disk included, leaves the old content.
 *
 * All text is kept byte for byte as given, whatever is in it.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/err.h"

struct store;
struct text;

enum store_mode {
    STORE_READ, /* the file must exist; nothing in it is changed */
    STORE_WRITE /* created when missing, brought to the newest schema when older */
};

/* Refuses files that are no foresight store and stores of a newer version (ERR_IO); STORE_READ: ERR_NOFILE.
 */
int store_open(const char *path, enum store_mode mode, struct store **out, struct err *err);
/* A store in memory, for a study that wants the importers and keeps nothing. */
int store_open_memory(struct store **out, struct err *err);
void store_close(struct store *s); /* NULL is fine; an open transaction is undone */

/*
 * Transactions nest: an inner one that is rolled back leaves the outer one as
 * it was, and nothing is on disk until the outermost is committed.  Every
 * storing function is a transaction by itself; these are for storing several
 * things as one.
 */
int store_begin(struct store *s, struct err *err);
int store_commit(struct store *s, struct err *err); /* on failure everything since store_begin is undone */
void store_rollback(struct store *s);

/* Describes the store for `foresight doctor`: versions, counts, soundness.  ERR_IO when it is not sound. */
int store_check(struct store *s, struct text *out, struct err *err);

/* The definitions of all tables and views with their comments, as this program makes them. */
int store_describe_tables(struct store *s, struct text *out, struct err *err);

#endif
