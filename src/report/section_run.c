#include "base/arena.h"
#include "base/json.h"
#include "report/draw.h"
#include "report/plot.h"
#include "report/sections.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------------- pipeline */

/* The limit may be a stage, which is orange then, or something that stages share. */
static char *caption_of(const struct json *stages, const char *bottleneck, char *buf, size_t size)
{
    bool is_stage = false, calls = false;

    if (stages != NULL)
        JSON_EACH (v, stages) {
            is_stage = is_stage || strcmp(json_get_string(v, "name", ""), bottleneck) == 0;
            calls = calls || json_get(v, "calls") != NULL;
        }
    snprintf(buf, size, "Stages in the order of the scenario. Bars: share of time busy. %s%s",
             is_stage ? "Orange: what limits throughput." : "No stage is the limit by itself.",
             calls ? " Dashed: from who asks to who answers." : "");
    return buf;
}

static void draw_one(const struct review *r, const struct json *stages, const char *bottleneck,
                     const char *caption)
{
    struct text svg = {0};

    if (stages == NULL || !doc_has_drawings(r->d))
        return;
    draw_pipeline(stages, bottleneck, &svg);
    doc_svg(r->d, svg.s, caption);
    text_free(&svg);
}

static void resource_table(const struct review *r, const struct json *resources, const char *bottleneck)
{
    static const char *const heads[] = {"<Resource", "<Kind", ">Busy", "<", NULL};

    doc_heading(r->d, "What the stages share");
    doc_table(r->d, heads);
    JSON_EACH (v, resources) {
        const char *name = json_get_string(v, "name", "?");

        doc_row(r->d);
        doc_cell(r->d, "%s", name);
        doc_cell(r->d, "%s", json_get_string(v, "kind", ""));
        cell_estimate(r->d, estimate_read(v, "utilization_frac"), LABEL_FRAC);
        if (strcmp(name, bottleneck) == 0)
            doc_mark(r->d, DOC_BAD, "the limit");
        else
            doc_cell(r->d, "%s", "");
    }
    doc_table_end(r->d);
}

static void latency_table(const struct review *r, const struct json *metrics)
{
    static const char *const heads[] = {"<", ">Mean", ">Median", ">95th percentile", ">99th percentile",
                                        NULL};
    static const char *const key[] = {"latency_s", "queue_s", "ttft_s", "tpot_s"};
    static const char *const words[] = {"Whole request", "Waiting to be admitted", "Time to the first token",
                                        "Time per further token"};
    static const char *const columns[] = {"mean", "p50", "p95", "p99"};

    if (section_list(metrics, "latency_s") == NULL)
        return;
    doc_heading(r->d, "How long one takes");
    doc_table(r->d, heads);
    for (size_t i = 0; i < sizeof key / sizeof key[0]; i++) {
        const struct json *v = section_list(metrics, key[i]);

        if (v == NULL)
            continue;
        doc_row(r->d);
        doc_cell(r->d, "%s", words[i]);
        for (size_t k = 0; k < sizeof columns / sizeof columns[0]; k++)
            cell_estimate(r->d, estimate_read(v, columns[k]), LABEL_S);
    }
    doc_table_end(r->d);
}

static void metric_table(const struct review *r, const struct json *metrics)
{
    static const char *const heads[] = {"<Figure", ">Value", NULL};
    static const struct {
        const char *key, *words;
        enum label_style style;
    } metric[] = {
        {"throughput_per_s", "Throughput", LABEL_PER_S},
        {"goodput_per_s", "Throughput within the service level", LABEL_PER_S},
        {"makespan_s", "Time until all is done", LABEL_S},
        {"stall_frac", "Share of time the last stage waits for input", LABEL_FRAC},
        {"quality", "Quality", LABEL_NUMBER},
        {"power_w", "Power", LABEL_WATT},
    };

    doc_table(r->d, heads);
    for (size_t i = 0; i < sizeof metric / sizeof metric[0]; i++) {
        struct estimate e = estimate_read(metrics, metric[i].key);

        if (!estimate_is_known(e))
            continue;
        doc_row(r->d);
        doc_cell_note(r->d, metric[i].words,
                      metric[i].style == LABEL_NUMBER ? json_get_string(metrics, "quality_unit", "") : "");
        cell_estimate(r->d, e, metric[i].style);
    }
    doc_table_end(r->d);
}

