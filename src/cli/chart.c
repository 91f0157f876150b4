#include "cli/chart.h"

#include "base/text.h"
#include "report/plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS = 79, LINES = 20, LATENCY_POINTS = 60, MOST_ROWS = 40 };

static bool wanted(const struct args *args)
{
    return args->plot && !args->json;
}

static int print_plot(const struct plot *p, int lines, struct err *err)
{
    struct text t = {0};
    int rc = plot_term(p, COLUMNS, lines, &t, err);

    if (rc == 0)
        printf("\n%s\n%s", p->title, t.s);
    text_free(&t);
    return rc;
}

static struct plot_point point_of(const struct estimate *e)
{
    return (struct plot_point){e->mean, e->lo, e->hi, NAN, NAN, NAN};
}

/* -------------------------------------------------------------------- run */

static int chart_busy(const struct outcome *o, struct arena *a, struct err *err)
{
    size_t n = o->resources_n < MOST_ROWS ? (size_t)o->resources_n : MOST_ROWS;
    struct plot_point *busy = arena_array(a, n + 1, sizeof *busy);
    const char **names = arena_array(a, n + 1, sizeof *names);
    struct plot_series series[] = {{.name = "busy", .points = busy}};
    struct plot p = {.kind = PLOT_STACKED,
                     .title = "How busy the resources are",
                     .x_title = "share of time",
                     .labels = names,
                     .rows = n,
                     .series = series,
                     .n_series = 1,
                     .reference = 1};

    for (size_t i = 0; i < n; i++) {
        busy[i] = point_of(&o->resources[i].utilization);
        names[i] = o->resources[i].name;
    }
    return n > 0 ? print_plot(&p, 2 * (int)n + 7, err) : 0;
}

/* The first replication once more: the outcome keeps four figures of its latencies only. */
static int chart_latency(const struct args *args, const struct loaded *l, const struct outcome *o,
                         struct arena *a, struct err *err)
{
    struct simulate_options opt = load_options(args, NULL);
    struct sampling how = {.points = 1, .latency_points = LATENCY_POINTS};
    struct plot_point points[LATENCY_POINTS];
    struct plot_series series[] = {{.name = "share done", .points = points, .n = LATENCY_POINTS}};
    struct plot p = {.kind = PLOT_LINES,
                     .title = "Share of requests that took no longer (first replication)",
                     .x_title = "latency (s)",
                     .y_title = "share",
                     .series = series,
                     .n_series = 1,
                     .reference = NAN,
                     .y_least = 1,
                     .from_zero = true};
    struct flow_result again;
    const double *q;

    TRY(simulate_sampled(l->scenario, &opt, o, &how, a, &again, err));
    q = again.lines[l->scenario->objective].latency_points;
    for (size_t i = 0; q != NULL && i < LATENCY_POINTS; i++)
        points[i] = (struct plot_point){((double)i + 0.5) / LATENCY_POINTS, NAN, NAN, NAN, NAN, q[i]};
    return q != NULL ? print_plot(&p, LINES, err) : 0;
}

int chart_outcome(const struct args *args, const struct loaded *l, const struct outcome *o, struct err *err)
{
    struct arena *a;
    int rc;

    if (!wanted(args))
        return 0;
    a = arena_new();
    rc = chart_busy(o, a, err);
    if (rc == 0 && o->has_latency)
        rc = chart_latency(args, l, o, a, err);
    arena_free(a);
    return rc;
}

/* ------------------------------------------------------------------- rank */

int chart_ranking(const struct args *args, const struct ranking *r, struct err *err)
{
    struct plot_point whole[MOST_ROWS], local[MOST_ROWS];
    const char *names[MOST_ROWS];
    struct plot_series series[] = {{.name = "whole pipeline", .points = whole},
                                   {.name = "its own stages", .points = local}};
    struct plot p = {.kind = PLOT_INTERVALS,
                     .title = "Gain of each optimization",
                     .x_title = "gain (1 is no change)",
                     .labels = names,
                     .rows = r->n < MOST_ROWS ? (size_t)r->n : MOST_ROWS,
                     .series = series,
                     .n_series = 2,
                     .reference = 1};

    if (!wanted(args))
        return 0;
    for (size_t i = 0; i < p.rows; i++) {
        whole[i] = point_of(&r->list[i].end_to_end_gain);
        local[i] = point_of(&r->list[i].local_gain);
        names[i] = r->list[i].opt->name;
    }
    return print_plot(&p, 2 * (int)p.rows + 8, err);
}

/* ------------------------------------------- predicted against measured */

static int chart_pairs(const struct plot_point *measured, const struct plot_point *predicted, size_t n,
                       struct err *err)
{
    struct plot_series series[] = {{.name = "measured", .points = measured},
                                   {.name = "predicted", .points = predicted}};
    struct plot p = {.kind = PLOT_SCATTER,
                     .title = "Predicted against measured; numbers are the variants in their order",
                     .x_title = "measured",
                     .y_title = "predicted",
                     .rows = n,
                     .series = series,
                     .n_series = 2,
                     .reference = NAN};

    return n > 0 ? print_plot(&p, LINES + 4, err) : 0;
}

int chart_validation(const struct args *args, const struct validation *v, struct err *err)
{
    struct plot_point measured[MOST_ROWS], predicted[MOST_ROWS];
    size_t n = 0;

    if (!wanted(args))
        return 0;
    for (int i = 0; i < v->n && n < MOST_ROWS; i++, n++) {
        measured[n] = point_of(&v->variants[i].figures[0].measured);
        predicted[n] = point_of(&v->variants[i].figures[0].predicted);
    }
    return chart_pairs(measured, predicted, n, err);
}

/* Figures of all units: what is predicted as a multiple of what was measured. */
static struct plot_point ratios_of(const struct replay_case *c)
{
    struct plot_point p = {0, INFINITY, -INFINITY, NAN, NAN, NAN};

    for (size_t k = 0; k < c->figures_n; k++) {
        double ratio = c->figures[k].predicted.mean / c->figures[k].measured;

        p.value += ratio / (double)c->figures_n;
        p.lo = fmin(p.lo, ratio);
        p.hi = fmax(p.hi, ratio);
    }
    return p;
}

int chart_replay(const struct args *args, const struct replay_result *r, struct err *err)
{
    struct plot_point points[MOST_ROWS];
    const char *names[MOST_ROWS];
    struct plot_series series[] = {
        {.name = "mean of the figures, from the least to the most", .points = points}};
    struct plot p = {.kind = PLOT_INTERVALS,
                     .title = "Predicted as a multiple of measured",
                     .x_title = "predicted / measured",
                     .labels = names,
                     .series = series,
                     .n_series = 1,
                     .reference = 1};

    if (!wanted(args))
        return 0;
    for (size_t i = 0; i < r->n && p.rows < MOST_ROWS; i++)
        if (r->cases[i].skipped == NULL && r->cases[i].figures_n > 0) {
            points[p.rows] = ratios_of(&r->cases[i]);
            names[p.rows++] = r->cases[i].name;
        }
    return p.rows > 0 ? print_plot(&p, 2 * (int)p.rows + 8, err) : 0;
}
