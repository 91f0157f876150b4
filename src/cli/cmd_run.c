#include "cli/cmd.h"

#include "cli/keep.h"
#include "cli/load.h"
#include "cli/print.h"
#include "cli/studies.h"

#include <stdio.h>
#include <time.h>

static double wall_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void show(const struct args *args, const struct outcome *o, double wall)
{
    struct json *doc = outcome_json(o);

    if (args->timing) {
        json_set_number(doc, "wall_s", wall);
        json_set_number(doc, "events_per_s", wall > 0 ? (double)o->events / wall : 0);
    }
    if (args->json) {
        print_document(doc);
        return;
    }
    json_free(doc);
    print_outcome(o);
    if (args->timing)
        printf("\n  %llu events in %.3f s: %.3g events/s\n", (unsigned long long)o->events, wall,
               (double)o->events / wall);
}

static int run(const struct args *args, struct err *err)
{
    struct loaded l;
    struct outcome o;
    double start;
    int rc;

    TRY(load_to_predict(args, args->words[0], &l, err));
    if (!args->quiet)
        print_warnings(l.scenario);
    start = wall_s();
    rc = simulate_loaded(args, &l, &o, err);
    if (rc == 0 || rc == ERR_PRECISION || rc == ERR_CAP) {
        struct err keeping = {0};

        show(args, &o, wall_s() - start);
        if (keep_result(args, &l, "run", outcome_json(&o), NULL, &keeping) != 0 && rc == 0) {
            *err = keeping;
            rc = keeping.code;
        }
    }
    loaded_free(&l);
    return rc;
}

const struct cmd cmd_run = {
    .name = "run",
    .args = "SCENARIO",
    .help = "simulate: throughput, latency, utilization, stalls, cost",
    .group = "Ask one scenario",
    .about =
        "Simulates the scenario in one event calendar, in independent replications on all cores, and prints\n"
        "what it delivers, every figure with its interval. The result is kept in the store.",
    .options = "set,apply",
    .examples =
        "  foresight run scenarios/01-one-stage.json\n"
        "  foresight run scenarios/quickstart.json --apply cluster+dedup --set prep.workers=2 --json\n",
    .least = 1,
    .most = 1,
    .run = run,
};