void section_pipeline(const struct review *r)
{
    const struct json *pipelines = section_list(r->run, "pipelines"), *bound;
    const char *bottleneck;
    char caption[200];

    doc_section(r->d, "pipeline", "The pipeline");
    if (section_source(r, r->run, "run")) {
        bound = json_get(r->run, "bound");
        bottleneck = bound != NULL ? json_get_string(bound, "bottleneck", "") : "";
        if (pipelines != NULL) {
            JSON_EACH (p, pipelines)
                draw_one(r, section_list(p, "stages"), bottleneck, json_get_string(p, "name", ""));
        } else {
            draw_one(r, section_list(r->run, "stages"), bottleneck,
                     caption_of(json_get(r->run, "stages"), bottleneck, caption, sizeof caption));
        }
        if (section_list(r->run, "metrics") != NULL) {
            metric_table(r, json_get(r->run, "metrics"));
            latency_table(r, json_get(r->run, "metrics"));
        }
        if (section_list(r->run, "resources") != NULL)
            resource_table(r, json_get(r->run, "resources"), bottleneck);
    }
    doc_section_end(r->d);
}

/* --------------------------------------------------------------------- time */

static struct plot_point *column(struct arena *a, const struct json *stages, const char *key)
{
    struct plot_point *p = arena_array(a, json_size(stages), sizeof *p);
    size_t n = 0;

    JSON_EACH (v, stages)
        p[n++] = (struct plot_point){estimate_read(v, key).mean, NAN, NAN, NAN, NAN};
    return p;
}

static void time_plots(const struct review *r, const struct json *stages)
{
    struct arena *a = arena_new();
    const char **names = arena_array(a, json_size(stages), sizeof *names);
    size_t n = 0;

    JSON_EACH (v, stages)
        names[n++] = json_get_string(v, "name", "?");

    struct plot_series share[] = {{"busy", column(a, stages, "utilization_frac")},
                                  {"blocked", column(a, stages, "blocked_frac")},
                                  {"starved", column(a, stages, "starved_frac")}};
    struct plot_series spent[] = {{"service", column(a, stages, "service_s")},
                                  {"waiting", column(a, stages, "wait_s")}};
    struct plot p = {.kind = PLOT_STACKED,
                     .about = "How each stage spends its time",
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
                      .about = "Seconds per item in each stage",
                      .x_title = "seconds per item",
                      .labels = names,
                      .rows = n,
                      .series = spent,
                      .n_series = 2,
                      .reference = NAN};
    doc_plot(r->d, &p,
             "How long one item (batch) is served in each stage, and how long it waits there first.");
    arena_free(a);
}

static void time_table(const struct review *r, const struct json *stages)
{
    static const char *const heads[] = {"<Stage", ">Busy",  ">Blocked",    ">Starved", ">Service",
                                        ">Wait",  ">Queue", ">Throughput", NULL};
    char value[96];

    doc_table(r->d, heads);
    JSON_EACH (v, stages) {
        doc_row(r->d);
        doc_cell_note(r->d, json_get_string(v, "name", "?"), json_get_string(v, "owner", ""));
        doc_cell(r->d, "%s",
                 label_value(value, sizeof value, estimate_read(v, "utilization_frac").mean, LABEL_FRAC));
        doc_cell(r->d, "%s",
                 label_value(value, sizeof value, estimate_read(v, "blocked_frac").mean, LABEL_FRAC));
        doc_cell(r->d, "%s",
                 label_value(value, sizeof value, estimate_read(v, "starved_frac").mean, LABEL_FRAC));
        cell_estimate(r->d, estimate_read(v, "service_s"), LABEL_S);
        cell_estimate(r->d, estimate_read(v, "wait_s"), LABEL_S);
        doc_cell(r->d, "%s",
                 label_value(value, sizeof value, estimate_read(v, "queue_mean").mean, LABEL_NUMBER));
        doc_cell(r->d, "%s",
                 label_value(value, sizeof value, estimate_read(v, "throughput_per_s").mean, LABEL_PER_S));
    }
    doc_table_end(r->d);
}

static void time_of(const struct review *r, const struct json *stages)
{
    if (stages == NULL)
        return;
    time_plots(r, stages);
    time_table(r, stages);
}

void section_time(const struct review *r)
{
    const struct json *pipelines = section_list(r->run, "pipelines");

    doc_section(r->d, "time", "Where time goes");
    if (section_source(r, r->run, "run")) {
        if (pipelines == NULL)
            time_of(r, section_list(r->run, "stages"));
        else
            JSON_EACH (p, pipelines) {
                doc_heading(r->d, json_get_string(p, "name", ""));
                time_of(r, section_list(p, "stages"));
            }
    }
    doc_section_end(r->d);
}

/* --------------------------------------------------------------------- cost */

static bool has_price(const struct json *resources)
{
    if (resources != NULL)
        JSON_EACH (v, resources) {
            if (json_get_number(v, "cost_usd_per_h", 0) > 0)
                return true;
        }
    return false;
}

