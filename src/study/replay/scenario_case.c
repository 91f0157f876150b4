/*
 * scenario_case.c - published figures that are expressible as a scenario: the whole program predicts them.
 *
 * $.params.scenario is a scenario as anyone would write it; each figure says what it sets in it ("set", the
 * paths of --set), simulates, and compares throughput in its own unit ("per": so many units of the workload
 * make one of the figure).  A figure without "measured" is simulated too; what it gives and what limits it is
 * told beside the others, as found.
 *
 * The interval is that of the inputs, which publications round: params.inputs_error_frac of the prediction.
 */
#include "study/replay.h"

#include "base/text.h"
#include "pipeline/bound.h"
#include "pipeline/edit.h"
#include "pipeline/simulate.h"

#include <math.h>

enum { REPLICATIONS = 3 };

static int apply(const struct replay *r, const struct json *f, struct json *tree, struct err *err)
{
    JSON_EACH (v, json_get(f, "set"))
        if (edit_set(tree, json_key(v), json_copy(v), err) != 0)
            return err_at(err, "%s: $.figures", r->c->path);
    return 0;
}

/* Units per second, and what limits them at best. */
static int throughput(struct replay *r, const struct json *tree, double *per_s, const char **limit,
                      struct err *err)
{
    struct simulate_options opt = {
        .seed = r->seed, .replications = REPLICATIONS, .confidence = REPLAY_LEVEL, .threads = 1};
    struct scenario_options so = {0};
    struct scenario *s;
    struct outcome o;
    struct bound b;
    int rc;

    TRY(scenario_build(tree, r->c->path, &so, &s, err));
    bound_compute(s, r->arena, &b);
    *limit = arena_strdup(r->arena, b.bottleneck);
    rc = simulate(s, &opt, r->arena, &o, err);
    if (rc == 0)
        *per_s = o.throughput_per_s.mean;
    scenario_free(s);
    return rc;
}

static int one(struct replay *r, const struct json *f, const char *where, double error, struct text *found,
               struct err *err)
{
    struct replay_figure figure = {.naive = NAN, .noise_frac = NAN};
    struct json *tree = json_copy(json_get(r->params, "scenario"));
    double per, per_s = 0;
    const char *limit = "";
    int rc = apply(r, f, tree, err);

    if (rc == 0)
        rc = throughput(r, tree, &per_s, &limit, err);
    json_free(tree);
    TRY(rc);
    TRY(replay_text(r, f, where, "name", &figure.name, err));
    TRY(replay_text(r, f, where, "unit", &figure.unit, err));
    TRY(replay_number(r, f, where, "per", &per, err));
    text_printf(found, "%s%s: %.4g %s, \"%s\" limits", found->len > 0 ? "; " : "", figure.name, per_s / per,
                figure.unit, limit);
    if (json_get(f, "measured") == NULL)
        return 0;
    TRY(replay_number(r, f, where, "measured", &figure.measured, err));
    TRY(replay_number(r, f, where, "naive", &figure.naive, err));
    figure.predicted = replay_estimate(per_s / per, error, INFINITY);
    replay_emit(r, &figure);
    return 0;
}

static int run(struct replay *r, struct err *err)
{
    struct text found = {0};
    double error;
    size_t i = 0;
    int rc = 0;

    if (json_type(json_get(r->params, "scenario")) != JSON_OBJECT)
        return err_set(err, ERR_SCENARIO, "%s: $.params.scenario: a scenario is needed", r->c->path);
    TRY(replay_number(r, r->params, "$.params", "inputs_error_frac", &error, err));
    JSON_EACH (f, json_get(r->c->spec, "figures"))
        if (rc == 0)
            rc = one(r, f, arena_printf(r->arena, "$.figures[%zu]", i++), error, &found, err);
    if (found.len > 0)
        r->c->found = arena_strdup(r->arena, found.s);
    text_free(&found);
    return rc;
}

const struct replay_kind replay_scenario_case = {
    .name = "scenario",
    .about = "published figures predicted by simulating a scenario that the case holds",
    .run = run,
};
