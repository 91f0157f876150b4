/*
 * identities.c - published results that follow from other published numbers by arithmetic.
 *
 *   cost_per_epoch      epoch time x (price of the accelerator + workers x price of a worker)
 *   workers_to_feed     demand of a trainer / output of a worker
 *
 * They say that the cost ledger and the sizing law read the papers as their
 * authors do; they predict nothing, so they are never counted.  The interval is
 * the rounding of the published number: half a unit of its last printed digit.
 */
#include "study/replay.h"

#include <math.h>
#include <string.h>

#define SECONDS_PER_HOUR 3600.0

static int cost_per_epoch(const struct replay *r, const struct json *f, const char *where, double *out,
                          struct err *err)
{
    double epoch_s, workers, accelerator, worker;

    TRY(replay_number(r, f, where, "epoch_s", &epoch_s, err));
    TRY(replay_number(r, f, where, "workers", &workers, err));
    TRY(replay_number(r, r->params, "$.params", "accelerator_usd_per_h", &accelerator, err));
    TRY(replay_number(r, r->params, "$.params", "worker_usd_per_h", &worker, err));
    *out = epoch_s / SECONDS_PER_HOUR * (accelerator + workers * worker);
    return 0;
}

static int workers_to_feed(const struct replay *r, const struct json *f, const char *where, double *out,
                           struct err *err)
{
    double demand, output;

    TRY(replay_number(r, f, where, "demand_bytes_per_s", &demand, err));
    TRY(replay_number(r, f, where, "worker_bytes_per_s", &output, err));
    *out = demand / output;
    return 0;
}

static int one(struct replay *r, const struct json *f, const char *where, bool is_cost, struct err *err)
{
    struct replay_figure figure = {.naive = NAN, .noise_frac = NAN};
    double value, digit;

    TRY(replay_text(r, f, where, "name", &figure.name, err));
    TRY(replay_number(r, f, where, "measured", &figure.measured, err));
    TRY(replay_number(r, f, where, "last_digit", &digit, err));
    TRY((is_cost ? cost_per_epoch : workers_to_feed)(r, f, where, &value, err));
    figure.unit = is_cost ? "usd" : "workers";
    figure.predicted = estimate_exact(value);
    figure.predicted.has_pred = true;
    figure.predicted.pred_lo = value - digit / 2;
    figure.predicted.pred_hi = value + digit / 2;
    replay_emit(r, &figure);
    return 0;
}

static int run(struct replay *r, struct err *err)
{
    const char *law;
    size_t i = 0;

    TRY(replay_text(r, r->params, "$.params", "law", &law, err));
    if (strcmp(law, "cost_per_epoch") != 0 && strcmp(law, "workers_to_feed") != 0)
        return err_set(err, ERR_SCENARIO,
                       "%s: $.params.law: \"%.40s\": allowed are cost_per_epoch and workers_to_feed",
                       r->c->path, law);
    JSON_EACH (f, json_get(r->c->spec, "figures"))
        TRY(one(r, f, arena_printf(r->arena, "$.figures[%zu]", i++), law[0] == 'c', err));
    return 0;
}

const struct replay_kind replay_identities = {
    .name = "identities",
    .about = "published results that follow from other published numbers",
    .run = run,
};
