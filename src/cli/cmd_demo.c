#include "cli/cmd.h"

#include "base/arena.h"
#include "cli/print.h"
#include "pipeline/edit.h"
#include "pipeline/simulate.h"
#include "study/whatif.h"

#include <stdio.h>

/*
 * Preprocessing and training on the same two cores, from docs/scenario.md's world: what helps the loader
 * alone is not what helps the pipeline.
 */
static const char example[] =
    "{ \"name\": \"shared-cores\", \"unit\": \"sample\","
    "  \"workload\": {\"closed\": {\"in_flight\": \"max\"}},"
    "  \"resources\": {\"host\": {\"kind\": \"cores\", \"count\": 2},"
    "                \"disk\": {\"kind\": \"disk\", \"read_bw\": \"500MB/s\", \"iops\": 20000}},"
    "  \"stages\": [ {\"name\": \"load\", \"model\": \"operators\", \"on\": {\"cpu\": \"host\", \"disk\": "
    "\"disk\"},"
    "    \"params\": {\"workers\": 2, \"prefetch\": 2, \"batch\": 64, \"ops\": ["
    "      {\"name\": \"read\", \"disk_bytes\": \"120kB\"},"
    "      {\"name\": \"decode\", \"cpu\": {\"lognormal\": {\"mean\": \"0.6ms\", \"cv\": 0.7}}},"
    "      {\"name\": \"crop\", \"cpu\": \"0.5ms\"}, {\"name\": \"collate\", \"per_batch\": true, \"cpu\": "
    "\"22ms\"} ]}},"
    "    {\"name\": \"train\", \"model\": \"operators\", \"on\": {\"cpu\": \"host\"},"
    "     \"params\": {\"workers\": 1, \"ops\": [ {\"name\": \"step\", \"per_batch\": true, \"cpu\": "
    "\"80ms\"} ]}} ],"
    "  \"edges\": [ [\"load\", \"train\", {\"buffer\": 4}] ] }";

static const struct {
    const char *says, *set;
} ideas[] = {
    {"the loader team: a disk four times as fast", "resources.disk.read_bw=2GB/s"},
    {"the loader team: two more workers", "load.workers=4"},
    {"the loader team: cropping five times as fast", "stages.load.params.ops[2].cpu=0.1ms"},
    {"the training team: a step a quarter faster", "stages.train.params.ops[0].cpu=60ms"},
    {"one more core", "resources.host.count=3"},
};

static int simulate_with(const struct args *args, const char *set, struct arena *a, struct scenario **s,
                         struct outcome *out, struct err *err)
{
    struct simulate_options opt = {.seed = args->seed,
                                   .threads = args->threads,
                                   .replications = args->replications,
                                   .confidence = args->confidence};
    struct json *tree = NULL;
    int rc = json_parse(example, "demo", &tree, err);

    if (rc == 0 && set != NULL)
        rc = edit_set_text(tree, set, err);
    if (rc == 0)
        rc = scenario_build(tree, "demo", NULL, s, err);
    if (rc == 0)
        rc = simulate(*s, &opt, a, out, err);
    json_free(tree);
    return rc;
}

static int show_idea(const struct args *args, size_t i, const struct outcome *base, struct arena *a,
                     struct err *err)
{
    const struct figure_def *throughput = figure_find("throughput_per_s");
    struct scenario *s = NULL;
    struct outcome o;
    struct estimate delta, ratio;
    int rc = simulate_with(args, ideas[i].set, a, &s, &o, err);

    if (rc == 0 && figure_compare(throughput, base, &o, 0, &delta, &ratio))
        printf("  %-46s %.3fx (%.3f .. %.3f)\n      --set %s\n", ideas[i].says, ratio.mean, ratio.lo,
               ratio.hi, ideas[i].set);
    scenario_free(s);
    return rc;
}

static int run(const struct args *args, struct err *err)
{
    struct arena *a = arena_new();
    struct scenario *s = NULL;
    struct outcome base;
    int rc = simulate_with(args, NULL, a, &s, &base, err);

    if (rc == 0 && args->json) {
        print_document(outcome_json(&base));
    } else if (rc == 0) {
        printf("Two loader processes and a training step share a host of two cores.\n\n");
        print_outcome(&base);
        printf("\nWhat would you build? What the whole pipeline gains, with the same luck for all:\n\n");
    }
    for (size_t i = 0; rc == 0 && !args->json && i < sizeof ideas / sizeof *ideas; i++)
        rc = show_idea(args, i, &base, a, err);
    if (rc == 0 && !args->json)
        printf("\nYour own: foresight init --from TRACE, or foresight run scenarios/01-one-stage.json\n");
    scenario_free(s);
    arena_free(a);
    return rc;
}

const struct cmd cmd_demo = {
    .name = "demo",
    .args = "",
    .help = "an embedded example: what five ideas of two teams do to one pipeline",
    .group = "Reference",
    .about = "Needs no file and stores nothing.",
    .options = "",
    .examples = "  foresight demo\n  foresight demo --json\n",
    .least = 0,
    .most = 0,
    .run = run,
};
