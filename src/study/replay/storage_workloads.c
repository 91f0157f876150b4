/*
 * storage_workloads.c - MLPerf Storage: one workload of a system predicts the others.
 *
 * Emulated accelerators read ahead, so a step does not wait for reading itself but for what its host shares
 * out: taking over a batch's bytes and samples, beside the loop's own overhead,
 *
 *   wait = a + (b megabytes + d samples of a batch) (accelerators per host)^p
 *
 * the same law for every system, times a factor of the system.  a, b, d, p come from the systems of all other
 * submitters (least absolute deviation of the logarithm), the factor from the one workload.  How much of the
 * one workload's deviation is the system's, and how much is its own, is a variance component of those other
 * systems; the deviation is shrunk by that share (empirical Bayes).  Utilization = compute / (compute +
 * wait).
 *
 * The naive prediction is constant per workload: the mean of the other submitters' systems.
 */
#include "store/measurement.h"
#include "study/replay/tools.h"

#include <math.h>
#include <string.h>

enum { LAW_A, LAW_B, LAW_D, LAW_P, LAW_SIZE };

/* Runs of one system with one workload and count, averaged. */
struct setting {
    const char *submitter, *system, *workload, *accelerator;
    double count, per_host, compute_s, batch_mb, batch, busy, runs;
};

struct fit {
    const struct setting *all;
    size_t n;
    const char *without; /* submitter */
};

static bool same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static bool same_system(const struct setting *a, const struct setting *b)
{
    return same(a->submitter, b->submitter) && same(a->system, b->system) &&
           same(a->accelerator, b->accelerator);
}

/* -------------------------------------------------------------- reading */

static bool read_setting(const struct measured_row *m, struct setting *s)
{
    *s = (struct setting){.submitter = measured_text(m, "submitter"),
                          .system = measured_text(m, "system"),
                          .workload = measured_text(m, "model"),
                          .accelerator = measured_text(m, "accelerator"),
                          .count = measured_number(m, "accelerators"),
                          .compute_s = measured_number(m, "compute_s"),
                          .batch = measured_number(m, "batch"),
                          .busy = measured_figure(m, "accelerator_utilization_frac"),
                          .runs = 1};
    s->per_host = s->count / measured_number(m, "hosts");
    s->batch_mb = s->batch * measured_number(m, "record_bytes") / 1e6;
    return s->per_host > 0 && s->compute_s > 0 && s->batch_mb > 0 && s->busy > 0 && s->busy < 1;
}

static size_t read_settings(const struct measured_row *rows, size_t n, struct setting *out)
{
    size_t settings = 0;

    for (size_t i = 0; i < n; i++) {
        struct setting s;
        size_t k = 0;

        if (!read_setting(&rows[i], &s))
            continue;
        while (k < settings && !(same_system(&out[k], &s) && same(out[k].workload, s.workload) &&
                                 out[k].count == s.count && out[k].per_host == s.per_host))
            k++;
        if (k == settings)
            out[settings++] = s;
        else
            out[k].busy += (s.busy - out[k].busy) / ++out[k].runs;
    }
    return settings;
}

/* -------------------------------------------------------------- the law */

static double law_wait_s(const struct setting *s, const double *law)
{
    return exp(law[LAW_A]) +
           (exp(law[LAW_B]) * s->batch_mb + exp(law[LAW_D]) * s->batch) * pow(s->per_host, law[LAW_P]);
}

/* Logarithm of the measured wait over the law's. */
static double deviation(const struct setting *s, const double *law)
{
    return log(s->compute_s * (1 / s->busy - 1) / law_wait_s(s, law));
}

static double misfit(const double *law, void *ctx)
{
    const struct fit *f = ctx;
    double sum = 0;

    for (size_t i = 0; i < f->n; i++)
        if (!same(f->all[i].submitter, f->without))
            sum += fabs(deviation(&f->all[i], law));
    return sum;
}

/* Mean deviation of the settings that a system has of one workload; 0 of none. */
static double mean_deviation(const struct fit *f, const struct setting *of, const char *workload,
                             const double *law, size_t *n)
{
    double sum = 0;

    *n = 0;
    for (size_t i = 0; i < f->n; i++)
        if (same_system(&f->all[i], of) && same(f->all[i].workload, workload)) {
            sum += deviation(&f->all[i], law);
            ++*n;
        }
    return *n > 0 ? sum / (double)*n : 0;
}

/*
 * The slope of other workloads' deviations over the known workload's, through the origin, between 0 and 1:
 * what part of a deviation belongs to the system.
 */
