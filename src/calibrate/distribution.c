#include "calibrate/distribution.h"

#include "base/arena.h"
#include "calibrate/empirical.h"
#include "calibrate/likelihood.h"
#include "engine/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    P = FAMILY_PARAMS,
    HOLD_OUT_EVERY = 5,
    EM_ROUNDS = 60,
    SIMPLEX_STEPS = 600,
    RESAMPLES = 200,
    LEAST_N = 10
};

static const enum law_kind choices[] = {LAW_EXPONENTIAL, LAW_LOGNORMAL, LAW_GAMMA, LAW_WEIBULL,
                                        LAW_HYPEREXPONENTIAL};
enum { CHOICES = sizeof choices / sizeof *choices };

/* ------------------------------------------------------------------------------------------------- errors */

static void add_params(const struct likelihood *l, const double *theta, double cov[P][P], struct fit *f)
{
    double t = fit_t95(l->n - l->family->n);

    for (int i = 0; i < l->family->n; i++) {
        double se = sqrt(cov[i][i]);
        struct fit_param *p =
            fit_add(f, l->family->name[i], l->family->plain[i] ? "" : l->s->unit,
                    family_value(l->family, i, theta[i]), family_slope(l->family, i, theta[i]) * se, t, 0);

        p->lo = family_value(l->family, i, theta[i] - t * se);
        p->hi = family_value(l->family, i, theta[i] + t * se);
    }
    for (int i = 0; i < l->family->n; i++)
        for (int j = 0; j < l->family->n; j++)
            f->cov[i][j] =
                cov[i][j] * family_slope(l->family, i, theta[i]) * family_slope(l->family, j, theta[j]);
}

/* Resamples observations (buckets by their counts) and climbs again from where the maximum was. */
static void bootstrap(const struct likelihood *l, const double *theta, const struct distribution_options *o,
                      struct fit *f)
{
    size_t resamples = o->resamples > 0 ? (size_t)o->resamples : RESAMPLES, n = (size_t)l->n,
           p = (size_t)l->family->n;
    size_t *owner = xcalloc(n, sizeof *owner), k = 0;
    double *count = xcalloc(l->s->n, sizeof *count), *draws = xcalloc(resamples * p, sizeof *draws);
    struct likelihood again = *l;
    struct rng rng;

    rng_stream(&rng, o->seed, 0, "distribution.bootstrap");
    for (size_t i = 0; i < l->s->n; i++)
        for (double c = 0; c < l->count[i] && k < n; c++)
            owner[k++] = i;
    again.count = count;
    for (size_t r = 0; r < resamples; r++) {
        double t[P];

        memset(count, 0, l->s->n * sizeof *count);
        for (size_t i = 0; i < n; i++)
            count[owner[rng_below(&rng, n)]]++;
        memcpy(t, theta, sizeof t);
        likelihood_climb(&again, t);
        for (size_t i = 0; i < p; i++)
            draws[r * p + i] = family_value(l->family, (int)i, t[i]);
    }
    fit_from_draws(f, draws, resamples, 1, 0);
    free(draws);
    free(count);
    free(owner);
}

/* A share that the data do not hold away from 0 or 1, or phases that cannot be told apart. */
static bool degenerate(const struct likelihood *l, const double *theta, double cov[P][P])
{
    if (l->family->kind != LAW_HYPEREXPONENTIAL)
        return false;
    return fabs(theta[0]) > 6 || sqrt(cov[0][0]) > 1.5 ||
           theta[2] - theta[1] < 2 * sqrt(fmax(cov[2][2], cov[1][1]));
}

static void find_errors(const struct likelihood *l, const double *theta, const struct distribution_options *o,
                        struct fit *f)
{
    double cov[P][P] = {{0}};
    bool hill = likelihood_information(l, theta, cov), edge = hill && degenerate(l, theta, cov);

    if (!hill)
        memset(cov, 0, sizeof cov);
    add_params(l, theta, cov, f);
    if (hill && !edge)
        return;
    bootstrap(l, theta, o, f);
    fit_suspect(f, "%s: the sample does not hold every parameter; errors are from the bootstrap%s",
                law_kind_name(l->family->kind),
                l->family->kind == LAW_HYPEREXPONENTIAL ? ", and one phase may do" : "");
}

/* --------------------------------------------------------------------------------------- distance, hold-out
 */

static int by_place(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;

    return (x->hi > y->hi) - (x->hi < y->hi);
}

