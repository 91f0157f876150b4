#include "study/trial.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double NEAR_ENOUGH =
    0.005; /* of the limit: a figure known so well that has not separated never will */

const char *const trial_verdict_names[] = {"does not meet", "too close to call", "meets"};

static bool is_rate(const struct constraint *l)
{
    return l->is_at_least && l->figure.def->unit == UNIT_PER_S;
}

bool limits_ask_throughput(const struct constraint *limits, int n)
{
    for (int i = 0; i < n; i++)
        if (is_rate(&limits[i]))
            return true;
    return false;
}

/* ------------------------------------------------------------ by the bound */

struct asked {
    const struct tester *t;
    struct constraint limit[LIMITS_MAX]; /* as scaled */
    double confidence;                   /* of one look at one limit */
};

static void find_capacity(const struct scenario *s, const struct bound *b, struct trial *out)
{
    out->capacity_per_s = INFINITY;
    out->bottleneck = "nothing";
    for (int i = 0; i < s->stages_n; i++)
        if (b->stage_per_s[i] < out->capacity_per_s) {
            out->capacity_per_s = b->stage_per_s[i];
            out->bottleneck = s->stages[i].name;
        }
    for (int i = 0; i < s->resources_n; i++)
        if (b->resource_per_s[i] < out->capacity_per_s) {
            out->capacity_per_s = b->resource_per_s[i];
            out->bottleneck = s->resources[i].name;
        }
}

static const char *refused_limit(const struct scenario *s, const struct bound *b, const struct constraint *l,
                                 struct arena *a)
{
    const char *name = l->figure.def->name;
    char best[40];

    if (l->figure.pipeline >= 0 && l->figure.pipeline != s->objective)
        return NULL;
    if (is_rate(l) && b->throughput_per_s < l->limit * (1 - 1e-9))
        return arena_printf(a, "%s allows %s at best", b->bottleneck,
                            units_format(best, sizeof best, b->throughput_per_s, UNIT_PER_S));
    if (l->is_at_least)
        return NULL;
    if (strcmp(name, "latency_s.mean") == 0 && b->latency_s > l->limit * (1 + 1e-9))
        return arena_printf(a, "one request alone takes %s",
                            units_format(best, sizeof best, b->latency_s, UNIT_S));
    if (strcmp(name, "makespan_s") == 0 && s->horizon.kind == HORIZON_ITEMS &&
        s->horizon.items / b->throughput_per_s > l->limit * (1 + 1e-9))
        return arena_printf(a, "%s makes it last %s at least", b->bottleneck,
                            units_format(best, sizeof best, s->horizon.items / b->throughput_per_s, UNIT_S));
    return NULL;
}

/* Why it cannot meet its limits, whatever the luck; NULL: it may. */
static const char *refused(const struct scenario *s, const struct bound *b, const struct asked *q,
                           const struct trial *t, struct arena *a)
{
    double rate = pipeline_rate_per_s(&s->pipelines[s->objective]);
    char capacity[40], coming[40];
    const char *why = NULL;

    if ((s->horizon.kind == HORIZON_STEADY || q->t->recurs) && rate > 0 &&
        rate >= t->capacity_per_s * (1 - 1e-9))
        return arena_printf(a, "%s can do %s at best, %s come", t->bottleneck,
                            units_format(capacity, sizeof capacity, t->capacity_per_s, UNIT_PER_S),
                            units_format(coming, sizeof coming, rate, UNIT_PER_S));
    for (int i = 0; i < q->t->limits_n && why == NULL; i++)
        why = refused_limit(s, b, &q->limit[i], a);
    return why;
}

/* What is paid for in any case, and of what is paid by use the least there can be. */
static double least_cost(const struct scenario *s, const struct bound *b)
{
    double rate = pipeline_rate_per_s(&s->pipelines[s->objective]), sum = 0;

    for (int i = 0; i < s->resources_n; i++) {
        const struct resource *r = &s->resources[i];

        if (r->billing == BILLING_COMMITTED)
            sum += r->price;
        else if (r->billing == BILLING_ELASTIC)
            sum += r->price * fmin(1, b->resource_demand[i] * rate);
    }
    return sum;
}

