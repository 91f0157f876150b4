/*
 * What a recording tells of the assumptions of a run.
 */
#include "study/reconcile.h"

#include "calibrate/calibrate.h"
#include "pipeline/edit.h"
#include "store/trace.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FEWEST = 5 };

static const double SAME_SHAPE = 0.2; /* coefficients of variation that differ by less are the same law */

/* What the run's calibrations say of a parameter's error; 0: nothing. */
static double used_error(const struct reconcile_work *w, const char *path)
{
    const struct resolver *r = w->in->study.resolver;
    const char *tail = strstr(path, "params.");

    for (int i = 0; r != NULL && r->calibration != NULL && i < w->s->calibrations_n; i++) {
        struct param_row *rows;
        struct err none = {0};
        size_t n;

        if (r->calibration(r->ctx, w->s->calibrations[i], w->a, &rows, &n, &none) != 0)
            continue;
        for (size_t k = 0; k < n; k++) {
            const char *of = strstr(rows[k].path, "params.");

            if (edit_same_path(rows[k].path, path) || (tail != NULL && of != NULL && strcmp(of, tail) == 0))
                return rows[k].stderr_;
        }
    }
    return 0;
}

static void add_param(struct reconcile_work *w, struct reconcile_param p)
{
    double both;

    if (w->out->params_n == RECONCILE_PARAMS || !isfinite(p.achieved) || !(p.used > 0) || !(p.achieved > 0))
        return;
    if (p.change == CHANGE_VALUE)
        p.used_stderr = used_error(w, p.path);
    both = hypot(p.stderr_, p.used_stderr);
    p.factor = p.achieved / p.used;
    p.z = p.achieved == p.used ? 0 : (p.achieved - p.used) / fmax(both, 1e-9 * p.used);
    p.explained = NAN;
    w->out->param[w->out->params_n++] = p;
}

/* Of a 95 % Student interval. */
static double error_of(const struct estimate *e)
{
    return e->n > 1 ? (e->hi - e->lo) / 2 / student_quantile(0.975, (double)e->n - 1) : 0;
}

/* ------------------------------------------------------------------ what came */

static double mean_length(const struct requests *q, bool input)
{
    double sum = 0;

    for (int i = 0; q != NULL && i < q->classes_n; i++)
        sum += q->classes[i].share *
               (input ? (double)q->classes[i].prefix_tokens + q->classes[i].input_tokens.mean
                      : q->classes[i].output_tokens.mean);
    return sum;
}

static void traffic(struct reconcile_work *w)
{
    const struct achieved *x = &w->out->achieved;
    const struct pipeline *p = &w->s->pipelines[w->s->objective];
    bool drawn = p->serves && p->workload.recording == NULL && p->workload.sessions == NULL;

    if (x->rate_per_s.n > 0 && pipeline_rate_per_s(p) > 0)
        add_param(w, (struct reconcile_param){.path = "arrivals a second",
                                              .change = CHANGE_TRAFFIC,
                                              .unit = UNIT_PER_S,
                                              .used = pipeline_rate_per_s(p),
                                              .achieved = x->rate_per_s.mean,
                                              .stderr_ = error_of(&x->rate_per_s),
                                              .n = (long)x->observed});
    for (int i = 0; drawn && i < 2; i++) {
        const struct estimate *e = i == 0 ? &x->input_tokens : &x->output_tokens;

        if (e->n > 0 && isfinite(e->mean))
            add_param(w,
                      (struct reconcile_param){.path = i == 0 ? "tokens of a prompt" : "tokens of an answer",
                                               .change = i == 0 ? CHANGE_INPUT : CHANGE_OUTPUT,
                                               .used = mean_length(p->workload.requests, i == 0),
                                               .achieved = e->mean,
                                               .stderr_ = error_of(e),
                                               .n = (long)x->observed});
    }
}

/* ------------------------------------------------- times, as init would infer them */

/* Values that are times: what else a recording shows (counts, sizes) is not compared. */
static bool is_time(const char *key)
{
    static const char *const names[] = {"service", "cpu", "gpu", "overhead", "warm"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(key, names[i]) == 0)
            return true;
    return false;
}

/* A law as the scenario writes it, every draw `factor` times as long: means grow, shapes stay. */
static struct json *scaled_law(const struct json *v, double factor)
{
    static const char *const shapes[] = {"cv", "alpha", "shape", "share"};
    struct json *out;
    double x = json_number(v);
    struct err none = {0};

    if (json_type(v) == JSON_STRING && units_parse(json_string(v), UNIT_S, &x, &none) != 0)
        return json_copy(v);
    if (json_type(v) == JSON_STRING || json_type(v) == JSON_NUMBER)
        return json_new_number(x * factor);
    out = json_type(v) == JSON_OBJECT ? json_new_object() : json_new_array();
    JSON_EACH (c, v) {
        bool is_shape = false;

        for (size_t i = 0; json_key(c) != NULL && i < sizeof shapes / sizeof *shapes; i++)
            is_shape = is_shape || strcmp(json_key(c), shapes[i]) == 0;
        if (json_type(v) == JSON_OBJECT)
            json_set(out, json_key(c), is_shape ? json_copy(c) : scaled_law(c, factor));
        else
            json_push(out, scaled_law(c, factor));
    }
    return out;
}

