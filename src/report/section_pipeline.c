#include "base/arena.h"
#include "base/json.h"
#include "report/draw.h"
#include "report/sections.h"

#include <math.h>
#include <string.h>

/* The limit may be a stage, or something that stages share: both are orange. */
static char *caption_of(const struct json *stages, const char *bottleneck, char *buf, size_t size)
{
    bool is_stage = false, calls = false;

    if (stages != NULL)
        JSON_EACH (v, stages) {
            is_stage = is_stage || strcmp(json_get_string(v, "name", ""), bottleneck) == 0;
            calls = calls || json_get(v, "calls") != NULL;
        }
    snprintf(buf, size, "Stages in the order of the scenario. Bars: share of time busy. %s%s",
             bottleneck[0] == '\0' ? ""
             : is_stage            ? "Orange: what limits throughput."
                                   : "Orange: what works on the resource that limits throughput.",
             calls ? " Dashed: from who asks to who answers." : "");
    return buf;
}

static void draw_one(struct review *r, const struct json *stages, const char *caption)
{
    const char *bottleneck = section_bottleneck(r->run);
    struct text form[2] = {{0}, {0}};

    if (stages == NULL || json_size(stages) == 0 || !doc_has_drawings(r->d))
        return;
    r->n_pipes++;
    for (int narrow = 0; narrow < 2; narrow++)
        draw_pipeline(stages, bottleneck,
                      &(struct draw_form){.number = r->n_pipes,
                                          .narrow = narrow == 1,
                                          .colours_fixed = r->d->format->colours_fixed},
                      &form[narrow]);
    doc_drawing(r->d, &(struct doc_drawing){form[0].s, form[1].s, caption});
    text_free(&form[0]);
    text_free(&form[1]);
}

/* A pipeline of several names its stages, which stand in the run's own list. */
static struct json *stages_named(const struct json *run, const struct json *names)
{
    struct json *list = json_new_array();

    if (names != NULL)
        JSON_EACH (v, names) {
            const char *name = json_string(v);

            if (name == NULL)
                json_push(list, json_copy(v));
            else if (section_list(run, "stages") != NULL)
                JSON_EACH (s, json_get(run, "stages")) {
                    if (strcmp(json_get_string(s, "name", ""), name) == 0)
                        json_push(list, json_copy(s));
                }
        }
    return list;
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

/* Of several pipelines each; what stands above is the objective's. */
static void pipelines_table(const struct review *r, const struct json *pipelines)
{
    static const char *const heads[] = {"<Pipeline",        ">Throughput", ">Latency, 95 %",
                                        ">Time until done", ">Quality",    NULL};

    doc_heading(r->d, "Each pipeline");
    doc_table(r->d, heads);
    JSON_EACH (p, pipelines) {
        const struct json *m = section_list(p, "metrics");

        doc_row(r->d);
        doc_cell_note(r->d, json_get_string(p, "name", "?"), json_get_string(p, "unit", ""));
        cell_estimate(r->d, estimate_read(m, "throughput_per_s"), LABEL_PER_S);
        cell_estimate(r->d, estimate_read(section_list(m, "latency_s"), "p95"), LABEL_S);
        cell_estimate(r->d, estimate_read(m, "makespan_s"), LABEL_S);
        cell_estimate(r->d, estimate_read(m, "quality"), LABEL_NUMBER);
    }
    doc_table_end(r->d);
}

void section_pipeline(struct review *r)
{
    const struct json *pipelines = section_list(r->run, "pipelines");
    const char *bottleneck;
    char caption[200];

    if (section_source(r, r->run, "run")) {
        bottleneck = section_bottleneck(r->run);
        if (pipelines != NULL)
            JSON_EACH (p, pipelines) {
                struct json *stages = stages_named(r->run, section_list(p, "stages"));

                draw_one(r, stages, json_get_string(p, "name", ""));
                json_free(stages);
            }
        else
            draw_one(r, section_list(r->run, "stages"),
                     caption_of(json_get(r->run, "stages"), bottleneck, caption, sizeof caption));
        if (section_list(r->run, "metrics") != NULL) {
            metric_table(r, json_get(r->run, "metrics"));
            latency_table(r, json_get(r->run, "metrics"));
        }
        if (pipelines != NULL)
            pipelines_table(r, pipelines);
        if (section_list(r->run, "resources") != NULL)
            resource_table(r, json_get(r->run, "resources"), bottleneck);
    }
}