static void cost_table(const struct review *r, const struct json *resources)
{
    static const char *const heads[] = {"<Resource", "<Kind", ">Busy", ">Cost per hour", NULL};
    char value[96];

    doc_table(r->d, heads);
    JSON_EACH (v, resources) {
        doc_row(r->d);
        doc_cell(r->d, "%s", json_get_string(v, "name", "?"));
        doc_cell(r->d, "%s", json_get_string(v, "kind", ""));
        doc_cell(r->d, "%s",
                 label_value(value, sizeof value, estimate_read(v, "utilization_frac").mean, LABEL_FRAC));
        cell_estimate(r->d, estimate_read(v, "cost_usd_per_h"), LABEL_USD_PER_H);
    }
    doc_table_end(r->d);
}

static void total_cost(const struct review *r, const struct json *metrics)
{
    struct estimate hour = estimate_read(metrics, "cost_usd_per_h"),
                    million = estimate_read(metrics, "cost_usd_per_1m_units"),
                    whole = estimate_read(metrics, "cost_usd");
    char buf[160];

    if (estimate_is_known(hour))
        doc_block(r->d, DOC_PARA, "All of it costs %s.",
                  label_estimate(buf, sizeof buf, hour, LABEL_USD_PER_H));
    if (estimate_is_known(million))
        doc_block(r->d, DOC_PARA, "A million %ss cost %s.", r->unit,
                  label_estimate(buf, sizeof buf, million, LABEL_USD));
    if (estimate_is_known(whole))
        doc_block(r->d, DOC_PARA, "The whole run costs %s.",
                  label_estimate(buf, sizeof buf, whole, LABEL_USD));
}

struct component_column {
    const char *head, *key;
    enum label_style style;
};

static bool any_component_has(const struct json *optimizations, const char *key)
{
    JSON_EACH (o, optimizations) {
        const struct json *parts = section_list(o, "delta_by_component");

        if (parts != NULL)
            JSON_EACH (c, parts) {
                if (estimate_is_known(estimate_read(c, key)))
                    return true;
            }
    }
    return false;
}

static void component_rows(const struct review *r, const struct json *optimization,
                           const struct component_column *const *columns, size_t n)
{
    const struct json *parts = section_list(optimization, "delta_by_component");

    if (parts == NULL)
        return;
    JSON_EACH (c, parts) {
        doc_row(r->d);
        doc_cell(r->d, "%s", json_get_string(optimization, "name", "?"));
        doc_cell(r->d, "%s", json_get_string(c, "component", "?"));
        for (size_t i = 0; i < n; i++)
            cell_estimate(r->d, estimate_read(c, columns[i]->key), columns[i]->style);
    }
}

/* Who pays and who gains, when an optimization is built.  Columns of which nothing is known are left out. */
static void component_table(const struct review *r)
{
    static const struct component_column all[] = {{">CPU per unit", "cpu_s", LABEL_S},
                                                  {">Disk bytes per unit", "bytes", LABEL_BYTES},
                                                  {">Cost per hour", "usd_per_h", LABEL_USD_PER_H},
                                                  {">Power", "power_w", LABEL_WATT}};
    enum { ALL = sizeof all / sizeof all[0] };
    const char *heads[ALL + 3] = {"<Optimization", "<Component"};
    const struct json *optimizations = section_list(r->rank, "optimizations");
    const struct component_column *columns[ALL];
    size_t n = 0;

    if (optimizations == NULL)
        return;
    for (size_t i = 0; i < ALL; i++)
        if (any_component_has(optimizations, all[i].key)) {
            heads[2 + n] = all[i].head;
            columns[n++] = &all[i];
        }
    if (n == 0)
        return;
    doc_heading(r->d, "Who pays and who gains");
    doc_block(r->d, DOC_SOURCE, "From \"foresight rank\": what each optimization changes in each component.");
    doc_table(r->d, heads);
    JSON_EACH (o, optimizations)
        component_rows(r, o, columns, n);
    doc_table_end(r->d);
}

void section_cost(const struct review *r)
{
    const struct json *resources = section_list(r->run, "resources"),
                      *metrics = section_list(r->run, "metrics");

    doc_section(r->d, "cost", "Cost");
    if (section_source(r, r->run, "run")) {
        if (has_price(resources) ||
            (metrics != NULL && estimate_is_known(estimate_read(metrics, "cost_usd_per_h")))) {
            if (metrics != NULL)
                total_cost(r, metrics);
            if (resources != NULL)
                cost_table(r, resources);
        } else {
            doc_block(r->d, DOC_MISSING,
                      "No resource of this scenario has a price, so nothing can be said about cost. "
                      "Give resources a \"price\" or a \"preset\" that has one.");
        }
        component_table(r);
    }
    doc_section_end(r->d);
}