/* The law that was used, at the mean that was seen, where it is as wide; else the law that was seen. */
static const struct json *seen_law(struct reconcile_work *w, const struct json *used, const struct law *u,
                                   const struct json *seen, const struct law *s)
{
    if (u->n > 0 || !(fabs(u->cv - s->cv) < SAME_SHAPE * fmax(u->cv, 1e-9)))
        return seen;
    return json_set(w->out->inferred, arena_printf(w->a, "law %d", w->out->params_n),
                    scaled_law(used, s->mean / u->mean));
}

static void compare_law(struct reconcile_work *w, const char *path, const struct json *used,
                        const struct json *seen)
{
    struct err none = {0};
    struct law u, s;
    double n = (double)w->out->achieved.observed;

    if (law_read(used, UNIT_S, path, w->a, &u, &none) != 0 ||
        law_read(seen, UNIT_S, path, w->a, &s, &none) != 0)
        return;
    add_param(w, (struct reconcile_param){.path = path,
                                          .change = CHANGE_VALUE,
                                          .unit = UNIT_S,
                                          .used = u.mean,
                                          .achieved = s.mean,
                                          .stderr_ = s.cv * s.mean / sqrt(fmax(1, n)),
                                          .n = (long)n,
                                          .value = seen_law(w, used, &u, seen, &s)});
}

static void compare_params(struct reconcile_work *w, const char *path, const struct json *used,
                           const struct json *seen);

/* Elements that have names are known by them. */
static void compare_list(struct reconcile_work *w, const char *path, const struct json *used,
                         const struct json *seen)
{
    for (size_t i = 0; i < json_size(used); i++)
        for (size_t k = 0; k < json_size(seen); k++) {
            const struct json *u = json_at(used, i), *s = json_at(seen, k);

            if (json_type(u) == JSON_OBJECT && json_type(s) == JSON_OBJECT &&
                strcmp(json_get_string(u, "name", "?"), json_get_string(s, "name", "!")) == 0)
                compare_params(w, arena_printf(w->a, "%s[%zu]", path, i), u, s);
        }
}

static void compare_params(struct reconcile_work *w, const char *path, const struct json *used,
                           const struct json *seen)
{
    JSON_EACH (u, used) {
        const struct json *s = json_get(seen, json_key(u));
        const char *at = arena_printf(w->a, "%s.%s", path, json_key(u));

        if (s == NULL)
            continue;
        if (is_time(json_key(u)))
            compare_law(w, at, u, s);
        else if (json_type(u) == JSON_ARRAY && json_type(s) == JSON_ARRAY)
            compare_list(w, at, u, s);
    }
}

static const struct json *stage_named(const struct json *tree, const char *name)
{
    struct stage_walk walk = STAGE_WALK;
    const struct json *stage;

    while ((stage = tree_stage_next(tree, &walk)) != NULL)
        if (strcmp(json_get_string(stage, "name", ""), name) == 0)
            return stage;
    return NULL;
}

static int times_of_stages(struct reconcile_work *w, struct err *err)
{
    struct stage_walk walk = STAGE_WALK;
    struct inferred in = {0};
    const struct json *stage;

    TRY(infer(w->in->store, w->in->study.resolver, &w->in->trace_id, 1, w->a, &in, err));
    w->out->inferred = in.tree;
    while ((stage = tree_stage_next(w->s->tree, &walk)) != NULL) {
        const char *name = json_get_string(stage, "name", "");
        const struct json *seen = stage_named(in.tree, name);

        if (seen == NULL ||
            strcmp(json_get_string(stage, "model", ""), json_get_string(seen, "model", "?")) != 0 ||
            json_get(stage, "params") == NULL || json_get(seen, "params") == NULL)
            continue;
        compare_params(w, arena_printf(w->a, "stages.%s.params", name), json_get(stage, "params"),
                       json_get(seen, "params"));
    }
    return 0;
}

/* ------------------------------------------------------- operators of an execution */

struct operator_seen {
    struct reconcile_work *w;
    const struct stage *stage;
    const struct cost *cost;
    const struct op_info *info;
    double slowdown; /* of the cores by what shares them */
    struct tally used, seen, difference;
};

static int see_span(void *ctx, const struct span *s, struct err *err)
{
    struct operator_seen *o = ctx;
    double items, bytes, used;

    (void)err;
    if (!(s->cpu_s >= 0))
        return 0;
    calibrate_span_size(o->info, s, &items, &bytes);
    used = o->slowdown * (o->cost->fixed_s + o->cost->per_item_s * items + o->cost->per_byte_s * bytes);
    tally_add(&o->used, used);
    tally_add(&o->seen, s->cpu_s);
    tally_add(&o->difference, s->cpu_s - used);
    return 0;
}

