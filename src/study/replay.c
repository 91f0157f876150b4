#include "study/replay.h"

#include "store/import/import.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

static const struct replay_kind *find_kind(const char *name)
{
    size_t i = 0;

    while (replay_kinds[i] != NULL && strcmp(replay_kinds[i]->name, name) != 0)
        i++;
    return replay_kinds[i];
}

int replay_import(struct replay *r, const char *file, int64_t *trace_id, struct err *err)
{
    const struct import_options options = {0};
    struct import_report report;

    ASSERT(r->traces != NULL);
    TRY(import_file(r->store, arena_printf(r->arena, "%s/%s", r->traces, file), &options, r->arena, &report,
                    err));
    *trace_id = report.trace_id;
    return 0;
}

struct replay_figure *replay_emit(struct replay *r, const struct replay_figure *f)
{
    struct replay_case *c = r->c;
    size_t n = c->figures_n;

    if ((n & (n - 1)) == 0) { /* full at powers of two */
        struct replay_figure *more = arena_array(r->arena, n == 0 ? 1 : 2 * n, sizeof *more);

        if (n > 0)
            memcpy(more, c->figures, n * sizeof *more);
        c->figures = more;
    }
    c->figures[n] = *f;
    c->figures[n].name = arena_strdup(r->arena, f->name);
    c->figures[n].unit = arena_strdup(r->arena, f->unit);
    c->figures[n].group = f->group != NULL ? arena_strdup(r->arena, f->group) : NULL;
    c->figures[n].regime = c->regime;
    c->figures_n++;
    return &c->figures[n];
}

struct estimate replay_estimate(double mean, double log_sd, double dof)
{
    struct estimate e = estimate_exact(mean);
    double p = 0.5 + REPLAY_LEVEL / 2;
    double reach = log_sd * (isfinite(dof) ? student_quantile(p, dof) : student_quantile(p, 1e9));

    e.has_pred = isfinite(reach);
    e.pred_lo = mean * exp(-reach);
    e.pred_hi = mean * exp(reach);
    return e;
}

double replay_log_spread(const double *predicted, const double *measured, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        double e = log(predicted[i] / measured[i]);

        sum += e * e;
    }
    return n > 1 ? sqrt(sum / (double)(n - 1)) : NAN;
}

/* Why the case cannot run here; NULL: it can. */
static const char *missing(const struct replay_case *c, const char *traces, struct arena *a)
{
    if (c->files_n > 0 && traces == NULL)
        return "traces not found (--traces DIR or $FORESIGHT_TRACES names their folder)";
    for (size_t i = 0; i < c->files_n; i++)
        if (access(arena_printf(a, "%s/%s", traces, c->files[i]), R_OK) != 0)
            return arena_printf(a, "traces not found: no %s in %s", c->files[i], traces);
    return NULL;
}

static void run_case(struct replay_case *c, const struct replay_options *opt, struct store *store,
                     struct arena *a, struct replay_result *out)
{
    struct replay r = {.c = c,
                       .params = json_get(c->spec, "params"),
                       .traces = opt->traces,
                       .store = store,
                       .arena = a,
                       .progress = opt->progress,
                       .seed = opt->seed};
    struct err err = {0};

    c->skipped = missing(c, opt->traces, a);
    if (c->skipped == NULL && find_kind(c->kind)->run(&r, &err) != 0) {
        c->skipped = arena_printf(a, "failed: %s", err.text);
        c->figures_n = 0;
        out->failed++;
    }
}

int replay_run(struct replay_case *cases, size_t n, const struct replay_options *opt, struct arena *a,
               struct replay_result *out, struct err *err)
{
    struct replay_result ran = {0};
    struct store *store;

    TRY(store_open_memory(&store, err));
    progress_begin(opt->progress, "replay", (double)n);
    for (size_t i = 0; i < n; i++) {
        progress_step(opt->progress, (double)i, cases[i].name);
        run_case(&cases[i], opt, store, a, &ran);
    }
    progress_end(opt->progress);
    store_close(store);
    replay_score(cases, n, a, out);
    out->failed = ran.failed;
    return 0;
}