/* Kolmogorov-Smirnov, at values and at bounds of buckets; censored ones count as not yet below. */
static double distance(const struct likelihood *l, const double *theta)
{
    struct member m = family_member(l->family, theta);
    struct sample *s = xcalloc(l->s->n, sizeof *s);
    double all = member_between(&m, l->s->from, samples_upper(l->s)), below = 0, worst = 0;

    memcpy(s, l->s->s, l->s->n * sizeof *s);
    for (size_t i = 0; i < l->s->n; i++)
        s[i].count = l->count[i];
    qsort(s, l->s->n, sizeof *s, by_place);
    for (size_t i = 0; i < l->s->n;) {
        double at = s[i].hi, law = (member_below(&m, at) - member_below(&m, l->s->from)) / all;

        if (isinf(at))
            break;
        if (s[i].lo == at)
            worst = fmax(worst, fabs(law - below / l->n));
        for (; i < l->s->n && s[i].hi == at; i++)
            below += s[i].count;
        worst = fmax(worst, fabs(law - below / l->n));
    }
    free(s);
    return worst;
}

/* Of the observations in order, every fifth. */
static void split(const struct samples *s, double *kept, double *held)
{
    double before = 0;

    for (size_t i = 0; i < s->n; i++) {
        double after = before + s->s[i].count;

        held[i] = floor(after / HOLD_OUT_EVERY) - floor(before / HOLD_OUT_EVERY);
        kept[i] = s->s[i].count - held[i];
        before = after;
    }
}

static double total(const double *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

/* Log-likelihood of each sample under a fit (theta) of the kept ones. */
static void hold_out(const struct likelihood *l, const double *kept, double *theta, double *each)
{
    struct likelihood part = *l;
    struct member m;
    double all;

    part.count = kept;
    part.n = total(kept, l->s->n);
    likelihood_maximize(&part, theta);
    m = family_member(l->family, theta);
    all = samples_truncated(l->s) ? log(member_between(&m, l->s->from, samples_upper(l->s))) : 0;
    for (size_t i = 0; i < l->s->n; i++)
        each[i] = likelihood_of_one(&m, &l->s->s[i], l->ln_x[i]) - all;
}

/* ------------------------------------------------------------------------------------------------- doors */

struct workplace {
    double *ln_x, *count, *kept, *held;
    struct likelihood l;
};

static int check(const struct samples *s, double *n, struct err *err)
{
    *n = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct sample *x = &s->s[i];

        if (!(x->lo >= 0) || !(x->hi >= x->lo) || isinf(x->lo) || !(x->count >= 0))
            return err_set(err, ERR_FAILED,
                           "observation %zu is (%g, %g] x %g; a law needs times, sizes or counts", i, x->lo,
                           x->hi, x->count);
        if (x->lo == 0 && x->hi == 0 && x->count > 0)
            return err_set(err, ERR_FAILED,
                           "observation %zu is 0; write what it can have been: (0, resolution of the clock]",
                           i);
        if (x->hi <= s->from || x->lo > samples_upper(s))
            return err_set(err, ERR_FAILED, "observation %zu is (%g, %g], outside what could be recorded", i,
                           x->lo, x->hi);
        *n += x->count;
    }
    if (*n < LEAST_N)
        return err_set(err, ERR_FAILED, "%g observations; a law needs at least %d", *n, LEAST_N);
    return 0;
}

static void workplace_init(struct workplace *w, const struct samples *s, double n)
{
    w->ln_x = xcalloc(s->n, sizeof(double));
    w->count = xcalloc(s->n, sizeof(double));
    w->kept = xcalloc(s->n, sizeof(double));
    w->held = xcalloc(s->n, sizeof(double));
    for (size_t i = 0; i < s->n; i++) {
        w->ln_x[i] = s->s[i].lo == s->s[i].hi ? log(s->s[i].lo) : 0;
        w->count[i] = s->s[i].count;
    }
    split(s, w->kept, w->held);
    w->l = (struct likelihood){.s = s, .ln_x = w->ln_x, .count = w->count, .n = n};
}

static void workplace_fini(struct workplace *w)
{
    free(w->ln_x);
    free(w->count);
    free(w->kept);
    free(w->held);
}

static void begin(const struct samples *s, const char *method, double n, struct fit *f)
{
    *f = fit_begin(method);
    f->n = (long)n;
    f->valid_from = INFINITY;
    f->valid_to = 0;
    for (size_t i = 0; i < s->n; i++) {
        f->valid_from = fmin(f->valid_from, s->s[i].lo);
        f->valid_to = fmax(f->valid_to, isinf(s->s[i].hi) ? s->s[i].lo : s->s[i].hi);
    }
}

