/*
 * storage_bench.c - storage benchmarks of training: few accelerators to many.
 *
 * An emulated accelerator sleeps for the computation of a batch; what a step
 * takes beyond that is the host's and the storage's:
 *
 *   wait    of every step, told by the accelerator utilization (which leaves out the first step of an epoch)
 *   start   of every epoch: reader processes start and fetch the first batch; told by how much fewer the
 *           samples per second are than the utilization says
 *
 *   samples/s = accelerators * batch / (compute + wait + start / steps of an epoch)
 *
 * Both grow with the number n of accelerators on a host as n^g, where g = 0 is work that accelerators do
 * not share, and g = 1 work that they share equally (processor sharing).  g is told by two counts below the
 * highest where there are two, and is 1 where there is one.  At a single accelerator nothing is shared yet: a
 * system with no other lower count is not predicted.  The highest count is predicted.
 *
 * The interval: errors of the other systems, predicted the same way.
 */
#include "store/measurement.h"
#include "study/replay/tools.h"

#include <math.h>
#include <string.h>

enum { SETTINGS_MAX = 256 };

struct setting {
    const char *system, *workload, *gpu;
    double accelerators, hosts, readers, files, per_file, batch, compute_s;
    struct tally samples_per_s, utilization; /* of repeated runs */
};

struct work {
    struct replay *r;
    struct setting s[SETTINGS_MAX];
    size_t n;
};

/* The highest count of a system and workload, the one below, and the one below that (NULL: none). */
struct ladder {
    const struct setting *before, *from, *to;
};

static bool same_system(const struct setting *a, const struct setting *b)
{
    return strcmp(a->system, b->system) == 0 && strcmp(a->workload, b->workload) == 0 &&
           strcmp(a->gpu, b->gpu) == 0;
}

static struct setting read_setting(const struct measured_row *m)
{
    return (struct setting){.system = measured_text(m, "system"),
                            .workload = measured_text(m, "model"),
                            .gpu = measured_text(m, "accelerator"),
                            .accelerators = measured_number(m, "accelerators"),
                            .hosts = measured_number(m, "hosts"),
                            .readers = measured_number(m, "read_threads"),
                            .files = measured_number(m, "files"),
                            .per_file = measured_number(m, "samples_per_file"),
                            .batch = measured_number(m, "batch"),
                            .compute_s = measured_number(m, "compute_s")};
}

static int read_settings(struct work *w, struct err *err)
{
    struct measured_row *m;
    int64_t trace;
    size_t n;

    TRY(replay_import(w->r, w->r->c->files[0], &trace, err));
    TRY(measured_load(w->r->store, trace, w->r->arena, &m, &n, err));
    for (size_t i = 0; i < n; i++) {
        struct setting one = read_setting(&m[i]);
        size_t k = 0;

        while (k < w->n && !(same_system(&w->s[k], &one) && w->s[k].accelerators == one.accelerators &&
                             w->s[k].hosts == one.hosts && w->s[k].readers == one.readers))
            k++;
        if (k == SETTINGS_MAX)
            return err_set(err, ERR_FAILED, "%s: more than %d settings", w->r->c->files[0], SETTINGS_MAX);
        if (k == w->n)
            w->s[w->n++] = one;
        tally_add(&w->s[k].samples_per_s, measured_figure(&m[i], "samples_per_s"));
        tally_add(&w->s[k].utilization, measured_figure(&m[i], "accelerator_utilization_frac"));
    }
    return 0;
}

/* The largest count below `limit`; NULL: none. */
static const struct setting *next_below(const struct work *w, const struct setting *limit)
{
    const struct setting *best = NULL;

    for (size_t i = 0; i < w->n; i++) {
        const struct setting *s = &w->s[i];

        if (same_system(s, limit) && s->hosts == limit->hosts && s->accelerators < limit->accelerators &&
            (best == NULL || s->accelerators > best->accelerators))
            best = s;
    }
    return best;
}

static bool is_highest(const struct work *w, const struct setting *s)
{
    for (size_t i = 0; i < w->n; i++)
        if (same_system(&w->s[i], s) && w->s[i].hosts == s->hosts && w->s[i].accelerators > s->accelerators)
            return false;
    return true;
}

/* False when the system was not measured at a lower count at which accelerators share a host. */
static bool ladder_of(const struct work *w, const struct setting *high, struct ladder *out)
{
    *out = (struct ladder){.to = high};
    if (!is_highest(w, high) || (out->from = next_below(w, high)) == NULL)
        return false;
    out->before = next_below(w, out->from);
    return out->from->accelerators > out->from->hosts;
}

static double steps_of(const struct setting *s)
{
    return fmax(1, floor(s->files * s->per_file / s->accelerators / s->batch));
}

static double wait_of(const struct setting *s)
{
    return s->compute_s * (1 / s->utilization.mean - 1);
}

static double start_of(const struct setting *s)
{
    double step = s->accelerators * s->batch / s->samples_per_s.mean;

    return fmax(0, step - s->compute_s - wait_of(s)) * steps_of(s);
}

