/*
 * azure_llm.c - Azure LLM inference traces: TIMESTAMP,ContextTokens,GeneratedTokens.
 *
 * TIMESTAMP is wall-clock text with 100 ns digits and no zone; arrivals are
 * counted from the first request, whose time is kept as the origin (read as UTC).
 */
#include "store/import/csv.h"
#include "store/import/formats.h"
#include "store/import/when.h"

#include <math.h>
#include <string.h>

static int sniff(const struct import_head *h)
{
    return strstr(h->text, "TIMESTAMP,ContextTokens,GeneratedTokens") != NULL ? 95 : 0;
}

static int rows(struct csv *c, struct import *im, struct err *err)
{
    int at, in, out, rc;
    int64_t origin_ns = IMPORT_NONE, ns;
    struct when_order order = WHEN_ORDER;

    TRY(csv_need(c, "TIMESTAMP", &at, err));
    TRY(csv_need(c, "ContextTokens", &in, err));
    TRY(csv_need(c, "GeneratedTokens", &out, err));
    TRY(csv_end_columns(c, err));
    while ((rc = csv_next(c, err)) > 0) {
        struct import_request r = {.queue_s = NAN, .ttft_s = NAN, .latency_s = NAN};

        r.input_tokens = csv_count(c, in);
        r.output_tokens = csv_count(c, out);
        if (!csv_good(c, &rc, err)) {
            TRY(rc);
            continue;
        }
        if (!when_parse(csv_text(c, at), &ns)) {
            TRY(import_bad(im, 1, "no point in time such as 2023-11-16 18:15:46.6805900", err));
            continue;
        }
        if (origin_ns == IMPORT_NONE)
            import_origin(im, origin_ns = ns);
        r.arrival_s = (double)(ns - origin_ns) / 1e9;
        when_order_add(&order, r.arrival_s);
        TRY(import_request(im, &r, err));
        import_keep(im);
    }
    when_order_report(&order, im);
    return rc;
}

static int run(struct import *im, struct err *err)
{
    return csv_import(im, rows, err);
}

const struct importer azure_llm_importer = {
    .name = "azure-llm",
    .help = "Azure LLM inference trace (CSV): arrivals and token counts",
    .units = "TIMESTAMP is wall-clock text; arrival_s counts from the first request",
    .sniff = sniff,
    .run = run,
};
