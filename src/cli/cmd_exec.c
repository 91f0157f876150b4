#include "cli/cmd.h"

#include "base/units.h"
#include "cli/keep.h"
#include "cli/load.h"
#include "cli/print.h"
#include "study/measure.h"

#include <stdio.h>
#include <stdlib.h>

enum { REPEATS = 3 };

static void print_measurements(const struct scenario *s, const struct measurement *m, long n,
                               double confidence)
{
    double *x = xcalloc((size_t)n, sizeof *x);
    struct estimate e;
    char buf[100];

    for (long i = 0; i < n; i++)
        x[i] = m[i].throughput_per_s;
    e = estimate_student(x, (size_t)n, confidence);
    printf("%s: executed %ld times\n\n  throughput   %s\n", s->name, n,
           print_estimate(buf, sizeof buf, &e, UNIT_PER_S));
    for (long i = 0; i < n; i++)
        x[i] = m[i].makespan_s;
    e = estimate_student(x, (size_t)n, confidence);
    printf("  makespan     %s\n", print_estimate(buf, sizeof buf, &e, UNIT_S));
    printf("  table        %s on disk, %s read (%s)\n",
           units_format(buf, 40, m[0].result.table_bytes, UNIT_BYTES),
           units_format(buf + 50, 40, m[0].result.read_bytes, UNIT_BYTES), m[0].result.cache_note);
    printf("  loss         %.6f first, %.6f last\n\n  %-12s %-12s %8s %8s %8s\n", m[0].result.first_loss,
           m[0].result.last_loss, "stage", "model", "busy", "blocked", "starved");
    for (int i = 0; i < s->stages_n; i++) {
        double span = m[0].makespan_s * (double)s->stages[i].shape.workers / 100;

        printf("  %-12s %-12s %6.1f %% %6.1f %% %6.1f %%\n", s->stages[i].name, s->stages[i].model->name,
               m[0].result.stages[i].busy_s / span, m[0].result.stages[i].blocked_s / span,
               m[0].result.stages[i].starved_s / span);
    }
    for (long i = 0; i < n; i++)
        if (m[i].disturbed_frac > DISTURBED_FRAC)
            printf("\n  run %ld: other programs took %.0f %% of this machine; do not trust it", i + 1,
                   100 * m[i].disturbed_frac);
    printf("\n  spans are in trace %lld\n", (long long)m[n - 1].trace_id);
    free(x);
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
    struct measure_options opt = {.folder = args_get(args, "folder", "foresight.work"), .spans = true};
    struct progress *inner = NULL, *progress = progress_new(args->progress, args->quiet);
    struct loaded l;
    int rc = load_scenario(args, args->words[0], &l, err);

    if (rc == 0) {
        rc = store_open(args->store, STORE_WRITE, &opt.store, err);
        opt.progress = args_has(args, "profile") ? progress : inner;
        if (rc == 0 && args_has(args, "profile"))
            rc = profile(args, &l, &opt, err);
        else if (rc == 0)
            rc = execute(args, &l,
                         &(struct measure_options){
                             .folder = opt.folder, .spans = true, .store = opt.store, .progress = progress},
                         err);
        store_close(opt.store);
        loaded_free(&l);
    }
    progress_free(progress);
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
    .options = "set,apply,profile,repeats,folder",
    .examples = "  foresight exec scenarios/quickstart.json --repeats 3\n"
                "  foresight exec --profile scenarios/quickstart.json\n",
    .least = 1,
    .most = 1,
    .run = run,
};
