/*
 * sql.h - the few lines between this floor and SQLite; used in this folder only.
 *
 * Values reach SQLite as bound parameters, never inside the statement's text.
 * A double that is NAN is kept as NULL and read back as NAN.
 */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include "store/store.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct store {
    sqlite3 *db;
    char *path;
    int failed; /* SQLite's code of the last failure that sql_fail told */
    int depth;  /* open transactions, nested ones counted */
};

/* Turns what SQLite last complained about into an ERR_IO that names the file and what was being done. */
int sql_fail(struct store *s, const char *doing, struct err *err);

/* Runs statements without parameters or rows. */
int sql_exec(struct store *s, const char *sql, struct err *err);

/*
 * Prepares `sql` and binds what follows `types`, one letter each: t const char * (NULL becomes ""), i
 * int64_t, d double.  sql_query hands out the statement, to be finalized by the caller; sql_do runs it to its
 * end.
 */
int sql_query(struct store *s, sqlite3_stmt **out, struct err *err, const char *sql, const char *types, ...);
int sql_do(struct store *s, struct err *err, const char *sql, const char *types, ...);

/* 1 a row is there, 0 the statement is done, negative: failed. */
int sql_step(struct store *s, sqlite3_stmt *st, struct err *err);

/* The first column of the first row of a statement without parameters; 0 when there is no row. */
int sql_number(struct store *s, const char *sql, int64_t *out, struct err *err);

const char *sql_text(sqlite3_stmt *st, int column, struct arena *a); /* copied; NULL becomes "" */
double sql_real(sqlite3_stmt *st, int column);

/* Room for row number n in an array that grows inside an arena; returns the array, perhaps moved. */
void *sql_grow(struct arena *a, void *rows, size_t n, size_t row_size);

/* `name` fit for a one-line message: control bytes become '?', long names are cut; returns buf. */
char *sql_shown(char *buf, size_t size, const char *name);

/*
 * ERR_USAGE for a name that was not found: suggests the nearest of the names that `names_sql` selects, or
 * lists some of them, or says that there are none and what makes one (`how`).
 */
int sql_not_found(struct store *s, const char *what, const char *name, const char *names_sql, const char *how,
                  struct err *err);

#endif
