/*
 * llmservingsim_requests.c - requests of a measured vLLM run, with two clocks in one line.
 *
 * arrival_time is Unix time; queued_ts, scheduled_ts, first_token_ts and
 * last_token_ts count from another origin.  queued_ts - arrival_time is the
 * distance of the clocks plus the client's delay, which is never negative: its
 * minimum over the file is taken for the distance.  So the file is read twice.
 */
#include "store/import/formats.h"
#include "store/import/jread.h"
#include "store/import/sink.h"
#include "store/import/when.h"

#include <math.h>
#include <string.h>

#define CLOCKS_S 1.0 /* a client's own delay stays well below */

struct line {
    double arrival, queued, scheduled, first, last;
    int64_t input, output;
};

static int sniff(const struct import_head *h)
{
    return h->text[0] == '{' && strstr(h->text, "\"input_toks\"") != NULL &&
                   strstr(h->text, "\"queued_ts\"") != NULL
               ? 95
               : 0;
}

static int read_line(struct import *im, struct jread *j, struct line *l, struct err *err)
{
    const char *key;

    *l = (struct line){NAN, NAN, NAN, NAN, NAN, -1, -1};
    if (!jread_enter(j, '{'))
        return 0;
    while ((key = jread_member(j)) != NULL) {
        if (strcmp(key, "arrival_time") == 0)
            l->arrival = jread_real(j);
        else if (strcmp(key, "queued_ts") == 0)
            l->queued = jread_real(j);
        else if (strcmp(key, "scheduled_ts") == 0)
            l->scheduled = jread_real(j);
        else if (strcmp(key, "first_token_ts") == 0)
            l->first = jread_real(j);
        else if (strcmp(key, "last_token_ts") == 0)
            l->last = jread_real(j);
        else if (strcmp(key, "input_toks") == 0)
            jread_int(j, &l->input);
        else if (strcmp(key, "output_toks") == 0)
            jread_int(j, &l->output);
        else if (strcmp(key, "request_id") != 0 && im != NULL)
            TRY(import_unknown(im, key, err));
    }
    return 0;
}

/* The first reading: the first arrival and the distance of the clocks. */
static int find_clocks(struct import *im, struct jread *j, double *origin, double *distance, double *farthest,
                       struct err *err)
{
    struct line l;
    char *text;
    size_t n;
    int rc;

    *origin = *distance = *farthest = NAN;
    while ((rc = source_line(import_source(im), &text, &n, err)) > 0) {
        if (rc == SOURCE_TOO_LONG)
            continue;
        jread_text(j, text, n, 1);
        read_line(NULL, j, &l, err);
        if (!jread_finished(j) || isnan(l.arrival))
            continue;
        *origin = fmin(*origin, l.arrival);
        *distance = fmin(*distance, l.queued - l.arrival);
        *farthest = fmax(*farthest, l.queued - l.arrival);
    }
    TRY(rc);
    return source_rewind(import_source(im), err);
}

static int store_line(struct import *im, const struct line *l, double origin, double distance,
                      struct err *err)
{
    double arrived = l->arrival + distance; /* on the engine's clock */
    struct import_request r = {.arrival_s = l->arrival - origin,
                               .input_tokens = l->input,
                               .output_tokens = l->output,
                               .queue_s = l->scheduled - l->queued,
                               .ttft_s = l->first - arrived,
                               .latency_s = l->last - arrived};

    if (isnan(l->arrival) || l->input < 0 || l->output < 0)
        return import_bad(im, 0, "without arrival_time, input_toks or output_toks", err);
    if (r.ttft_s < 0 || r.latency_s < r.ttft_s || r.queue_s < 0)
        return import_bad(im, 0, "its times are not in order", err);
    TRY(import_request(im, &r, err));
    import_keep(im);
    return 0;
}

static int lines(struct import *im, struct jread *j, struct err *err)
{
    struct when_order order = WHEN_ORDER;
    double origin, distance, farthest;
    struct line l;
    char *text;
    size_t n;
    int rc;

    TRY(find_clocks(im, j, &origin, &distance, &farthest, err));
    if (isfinite(origin) && fabs(origin) < 9e9)
        import_origin(im, (int64_t)(origin * 1e6) * 1000);
    if (farthest - distance > CLOCKS_S)
        import_suspect(
            im, 1,
            "the two clocks are %.3g s farther apart at one time than at another: one was set, or drifts",
            farthest - distance);
    while ((rc = import_line(im, &text, &n, err)) > 0) {
        jread_text(j, text, n, 1);
        TRY(read_line(im, j, &l, err));
        if (!jread_finished(j)) {
            TRY(import_bad(im, jread_column(j), jread_bad(j), err));
            continue;
        }
        when_order_add(&order, l.arrival);
        TRY(store_line(im, &l, origin, distance, err));
    }
    when_order_report(&order, im);
    return rc;
}

static int run(struct import *im, struct err *err)
{
    struct jread *j = jread_new();
    int rc = lines(im, j, err);

    import_title(im, "%s-%s", import_folder(im, 1), import_base(im));
    jread_free(j);
    return rc;
}

const struct importer llmservingsim_requests_importer = {
    .name = "llmservingsim-requests",
    .help = "requests of a measured vLLM run (JSON lines): queue, first token, last token",
    .units = "seconds on two clocks, aligned on the smallest queued_ts - arrival_time",
    .sniff = sniff,
    .run = run,
};
