#include "cli/cmd.h"

#include "cli/chart.h"
#include "cli/keep.h"
#include "cli/load.h"
#include "cli/print.h"
#include "cli/studies.h"
#include "study/simulated.h"

#include <stdio.h>
#include <time.h>

static double wall_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --trace NAME: one replication is kept to be looked at. */
static int keep_trace(const struct args *args, const struct loaded *l, const struct outcome *o,
                      struct simulated *out, struct err *err)
{
    const char *name = args_get(args, "trace", NULL);
    struct simulate_options opt = load_options(args, NULL);
    struct store *store;
    int rc;

    if (name == NULL)
        return 0;
    TRY(store_open(args->store, STORE_WRITE, &store, err));
    rc = keep_simulated(l->scenario, &opt, o, store, name, out, err);
    store_close(store);
    return rc;
}

static void print_trace(const struct simulated *t)
{
    printf("\n  %zu spans of replication 0 are in trace %lld", t->spans, (long long)t->trace_id);
    if (t->left_out > 0)
        printf("; %llu later ones are left out", (unsigned long long)t->left_out);
    printf("\n  foresight trace export %lld --format chrome -o run.json draws them\n", (long long)t->trace_id);
}

static void show(const struct args *args, const struct outcome *o, const struct simulated *t, double wall)
{
    struct json *doc = outcome_json(o);

    if (args->timing) {
        json_set_number(doc, "wall_s", wall);
        json_set_number(doc, "events_per_s", wall > 0 ? (double)o->events / wall : 0);
    }
    if (args->json) {
        if (t->trace_id > 0)
            json_set_number(doc, "trace_id", (double)t->trace_id);
        print_document(doc);
        return;
    }
    json_free(doc);
    print_outcome(o);
    if (args->timing)
        printf("\n  %llu events in %.3f s: %.3g events/s\n", (unsigned long long)o->events, wall,
               (double)o->events / wall);
    if (t->trace_id > 0)
        print_trace(t);
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
        double wall = wall_s() - start;
        struct simulated trace = {0};
        struct err keeping = {0};
        int kept = keep_trace(args, &l, &o, &trace, &keeping);

        show(args, &o, &trace, wall);
        if (kept == 0)
            kept = keep_result(args, &l, "run", outcome_json(&o), NULL, &keeping);
        if (kept == 0)
            kept = chart_outcome(args, &l, &o, &keeping);
        if (kept != 0 && rc == 0) {
            *err = keeping;
            rc = kept;
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
        "what it delivers, every figure with its interval. The result is kept in the store. --trace NAME keeps\n"
        "the spans of one replication too, for `foresight trace export`.",
    .options = "set,apply,trace",
    .examples =
        "  foresight run scenarios/01-one-stage.json\n"
        "  foresight run scenarios/quickstart.json --apply cluster+dedup --set prep.workers=2 --json\n"
        "  foresight run scenarios/quickstart.json --trace quick\n",
    .least = 1,
    .most = 1,
    .run = run,
};
