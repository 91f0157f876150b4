#include "base/arena.h"
#include "base/json.h"
#include "report/sections.h"

#include <math.h>

enum { MOST_ROWS = 14, MOST_CURVES = 6 };

/* -------------------------------------------------------------- tornado */

static struct plot_point bar(double gain)
{
    if (!isfinite(gain))
        return section_point(estimate_of(NAN), NAN);
    return (struct plot_point){gain, fmin(1, gain), fmax(1, gain), NAN, NAN, NAN};
}

static bool is_known(const struct json *row)
{
    return estimate_is_known(estimate_read(row, "lower")) || estimate_is_known(estimate_read(row, "higher"));
}

static void tornado(const struct review *r, const struct json *rows)
{
    const char *names[MOST_ROWS];
    struct plot_point lower[MOST_ROWS], higher[MOST_ROWS];
    struct plot_series series[] = {{.name = "value lowered", .points = lower},
                                   {.name = "value raised", .points = higher}};
    struct plot p = {.kind = PLOT_RANGES,
                     .slug = "tornado",
                     .title = "How far the objective moves with each value that is not certain",
                     .x_title = "objective, as a multiple of what it is",
                     .labels = names,
                     .series = series,
                     .n_series = 2,
                     .reference = 1};

    JSON_EACH (v, rows) {
        if (p.rows == MOST_ROWS || !is_known(v))
            continue;
        names[p.rows] = section_short_path(r, json_get_string(v, "path", "?"));
        lower[p.rows] = bar(estimate_read(v, "lower").mean);
        higher[p.rows++] = bar(estimate_read(v, "higher").mean);
    }
    if (p.rows > 0)
        doc_plot(r->d, &p,
                 "Each value alone is moved, all others as they are: the longest bars are what is worth "
                 "measuring first.");
}

static void tornado_table(const struct review *r, const struct json *rows)
{
    static const char *const heads[] = {"<Value", "<Known by", ">Lowered", ">Raised", NULL};
    size_t unmoved = 0;

    doc_table(r->d, heads);
    JSON_EACH (v, rows) {
        if (!is_known(v)) {
            unmoved++;
            continue;
        }
        doc_row(r->d);
        doc_cell(r->d, "%s", section_short_path(r, json_get_string(v, "path", "?")));
        doc_cell(r->d, "%s", json_get_string(v, "kind", ""));
        cell_estimate(r->d, estimate_read(v, "lower"), LABEL_GAIN);
        cell_estimate(r->d, estimate_read(v, "higher"), LABEL_GAIN);
    }
    doc_table_end(r->d);
    if (unmoved > 0)
        doc_block(r->d, DOC_HINT, "%zu assumed places hold no single number that could be moved.", unmoved);
}

static void what_is_uncertain(const struct review *r)
{
    const struct json *part = section_list(r->details, "sensitivity"), *rows = section_list(part, "rows");
    char by[40];

    doc_heading(r->d, "Values that are not certain");
    if (rows == NULL) {
        doc_block(r->d, DOC_PARA,
                  "Nothing is assumed, and nothing calibrated has an error: nothing to vary.");
        return;
    }
    doc_block(r->d, DOC_PARA,
              "The objective is %s. Values that nobody measured are moved by %s either way, because their "
              "range is not "
              "known; calibrated ones are raised by their standard error.",
              json_get_string(part, "of", "throughput"),
              label_value(by, sizeof by, json_get_number(part, "assumed_by_frac", NAN), LABEL_FRAC));
    tornado(r, rows);
    tornado_table(r, rows);
}

/* ----------------------------------------------------- virtual speed-ups */

static struct plot_series speedup_curve(const struct review *r, const struct json *v)
{
    const struct json *points = section_list(v, "points");
    size_t n = 1;
    struct plot_point *p = arena_array(r->a, 1 + (points != NULL ? json_size(points) : 0), sizeof *p);

    p[0] = section_point(estimate_of(1), 0);
    if (points != NULL)
        JSON_EACH (q, points)
            p[n++] = section_point(estimate_read(q, "end_to_end_gain"),
                                   100 * json_get_number(q, "spared_frac", NAN));
    return (struct plot_series){
        .label = json_get_string(v, "stage", "?"), .points = p, .n = n, .style = STYLE_MARKED};
}

static void speedup_plot(const struct review *r, const struct json *curves)
{
    struct plot_series series[MOST_CURVES];
    struct plot p = {.kind = PLOT_LINES,
                     .slug = "virtual-speed-up",
                     .title = "What the whole would gain if one stage took less time",
                     .x_title = "time the stage is spared (%)",
                     .y_title = "gain of the whole",
                     .series = series,
                     .reference = 1};

    JSON_EACH (v, curves)
        if (p.n_series < MOST_CURVES)
            series[p.n_series++] = speedup_curve(r, v);
    doc_plot(r->d, &p,
             "Virtual speed-up: one stage is spared a share of its work, everything else stays. A flat line "
             "is a stage "
             "where no optimization can help the whole.");
}

void section_sensitivity(struct review *r)
{
    const struct json *curves = section_list(r->rank, "speedup_curves");

    if (r->details != NULL && section_source(r, r->details, "report"))
        what_is_uncertain(r);
    doc_heading(r->d, "If one stage were faster");
    if (curves != NULL)
        speedup_plot(r, curves);
    else if (r->rank != NULL)
        doc_block(r->d, DOC_MISSING, "This ranking tried no stage faster.");
    else
        section_source(r, NULL, "rank");
}
