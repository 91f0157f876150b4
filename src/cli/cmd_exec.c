#include "cli/cmd.h"

#include "base/units.h"
#include "cli/keep.h"
#include "cli/load.h"
#include "cli/print.h"
#include "cli/studies.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { REPEATS = 3 };

static void print_estimated(const char *name, const struct measurement *m, long n, enum measured_figure f,
                            enum unit unit, double confidence)
{
    struct estimate e = measured_estimate(m, n, f, -1, confidence);
    char buf[100];

    if (!isnan(e.mean))
        printf("  %-12s %s\n", name, print_estimate(buf, sizeof buf, &e, unit));
}

/* What only this path knows: "table_bytes", "last_loss". */
static void print_own_figures(const struct exec_outcome *r)
{
    char buf[60];

    for (int i = 0; i < r->figures_n; i++) {
        enum unit unit = strcmp(r->figures[i].unit, "bytes") == 0 ? UNIT_BYTES
                         : strcmp(r->figures[i].unit, "s") == 0   ? UNIT_S
                                                                  : UNIT_NONE;

        printf("  %-12s %s\n", r->figures[i].name, units_format(buf, sizeof buf, r->figures[i].value, unit));
    }
    if (r->cache_note != NULL)
        printf("  storage      %s\n", r->cache_note);
}

static const char *print_share(char buf[20], double share)
{
    if (isnan(share)) /* a stage that has no thread of its own */
        return "-";
    snprintf(buf, 20, "%.1f %%", 100 * share);
    return buf;
}

static void print_stages(const struct scenario *s, const struct measurement *m)
{
    char buf[3][20];

    printf("\n  %-12s %-12s %8s %8s %8s\n", "stage", "model", "busy", "blocked", "starved");
    for (int i = 0; i < m->result.stages_n; i++)
        printf("  %-12s %-12s %8s %8s %8s\n", s->stages[i].name, s->stages[i].model->name,
               print_share(buf[0], measured_value(m, MEASURED_BUSY, i)),
               print_share(buf[1], measured_value(m, MEASURED_BLOCKED, i)),
               print_share(buf[2], measured_value(m, MEASURED_STARVED, i)));
}

static void print_measurements(const struct scenario *s, const struct measurement *m, long n,
                               double confidence)
{
    printf("%s: executed %ld times\n\n", s->name, n);
    print_estimated("throughput", m, n, MEASURED_THROUGHPUT, UNIT_PER_S, confidence);
    print_estimated("makespan", m, n, MEASURED_MAKESPAN, UNIT_S, confidence);
    print_estimated("latency p50", m, n, MEASURED_P50, UNIT_S, confidence);
    print_estimated("latency p95", m, n, MEASURED_P95, UNIT_S, confidence);
    print_estimated("quality", m, n, MEASURED_QUALITY, UNIT_NONE, confidence);
    print_own_figures(&m[0].result);
    print_stages(s, m);
    for (long i = 0; i < n; i++)
        if (m[i].disturbed_frac > DISTURBED_FRAC)
            printf("\n  run %ld: other programs took %.0f %% of this machine; do not trust it", i + 1,
                   100 * m[i].disturbed_frac);
    printf("\n  spans are in trace %lld\n", (long long)m[n - 1].trace_id);
}

static int execute(const struct args *args, struct loaded *l, const struct measure_options *opt,
                   struct err *err)
{
    struct measure_options mo = *opt;
    struct measurement *m;
    long repeats;
    int rc = 0, retries;

    TRY(args_long(args, "repeats", REPEATS, 1, 1000, &repeats, err));
    retries = (int)repeats;
    mo.retries = &retries;
    mo.progress = NULL;
    m = arena_array(l->arena, (size_t)repeats, sizeof *m);
    progress_begin(opt->progress, "executing", (double)repeats);
    for (long i = 0; i < repeats && rc == 0; i++) {
        rc = measure_run(l->scenario, &mo, &m[i], err);
        progress_step(opt->progress, (double)i + 1, NULL);
    }
    progress_end(opt->progress);
    if (rc != 0)
        return rc;
    if (args->json)
        print_document(measurements_json(l->scenario, m, repeats, args->confidence));
    else
        print_measurements(l->scenario, m, repeats, args->confidence);
    return keep_result(args, l, "exec", measurements_json(l->scenario, m, repeats, args->confidence), NULL,
                       err);
}

static int profile(const struct args *args, struct loaded *l, const struct measure_options *opt,
                   struct err *err)
{
    int64_t id;

    TRY(measure_profile(l->scenario, opt, &id, err));
    if (args->json) {
        struct json *doc = json_new_object();

        json_set_string(doc, "command", "exec");
        json_set_string(doc, "scenario", l->scenario->name);
        json_set_number(doc, "trace_id", (double)id);
        print_document(doc);
    } else {
        printf("%s: operators measured alone; spans are in trace %lld\n", l->scenario->name, (long long)id);
    }
    return 0;
}

static int run(const struct args *args, struct err *err)
{
    struct measure_options opt;
    struct loaded l;
    int rc;

    TRY(measure_options_of(args, &opt, err));
    TRY(load_scenario(args, args->words[0], &l, err));
    opt.progress = progress_new(args->progress, args->quiet);
    rc = check_executable(args, &l, err);
    if (rc == 0)
        rc = store_open(args->store, STORE_WRITE, &opt.store, err);
    if (rc == 0)
        rc = args_has(args, "profile") ? profile(args, &l, &opt, err) : execute(args, &l, &opt, err);
    store_close(opt.store);
    progress_free(opt.progress);
    loaded_free(&l);
    return rc;
}

const struct cmd cmd_exec = {
    .name = "exec",
    .args = "SCENARIO",
    .help = "really execute the pipeline here and record its spans",
    .group = "Measure",
    .about = "Makes the data set (once), then runs the pipeline's real kernels in real threads with bounded "
             "queues,\n"
             "several times, and keeps every operator's span in the store. --profile measures the operators "
             "alone.",
    .options = "set,apply,profile,repeats,folder,pin",
    .examples = "  foresight exec scenarios/quickstart.json --repeats 3\n"
                "  foresight exec --profile scenarios/quickstart.json\n",
    .least = 1,
    .most = 1,
    .run = run,
};
