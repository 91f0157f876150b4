#include "base/arena.h"
#include "base/json.h"
#include "report/sections.h"

#include <math.h>
#include <string.h>

/* --------------------------------------------------------- distribution */

/* From quantiles to a density: the same share of requests lies between each two of them. */
static void distribution_plot(const struct review *r, const struct json *q)
{
    size_t n = json_size(q), i = 0;
    struct time_axis axis = section_time_axis(json_number(json_at(q, n - 1)));
    struct plot_point *p = arena_array(r->a, n, sizeof *p);
    struct plot_series series[] = {{.name = "share that took no longer", .points = p, .n = n}};
    struct plot plot = {.kind = PLOT_LINES,
                        .slug = "latency-distribution",
                        .title = "Distribution of latency",
                        .x_title = arena_printf(r->a, "latency (%s)", axis.unit),
                        .y_title = "share",
                        .series = series,
                        .n_series = 1,
                        .from_zero = true,
                        .y_least = 1,
                        .reference = NAN,
                        .n_marks = 3};

    JSON_EACH (v, q) {
        p[i] = section_point(estimate_of(((double)i + 0.5) / (double)n), axis.factor * json_number(v));
        i++;
    }
    plot.marks[0] = (struct plot_mark){p[n / 2].x, "half"};
    plot.marks[1] = (struct plot_mark){p[n - 1 - n / 20].x, "95 %"};
    plot.marks[2] = (struct plot_mark){p[n - 1 - n / 100].x, "99 %"};
    doc_plot(r->d, &plot, "Which share of the requests of one replication was done within which time.");
}

/* ----------------------------------------------------------- load curve */

struct load {
    const struct json *points;
    const char *unit, *stage;
    double present, knee, factor;
    const char *x_title;
};

static struct plot_series curve(const struct review *r, const struct load *l, const char *object,
                                const char *key, double factor, const char *name, enum plot_style style)
{
    struct plot_point *p = arena_array(r->a, json_size(l->points), sizeof *p);
    size_t n = 0;

    JSON_EACH (v, l->points) {
        struct estimate e = estimate_read(object != NULL ? section_list(v, object) : v, key);

        if (!estimate_is_known(e))
            continue;
        e.mean *= factor;
        e.lo *= factor;
        e.hi *= factor;
        p[n++] = section_point(e, json_get_number(v, "load", NAN));
    }
    return (struct plot_series){.name = name, .points = p, .n = n, .style = style};
}

static void set_marks(const struct load *l, struct plot *p)
{
    p->n_marks = 0;
    if (isfinite(l->knee) && l->knee != l->present)
        p->marks[p->n_marks++] = (struct plot_mark){l->knee, "knee"};
    if (isfinite(l->present))
        p->marks[p->n_marks++] =
            (struct plot_mark){l->present, l->knee == l->present ? "now, at the knee" : "now"};
}

static double largest_latency(const struct load *l, double *least)
{
    double most = 0;

    *least = INFINITY;
    JSON_EACH (v, l->points) {
        double x = estimate_read(section_list(v, "latency_s"), "p95").mean;

        most = isfinite(x) ? fmax(most, x) : most;
        *least = x > 0 ? fmin(*least, x) : *least;
    }
    return most;
}

/* Loads that double from point to point stand evenly on a logarithmic axis. */
static bool is_wide(const struct load *l)
{
    double first = json_get_number(json_at(l->points, 0), "load", NAN);
    double last = json_get_number(json_at(l->points, json_size(l->points) - 1), "load", NAN);

    return first > 0 && last >= 40 * first;
}