/* --------------------------------------------------------- by simulation */

static enum trial_verdict judge_limit(const struct constraint *l, const struct estimate *e)
{
    bool above = e->lo > l->limit, below = e->hi < l->limit;

    if (l->is_at_least ? below : above)
        return TRIAL_FAILS;
    if (l->is_at_least ? above || e->lo == l->limit : below || e->hi == l->limit)
        return TRIAL_MEETS;
    return TRIAL_CLOSE;
}

static bool estimate_of(const struct constraint *l, const struct outcome *o, struct estimate *out)
{
    int pipeline = l->figure.pipeline < 0 ? o->scenario->objective : l->figure.pipeline;

    return figure_estimate(l->figure.def, o, pipeline, out);
}

/* The worst limit decides.  False: not all figures are known. */
static bool judge(const struct asked *q, const struct outcome *o, enum trial_verdict *verdict, bool *is_known)
{
    struct outcome at = *o;

    at.confidence = q->confidence;
    *verdict = TRIAL_MEETS;
    *is_known = true; /* so well that more replications would not help */
    for (int i = 0; i < q->t->limits_n; i++) {
        const struct constraint *l = &q->limit[i];
        enum trial_verdict one;
        struct estimate e;

        if (!estimate_of(l, &at, &e))
            return false;
        one = judge_limit(l, &e);
        *verdict = one < *verdict ? one : *verdict;
        *is_known = *is_known && (one == TRIAL_MEETS || e.hi - e.lo < 2 * NEAR_ENOUGH * fabs(l->limit));
    }
    return true;
}

static bool is_clear(void *ctx, const struct outcome *so_far)
{
    enum trial_verdict verdict;
    bool is_known;

    return !judge(ctx, so_far, &verdict, &is_known) || verdict != TRIAL_CLOSE || is_known;
}

static int no_figure(const struct tester *t, const struct outcome *o, struct arena *a, struct err *err)
{
    const char *there = "";
    struct estimate e;

    for (const struct figure_def *f = figures; f->name != NULL; f++)
        if (figure_estimate(f, o, o->scenario->objective, &e))
            there = arena_printf(a, "%s%s%s", there, there[0] != '\0' ? ", " : "", f->name);
    for (int i = 0; i < t->limits_n; i++)
        if (!estimate_of(&t->limits[i], o, &e))
            return err_set(err, ERR_USAGE, "%s: no run of this scenario knows %s; it knows %s", t->file,
                           t->limits[i].figure.def->name, there);
    return 0;
}

static void look_at_resources(const struct outcome *o, struct trial *out)
{
    out->busiest = "";
    for (int i = 0; i < o->resources_n; i++) {
        const struct resource *r = &o->scenario->resources[i];

        if (r->billing == BILLING_COMMITTED) {
            out->committed_usd_per_h += r->price;
            out->used_usd_per_h += r->price * o->resources[i].utilization.mean;
        }
        if (o->resources[i].utilization.mean > out->busiest_frac) {
            out->busiest_frac = o->resources[i].utilization.mean;
            out->busiest = o->resources[i].name;
        }
        out->servers += o->resources[i].servers;
    }
}

/* What the outcome tells; `o` and its scenario go afterwards. */
static int conclude(const struct asked *q, const struct outcome *o, struct arena *a, struct trial *out,
                    struct err *err)
{
    bool is_known;

    if (!judge(q, o, &out->verdict, &is_known))
        return no_figure(q->t, o, a, err);
    if (o->warmup.used && !o->warmup.settled && out->verdict == TRIAL_MEETS)
        out->verdict = TRIAL_CLOSE; /* a run that has not settled promises nothing */
    out->is_simulated = true;
    out->slack = INFINITY;
    for (int i = 0; i < q->t->limits_n; i++) {
        double slack;

        estimate_of(&q->limit[i], o, &out->figure[i]);
        slack = constraint_slack(&q->limit[i], out->figure[i].mean);
        if (slack < out->slack) {
            out->slack = slack;
            out->tightest = i;
        }
    }
    out->has_cost = o->has_cost;
    out->cost = o->cost_usd_per_h;
    out->throughput = o->throughput_per_s;
    if (o->has_latency)
        out->latency_mean = o->latency_s[LATENCY_MEAN];
    out->replications = o->replications;
    look_at_resources(o, out);
    out->busiest = arena_strdup(a, out->busiest);
    return 0;
}

