#include "base/arena.h"
#include "base/json.h"
#include "report/sections.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------- shares of time */

static struct plot_point *column(struct arena *a, const struct json *stages, const char *key)
{
    struct plot_point *p = arena_array(a, json_size(stages), sizeof *p);
    size_t n = 0;

    JSON_EACH (v, stages)
        p[n++] = section_point(estimate_of(estimate_read(v, key).mean), NAN);
    return p;
}

static void stage_plots(const struct review *r, const struct json *stages)
{
    const char **names = arena_array(r->a, json_size(stages), sizeof *names);
    size_t n = 0;

    JSON_EACH (v, stages)
        names[n++] = json_get_string(v, "name", "?");

    struct plot_series share[] = {{.name = "busy", .points = column(r->a, stages, "utilization_frac")},
                                  {.name = "blocked", .points = column(r->a, stages, "blocked_frac")},
                                  {.name = "starved", .points = column(r->a, stages, "starved_frac")}};
    struct plot_series spent[] = {{.name = "service", .points = column(r->a, stages, "service_s")},
                                  {.name = "waiting", .points = column(r->a, stages, "wait_s")}};
    struct plot p = {.kind = PLOT_STACKED,
                     .slug = "time-of-stages",
                     .title = "How each stage spends its time",
                     .x_title = "share of time",
                     .labels = names,
                     .rows = n,
                     .series = share,
                     .n_series = 3,
                     .reference = 1};

    doc_plot(r->d, &p,
             "How the workers of each stage spend their time. Blocked: done, but the buffer behind is full. "
             "Starved: ready, but nothing arrives. A stage that is mostly starved gains nothing from being "
             "faster.");
    p = (struct plot){.kind = PLOT_STACKED,
                      .slug = "seconds-per-item",
                      .title = "Seconds per item in each stage",
                      .x_title = "seconds per item",
                      .labels = names,
                      .rows = n,
                      .series = spent,
                      .n_series = 2,
                      .reference = NAN};
    doc_plot(r->d, &p,
             "How long one item (batch) is served in each stage, and how long it waits there first.");
}

/* ----------------------------------------------------------- time lines */

enum { SHOWN = 6 };

/* A list of shares or lengths, how much of it there is on average: what is busiest is drawn. */
struct line {
    const char *name;
    const struct json *values;
    double mean;
};

static int by_mean(const void *x, const void *y)
{
    double a = ((const struct line *)x)->mean, b = ((const struct line *)y)->mean;

    return (a < b) - (a > b);
}

static size_t lines_of(const struct json *things, const char *key, struct line *lines)
{
    size_t n = 0;

    JSON_EACH (v, things) {
        const struct json *values = section_list(v, key);
        double sum = 0;

        if (values == NULL)
            continue;
        JSON_EACH (x, values)
            sum += json_number(x);
        if (sum > 0)
            lines[n++] =
                (struct line){json_get_string(v, "name", "?"), values, sum / (double)json_size(values)};
    }
    qsort(lines, n, sizeof *lines, by_mean);
    return n;
}

static struct plot_series line_series(struct arena *a, const struct line *l, const struct json *at,
                                      struct time_axis axis)
{
    size_t most = json_size(at), n = 0;
    struct plot_point *p = arena_array(a, most, sizeof *p);

    JSON_EACH (x, l->values) {
        if (n == most)
            break;
        p[n] = section_point(estimate_of(json_number(x)), axis.factor * json_number(json_at(at, n)));
        n++;
    }
    return (struct plot_series){.label = l->name, .points = p, .n = n, .style = STYLE_LINE};
}

static void time_line(const struct review *r, const struct json *line, const char *things, const char *key,
                      struct plot *p, const char *caption)
{
    const struct json *at = section_list(line, "at_s"), *list = section_list(line, things);
    struct plot_series series[SHOWN];
    struct time_axis axis;
    struct line *lines;
    size_t n;

    if (at == NULL || list == NULL)
        return;
    lines = arena_array(r->a, json_size(list), sizeof *lines);
    n = lines_of(list, key, lines);
    if (n == 0)
        return;
    axis = section_time_axis(json_number(json_at(at, json_size(at) - 1)));
    for (size_t i = 0; i < n && i < SHOWN; i++)
        series[i] = line_series(r->a, &lines[i], at, axis);
    p->kind = PLOT_LINES;
    p->x_title = arena_printf(r->a, "simulated time (%s)", axis.unit);
    p->series = series;
    p->n_series = n < SHOWN ? n : SHOWN;
    p->from_zero = true;
    p->reference = NAN;
    doc_plot(r->d, p, caption);
}

static void time_lines(const struct review *r)
{
    const struct json *line = section_list(r->details, "timeline");
    struct plot busy = {.slug = "busy-over-time",
                        .title = "How busy each resource is over time",
                        .y_title = "share busy",
                        .y_least = 1};
    struct plot queue = {.slug = "queues-over-time",
                         .title = "How much waits in front of or is inside each stage over time",
                         .y_title = "items"};

    if (line == NULL)
        return;
    doc_heading(r->d, "Over time");
    time_line(
        r, line, "resources", "busy_frac", &busy,
        "The busiest resources in one replication, mean of each interval. A resource at 1 that others wait "
        "for is a limit; one that comes and goes is starved or blocked.");
    time_line(
        r, line, "stages", "queue_mean", &queue,
        "What waits in front of each stage (of stages that serve many at once: what is inside), the longest "
        "first.");
}

/* ---------------------------------------------------------------- table */

static void time_table(const struct review *r, const struct json *stages)
{
    static const char *const heads[] = {"<Stage", ">Busy",  ">Blocked",    ">Starved", ">Service",
                                        ">Wait",  ">Queue", ">Throughput", NULL};
    static const char *const shares[] = {"utilization_frac", "blocked_frac", "starved_frac"};
    char value[96];

    doc_table(r->d, heads);
    JSON_EACH (v, stages) {
        doc_row(r->d);
        doc_cell_note(r->d, json_get_string(v, "name", "?"), json_get_string(v, "owner", ""));
        for (size_t i = 0; i < 3; i++)
            doc_cell(r->d, "%s",
                     label_value(value, sizeof value, estimate_read(v, shares[i]).mean, LABEL_FRAC));
        cell_estimate(r->d, estimate_read(v, "service_s"), LABEL_S);
        cell_estimate(r->d, estimate_read(v, "wait_s"), LABEL_S);
        doc_cell(r->d, "%s",
                 label_value(value, sizeof value, estimate_read(v, "queue_mean").mean, LABEL_NUMBER));
        doc_cell(r->d, "%s",
                 label_value(value, sizeof value, estimate_read(v, "throughput_per_s").mean, LABEL_PER_S));
    }
    doc_table_end(r->d);
}

void section_time(struct review *r)
{
    const struct json *stages = section_list(r->run, "stages");

    if (!section_source(r, r->run, "run"))
        return;
    if (stages != NULL) {
        stage_plots(r, stages);
        time_table(r, stages);
    }
    time_lines(r);
}
