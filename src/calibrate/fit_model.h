/*
 * fit_model.h - parameters of one model, kind of resource or workload from imported traces.
 *
 *     foresight fit llm_serving --trace Llama-3.1-8B-tp1-dense --trace Llama-3.1-8B-tp1-attention
 *
 * Runs every recipe that the target declares (models/fits.h) on every trace
 * given; what a trace holds nothing of is passed over.  The result is a
 * calibration that has not been saved yet.
 */
#ifndef CALIBRATE_FIT_MODEL_H
#define CALIBRATE_FIT_MODEL_H

#include "calibrate/fitting.h"

struct fit_model_input {
    struct store *store;
    const char *target;
    const int64_t *traces;
    int traces_n;
    const char *where; /* only these rows (samples.h); NULL: all */
    double bound_frac; /* how far tables may be off, relative; 0: 5 % */
};

/* ERR_USAGE: no such target, with the nearest; nothing in the traces to fit it from, with what there is. */
int fit_model(const struct fit_model_input *in, struct arena *a, struct fitting *out, struct err *err);

#endif
