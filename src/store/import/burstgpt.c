/*
 * burstgpt.c - BurstGPT traces, and token lengths without times as Vidur keeps them.
 *
 * Timestamp and Elapsed time are in seconds.  A request without response
 * tokens failed upstream; it is kept, and counted as odd.
 */
#include "store/import/csv.h"
#include "store/import/formats.h"
#include "store/import/when.h"

#include <math.h>
#include <string.h>

static int sniff(const struct import_head *h)
{
    return strstr(h->text, "Request tokens,Response tokens,Total tokens") != NULL ? 95 : 0;
}

static int rows(struct csv *c, struct import *im, struct err *err)
{
    int at, in, out, model = csv_column(c, "Model"), session = csv_column(c, "Session ID"),
                     elapsed = csv_column(c, "Elapsed time"), rc;
    int64_t failed = 0;
    struct when_order order = WHEN_ORDER;

    TRY(csv_need(c, "Timestamp", &at, err));
    TRY(csv_need(c, "Request tokens", &in, err));
    TRY(csv_need(c, "Response tokens", &out, err));
    csv_ignore(c, "Total tokens");
    csv_ignore(c, "Log Type");
    TRY(csv_end_columns(c, err));
    while ((rc = csv_next(c, err)) > 0) {
        struct import_request r = {.queue_s = NAN, .ttft_s = NAN};

        r.arrival_s = csv_real(c, at);
        r.input_tokens = csv_count(c, in);
        r.output_tokens = csv_count(c, out);
        r.latency_s = csv_real(c, elapsed);
        r.class_ = csv_text(c, model);
        r.session = import_word(im, csv_text(c, session));
        if (!csv_good(c, &rc, err)) {
            TRY(rc);
            continue;
        }
        failed += r.output_tokens == 0;
        when_order_add(&order, r.arrival_s);
        TRY(import_request(im, &r, err));
        import_keep(im);
    }
    if (failed > 0)
        import_suspect(im, failed, "requests without response tokens: they failed upstream");
    when_order_report(&order, im);
    return rc;
}

static int run(struct import *im, struct err *err)
{
    return csv_import(im, rows, err);
}

const struct importer burstgpt_importer = {
    .name = "burstgpt",
    .help = "BurstGPT trace (CSV): arrivals, token counts, model, session",
    .units = "Timestamp and Elapsed time in seconds",
    .sniff = sniff,
    .run = run,
};

static int lengths_sniff(const struct import_head *h)
{
    return strncmp(h->text, "num_prefill_tokens,num_decode_tokens", 36) == 0 ? 95 : 0;
}

static int length_rows(struct csv *c, struct import *im, struct err *err)
{
    int in, out, rc;

    TRY(csv_need(c, "num_prefill_tokens", &in, err));
    TRY(csv_need(c, "num_decode_tokens", &out, err));
    csv_ignore(c, "num_total_tokens");
    csv_ignore(c, "pd_ratio");
    TRY(csv_end_columns(c, err));
    while ((rc = csv_next(c, err)) > 0) {
        struct import_request r = {.arrival_s = NAN, .queue_s = NAN, .ttft_s = NAN, .latency_s = NAN};

        r.input_tokens = csv_count(c, in);
        r.output_tokens = csv_count(c, out);
        if (csv_good(c, &rc, err)) {
            TRY(import_request(im, &r, err));
            import_keep(im);
        }
        TRY(rc);
    }
    return rc;
}

static int lengths_run(struct import *im, struct err *err)
{
    return csv_import(im, length_rows, err);
}

const struct importer token_lengths_importer = {
    .name = "token-lengths",
    .help = "Vidur processed trace (CSV): prompt and output lengths without arrival times",
    .units = "tokens",
    .sniff = lengths_sniff,
    .run = lengths_run,
    .repeats = true,
};