static double system_share(const struct fit *f, const char *known, const double *law)
{
    double cross = 0, square = 0;
    size_t n;

    for (size_t i = 0; i < f->n; i++) {
        const struct setting *s = &f->all[i];
        double of_known;

        if (same(s->submitter, f->without) || same(s->workload, known))
            continue;
        of_known = mean_deviation(f, s, known, law, &n);
        cross += n > 0 ? of_known * deviation(s, law) : 0;
        square += of_known * of_known;
    }
    return square > 0 ? fmin(1, fmax(0, cross / square)) : 0;
}

/* ------------------------------------------------------------ predicting */

/* Of a workload: the other submitters' mean; of the same accelerator where there are any. */
static double constant_utilization(const struct fit *f, const struct setting *s)
{
    double sum[2] = {0}, n[2] = {0};

    for (size_t i = 0; i < f->n; i++)
        if (!same(f->all[i].submitter, f->without) && same(f->all[i].workload, s->workload)) {
            int k = same(f->all[i].accelerator, s->accelerator);

            sum[k] += f->all[i].busy;
            n[k]++;
        }
    return n[1] > 0 ? sum[1] / n[1] : n[0] > 0 ? sum[0] / n[0] : NAN;
}

struct prediction {
    const struct setting *of;
    double busy, naive;
};

/* Of every other workload of the submitter's systems, from the one that is known. */
static int predict_submitter(struct fit *f, const char *known, struct prediction *out, size_t *n,
                             struct err *err)
{
    double law[LAW_SIZE] = {-7, -12, -12, 0.5}, share; /* 1 ms, 6 us/MB, 6 us a sample, the root */

    TRY(tools_minimize(misfit, f, law, LAW_SIZE, 0.5, 600, err));
    share = system_share(f, known, law);
    for (size_t i = 0; i < f->n; i++) {
        const struct setting *s = &f->all[i];
        double of_known;
        size_t found;

        if (!same(s->submitter, f->without) || same(s->workload, known))
            continue;
        of_known = mean_deviation(f, s, known, law, &found);
        if (found == 0)
            continue;
        out[*n].of = s;
        out[*n].busy = s->compute_s / (s->compute_s + exp(share * of_known) * law_wait_s(s, law));
        out[(*n)++].naive = constant_utilization(f, s);
    }
    return 0;
}

/* The interval of a submitter's figures: what the others were missed by. */
static struct tools_spread others_spread(struct replay *r, const struct prediction *p, size_t n,
                                         const char *without)
{
    double *predicted = arena_array(r->arena, n + 1, sizeof *predicted);
    double *measured = arena_array(r->arena, n + 1, sizeof *measured);
    size_t k = 0;

    for (size_t i = 0; i < n; i++)
        if (!same(p[i].of->submitter, without)) {
            predicted[k] = p[i].busy;
            measured[k++] = p[i].of->busy;
        }
    return tools_spread(predicted, measured, k, r->arena);
}

static int run(struct replay *r, struct err *err)
{
    struct fit f = {0};
    struct measured_row *rows;
    struct setting *settings;
    struct prediction *p;
    const char *known;
    size_t n, predicted = 0;
    int64_t trace;

    TRY(replay_text(r, r->params, "$.params", "known_workload", &known, err));
    TRY(replay_import(r, r->c->files[0], &trace, err));
    TRY(measured_load(r->store, trace, r->arena, &rows, &n, err));
    settings = arena_array(r->arena, n + 1, sizeof *settings);
    p = arena_array(r->arena, n + 1, sizeof *p);
    f.all = settings;
    f.n = read_settings(rows, n, settings);
    for (size_t i = 0; i < f.n; i++) {
        bool seen = false;

        for (size_t k = 0; k < i; k++)
            seen = seen || same(settings[k].submitter, settings[i].submitter);
        f.without = settings[i].submitter;
        if (!seen)
            TRY(predict_submitter(&f, known, p, &predicted, err));
    }
    for (size_t i = 0; i < predicted; i++) {
        const struct setting *s = p[i].of;
        struct tools_spread spread = others_spread(r, p, predicted, s->submitter);
        struct replay_figure figure = {.unit = "frac", .noise_frac = NAN, .group = "utilizations"};

        figure.name =
            arena_printf(r->arena, "%s %g %s, %.24s", s->workload, s->count, s->accelerator, s->system);
        figure.measured = s->busy;
        figure.predicted = tools_estimate(p[i].busy, &spread);
        figure.predicted.pred_hi = fmin(1, figure.predicted.pred_hi);
        figure.naive = p[i].naive;
        replay_emit(r, &figure);
    }
    return 0;
}

const struct replay_kind replay_storage_workloads = {
    .name = "storage-workloads",
    .about = "MLPerf Storage: one workload of a system predicts its other workloads",
    .run = run,
};
