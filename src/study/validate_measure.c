#include "study/validate_parts.h"

/* Larger is better, as the study's variants have it. */
static double objective_of(const struct scenario *s, const struct measurement *m)
{
    enum workload_kind kind = s->workload.kind;

    if (kind == WORKLOAD_OPEN || kind == WORKLOAD_TRACE)
        return 1 / m->latency_s[LATENCY_MEAN];
    return m->throughput_per_s;
}

static int measure_variant(const struct validating *v, int i, long repeat, int *retries, struct err *err)
{
    struct validate_variant *x = &v->out->variants[i];
    struct measure_options mo = v->opt->measure;
    struct scenario *s = NULL;
    int rc = variant_build(&v->st, x->set, NULL, 0, &s, err);

    mo.progress = NULL;
    mo.retries = retries;
    mo.spans = true; /* of all, so that all bear the same burden; only the baseline's are kept */
    if (i > 0)
        mo.store = NULL;
    if (rc == 0)
        rc = measure_run(s, &mo, &x->runs[repeat], err);
    if (rc == 0)
        x->objective[repeat] = objective_of(s, &x->runs[repeat]);
    scenario_free(s);
    return rc == 0 ? 0 : err_at(err, "variant \"%s\"", x->name);
}

/* The first execution finds cold caches and a sleeping processor: it is made and thrown away. */
static int warm_up(const struct validating *v, struct err *err)
{
    struct measure_options mo = v->opt->measure;
    struct measurement unused;

    mo.progress = NULL;
    mo.store = NULL;
    return measure_run(v->base, &mo, &unused, err);
}

int validate_measure(struct validating *v, struct err *err)
{
    struct validation *out = v->out;
    struct progress *p = v->opt->measure.progress;
    long repeats = v->opt->repeats;
    int rc, retries = out->n; /* a third of the runs, with the default repeats: the time stays bounded */

    for (int i = 0; i < out->n; i++) {
        out->variants[i].runs = arena_array(v->a, (size_t)repeats, sizeof(struct measurement));
        out->variants[i].objective = arena_array(v->a, (size_t)repeats, sizeof(double));
    }
    progress_begin(p, "executing variants", (double)(out->n * repeats));
    rc = warm_up(v, err);
    for (long r = 0; r < repeats && rc == 0; r++)
        for (int i = 0; i < out->n && rc == 0; i++) {
            rc = measure_variant(v, i, r, &retries, err);
            progress_step(p, (double)(r * out->n + i + 1), out->variants[i].name);
        }
    progress_end(p);
    return rc;
}
