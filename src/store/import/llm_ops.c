/*
 * llm_ops.c - our own table of operator costs, which is also the easiest to write:
 *
 *     op,tokens,batch,chunk,context,time_s
 *     prefill,512,1,512,0,0.041
 *     decode,8,8,,1024,0.0097
 *
 * Columns that do not apply are empty.  hardware, model, devices, variant,
 * bytes, time_sd_s and power_w may stand there too.  Everything is in SI units.
 */
#include "store/import/csv.h"
#include "store/import/formats.h"

#include <math.h>
#include <string.h>

static int sniff(const struct import_head *h)
{
    return strncmp(h->text, "op,tokens,batch,chunk,context,time_s", 36) == 0 ? 95 : 0;
}

static int rows(struct csv *c, struct import *im, struct err *err)
{
    static const char *const reals[] = {"tokens", "batch",     "chunk",  "context",
                                        "bytes",  "time_sd_s", "power_w"};
    int op, time, real[7], hardware = csv_column(c, "hardware"), model = csv_column(c, "model"),
                           variant = csv_column(c, "variant"), devices = csv_column(c, "devices"), rc;

    TRY(csv_need(c, "op", &op, err));
    TRY(csv_need(c, "time_s", &time, err));
    for (int i = 0; i < 7; i++)
        real[i] = csv_column(c, reals[i]);
    TRY(csv_end_columns(c, err));
    while ((rc = csv_next(c, err)) > 0) {
        struct import_cost cost = IMPORT_COST_UNKNOWN;
        double *const to[] = {&cost.tokens, &cost.batch,     &cost.chunk,  &cost.context,
                              &cost.bytes,  &cost.time_sd_s, &cost.power_w};
        int64_t n = csv_count(c, devices);

        for (int i = 0; i < 7; i++)
            *to[i] = csv_real(c, real[i]);
        cost.op = csv_text(c, op);
        cost.hardware = csv_text(c, hardware);
        cost.model = csv_text(c, model);
        cost.variant = csv_text(c, variant);
        cost.devices = n == IMPORT_NONE ? 1 : n;
        cost.time_s = csv_real(c, time);
        if (csv_good(c, &rc, err) && (*cost.op == '\0' || !(cost.time_s >= 0))) {
            TRY(import_bad(im, 0, "without op, or without a time_s from 0", err));
        } else if (rc == 0 && c->bad == 0) {
            TRY(import_cost(im, &cost, err));
            import_keep(im);
        }
        TRY(rc);
    }
    return rc;
}

static int run(struct import *im, struct err *err)
{
    return csv_import(im, rows, err);
}

const struct importer llm_ops_importer = {
    .name = "llm-ops",
    .help = "operator costs (CSV, our own): op,tokens,batch,chunk,context,time_s",
    .units = "seconds, tokens, bytes, W; columns that do not apply are empty",
    .sniff = sniff,
    .run = run,
};
