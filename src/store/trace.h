/*
 * trace.h - what was measured: spans of operators, grouped into traces.
 *
 * A trace is one execution (kind "exec"), one measurement of operators alone
 * ("profile"), somebody else's recording ("import") or what a simulation says
 * would happen ("simulated": never taken for a measurement).  Names need not be
 * unique: a name means the newest trace of that name.
 *
 * Strings that loading functions hand out live in the arena the caller gave;
 * strings inside a span given to a span_fn only live until that function returns.
 */
#ifndef STORE_TRACE_H
#define STORE_TRACE_H

#include "store/store.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct arena;

/* One thing that a stage did: an operator on a batch, in one thread.  Times count from the trace's start. */
struct span {
    const char *stage, *op; /* "prep", "hash" */
    const char *variant;    /* switches that change the operator's cost: "zstd/session"; "" when none */
    int64_t item;           /* which item; -1 none */
    int worker;
    double start_s, end_s;
    double cpu_s; /* CPU time of the thread; NAN if unknown */
    /* What the operator worked on, as its model counts it; NAN if unknown. */
    double items, bytes_in, bytes_out;
};

/* The stage of spans that are whole requests of an execution, from when each was to begin to when it ended. */
#define TRACE_REQUESTS "(requests)"

struct trace_info {
    const char *name, *kind;                                   /* kind: one of the four above */
    const char *scenario, *scenario_sha256, *host_json, *note; /* NULL is kept as "" */
    uint64_t seed;
};

struct trace_row {
    int64_t id;
    struct trace_info info;
    const char *created; /* "2026-01-31T12:00:00Z" */
    int64_t spans;
    /* Of an import: its format, all its rows (spans too), and how many things in it look wrong; "", spans, 0
     * otherwise. */
    const char *format;
    int64_t rows, suspects;
};

/* Per stage, operator and variant: how often, for how long, on what. */
struct trace_op {
    const char *stage, *op, *variant;
    int64_t n;
    double cpu_s;                      /* sum over the spans that know theirs; NAN if none does */
    double wall_mean_s;                /* mean of end_s - start_s */
    double items, bytes_in, bytes_out; /* sums; NAN if unknown throughout */
};

int trace_create(struct store *s, const struct trace_info *info, int64_t *trace_id, struct err *err);

/* One transaction.  A span without finite times, or that ends before it starts: ERR_TRACE, nothing is stored.
 */
int trace_append(struct store *s, int64_t trace_id, const struct span *spans, size_t n, struct err *err);

/* An id or else a name, "latest" or "latest:KIND".  Nothing found: ERR_USAGE, with the nearest name. */
int trace_find(struct store *s, const char *name_or_id, int64_t *trace_id, struct err *err);

/* The same for what wants measurements: a simulated one is refused (ERR_USAGE). */
int trace_find_recorded(struct store *s, const char *name_or_id, int64_t *trace_id, struct err *err);

/* Newest first; kind NULL: all. */
int trace_list(struct store *s, const char *kind, struct arena *a, struct trace_row **rows, size_t *n,
               struct err *err);
int trace_info_load(struct store *s, int64_t trace_id, struct arena *a, struct trace_row *out,
                    struct err *err);
int trace_remove(struct store *s, int64_t trace_id,
                 struct err *err); /* its spans go too; calibrations stay */

/* A return value other than 0 stops the walk and is passed on. */
typedef int span_fn(void *ctx, const struct span *s, struct err *err);

/*
 * Walks the spans, operator by operator (in the order in which operators first
 * appeared), each operator's spans in the order they were appended.  stage or
 * op NULL: all.  `fn` must not append to this trace.
 */
int trace_each(struct store *s, int64_t trace_id, const char *stage, const char *op, span_fn *fn, void *ctx,
               struct err *err);

int trace_summary(struct store *s, int64_t trace_id, struct arena *a, struct trace_op **rows, size_t *n,
                  struct err *err);

enum trace_format {
    TRACE_CSV,   /* RFC 4180, a header line, numbers that read back as the same double; a span, or else a
                    request, an   operator's cost, a figure a line */
    TRACE_CHROME /* Chrome trace event JSON (Perfetto): spans or requests; a process per stage, a thread per
                    lane of a worker; slices of a thread nest and never overlap */
};

int trace_export(struct store *s, int64_t trace_id, enum trace_format format, FILE *out, struct err *err);

#endif
