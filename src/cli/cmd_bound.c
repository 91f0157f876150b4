#include "cli/cmd.h"

#include "cli/load.h"
#include "cli/print.h"

#include <math.h>
#include <stdio.h>

/* Several pipelines are bounded each as if the others were not there. */
static void pipelines_json(const struct scenario *s, struct json *doc)
{
    struct json *list = s->pipelines_n > 1 ? json_set_array(doc, "pipelines") : NULL;
    struct arena *a = arena_new();

    for (int i = 0; list != NULL && i < s->pipelines_n; i++) {
        struct json *o = json_push(list, json_new_object());
        struct bound b;

        bound_of_pipeline(s, i, a, &b);
        json_set_string(o, "name", s->pipelines[i].name);
        json_set_number(o, "throughput_per_s", b.throughput_per_s);
        json_set_string(o, "bottleneck", b.bottleneck);
        json_set_number(o, "latency_s", b.latency_s);
    }
    arena_free(a);
}

static struct json *bound_json(const struct scenario *s, const struct bound *b)
{
    struct json *doc = result_document("bound", s), *list, *o;

    o = json_set_object(doc, "bound");
    json_set_number(o, "throughput_per_s", b->throughput_per_s);
    json_set_string(o, "bottleneck", b->bottleneck);
    json_set_number(o, "latency_s", b->latency_s);
    list = json_set_array(doc, "stages");
    for (int i = 0; i < s->stages_n; i++) {
        o = json_push(list, json_new_object());
        json_set_string(o, "name", s->stages[i].name);
        json_set_number(o, "throughput_per_s", b->stage_per_s[i]);
        json_set_number(o, "service_s", b->stage_service_s[i]);
    }
    list = json_set_array(doc, "resources");
    for (int i = 0; i < s->resources_n; i++) {
        o = json_push(list, json_new_object());
        json_set_string(o, "name", s->resources[i].name);
        json_set_string(o, "kind", resource_kind_names[s->resources[i].kind]);
        json_set_number(o, "throughput_per_s", b->resource_per_s[i]);
        json_set_number(o, "demand_s", b->resource_demand[i]);
    }
    pipelines_json(s, doc);
    return doc;
}

static void print_limit(const char *name, const char *kind, double per_s, double seconds)
{
    char rate[40], time[40];

    if (isinf(per_s))
        snprintf(rate, sizeof rate, "no limit");
    else
        units_format(rate, sizeof rate, per_s, UNIT_PER_S);
    printf("  %-14s %-14s %-14s %s\n", name, kind, rate, units_format(time, sizeof time, seconds, UNIT_S));
}

static void print_bound(const struct scenario *s, const struct bound *b)
{
    char buf[40];

    printf("%s: at best %s, limited by %s\n\n", s->name,
           units_format(buf, sizeof buf, b->throughput_per_s, UNIT_PER_S), b->bottleneck);
    printf("  %-14s %-14s %-14s %s\n", "limit", "", "at best", "per unit");
    for (int i = 0; i < s->stages_n; i++)
        print_limit(s->stages[i].name, "stage", b->stage_per_s[i], b->stage_service_s[i]);
    for (int i = 0; i < s->resources_n; i++)
        print_limit(s->resources[i].name, resource_kind_names[s->resources[i].kind], b->resource_per_s[i],
                    b->resource_demand[i]);
}

static int run(const struct args *args, struct err *err)
{
    struct loaded l;
    struct bound b;

    TRY(load_to_predict(args, args->words[0], &l, err));
    bound_compute(l.scenario, l.arena, &b);
    if (!args->quiet)
        print_warnings(l.scenario);
    if (args->json)
        print_document(bound_json(l.scenario, &b));
    else
        print_bound(l.scenario, &b);
    loaded_free(&l);
    return 0;
}

const struct cmd cmd_bound = {
    .name = "bound",
    .args = "SCENARIO",
    .help = "the best it could deliver, by operational laws, without simulating",
    .group = "Ask one scenario",
    .about = "Visits times demand of every stage and resource: no schedule, however clever, delivers more.",
    .options = "set,apply",
    .examples = "  foresight bound scenarios/quickstart.json\n"
                "  foresight bound scenarios/quickstart.json --set prep.workers=2 --json\n",
    .least = 1,
    .most = 1,
    .run = run,
};