static double grown(const struct ladder *l, double (*value)(const struct setting *s))
{
    double here = value(l->from), shared = 1;

    if (l->before != NULL && here > 0 && value(l->before) > 0)
        shared = log(here / value(l->before)) / log(l->from->accelerators / l->before->accelerators);
    return here * pow(l->to->accelerators / l->from->accelerators, fmax(0, fmin(1, shared)));
}

static double predict(const struct ladder *l)
{
    const struct setting *b = l->to;
    double step = b->compute_s + grown(l, wait_of) + grown(l, start_of) / steps_of(b);

    return b->accelerators * b->batch / step;
}

static double relative_sd(const struct tally *t)
{
    return t->n > 1 ? sqrt(tally_variance(t)) / t->mean : NAN;
}

static struct tools_spread spread_of_others(const struct work *w, const struct ladder *ladders, size_t n,
                                            const char *system)
{
    double *predicted = arena_array(w->r->arena, n + 1, sizeof *predicted);
    double *measured = arena_array(w->r->arena, n + 1, sizeof *measured);
    struct tools_spread s;
    size_t k = 0;

    for (size_t i = 0; i < n; i++)
        if (strcmp(ladders[i].to->system, system) != 0) {
            predicted[k] = predict(&ladders[i]);
            measured[k++] = ladders[i].to->samples_per_s.mean;
        }
    s = tools_spread(predicted, measured, k, w->r->arena);
    tools_widen(&s, k);
    return s;
}

/* Constant utilization: what a step takes beyond its computation, in proportion to the computation. */
static double constant_loss_s(const struct setting *a, const struct setting *b)
{
    return (a->accelerators * a->batch / a->samples_per_s.mean / a->compute_s - 1) * b->compute_s;
}

static void emit(struct work *w, const struct ladder *l, const char *name, const struct tools_spread *spread)
{
    const struct setting *a = l->from, *b = l->to;

    replay_emit(w->r, &(struct replay_figure){
                          .name = name,
                          .unit = "samples/s",
                          .measured = b->samples_per_s.mean,
                          .predicted = tools_estimate(predict(l), spread),
                          .naive = b->accelerators * b->batch / (b->compute_s + constant_loss_s(a, b)),
                          .noise_frac = relative_sd(&b->samples_per_s) / sqrt((double)b->samples_per_s.n)});
}

/* ------------------------------------------------------- figures in the case file */

static int read_published(const struct work *w, const struct json *v, const char *where, struct setting *s,
                          struct err *err)
{
    double samples;

    *s = (struct setting){.files = 1, .per_file = 1, .readers = 1};
    TRY(replay_number(w->r, v, where, "accelerators", &s->accelerators, err));
    TRY(replay_number(w->r, v, where, "hosts", &s->hosts, err));
    TRY(replay_number(w->r, v, where, "batch", &s->batch, err));
    TRY(replay_number(w->r, v, where, "compute_s", &s->compute_s, err));
    TRY(replay_number(w->r, v, where, "samples_per_s", &samples, err));
    tally_add(&s->samples_per_s, samples);
    tally_add(&s->utilization, samples * s->compute_s / (s->accelerators * s->batch));
    return 0;
}

static int run_published(struct work *w, struct err *err)
{
    double spread_frac;
    size_t i = 0;

    TRY(replay_number(w->r, w->r->params, "$.params", "error_frac", &spread_frac, err));
    JSON_EACH (f, json_get(w->r->c->spec, "figures")) {
        const char *where = arena_printf(w->r->arena, "$.figures[%zu]", i++), *name;
        struct tools_spread spread = {-spread_frac, spread_frac, 1};
        struct setting from, to;

        TRY(replay_text(w->r, f, where, "name", &name, err));
        TRY(read_published(w, json_get(f, "from"), arena_printf(w->r->arena, "%s.from", where), &from, err));
        TRY(read_published(w, json_get(f, "to"), arena_printf(w->r->arena, "%s.to", where), &to, err));
        emit(w, &(struct ladder){NULL, &from, &to}, name, &spread);
    }
    return 0;
}

/* --------------------------------------------------------------- recorded runs */

static int run_recorded(struct work *w, struct err *err)
{
    struct ladder ladders[SETTINGS_MAX];
    size_t n = 0;

    TRY(read_settings(w, err));
    for (size_t i = 0; i < w->n; i++)
        n += ladder_of(w, &w->s[i], &ladders[n]);
    for (size_t i = 0; i < n; i++) {
        const struct setting *a = ladders[i].from, *b = ladders[i].to;
        struct tools_spread spread = spread_of_others(w, ladders, n, b->system);

        emit(w, &ladders[i],
             arena_printf(w->r->arena, "%s %g to %g, %.40s", b->workload, a->accelerators, b->accelerators,
                          b->system),
             &spread);
    }
    return 0;
}

static int run(struct replay *r, struct err *err)
{
    struct work w = {.r = r};

    return r->c->files_n > 0 ? run_recorded(&w, err) : run_published(&w, err);
}

const struct replay_kind replay_storage_bench = {
    .name = "storage-bench",
    .about = "storage benchmarks of training: few accelerators to many (MLPerf Storage)",
    .run = run,
};
