#include "base/arena.h"
#include "base/json.h"
#include "report/sections.h"

#include <math.h>
#include <string.h>

struct compared {
    const char *object, *key, *title, *slug; /* object NULL: of the metrics themselves */
    enum label_style style;
};

static const struct compared figures[] = {
    {NULL, "throughput_per_s", "Throughput", "compared-throughput", LABEL_PER_S},
    {"latency_s", "mean", "Mean latency", "compared-latency", LABEL_S},
    {"latency_s", "p95", "Latency, 95th percentile", "compared-p95", LABEL_S},
    {NULL, "makespan_s", "Time until all is done", "compared-makespan", LABEL_S},
    {NULL, "cost_usd_per_h", "Cost per hour", "compared-cost", LABEL_USD_PER_H},
    {NULL, "cost_usd_per_1m_units", "Cost of a million", "compared-cost-per-million", LABEL_USD},
    {NULL, "quality", "Quality", "compared-quality", LABEL_NUMBER},
};
enum { FIGURES = sizeof figures / sizeof figures[0], PLOTTED = 3, MOST_RUNS = 12 };

static struct estimate figure_of(const struct json *run, const struct compared *f)
{
    const struct json *metrics = section_list(run, "metrics");

    return estimate_read(f->object != NULL ? section_list(metrics, f->object) : metrics, f->key);
}

static bool any_has(const struct review *r, const struct compared *f)
{
    for (size_t i = 0; i < r->compared_n; i++)
        if (estimate_is_known(figure_of(r->compared[i], f)))
            return true;
    return false;
}

static const char *name_of(const struct review *r, size_t i)
{
    return arena_printf(r->a, "%zu: %s", i + 1, json_get_string(r->compared[i], "scenario", "?"));
}

static void figures_table(const struct review *r)
{
    const char *heads[FIGURES + 3] = {"<Run", "<Limited by"};
    size_t n = 2;

    for (size_t k = 0; k < FIGURES; k++)
        if (any_has(r, &figures[k]))
            heads[n++] = arena_printf(r->a, ">%s", figures[k].title);
    heads[n] = NULL;
    doc_table(r->d, heads);
    for (size_t i = 0; i < r->compared_n; i++) {
        doc_row(r->d);
        doc_cell_note(r->d, name_of(r, i),
                      arena_printf(r->a, "%s, seed %.0f, %.12s",
                                   json_get_string(r->compared[i], "command", "?"),
                                   json_get_number(r->compared[i], "seed", 0),
                                   json_get_string(r->compared[i], "scenario_sha256", "?")));
        doc_cell(r->d, "%s", section_bottleneck(r->compared[i]));
        for (size_t k = 0; k < FIGURES; k++)
            if (any_has(r, &figures[k]))
                cell_estimate(r->d, figure_of(r->compared[i], &figures[k]), figures[k].style);
    }
    doc_table_end(r->d);
}

/* Ratios to the first run, so that figures of any size stand side by side. */
static void ratio_plot(const struct review *r, const struct compared *f)
{
    struct plot_point points[MOST_RUNS];
    const char *names[MOST_RUNS];
    struct plot_series series[] = {{.name = f->title, .points = points}};
    struct plot p = {.kind = PLOT_INTERVALS,
                     .slug = f->slug,
                     .title = f->title,
                     .x_title = arena_printf(r->a, "%s, as a multiple of run 1", f->title),
                     .labels = names,
                     .rows = r->compared_n < MOST_RUNS ? r->compared_n : MOST_RUNS,
                     .series = series,
                     .n_series = 1,
                     .reference = 1};
    double first = figure_of(r->compared[0], f).mean;

    if (!isfinite(first) || first == 0)
        return;
    for (size_t i = 0; i < p.rows; i++) {
        struct estimate e = figure_of(r->compared[i], f);

        names[i] = name_of(r, i);
        points[i] = (struct plot_point){e.mean / first,    e.lo / first,      e.hi / first,
                                        e.pred_lo / first, e.pred_hi / first, NAN};
    }
    doc_plot(r->d, &p, "Thick bars: sampling error; thin ones add the uncertainty of calibrated parameters.");
}

void section_comparison(struct review *r)
{
    size_t plotted = 0;

    if (r->compared_n < 2)
        return;
    figures_table(r);
    for (size_t k = 0; k < FIGURES && plotted < PLOTTED; k++)
        if (any_has(r, &figures[k])) {
            ratio_plot(r, &figures[k]);
            plotted++;
        }
    doc_block(r->d, DOC_HINT,
              "Runs of different seeds or scenarios are not paired: \"foresight diff\" tells whether a "
              "difference is "
              "more than luck.");
}
