#include "study/details.h"

#include "base/json.h"
#include "engine/replicate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_POINTS = 10 };

/* Shares of the capacity of the bound; multiples of the clients, or of the workers, that there are. */
static const double open_loads[] = {0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 0.97};
static const double client_loads[] = {0.0625, 0.125, 0.25, 0.5, 1, 2, 4, 8};
static const double worker_loads[] = {0.25, 0.5, 0.75, 1, 1.25, 1.5, 2};

struct point {
    double load, factor; /* as shown; of the present load */
    struct estimate throughput, latency[LATENCY_FIGURES];
    bool has_latency, settled;
};

struct curve {
    const struct study *st;
    const struct scenario *base;
    const struct stage *stage; /* whose workers vary; NULL: the load does */
    const char *of, *unit;
    double present;
    struct point points[MOST_POINTS];
    int n;
};

/* ---------------------------------------------------------------- points */

static int build(const struct curve *c, const struct point *p, struct scenario **out, struct err *err)
{
    struct scenario_options so = {.resolver = c->st->resolver};
    struct json *tree;
    char path[300];
    int rc;

    if (c->stage == NULL) {
        TRY(variant_build(c->st, 0, NULL, 0, out, err));
        scenario_scale_traffic(*out, p->factor);
        return 0;
    }
    tree = json_copy(c->st->tree);
    snprintf(path, sizeof path, "stages.%s.params.workers", c->stage->name);
    rc = edit_set(tree, path, json_new_number(p->load), err);
    if (rc == 0)
        rc = scenario_build(tree, c->st->file, &so, out, err);
    json_free(tree);
    return rc;
}

static int simulate_point(void *ctx, uint32_t i, struct err *err)
{
    struct curve *c = ctx;
    struct point *p = &c->points[i];
    struct arena *a = arena_new();
    struct scenario *s = NULL;
    struct outcome o;
    int rc = build(c, p, &s, err);

    if (rc == 0)
        rc = variant_simulate(c->st, s, 1, a, &o, err);
    if (rc == 0) {
        p->throughput = o.throughput_per_s;
        p->has_latency = o.has_latency;
        p->settled = !o.warmup.used || o.warmup.settled;
        for (int k = 0; k < LATENCY_FIGURES; k++)
            p->latency[k] = o.latency_s[k];
    }
    scenario_free(s);
    arena_free(a);
    return rc;
}

static void add_point(struct curve *c, double load, double factor)
{
    for (int i = 0; i < c->n; i++)
        if (fabs(c->points[i].load - load) <= 1e-9 * load)
            return;
    if (c->n < MOST_POINTS && load > 0)
        c->points[c->n++] = (struct point){.load = load, .factor = factor};
}

static int by_load(const void *x, const void *y)
{
    double a = ((const struct point *)x)->load, b = ((const struct point *)y)->load;

    return (a > b) - (a < b);
}

/* ------------------------------------------------------------ what varies */

/* What the bound says could pass if as much came as it can take. */
static int capacity(const struct study *st, double *out, struct err *err)
{
    struct arena *a = arena_new();
    struct scenario *s = NULL;
    struct bound b = {0};
    int rc = variant_build(st, 0, NULL, 0, &s, err);

    if (rc == 0) {
        scenario_scale_traffic(s, 1e9);
        bound_compute(s, a, &b);
        *out = b.throughput_per_s;
    }
    scenario_free(s);
    arena_free(a);
    return rc;
}

static int vary_arrivals(struct curve *c, const struct outcome *o, struct err *err)
{
    double most;

    TRY(capacity(c->st, &most, err));
    c->of = "arrivals";
    c->unit = "per_s";
    c->present = pipeline_rate_per_s(&c->base->pipelines[c->base->objective]);
    if (!isfinite(most)) /* nothing limits it */
        most = 4 * o->throughput_per_s.mean;
    add_point(c, c->present, 1);
    for (size_t i = 0; i < sizeof open_loads / sizeof *open_loads; i++)
        add_point(c, open_loads[i] * most, open_loads[i] * most / c->present);
    return 0;
}

static void vary_clients(struct curve *c)
{
    double now = (double)c->base->workload.clients;

    c->of = "clients";
    c->unit = "clients";
    c->present = now;
    add_point(c, now, 1);
    for (size_t i = 0; i < sizeof client_loads / sizeof *client_loads; i++) {
        double n = fmax(1, round(client_loads[i] * now));

        add_point(c, n, n / now);
    }
}

