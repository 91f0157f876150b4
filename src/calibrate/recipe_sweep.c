/*
 * recipe_sweep.c - sweeps over concurrency: a service station, and Gunther's curve beside it.
 *
 * Searches of vector databases and serving benchmarks.  Points of one sweep
 * differ in concurrency alone.  What the recording says about itself (a rate
 * limiter, contradictions, saturation) is found by sweep.h and passed on.
 */
#include "calibrate/recipes.h"
#include "calibrate/samples.h"
#include "calibrate/sweep.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <string.h>

struct sweep {
    struct sweep_point p[SWEEP_POINTS];
    size_t n;
    int64_t first, last;
};

static const char *const vary[] = {"concurrency", "requests", "date", NULL};

static double either(const struct measured_row *m, const char *a, const char *b)
{
    double v = measured_figure(m, a);

    return v > 0 ? v : measured_figure(m, b);
}

/* Several runs at one concurrency: their mean. */
static void add_point(struct sweep *s, const struct measured_row *m)
{
    struct sweep_point p = {.clients = measured_number(m, "concurrency"),
                            .per_s = either(m, "queries_per_s", "requests_per_s"),
                            .mean_s = either(m, "latency_mean_s", "latency_p50_s"),
                            .p99_s = measured_figure(m, "latency_p99_s")};
    size_t i = 0;

    if (!(p.clients >= 1) || !(p.per_s > 0) || s->n == SWEEP_POINTS)
        return;
    while (i < s->n && s->p[i].clients < p.clients)
        i++;
    if (i < s->n && s->p[i].clients == p.clients) {
        s->p[i].per_s = (s->p[i].per_s + p.per_s) / 2;
        s->p[i].mean_s = (s->p[i].mean_s + p.mean_s) / 2;
        s->p[i].p99_s = fmax(s->p[i].p99_s, p.p99_s);
    } else {
        memmove(s->p + i + 1, s->p + i, (s->n - i) * sizeof *s->p);
        s->p[i] = p;
        s->n++;
    }
    s->last = m->seq;
    if (s->first < 0)
        s->first = m->seq;
}

static struct sweep sweep_of(const struct measured_group *g)
{
    struct sweep s = {.first = -1};

    for (size_t i = 0; i < g->n; i++)
        add_point(&s, g->row[i]);
    return s;
}

/* Servers of a station are whole, and their interval is not that of a normal law. */
static void station_rows(struct fitting *f, const char *prefix, const struct station_fit *st,
                         const struct station_fit *given)
{
    const struct fit_param *d = fit_find(&given->fit, "demand"); /* the servers given: what is known is their ratio */

    fitting_fit(f, prefix, &st->fit, "concurrency");
    fitting_row(f, &(struct calibration_row){
                       .path = arena_printf(f->a, "%s.capacity", prefix),
                       .value = st->capacity_per_s,
                       .stderr_ = d->value > 0 ? st->capacity_per_s * d->stderr_ / d->value : NAN,
                       .unit = "per s",
                       .n = st->fit.n,
                       .method = "servers / demand",
                       .r2 = NAN,
                       .holdout_error_frac = st->fit.holdout_error_frac,
                       .valid_from = st->fit.valid_from,
                       .valid_to = st->fit.valid_to,
                       .valid_of = "concurrency"});
    if (st->servers_lo < st->servers_hi)
        fitting_remark(f, "note", "%s: %d servers; %d to %d cannot be refused", prefix, st->servers, st->servers_lo,
                       st->servers_hi);
}

/*
 * A station's service, given that the scenario's resource has the servers found: how long one request holds one
 * is then known far better than when nobody knows how many there are.
 */
static void set_service(struct fitting *f, const struct fit_info *info, const struct station_fit *given)
{
    const struct fit_param *d = fit_find(&given->fit, "demand");

    fitting_bias(f, &given->fit);
    fitting_remark(f, "note", "the service is that of one of %d server%s: give the resource that count",
                   given->servers, given->servers == 1 ? "" : "s");
    fitting_row(f, &(struct calibration_row){
                       .path = arena_printf(f->a, "%s.exponential", fitting_path(f, info->param)),
                       .value = d->value,
                       .stderr_ = d->stderr_,
                       .unit = "s",
                       .n = given->fit.n,
                       .method = arena_printf(f->a, "%s, %d servers", given->fit.method, given->servers),
                       .r2 = given->fit.r2,
                       .holdout_error_frac = given->fit.holdout_error_frac,
                       .valid_from = given->fit.valid_from,
                       .valid_to = given->fit.valid_to,
                       .valid_of = "concurrency"});
}

static int fit_sweep(struct fitting *f, const struct fit_info *info, const struct measured_group *g, bool alone,
                     int64_t trace, bool *used, struct err *err)
{
    struct sweep s = sweep_of(g);
    struct fit suspects = fit_begin("sweep"), usl;
    struct sweep_health health;
    struct station_fit station, given;
    const char *prefix = alone ? arena_printf(f->a, "fits.%s.%s", f->target, info->param)
                               : arena_printf(f->a, "fits.%s.%s[%s]", f->target, info->param, g->short_);

    if (s.n < 3)
        return 0;
    TRY(sweep_examine(s.p, s.n, &health, &suspects, err));
    fitting_suspects(f, alone ? "sweep" : g->short_, &suspects);
    if (health.usable_n < 3) {
        fitting_remark(f, "note", "%s: %zu of %zu points are usable; three are needed", g->short_, health.usable_n, s.n);
        return 0;
    }
    TRY(sweep_station(s.p, s.n, 0, 1, &station, err));
    TRY(sweep_station(s.p, s.n, station.servers, 1, &given, err));
    TRY(sweep_usl(s.p, s.n, 1, &usl, err));
    station.fit.suspects_n = usl.suspects_n = 0; /* as said above */
    station_rows(f, prefix, &station, &given);
    if (alone && strcmp(f->target, "station") == 0)
        set_service(f, info, &given);
    fitting_fit(f, arena_printf(f->a, "%s.usl", prefix), &usl, "concurrency");
    fitting_source(f, prefix,
                   &(struct rows_used){trace, "measurements", g->key, s.first, s.last, (long)health.usable_n});
    *used = true;
    return 0;
}

int recipe_concurrency_curve(struct fitting *f, const struct fit_info *info, int64_t trace_id, bool *used,
                             struct err *err)
{
    static const char *const subjects[] = {"vector search", "serving"};

    *used = false;
    for (size_t k = 0; k < sizeof subjects / sizeof *subjects; k++) {
        struct measured_group *g;
        size_t n, sweeps = 0;

        TRY(samples_measured(f->store, trace_id, subjects[k], f->where, vary, false, f->a, &g, &n, err));
        for (size_t i = 0; i < n; i++)
            sweeps += sweep_of(&g[i]).n >= 3;
        for (size_t i = 0; i < n; i++)
            if (fit_sweep(f, info, &g[i], sweeps == 1, trace_id, used, err) != 0)
                return err_at(err, "sweep of %s", g[i].key);
    }
    return 0;
}