double trial_length(const struct scenario *s)
{
    bool is_queue = scenario_has_latency(s) && s->pipelines_n == 1;

    for (int i = 0; i < s->stages_n; i++)
        is_queue = is_queue && s->stages[i].model->server == NULL;
    return is_queue ? 0.25 : 0;
}

static int try_simulation(struct asked *q, const struct scenario *s, struct arena *a, struct trial *out,
                          struct err *err)
{
    struct simulate_options opt = q->t->simulate;
    struct arena *run = arena_new();
    struct outcome o;
    int rc;

    opt.replications = opt.replications > 0 ? opt.replications : TRIAL_FIRST;
    opt.most = opt.replications << (TRIAL_LOOKS - 1);
    opt.precision = 0;
    opt.length = trial_length(s);
    opt.is_enough = is_clear;
    opt.is_enough_ctx = q;
    rc = simulate(s, &opt, run, &o, err);
    if (rc == ERR_PRECISION) { /* not settled: the verdict says what follows from it */
        *err = (struct err){0};
        rc = 0;
    }
    if (rc == 0)
        rc = conclude(q, &o, a, out, err);
    arena_free(run);
    return rc;
}

/* ------------------------------------------------------------------ a trial */

static void ask(const struct tester *t, double factor, struct asked *q)
{
    double alpha = 1 - (t->simulate.confidence > 0 ? t->simulate.confidence : 0.95);

    *q = (struct asked){.t = t, .confidence = 1 - alpha / (TRIAL_LOOKS * t->limits_n)};
    for (int i = 0; i < t->limits_n; i++) {
        q->limit[i] = t->limits[i];
        if (is_rate(&t->limits[i]))
            q->limit[i].limit *= factor;
    }
}

static int try_scenario(const struct tester *t, struct scenario *s, double factor, struct arena *a,
                        struct trial *out, struct err *err)
{
    struct asked q;
    struct bound b;

    ask(t, factor, &q);
    if (s->workload.kind != WORKLOAD_CLOSED || !limits_ask_throughput(t->limits, t->limits_n))
        scenario_scale_traffic(s, factor);
    bound_compute(s, s->arena, &b);
    find_capacity(s, &b, out);
    out->bottleneck = arena_strdup(a, out->bottleneck);
    out->cost_usd_per_h = least_cost(s, &b);
    out->cost = estimate_exact(out->cost_usd_per_h);
    out->why = refused(s, &b, &q, out, a);
    if (out->why != NULL)
        return 0;
    out->verdict = TRIAL_MEETS;
    return t->bound_only ? 0 : try_simulation(&q, s, a, out, err);
}

int trial_run(const struct tester *t, const struct json *tree, double factor, struct arena *a,
              struct trial *out, struct err *err)
{
    struct scenario_options so = {.resolver = t->resolver, .parameter_draw = t->parameter_draw};
    struct scenario *s = NULL;
    int rc = scenario_build(tree, t->file, &so, &s, err);

    ASSERT(t->limits_n > 0 && t->limits_n <= LIMITS_MAX);
    *out = (struct trial){.verdict = TRIAL_FAILS, .slack = -INFINITY, .bottleneck = "", .busiest = ""};
    if (rc == ERR_SCENARIO) { /* a setting that the scenario does not allow */
        out->why = arena_strdup(a, err->text);
        *err = (struct err){0};
        return 0;
    }
    if (rc == 0)
        rc = try_scenario(t, s, factor, a, out, err);
    scenario_free(s);
    return rc;
}
