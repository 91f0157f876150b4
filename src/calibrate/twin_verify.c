/*
 * twin_verify.c - the scenario simulated with what was just fitted, beside its executions.
 */
#include "calibrate/resolve.h"
#include "calibrate/resolve_rows.h"
#include "calibrate/twin.h"
#include "pipeline/simulate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VERIFY_REPLICATIONS = 8 };

/* Serves the rows just fitted under the calibration's name; everything else as before. */
struct overlay {
    const struct calibrate_input *in;
    const struct fitting *fit;
    const struct calibration_extra *extra;
};

static int overlay_calibration(void *ctx, const char *name, struct arena *a, struct param_row **rows,
                               size_t *n, struct err *err)
{
    const struct overlay *o = ctx;

    if (strcmp(name, o->in->name) != 0)
        return o->in->resolver->calibration(o->in->resolver->ctx, name, a, rows, n, err);
    return resolve_rows(name, o->fit->rows, o->fit->n, o->extra, a, rows, n, err);
}

static int overlay_preset(void *ctx, const char *name, struct arena *a, struct param_row **rows, size_t *n,
                          struct err *err)
{
    const struct overlay *o = ctx;

    return o->in->resolver->preset(o->in->resolver->ctx, name, a, rows, n, err);
}

static int overlay_document(void *ctx, const char *name, struct arena *a, const struct json **out,
                            struct err *err)
{
    const struct overlay *o = ctx;

    return o->in->resolver->document(o->in->resolver->ctx, name, a, out, err);
}

static int simulate_fit(const struct twin *t, struct outcome *o, struct err *err)
{
    struct calibration_extra extra = t->out.extra;
    struct overlay overlay = {.in = t->in, .fit = &t->out, .extra = &extra};
    struct resolver resolver = {.ctx = &overlay,
                                .calibration = overlay_calibration,
                                .preset = overlay_preset,
                                .document = t->in->resolver->document != NULL ? overlay_document : NULL};
    struct scenario_options so = {.resolver = &resolver};
    struct simulate_options opt = {.replications = VERIFY_REPLICATIONS};
    char *document = t->out.document != NULL ? json_compact(t->out.document) : NULL;
    struct scenario *s = NULL;
    int rc;

    extra.target = "";
    extra.document = document;
    rc = scenario_build(t->in->tree, t->in->scenario->file, &so, &s, err);
    if (rc == 0)
        rc = simulate(s, &opt, t->a, o, err);
    scenario_free(s);
    free(document);
    return rc == ERR_PRECISION ? 0 : rc;
}

static void discrepancy_row(struct twin *t, const char *path, const struct tally *measured, double predicted)
{
    double noise = sqrt(tally_variance(measured)) / measured->mean, error = predicted / measured->mean - 1;
    struct calibration_row *row =
        twin_row(t, path, sqrt(error * error + noise * noise), 0, "", (long)measured->n,
                 "simulated against executed baseline, and run-to-run noise");

    row->holdout_error_frac = fabs(error);
}

int twin_verify(struct twin *t, struct calibration *out, struct err *err)
{
    struct outcome o;

    out->baseline_measured_per_s = out->baseline_predicted_per_s = NAN;
    if (t->throughput.n == 0)
        return 0;
    TRY(simulate_fit(t, &o, err));
    *err = (struct err){0};
    out->baseline_measured_per_s = t->throughput.mean;
    out->baseline_predicted_per_s = o.throughput_per_s.mean;
    out->run_to_run_frac = sqrt(tally_variance(&t->throughput)) / t->throughput.mean;
    twin_row(t, GAIN_DISCREPANCY_PATH, twin_factor_spread(t), 0, "", (long)t->throughput.n,
             "spread of operators' factors between alone and in place");
    discrepancy_row(t, DISCREPANCY_PATH, &t->throughput, o.throughput_per_s.mean);
    if (o.has_latency && t->latency_mean.n > 0)
        discrepancy_row(t, LATENCY_DISCREPANCY_PATH, &t->latency_mean, o.latency_s[LATENCY_MEAN].mean);
    return 0;
}
