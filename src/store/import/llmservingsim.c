/*
 * llmservingsim.c - operator profiles of LLMServingSim, in microseconds.
 *
 * Three tables: layers by tokens (dense.csv), by sequences (per_sequence.csv),
 * and attention by prefill chunk and cached context.  Hardware, model and
 * tensor-parallel degree stand in the path: HARDWARE/ORG/MODEL/tpN/dense.csv.
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

static int rows(struct csv *c, struct import *im, struct err *err)
{
    static const char *const names[] = {"prefill_chunk", "kv_prefill", "n_decode", "kv_decode"};
    const char *tp = import_folder(im, 1), *model = import_folder(im, 2), *hardware = import_folder(im, 4);
    int col[4], time, layer = csv_column(c, "layer"), tokens = csv_column(c, "tokens"),
                      sequences = csv_column(c, "sequences"), rc;
    bool has_path = strncmp(tp, "tp", 2) == 0 && atoi(tp + 2) > 0;

    for (int i = 0; i < 4; i++)
        col[i] = csv_column(c, names[i]);
    TRY(csv_need(c, "time_us", &time, err));
    TRY(csv_end_columns(c, err));
    if (has_path)
        import_title(im, "%s-%s-%s", model, tp, import_base(im));
    while ((rc = csv_next(c, err)) > 0) {
        struct import_cost cost = IMPORT_COST_UNKNOWN;

        cost.hardware = has_path ? hardware : "";
        cost.model = has_path ? model : "";
        cost.devices = has_path ? atoi(tp + 2) : 1;
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
