/*
 * llmservingsim.c - operator profiles of LLMServingSim, in microseconds.
 *
 * Three tables: layers by tokens (dense.csv), by sequences (per_sequence.csv),
 * and attention by prefill chunk and cached context.  Hardware, model and
 * tensor-parallel degree stand in the path: HARDWARE/ORG/MODEL/tpN/dense.csv.
 *
 * A fourth, skew.csv, has attention over contexts of unequal length beside the same kernel over equal
 * ones of the same mean.  Only the quotient of the two says something: both are sums of three forward
 * passes where attention.csv has one (t_mean_us is 3.0 times its time in 99 of 100 rows).
 */
#include "store/import/csv.h"
#include "store/import/formats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int sniff(const struct import_head *h)
{
    return strncmp(h->text, "layer,tokens,time_us", 20) == 0 ||
                   strncmp(h->text, "layer,sequences,time_us", 23) == 0 ||
                   strncmp(h->text, "prefill_chunk,kv_prefill,n_decode,kv_decode,time_us", 51) == 0
               ? 95
               : 0;
}

static int store_row(struct import *im, struct csv *c, struct import_cost *cost, struct err *err)
{
    int rc;

    if (!csv_good(c, &rc, err))
        return rc;
    if (!(cost->time_s >= 0))
        return import_bad(im, 0, "without time_us", err);
    TRY(import_cost(im, cost, err));
    import_keep(im);
    return 0;
}

/* One row mixes a prefill chunk with decodes: chunk and context are the prefill's, the decodes are the
 * variant. */
static int attention_row(struct import *im, struct csv *c, const int *col, struct import_cost *cost,
                         struct err *err)
{
    double chunk = csv_real(c, col[0]), cached = csv_real(c, col[1]), n = csv_real(c, col[2]),
           kv = csv_real(c, col[3]);
    char mixed[80];

    cost->op = chunk > 0 ? (n > 0 ? "attention_mixed" : "attention_prefill") : "attention_decode";
    cost->batch = chunk > 0 ? 1 : n;
    cost->tokens = chunk + n;
    cost->chunk = chunk;
    cost->context = chunk > 0 ? cached : kv;
    if (chunk > 0 && n > 0) {
        snprintf(mixed, sizeof mixed, "decodes=%g,decode_context=%g", n, kv);
        cost->variant = mixed;
    }
    return store_row(im, c, cost, err);
}

/* Of what the path says; the title of the trace too. */
static struct import_cost from_path(struct import *im)
{
    const char *tp = import_folder(im, 1), *model = import_folder(im, 2), *hardware = import_folder(im, 4);
    struct import_cost cost = IMPORT_COST_UNKNOWN;
    bool has_path = strncmp(tp, "tp", 2) == 0 && atoi(tp + 2) > 0;

    cost.hardware = has_path ? hardware : "";
    cost.model = has_path ? model : "";
    cost.devices = has_path ? atoi(tp + 2) : 1;
    if (has_path)
        import_title(im, "%s-%s-%s", model, tp, import_base(im));
    return cost;
}

static int rows(struct csv *c, struct import *im, struct err *err)
{
    static const char *const names[] = {"prefill_chunk", "kv_prefill", "n_decode", "kv_decode"};
    const struct import_cost known = from_path(im);
    int col[4], time, layer = csv_column(c, "layer"), tokens = csv_column(c, "tokens"),
                      sequences = csv_column(c, "sequences"), rc;

    for (int i = 0; i < 4; i++)
        col[i] = csv_column(c, names[i]);
    TRY(csv_need(c, "time_us", &time, err));
    TRY(csv_end_columns(c, err));
    while ((rc = csv_next(c, err)) > 0) {
        struct import_cost cost = known;

        cost.time_s = csv_real(c, time) / 1e6;
        cost.tokens = csv_real(c, tokens);
        cost.batch = csv_real(c, sequences);
        if (layer < 0) {
            TRY(attention_row(im, c, col, &cost, err));
        } else {
            cost.op = csv_text(c, layer);
            TRY(store_row(im, c, &cost, err));
        }
    }
    return rc;
}

static int run(struct import *im, struct err *err)
{
    return csv_import(im, rows, err);
}

const struct importer llmservingsim_ops_importer = {
    .name = "llmservingsim-ops",
    .help = "LLMServingSim layer profile (CSV): dense, per_sequence, attention",
    .units = "time_us in microseconds; hardware, model and tensor parallelism from the path",
    .sniff = sniff,
    .run = run,
};

/* ------------------------------------------------------------ contexts of unequal length */

static int sniff_skew(const struct import_head *h)
{
    return strncmp(h->text, "regime,n,nb,ratio,skew,pc,kp,", 29) == 0 ? 95 : 0;
}

/* chunk and context are the prefill's; the decodes, their mean and their longest are the variant. */
static int skew_rows(struct csv *c, struct import *im, struct err *err)
{
    static const char *const names[] = {"n", "nb", "pc", "kp", "kv_big", "kv_mean", "t_mean_us", "t_skew_us"};
    enum { N, LONG, CHUNK, CACHED, LONGEST, MEAN, EVEN_US, SKEWED_US, COLUMNS };
    /* How the sweep was laid out, a third timing, and a figure made of the other two. */
    static const char *const derived[] = {"regime", "ratio", "skew", "kvs", "t_max_us", "alpha"};
    struct import_cost known = from_path(im);
    int col[COLUMNS], rc;

    for (int i = 0; i < COLUMNS; i++)
        TRY(csv_need(c, names[i], &col[i], err));
    for (size_t i = 0; i < sizeof derived / sizeof *derived; i++)
        csv_ignore(c, derived[i]);
    TRY(csv_end_columns(c, err));
    while ((rc = csv_next(c, err)) > 0) {
        struct import_cost cost = known;
        char uneven[160];

        snprintf(uneven, sizeof uneven, "longs=%g,longest=%g,mean=%g,even_us=%.17g", csv_real(c, col[LONG]),
                 csv_real(c, col[LONGEST]), csv_real(c, col[MEAN]), csv_real(c, col[EVEN_US]));
        cost.op = "attention_uneven";
        cost.variant = uneven;
        cost.batch = csv_real(c, col[N]);
        cost.chunk = csv_real(c, col[CHUNK]);
        cost.context = csv_real(c, col[CACHED]);
        cost.tokens = cost.chunk + cost.batch;
        cost.time_s = csv_real(c, col[SKEWED_US]) / 1e6;
        TRY(store_row(im, c, &cost, err));
    }
    return rc;
}

static int run_skew(struct import *im, struct err *err)
{
    return csv_import(im, skew_rows, err);
}

const struct importer attention_skew_importer = {
    .name = "attention-skew",
    .help = "LLMServingSim attention under uneven context lengths (CSV)",
    .units = "times in microseconds, of three passes; hardware, model and tensor parallelism from the path",
    .sniff = sniff_skew,
    .run = run_skew,
};