/* All terms of the cost by the same factor: a recording of one size does not tell them apart. */
static const struct json *scaled_cost(struct reconcile_work *w, const struct cost *c, double factor)
{
    struct json *o = json_set_object(w->out->inferred, arena_printf(w->a, "cost %d", w->out->params_n));

    json_set_number(o, "fixed", c->fixed_s * factor);
    json_set_number(o, "per_item", c->per_item_s * factor);
    json_set_number(o, "per_byte", c->per_byte_s * factor);
    json_set_number(o, "cv", c->cv);
    return o;
}

static double slowdown_of(const struct reconcile_work *w, const struct stage *st)
{
    int r = st->on[ROLE_CPU];

    return r >= 0 && w->predicted->resources[r].slowdown > 0 ? w->predicted->resources[r].slowdown : 1;
}

static int see_operator(struct reconcile_work *w, const struct stage *st, const struct cost *c,
                        const struct op_info *info, struct err *err)
{
    struct operator_seen o = {.w = w, .stage = st, .cost = c, .info = info, .slowdown = slowdown_of(w, st)};

    TRY(trace_each(w->in->store, w->in->trace_id, st->name, info->name, see_span, &o, err));
    if (o.seen.n < FEWEST || !(o.used.mean > 0))
        return 0;
    add_param(w, (struct reconcile_param){
                     .path = arena_printf(w->a, "stages.%s.params.costs.%s", st->name, info->name),
                     .change = CHANGE_VALUE,
                     .unit = UNIT_S,
                     .used = o.used.mean,
                     .achieved = o.seen.mean,
                     .stderr_ = sqrt(tally_variance(&o.difference) / (double)o.difference.n),
                     .n = (long)o.seen.n,
                     .value = scaled_cost(w, c, o.seen.mean / o.used.mean)});
    return 0;
}

static int operators(struct reconcile_work *w, struct err *err)
{
    w->out->inferred = json_new_object();
    for (int i = 0; i < w->s->stages_n; i++) {
        const struct stage *st = &w->s->stages[i];
        const struct param *p = param_find(st->model->params, "costs");
        const struct cost *costs;

        if (p == NULL || p->type != PARAM_COSTS || st->model->ops == NULL)
            continue;
        costs = (const struct cost *)(const void *)((const char *)st->cfg + p->offset);
        for (int k = 0; st->model->ops[k].name != NULL; k++)
            TRY(see_operator(w, st, &costs[k], &st->model->ops[k], err));
    }
    return 0;
}

/* ------------------------------------------------------------- an engine's speed */

enum { SPEED_STEPS = 4 };

/* With what really came, and the engine's times as in the parameter `speed`: seconds per token. */
static int time_per_token(struct reconcile_work *w, uint64_t which, double *tpot, struct err *err)
{
    struct arena *a = arena_new();
    struct scenario *s;
    struct estimate e = {.mean = NAN};
    struct outcome o;
    int rc = reconcile_simulate(w, which, a, &o, &s, err);

    if (rc == 0)
        figure_estimate(figure_find("tpot_s.mean"), &o, o.scenario->objective, &e);
    *tpot = e.mean;
    scenario_free(s);
    arena_free(a);
    return rc;
}

/* The one stage that answers by tokens; of several nobody knows which was slow. */
static int engine_of(const struct scenario *s)
{
    int found = -1;

    for (int i = 0; i < s->stages_n; i++)
        if (strcmp(s->stages[i].model->name, "llm_serving") == 0)
            found = found < 0 ? i : s->stages_n;
    return found < s->stages_n ? found : -1;
}

/* Iterations: the factor grows as what is still missing; a token takes nearly in proportion. */
static int engine_speed(struct reconcile_work *w, struct err *err)
{
    const struct estimate *seen = achieved_find(&w->out->achieved, "tpot_s.mean");
    int stage = engine_of(w->s), at = w->out->params_n;
    uint64_t which = ((uint64_t)2 << at) - 1;
    struct reconcile_param *p;
    double tpot = NAN;

    if (seen == NULL || stage < 0 || at == RECONCILE_PARAMS)
        return 0;
    p = &w->out->param[at];
    *p = (struct reconcile_param){
        .path = arena_printf(w->a, "stages.%s: time of all it does", w->s->stages[stage].name),
        .change = CHANGE_SPEED,
        .stage = stage,
        .used = 1,
        .factor = 1,
        .n = (long)w->out->achieved.observed};
    w->out->params_n++;
    for (int i = 0; i < SPEED_STEPS; i++) {
        int rc = time_per_token(w, which, &tpot, err);

        if (rc != 0 || !(tpot > 0)) {
            w->out->params_n = at;
            return rc;
        }
        if (fabs(tpot / seen->mean - 1) < 0.002)
            break;
        p->factor *= seen->mean / tpot;
    }
    w->out->params_n = at;
    p->achieved = p->factor;
    p->stderr_ = p->factor * error_of(seen) / seen->mean;
    add_param(w, *p);
    return 0;
}

int reconcile_find_params(struct reconcile_work *w, struct err *err)
{
    const char *from = w->out->achieved.from;

    traffic(w);
    if (strcmp(from, "requests") == 0)
        return engine_speed(w, err);
    if (strcmp(from, "an execution") == 0)
        return operators(w, err);
    return times_of_stages(w, err);
}
