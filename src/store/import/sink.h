/*
 * sink.h - what a format calls while it reads a file; used in this folder only.
 *
 * A format reads record by record.  For each record it either hands over rows
 * and says import_keep(), or says import_skip() (nothing in it is of use) or
 * import_bad() (it is malformed).  Times and sizes are handed over in SI units.
 * A double that is NAN and an integer that is IMPORT_NONE are unknown.
 */
#ifndef STORE_IMPORT_SINK_H
#define STORE_IMPORT_SINK_H

#include "store/import/import.h"
#include "store/import/source.h"

#include <stdarg.h>

struct span;

enum { IMPORT_BATCH = 10000 };
#define IMPORT_NONE INT64_MIN

enum import_table {
    TABLE_BLOCK_LENGTH,    /* t part, i block, i tokens */
    TABLE_SPARK_JOB,       /* i job, d start, d end, i succeeded */
    TABLE_SPARK_STAGE,     /* i stage, i attempt, t name, i tasks, d submit, d end, i failed */
    TABLE_SPARK_JOB_STAGE, /* i job, i stage, i parent */
    TABLE_SPARK_EXECUTOR,  /* t executor, t host, i cores, d added, d removed */
    TABLE_SPARK_TASK,      /* see spark.c */
    TABLE_KEPT_TEXT,       /* i record, t name, t text */
    TABLE_REQUEST,
    TABLE_PROMPT_BLOCK,
    TABLE_MEASUREMENT,
    TABLE_FIGURE,
    TABLE_COST,
    TABLES
};

struct import_request {
    double arrival_s;
    int64_t input_tokens, output_tokens;
    const char *class_, *session; /* NULL: "" */
    double queue_s, ttft_s, latency_s;
};

struct import_cost {
    const char *hardware, *model, *op, *variant; /* NULL: "" */
    int64_t devices;
    double tokens, batch, chunk, context, bytes, time_s, time_sd_s, power_w;
};
#define IMPORT_COST_UNKNOWN                                                                                  \
    {                                                                                                        \
        .devices = 1, .tokens = NAN, .batch = NAN, .chunk = NAN, .context = NAN, .bytes = NAN,               \
        .time_s = NAN, .time_sd_s = NAN, .power_w = NAN                                                      \
    }

/* ---------------------------------------------------------------- the file */

struct source *import_source(struct import *im);
const struct import_options *import_options(const struct import *im);
const char *import_path(const struct import *im); /* as first given, also when an import goes on */
const char *import_base(const struct import *im); /* without folders and endings */
/* The k-th folder above the file in its path, 1 the nearest; "" if there is none. */
const char *import_folder(struct import *im, int k);
struct arena *import_arena(struct import *im); /* lives until the file is done */

/* A line that is not blank: 1, with im's place set; 0 at the end.  Too long or with a NUL byte: counted as
 * malformed. */
int import_line(struct import *im, char **line, size_t *n, struct err *err);
void import_at(struct import *im, long line); /* for formats that are not read by lines */
long import_place(const struct import *im);   /* the line it is at */
bool import_has_skipped(const struct import *im);

/* ------------------------------------------------------- what became of it */

void import_keep(struct import *im);
/* One record without use here; `n` records at once with import_skip_n. */
void import_skip(struct import *im, const char *why);
void import_skip_n(struct import *im, const char *why, int64_t n);
/* One malformed record (column 0: nowhere in particular): counted, or with --strict refused. */
int import_bad(struct import *im, long column, const char *why, struct err *err);
int import_unknown(struct import *im, const char *key, struct err *err); /* refused with --strict */
void import_suspect(struct import *im, int64_t n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The whole file is refused. */
int import_refuse(struct import *im, long line, long column, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

void import_title(struct import *im, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void import_origin(struct import *im, int64_t unix_ns); /* Unix time of second 0 */
/* The name as it is, or its hash with --anonymize, which lasts until sixteen more were asked for. */
const char *import_word(struct import *im, const char *name);

/* ------------------------------------------------------------------- rows */

int import_row(struct import *im, enum import_table table, struct err *err, ...); /* as listed above */
int import_request(struct import *im, const struct import_request *r, struct err *err);
/* Belongs to the request handed over last. */
int import_prompt_block(struct import *im, const char *part, int64_t block, struct err *err);
int import_cost(struct import *im, const struct import_cost *c, struct err *err);
int import_span(struct import *im, const struct span *s, struct err *err);

/*
 * A measurement is begun, gets settings and figures in any order, and is ended;
 * one without figures is not stored (import_measure_end then hands out false in
 * *stored).  Names of figures must last until the measurement is ended.
 */
void import_measure(struct import *im, const char *subject);
void import_setting(struct import *im, const char *name, const char *value);      /* "" and NULL: left out */
void import_setting_number(struct import *im, const char *name, double value);    /* NAN: left out */
void import_figure(struct import *im, const char *name, double at, double value); /* value NAN: left out */
int import_measure_end(struct import *im, bool *stored, struct err *err);

#endif