static void load_plots(const struct review *r, const struct load *l)
{
    double least, most = largest_latency(l, &least);
    struct time_axis axis = section_time_axis(most > 50 * least ? least : most);
    struct plot_series rate[] = {curve(r, l, NULL, "throughput_per_s", 1, "throughput", STYLE_MARKED)};
    struct plot_series latency[] = {
        curve(r, l, "latency_s", "mean", axis.factor, "mean", STYLE_MARKED),
        curve(r, l, "latency_s", "p95", axis.factor, "95th percentile", STYLE_MARKED),
        curve(r, l, "latency_s", "p99", axis.factor, "99th percentile", STYLE_DASHED)};
    struct plot p = {.kind = PLOT_LINES,
                     .slug = "throughput-and-load",
                     .title = "Throughput against load",
                     .x_title = l->x_title,
                     .y_title = "throughput (per s)",
                     .series = rate,
                     .n_series = 1,
                     .from_zero = true,
                     .reference = NAN};

    set_marks(l, &p);
    p.log_x = is_wide(l);
    doc_plot(r->d, &p,
             "What is delivered against what is asked for, or put to work; the band is the interval of each "
             "point.");
    if (latency[0].n == 0)
        return;
    p = (struct plot){.kind = PLOT_LINES,
                      .slug = "latency-and-load",
                      .title = "Latency against load, with the knee",
                      .x_title = l->x_title,
                      .y_title = arena_printf(r->a, "latency (%s)", axis.unit),
                      .series = latency,
                      .n_series = 3,
                      .from_zero = most <= 50 * least,
                      .log_y = most > 50 * least,
                      .reference = NAN};
    set_marks(l, &p);
    p.log_x = is_wide(l);
    doc_plot(
        r->d, &p,
        "How long one takes against the load. Behind the knee, where throughput over latency is largest, "
        "waiting grows faster than what is delivered.");
}

static void load_table(const struct review *r, const struct load *l)
{
    static const char *const heads[] = {">Load", ">Throughput", ">Mean latency", ">95th percentile",
                                        "<",     NULL},
                             *const short_heads[] = {">Workers", ">Throughput", "<", NULL};
    bool latency = section_list(json_at(l->points, 0), "latency_s") != NULL;

    doc_table(r->d, latency ? heads : short_heads);
    JSON_EACH (v, l->points) {
        double load = json_get_number(v, "load", NAN);
        char value[96];

        doc_row(r->d);
        doc_cell(r->d, "%s",
                 label_value(value, sizeof value, load,
                             strcmp(l->unit, "per_s") == 0 ? LABEL_NUMBER : LABEL_COUNT));
        cell_estimate(r->d, estimate_read(v, "throughput_per_s"), LABEL_PER_S);
        if (latency) {
            cell_estimate(r->d, estimate_read(section_list(v, "latency_s"), "mean"), LABEL_S);
            cell_estimate(r->d, estimate_read(section_list(v, "latency_s"), "p95"), LABEL_S);
        }
        if (!json_get_bool(v, "settled", true))
            doc_mark(r->d, DOC_BAD, "overloaded");
        else if (load == l->knee)
            doc_mark(r->d, DOC_OPEN, load == l->present ? "knee, now" : "knee");
        else if (load == l->present)
            doc_mark(r->d, DOC_NEUTRAL, "now");
        else
            doc_cell(r->d, "%s", "");
    }
    doc_table_end(r->d);
}

static void load_curve(const struct review *r)
{
    const struct json *c = section_list(r->details, "load_curve");
    struct load l = {.points = section_list(c, "points"), .knee = NAN};

    doc_heading(r->d, "Against the load");
    if (l.points == NULL) {
        doc_block(r->d, DOC_MISSING, "No load curve: %s.",
                  c != NULL ? json_get_string(c, "none", "nothing was simulated")
                            : "\"foresight report\" makes one");
        return;
    }
    l.unit = json_get_string(c, "unit", "");
    l.stage = json_get_string(c, "stage", "");
    l.present = json_get_number(c, "present", NAN);
    if (section_list(c, "knee") != NULL)
        l.knee = json_get_number(json_get(c, "knee"), "load", NAN);
    l.x_title = strcmp(l.unit, "clients") == 0   ? "clients"
                : strcmp(l.unit, "workers") == 0 ? "workers"
                                                 : "arrivals (per s)";
    if (l.stage[0] != '\0')
        doc_block(r->d, DOC_PARA,
                  "Nothing arrives here by itself, so the workers of \"%s\" vary, all else as it is.",
                  l.stage);
    load_plots(r, &l);
    load_table(r, &l);
}

void section_load(struct review *r)
{
    const struct json *q = section_list(r->details, "latency_quantiles_s");

    if (!section_source(r, r->details, "report"))
        return;
    if (q != NULL && json_size(q) >= 20)
        distribution_plot(r, q);
    load_curve(r);
}
