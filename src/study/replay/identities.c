/*
 * identities.c - published results that follow from other published numbers by arithmetic.
 *
 *   cost_per_epoch      epoch time x (price of the accelerator + workers x price of a worker)
 *   workers_to_feed     demand of a trainer / output of a worker
 *   rate_without_wait   1 / (1 / rate - waiting of a step)
 *
 * They say that the cost ledger and the sizing law read the papers as their
 * authors do; they predict nothing, so they are never counted.  The interval is
 * the rounding of published numbers: half a unit of the last printed digit.
 */
#include "study/replay.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

#define SECONDS_PER_HOUR 3600.0

/* Computes a figure; the interval too where it is not the rounding of the figure itself. */
typedef int law_fn(const struct replay *r, const struct json *f, const char *where, struct estimate *out,
                   struct err *err);

static int cost_per_epoch(const struct replay *r, const struct json *f, const char *where,
                          struct estimate *out, struct err *err)
{
    double epoch_s, workers, accelerator, worker;

    TRY(replay_number(r, f, where, "epoch_s", &epoch_s, err));
    TRY(replay_number(r, f, where, "workers", &workers, err));
    TRY(replay_number(r, r->params, "$.params", "accelerator_usd_per_h", &accelerator, err));
    TRY(replay_number(r, r->params, "$.params", "worker_usd_per_h", &worker, err));
    *out = estimate_exact(epoch_s / SECONDS_PER_HOUR * (accelerator + workers * worker));
    return 0;
}

static int workers_to_feed(const struct replay *r, const struct json *f, const char *where,
                           struct estimate *out, struct err *err)
{
    double demand, output;

    TRY(replay_number(r, f, where, "demand_bytes_per_s", &demand, err));
    TRY(replay_number(r, f, where, "worker_bytes_per_s", &output, err));
    *out = estimate_exact(demand / output);
    return 0;
}

static int rate_without_wait(const struct replay *r, const struct json *f, const char *where,
                             struct estimate *out, struct err *err)
{
    double rate, digit, wait;

    TRY(replay_number(r, f, where, "rate_per_s", &rate, err));
    TRY(replay_number(r, f, where, "rate_last_digit", &digit, err));
    TRY(replay_number(r, f, where, "wait_s", &wait, err));
    *out = estimate_exact(1 / (1 / rate - wait));
    out->has_pred = true;
    out->pred_lo = 1 / (1 / (rate - digit / 2) - wait);
    out->pred_hi = 1 / (1 / (rate + digit / 2) - wait);
    return 0;
}

static const struct law_row {
    const char *name, *unit;
    law_fn *compute;
} laws[] = {{"cost_per_epoch", "usd", cost_per_epoch},
            {"workers_to_feed", "workers", workers_to_feed},
            {"rate_without_wait", "steps/s", rate_without_wait}};
enum { LAWS = sizeof laws / sizeof *laws };

static int find_law(const struct replay *r, const struct law_row **out, struct err *err)
{
    const char *name, *names[LAWS];
    struct text t = {0};

    TRY(replay_text(r, r->params, "$.params", "law", &name, err));
    for (size_t i = 0; i < LAWS; i++) {
        names[i] = laws[i].name;
        *out = &laws[i];
        if (strcmp(name, laws[i].name) == 0)
            return 0;
    }
    text_add_suggestion(&t, name, names, LAWS);
    err_set(err, ERR_SCENARIO, "%s: $.params.law: unknown law \"%.40s\"; %s", r->c->path, name, t.s);
    text_free(&t);
    return err->code;
}

static int one(struct replay *r, const struct law_row *law, const struct json *f, const char *where,
               struct err *err)
{
    struct replay_figure figure = {.unit = law->unit, .naive = NAN, .noise_frac = NAN};
    struct estimate *e = &figure.predicted;
    double digit;

    TRY(replay_text(r, f, where, "name", &figure.name, err));
    TRY(replay_number(r, f, where, "measured", &figure.measured, err));
    TRY(replay_number(r, f, where, "last_digit", &digit, err));
    TRY(law->compute(r, f, where, e, err));
    if (!e->has_pred) {
        e->has_pred = true;
        e->pred_lo = e->mean - digit / 2;
        e->pred_hi = e->mean + digit / 2;
    }
    replay_emit(r, &figure);
    return 0;
}

static int run(struct replay *r, struct err *err)
{
    const struct law_row *law;
    size_t i = 0;

    TRY(find_law(r, &law, err));
    JSON_EACH (f, json_get(r->c->spec, "figures"))
        TRY(one(r, law, f, arena_printf(r->arena, "$.figures[%zu]", i++), err));
    return 0;
}

const struct replay_kind replay_identities = {
    .name = "identities",
    .about = "published results that follow from other published numbers",
    .run = run,
};
