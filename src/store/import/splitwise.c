/*
 * splitwise.c - whole-model performance of Splitwise: prompt, token and end-to-end time, and power.
 *
 * Times are in milliseconds; token_time is the mean per output token; power is
 * a fraction of the GPU's TDP.  Each row becomes a measurement and two operator
 * costs: prefill of the prompts, and one decode step half-way through the output.
 */
#include "store/import/csv.h"
#include "store/import/formats.h"

#include <math.h>
#include <string.h>

enum { MODEL, HARDWARE, PROMPT, BATCH, TOKENS, PEAK, AVERAGE, PROMPT_TIME, TOKEN_TIME, E2E, TP, COLUMNS };

static const char *const names[COLUMNS] = {"model",      "hardware",   "prompt_size",    "batch_size",
                                           "token_size", "peak_power", "average_power",  "prompt_time",
                                           "token_time", "e2e_time",   "tensor_parallel"};

static int sniff(const struct import_head *h)
{
    return strncmp(h->text, "model,hardware,prompt_size,batch_size,token_size,", 49) == 0 ? 95 : 0;
}

static int store_row(struct csv *c, const int *col, struct err *err)
{
    struct import *im = c->im;
    double v[COLUMNS];
    int rc;
    bool stored;

    for (int i = PROMPT; i < COLUMNS; i++)
        v[i] = csv_real(c, col[i]);
    if (!csv_good(c, &rc, err))
        return rc;
    if (!(v[PROMPT_TIME] >= 0) || !(v[TOKEN_TIME] >= 0) || !(v[TP] >= 1 && v[TP] < 1e6))
        return import_bad(im, 0, "without prompt_time, token_time or tensor_parallel", err);
    import_measure(im, "serving");
    import_setting(im, "model", csv_text(c, col[MODEL]));
    import_setting(im, "hardware", csv_text(c, col[HARDWARE]));
    import_setting_number(im, "input_tokens", v[PROMPT]);
    import_setting_number(im, "batch", v[BATCH]);
    import_setting_number(im, "output_tokens", v[TOKENS]);
    import_setting_number(im, "tp", v[TP]);
    import_figure(im, "ttft_s", NAN, v[PROMPT_TIME] / 1e3);
    import_figure(im, "tpot_s", NAN, v[TOKEN_TIME] / 1e3);
    import_figure(im, "latency_s", NAN, v[E2E] / 1e3);
    import_figure(im, "peak_power_frac", NAN, v[PEAK]);
    import_figure(im, "average_power_frac", NAN, v[AVERAGE]);
    TRY(import_measure_end(im, &stored, err));
    for (int decode = 0; decode < 2; decode++) {
        struct import_cost cost = IMPORT_COST_UNKNOWN;

        cost.hardware = csv_text(c, col[HARDWARE]);
        cost.model = csv_text(c, col[MODEL]);
        cost.devices = (int64_t)v[TP];
        cost.op = decode ? "decode" : "prefill";
        cost.batch = v[BATCH];
        cost.tokens = decode ? v[BATCH] : v[BATCH] * v[PROMPT];
        cost.chunk = decode ? NAN : v[PROMPT];
        cost.context = decode ? v[PROMPT] + v[TOKENS] / 2 : 0;
        cost.time_s = v[decode ? TOKEN_TIME : PROMPT_TIME] / 1e3;
        TRY(import_cost(im, &cost, err));
    }
    import_keep(im);
    return 0;
}

static int rows(struct csv *c, struct import *im, struct err *err)
{
    int col[COLUMNS], rc;

    (void)im;
    for (int i = 0; i < COLUMNS; i++)
        TRY(csv_need(c, names[i], &col[i], err));
    TRY(csv_end_columns(c, err));
    while ((rc = csv_next(c, err)) > 0)
        TRY(store_row(c, col, err));
    return rc;
}

static int run(struct import *im, struct err *err)
{
    return csv_import(im, rows, err);
}

const struct importer splitwise_importer = {
    .name = "splitwise",
    .help = "Splitwise performance table (CSV): prompt, token and end-to-end time, power",
    .units = "times in ms; power as a fraction of TDP",
    .sniff = sniff,
    .run = run,
};