/* The busiest stage that has several workers; the last one only when no other has. */
static const struct stage *stage_to_vary(const struct scenario *s, const struct outcome *o)
{
    const struct pipeline *p = &s->pipelines[s->objective];
    const struct stage *best = NULL;
    double most = -1;

    for (int i = p->first; i < p->first + p->stages_n; i++) {
        double busy = o->stages[i].utilization.mean - (i == p->last ? 1 : 0);

        if (s->stages[i].shape.workers >= 2 && (best == NULL || busy > most)) {
            best = &s->stages[i];
            most = busy;
        }
    }
    return best;
}

static void vary_workers(struct curve *c, const struct outcome *o)
{
    c->stage = stage_to_vary(c->base, o);
    if (c->stage == NULL)
        return;
    c->of = "workers";
    c->unit = "workers";
    c->present = (double)c->stage->shape.workers;
    add_point(c, c->present, 1);
    for (size_t i = 0; i < sizeof worker_loads / sizeof *worker_loads; i++)
        add_point(c, fmax(1, round(worker_loads[i] * c->present)), 1);
}

/* ------------------------------------------------------------------ knee */

/*
 * With latencies: where throughput over latency, Kleinrock's power, is largest; behind it waiting grows
 * faster than what is delivered.  With workers: the fewest that deliver 95 % of the most.
 */
static int knee_of(const struct curve *c)
{
    double most = 0, best = -1;
    int knee = 0;

    for (int i = 0; i < c->n; i++)
        most = fmax(most, c->points[i].throughput.mean);
    for (int i = 0; i < c->n; i++) {
        const struct point *p = &c->points[i];
        double power = p->has_latency ? p->throughput.mean / p->latency[LATENCY_MEAN].mean
                                      : (p->throughput.mean >= 0.95 * most ? 1 : 0);

        if (power > best) {
            best = power;
            knee = i;
        }
    }
    return knee;
}

static void point_json(const struct point *p, struct json *list)
{
    static const char *const names[LATENCY_FIGURES] = {"mean", "p50", "p95", "p99"};
    struct json *v = json_push(list, json_new_object()), *l;

    json_set_number(v, "load", p->load);
    json_set(v, "throughput_per_s", estimate_json(&p->throughput));
    l = p->has_latency ? json_set_object(v, "latency_s") : NULL;
    for (int k = 0; p->has_latency && k < LATENCY_FIGURES; k++)
        json_set(l, names[k], estimate_json(&p->latency[k]));
    json_set_bool(v, "settled", p->settled);
}

static void curve_json(const struct curve *c, struct json *o)
{
    struct json *list, *k;
    int knee = knee_of(c);

    json_set_string(o, "of", c->of);
    json_set_string(o, "unit", c->unit);
    json_set_string(o, "stage", c->stage != NULL ? c->stage->name : NULL);
    json_set_number(o, "present", c->present);
    list = json_set_array(o, "points");
    for (int i = 0; i < c->n; i++)
        point_json(&c->points[i], list);
    k = json_set_object(o, "knee");
    json_set_number(k, "load", c->points[knee].load);
    json_set_string(k, "rule",
                    c->points[knee].has_latency ? "largest throughput over mean latency"
                                                : "fewest that deliver 95 % of the most");
}

int load_curve_json(const struct study *st, const struct scenario *base, const struct outcome *o,
                    struct json *doc, struct err *err)
{
    struct curve c = {.st = st, .base = base};
    struct json *member = json_set_object(doc, "load_curve");

    switch (base->workload.kind) {
    case WORKLOAD_OPEN:
    case WORKLOAD_TRACE:
        TRY(vary_arrivals(&c, o, err));
        break;
    case WORKLOAD_CLIENTS:
        vary_clients(&c);
        break;
    case WORKLOAD_CLOSED:
        vary_workers(&c, o);
        break;
    }
    if (c.n == 0) {
        json_set_string(member, "none", "nothing comes by itself here, and no stage has several workers");
        return 0;
    }
    qsort(c.points, (size_t)c.n, sizeof *c.points, by_load);
    TRY(replicate_run(0, (uint32_t)c.n, st->threads, simulate_point, &c, err));
    curve_json(&c, member);
    return 0;
}
