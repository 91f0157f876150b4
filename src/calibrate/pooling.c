#include "calibrate/pooling.h"

#include "base/arena.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_GROUPS = 4, HALVINGS = 100 };

static const double UNLIKE = 4;

struct weighted {
    double mean, var; /* var: of the mean, given between^2 */
    double q;         /* sum (y - mean)^2 / (s^2 + between^2) */
};

static struct weighted weigh(const struct group *g, size_t k, double between2)
{
    struct weighted w = {0};
    double sum = 0;

    for (size_t j = 0; j < k; j++) {
        double weight = 1 / (g[j].stderr_ * g[j].stderr_ + between2);

        sum += weight;
        w.mean += weight * (g[j].value - w.mean) / sum;
    }
    for (size_t j = 0; j < k; j++)
        w.q += pow(g[j].value - w.mean, 2) / (g[j].stderr_ * g[j].stderr_ + between2);
    w.var = 1 / sum;
    return w;
}

/* The between^2 at which q is `target`; q falls with it.  0 where it is below already. */
static double between_at(const struct group *g, size_t k, double target)
{
    double lo = 0, hi = 1e-300;

    if (weigh(g, k, 0).q <= target)
        return 0;
    for (size_t j = 0; j < k; j++) /* q (hi) <= sum of squares / hi */
        hi = fmax(hi, pow(g[j].value - g[0].value, 2) * (double)k / target);
    for (int i = 0; i < HALVINGS; i++) {
        double mid = (lo + hi) / 2;

        if (weigh(g, k, mid).q > target)
            lo = mid;
        else
            hi = mid;
    }
    return (lo + hi) / 2;
}

static void shrink(const struct group *g, size_t k, double between2, const struct weighted *w,
                   struct pooled_group *out)
{
    double groups = (double)k, z = fit_t95(INFINITY);

    for (size_t j = 0; j < k; j++) {
        double s2 = g[j].stderr_ * g[j].stderr_, d = g[j].value - w->mean;
        double b = (groups - 3) / (groups - 1) * s2 / (s2 + between2);
        double var = (1 - b) * s2 + b * b * w->var + 2 / (groups - 3) * b * b * d * d;

        out[j] =
            (struct pooled_group){.value = w->mean + (1 - b) * d, .stderr_ = sqrt(var), .own_share = 1 - b};
        out[j].lo = out[j].value - z * out[j].stderr_;
        out[j].hi = out[j].value + z * out[j].stderr_;
    }
}

/* Each group, set beside what the others say of it. */
static void leave_each_out(const struct group *g, size_t k, struct fit *f)
{
    struct group *rest = xcalloc(k, sizeof *rest);
    double *predicted = xcalloc(k, sizeof *predicted), *measured = xcalloc(k, sizeof *measured);

    for (size_t j = 0; j < k; j++) {
        struct weighted w;
        double between2, z;

        memcpy(rest, g, k * sizeof *g);
        rest[j] = rest[k - 1];
        between2 = between_at(rest, k - 1, (double)k - 2);
        w = weigh(rest, k - 1, between2);
        predicted[j] = w.mean;
        measured[j] = g[j].value;
        z = (g[j].value - w.mean) / sqrt(g[j].stderr_ * g[j].stderr_ + between2 + w.var);
        if (fabs(z) > UNLIKE)
            fit_suspect(
                f, "group %zu (%.4g) is unlike the others (%.4g): %.1f standard deviations; do not pool it",
                j, g[j].value, w.mean, fabs(z));
    }
    fit_held_out(f, predicted, measured, k);
    free(measured);
    free(predicted);
    free(rest);
}

static void write_fit(const struct group *g, size_t k, double between2, const struct weighted *w,
                      struct fit *f)
{
    double left = (double)k - 1, between = sqrt(between2), lo, hi;
    struct fit_param *p;

    f->valid_from = INFINITY;
    f->valid_to = -INFINITY;
    for (size_t j = 0; j < k; j++) {
        f->n += g[j].n;
        f->valid_from = fmin(f->valid_from, g[j].value);
        f->valid_to = fmax(f->valid_to, g[j].value);
    }
    fit_add(f, "mean", "", w->mean, sqrt(w->var), fit_t95(left), -INFINITY);
    lo = sqrt(between_at(g, k, gsl_cdf_chisq_Pinv(0.975, left)));
    hi = sqrt(between_at(g, k, gsl_cdf_chisq_Pinv(0.025, left)));
    p = fit_add(f, "between", "", between, (hi - lo) / (2 * fit_t95(INFINITY)), 0, 0);
    p->lo = lo;
    p->hi = fmax(hi, between);
    p->on_bound = between2 == 0;
    f->noise_frac = w->mean != 0 ? between / fabs(w->mean) : NAN;
}

int pooling_fit(const struct group *g, size_t k, struct pooled_group *out, struct fit *fit, struct err *err)
{
    struct weighted w;
    double between2;

    *fit = fit_begin("empirical Bayes");
    if (k < LEAST_GROUPS)
        return err_set(err, ERR_FAILED, "%zu groups; pooling needs at least %d", k, LEAST_GROUPS);
    for (size_t j = 0; j < k; j++)
        if (!isfinite(g[j].value) || !(g[j].stderr_ > 0) || !isfinite(g[j].stderr_))
            return err_set(err, ERR_FAILED, "group %zu is %g +- %g; pooling needs errors above 0", j,
                           g[j].value, g[j].stderr_);
    between2 = between_at(g, k, (double)k - 1);
    w = weigh(g, k, between2);
    shrink(g, k, between2, &w, out);
    write_fit(g, k, between2, &w, fit);
    leave_each_out(g, k, fit);
    if (between2 == 0)
        fit_suspect(fit, "the groups do not differ beyond their noise");
    return 0;
}

int pooling_groups(const double *y, const size_t *group, size_t n, size_t k, struct group *out,
                   struct err *err)
{
    double square = 0;

    memset(out, 0, k * sizeof *out);
    if (n < k + 2)
        return err_set(err, ERR_FAILED, "%zu measurements of %zu groups do not say how noisy they are", n, k);
    for (size_t i = 0; i < n; i++) {
        struct group *g = &out[group[i]];
        double d = y[i] - g->value;

        ASSERT(group[i] < k);
        if (!isfinite(y[i]))
            return err_set(err, ERR_FAILED, "measurement %zu is %g", i, y[i]);
        g->n++;
        g->value += d / (double)g->n;
        square += d * (y[i] - g->value);
    }
    for (size_t j = 0; j < k; j++) {
        if (out[j].n == 0)
            return err_set(err, ERR_FAILED, "group %zu has no measurements", j);
        out[j].stderr_ = sqrt(square / (double)(n - k) / (double)out[j].n);
    }
    return 0;
}