static double held_out_mean(const double *each, const double *held, size_t n)
{
    double sum = 0, m = 0;

    for (size_t i = 0; i < n; i++)
        if (held[i] > 0) {
            sum += held[i] * each[i];
            m += held[i];
        }
    return m > 0 ? sum / m : NAN;
}

static void fit_family(struct workplace *w, const struct distribution_options *o, struct distribution *out)
{
    double theta[P] = {0}, *each = xcalloc(w->l.s->n, sizeof *each);
    struct likelihood held = w->l;

    begin(w->l.s, "maximum likelihood", w->l.n, &out->fit);
    hold_out(&w->l, w->kept, theta, each);
    held.count = w->held;
    held.n = total(w->held, w->l.s->n);
    out->fit.holdout_error_frac = held.n > 0 ? distance(&held, theta) : NAN;
    out->holdout_log_likelihood = held_out_mean(each, w->held, w->l.s->n);
    likelihood_maximize(&w->l, theta);
    out->law = family_law(w->l.family, theta);
    out->log_likelihood = likelihood_of_all(&w->l, theta) / w->l.n;
    find_errors(&w->l, theta, o, &out->fit);
    out->fit.ks = distance(&w->l, theta);
    free(each);
}

int distribution_fit(enum law_kind kind, const struct samples *s, const struct distribution_options *o,
                     struct arena *a, struct distribution *out, struct err *err)
{
    struct workplace w;
    double n;

    TRY(check(s, &n, err));
    *out = (struct distribution){.log_likelihood = NAN, .holdout_log_likelihood = NAN};
    if (kind == LAW_EMPIRICAL) {
        begin(s, "quantiles", n, &out->fit);
        return empirical_fit(s, a, out, err);
    }
    workplace_init(&w, s, n);
    w.l.family = family_of(kind);
    ASSERT(w.l.family != NULL);
    fit_family(&w, o, out);
    workplace_fini(&w);
    return 0;
}

/* Is `rich` better than `plain` by more than two standard errors of the difference per observation? */
static bool pays(const double *rich, const double *plain, const double *held, size_t n)
{
    double m = 0, mean = 0, m2 = 0;

    for (size_t i = 0; i < n; i++) {
        double d = rich[i] - plain[i] - mean;

        if (held[i] <= 0)
            continue;
        m += held[i];
        mean += d * held[i] / m;
        m2 += held[i] * d * (rich[i] - plain[i] - mean);
    }
    return m > 1 && mean > 2 * sqrt(m2 / (m - 1) / m);
}

static enum law_kind choose(struct workplace *w)
{
    size_t n = w->l.s->n, best = 0;
    double *each[CHOICES], theta[P];

    for (size_t c = 0; c < CHOICES; c++) { /* choices[] goes from few parameters to more */
        each[c] = xcalloc(n, sizeof *each[c]);
        w->l.family = family_of(choices[c]);
        hold_out(&w->l, w->kept, theta, each[c]);
        if (c == 0)
            continue;
        if (family_of(choices[c])->n > family_of(choices[best])->n
                ? pays(each[c], each[best], w->held, n)
                : held_out_mean(each[c], w->held, n) > held_out_mean(each[best], w->held, n))
            best = c;
    }
    for (size_t c = 0; c < CHOICES; c++)
        free(each[c]);
    return choices[best];
}

int distribution_choose(const struct samples *s, const struct distribution_options *o, struct arena *a,
                        struct distribution *out, struct err *err)
{
    double n, near_enough = o->near_enough > 0 ? o->near_enough : 0.03, ks;
    struct distribution empirical = {.log_likelihood = NAN, .holdout_log_likelihood = NAN};
    struct workplace w;
    enum law_kind kind;

    TRY(check(s, &n, err));
    workplace_init(&w, s, n);
    kind = choose(&w);
    workplace_fini(&w);
    TRY(distribution_fit(kind, s, o, a, out, err));
    ks = out->fit.ks;
    if (ks <= fmax(near_enough, 1.358 / sqrt(n)))
        return 0;
    begin(s, "quantiles", n, &empirical.fit);
    if (samples_truncated(s) || empirical_fit(s, a, &empirical, err) != 0) {
        fit_suspect(&out->fit, "no law comes nearer than %.3g (KS); the best of them is %s", ks,
                    law_kind_name(kind));
        return 0;
    }
    fit_suspect(&empirical.fit, "no law comes near: the best, %s, is %.3g away (KS)", law_kind_name(kind),
                ks);
    *out = empirical;
    return 0;
}
