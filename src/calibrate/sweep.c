#include "calibrate/sweep.h"

#include "base/arena.h"
#include "calibrate/nonlinear.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double LITTLE_SLACK = 1.1, FALL = 0.85, JUMP = 3, REFUSED_S = 0.5, RISES = 1.05;

/* --------------------------------------------------------------------------------------------- suspects */

static bool throttled(const struct sweep_point *before, const struct sweep_point *p)
{
    double grown = p->clients / before->clients;

    return p->per_s < FALL * before->per_s ||
           (p->p99_s > JUMP * grown * before->p99_s && p->p99_s > REFUSED_S);
}

static void examine_point(const struct sweep_point *p, size_t i, struct sweep_health *h, struct fit *f)
{
    double inside = p[i].per_s * p[i].mean_s;

    h->usable[i] = isnan(h->throttled_from);
    if (i > 0 && isnan(h->throttled_from) && throttled(&p[i - 1], &p[i])) {
        h->throttled_from = p[i].clients;
        h->usable[i] = false;
        if (p[i].per_s < FALL * p[i - 1].per_s)
            fit_suspect(f,
                        "throttled or overloaded from %g clients: %.4g/s fell to %.4g/s; left out from there",
                        p[i].clients, p[i - 1].per_s, p[i].per_s);
        else
            fit_suspect(f, "throttled from %g clients: p99 jumped from %.3g s to %.3g s; left out from there",
                        p[i].clients, p[i - 1].p99_s, p[i].p99_s);
    }
    if (inside > LITTLE_SLACK * p[i].clients) {
        h->usable[i] = false;
        fit_suspect(f, "contradiction at %g clients: %.4g/s x %.3g s make %.4g requests in flight; left out",
                    p[i].clients, p[i].per_s, p[i].mean_s, inside);
    }
    h->usable_n += h->usable[i];
}

/* From the first point on, does X at half as many clients again or more never rise? */
static bool flat_from(const struct sweep_point *p, size_t n, size_t i, const struct sweep_health *h)
{
    bool any = false;

    for (size_t j = i + 1; j < n; j++) {
        if (!h->usable[j] || p[j].clients < 1.5 * p[i].clients)
            continue;
        any = true;
        if (p[j].per_s >= RISES * p[i].per_s)
            return false;
    }
    return any;
}

static void find_saturation(const struct sweep_point *p, size_t n, struct sweep_health *h, struct fit *f)
{
    const struct sweep_point *first = NULL, *last = NULL;

    for (size_t i = 0; i < n; i++) {
        if (!h->usable[i])
            continue;
        first = first != NULL ? first : &p[i];
        last = &p[i];
        if (isnan(h->saturated_from) && flat_from(p, n, i, h))
            h->saturated_from = p[i].clients;
    }
    if (!isnan(h->saturated_from))
        fit_suspect(f, "saturated from %g clients: more of them only wait", h->saturated_from);
    else if (last != first && last->per_s / last->clients > 0.9 * first->per_s / first->clients)
        fit_suspect(f,
                    "never saturated: at %g clients each still gets %.3g of one client's rate; what limits "
                    "is a guess",
                    last->clients, last->per_s / last->clients / (first->per_s / first->clients));
}

int sweep_examine(const struct sweep_point *p, size_t n, struct sweep_health *out, struct fit *suspects,
                  struct err *err)
{
    *out = (struct sweep_health){.saturated_from = NAN, .throttled_from = NAN};
    if (n > SWEEP_POINTS)
        return err_set(err, ERR_FAILED, "%zu points; a sweep has at most %d", n, SWEEP_POINTS);
    for (size_t i = 0; i < n; i++) {
        if (!(p[i].clients >= 1) || !(p[i].per_s > 0) || isinf(p[i].clients) || isinf(p[i].per_s))
            return err_set(err, ERR_FAILED, "point %zu: %g clients, %g/s; both must be positive", i,
                           p[i].clients, p[i].per_s);
        if (i > 0 && !(p[i].clients > p[i - 1].clients))
            return err_set(err, ERR_FAILED, "point %zu: %g clients after %g; a sweep goes up", i,
                           p[i].clients, p[i - 1].clients);
    }
    for (size_t i = 0; i < n; i++)
        examine_point(p, i, out, suspects);
    find_saturation(p, n, out, suspects);
    return 0;
}

/* ------------------------------------------------------------------------------------------------ fitting */

struct points {
    double clients[SWEEP_POINTS], per_s[SWEEP_POINTS];
    size_t n;
};

static int usable(const struct sweep_point *p, size_t n, size_t least, struct points *out, struct fit *f,
                  struct err *err)
{
    struct sweep_health h;

    TRY(sweep_examine(p, n, &h, f, err));
    out->n = 0;
    for (size_t i = 0; i < n; i++)
        if (h.usable[i]) {
            out->clients[out->n] = p[i].clients;
            out->per_s[out->n++] = p[i].per_s;
        }
    if (out->n < least)
        return err_set(err, ERR_FAILED, "%zu usable points of %zu; at least %zu are needed%s%s", out->n, n,
                       least, f->suspects_n > 0 ? ": " : "", f->suspects_n > 0 ? f->suspect[0] : "");
    f->valid_from = out->clients[0];
    f->valid_to = out->clients[out->n - 1];
    return 0;
}

/* Predicts the largest N from the others. */
static void hold_out(const struct nonlinear *p, struct fit *f)
{
    struct nonlinear rest = *p;
    struct fit part = fit_begin("");
    struct err ignored = {0};
    double rss, predicted;

    rest.n = p->n - 1;
    rest.resamples = -1;
    if (rest.n < 3 || nonlinear_fit(&rest, &part, &rss, &ignored) != 0)
        return;
    predicted = nonlinear_predict(&rest, &part, p->x + rest.n);
    fit_held_out(f, &predicted, p->y + rest.n, 1);
}

/* -------------------------------------------------------------------------------------------------- USL */

double usl_per_s(double lambda, double sigma, double kappa, double clients)
{
    return lambda * clients / (1 + sigma * (clients - 1) + kappa * clients * (clients - 1));
}

static double usl_curve(const double *theta, const double *x, const void *setting)
{
    (void)setting;
    return usl_per_s(theta[0], theta[1], theta[2], x[0]);
}

int sweep_usl(const struct sweep_point *p, size_t n, uint64_t seed, struct fit *out, struct err *err)
{
    struct points s;
    struct nonlinear curve = {.f = usl_curve, .params_n = 3, .columns = 1, .seed = seed};
    double rss, last;

    *out = fit_begin("universal scalability law");
    TRY(usable(p, n, 3, &s, out, err));
    last = s.clients[s.n - 1];
    curve.x = s.clients;
    curve.y = s.per_s;
    curve.n = s.n;
    curve.param[0] = (struct nonlinear_param){"lambda", "per s", s.per_s[0] / s.clients[0], false, false};
    curve.param[1] = (struct nonlinear_param){"sigma", "", 1 / last, true, false};
    curve.param[2] = (struct nonlinear_param){"kappa", "", 0.1 / (last * last), true, false};
    hold_out(&curve, out);
    return nonlinear_fit(&curve, out, &rss, err);
}

/* ----------------------------------------------------------------------------------------------- station */

double station_per_s(double demand_s, double overhead_s, int servers, double clients)
{
    long n = lround(clients);
    double ratio = demand_s / overhead_s, p = 1, sum = 1, busy = 0;

    if (!(overhead_s > 1e-12 * demand_s))
        return fmin(clients, servers) / demand_s;
    for (long k = 1; k <= n; k++) {
        double at = (double)(k < servers ? k : servers);

        p *= (double)(n - k + 1) * ratio / at;
        sum += p;
        busy += p * at;
        if (sum > 1e200) { /* only ratios matter */
            p *= 1e-200;
            sum *= 1e-200;
            busy *= 1e-200;
        }
    }
    return busy / sum / demand_s;
}

static double station_curve(const double *theta, const double *x, const void *setting)
{
    return station_per_s(theta[0], fmax(theta[1], 0), *(const int *)setting, x[0]);
}

struct trial {
    struct fit fit;
    double rss;
};

static struct nonlinear station_problem(const struct points *s, const int *servers, uint64_t seed)
{
    struct nonlinear curve = {
        .f = station_curve, .setting = servers, .params_n = 2, .columns = 1, .seed = seed};
    double one_s = s->clients[0] / s->per_s[0], best = 0, demand;

    for (size_t i = 0; i < s->n; i++)
        best = fmax(best, s->per_s[i]);
    demand = fmin(*servers / best, 0.95 * one_s);
    curve.x = s->clients;
    curve.y = s->per_s;
    curve.n = s->n;
    curve.param[0] = (struct nonlinear_param){"demand", "s", demand, false, false};
    curve.param[1] =
        (struct nonlinear_param){"overhead", "s", fmax(one_s - demand, 0.05 * one_s), true, false};
    return curve;
}

static int try_servers(const struct points *s, int servers, uint64_t seed, bool thorough, struct trial *out,
                       struct err *err)
{
    struct nonlinear curve = station_problem(s, &servers, seed);
    struct fit suspects = out->fit;

    curve.resamples = thorough ? 0 : -1;
    suspects.params_n = 0;
    out->fit = suspects;
    if (thorough)
        hold_out(&curve, &out->fit);
    return nonlinear_fit(&curve, &out->fit, &out->rss, err);
}

/* Which c an F test at 5 % cannot refuse against the best: a profile likelihood. */
static void find_servers(const struct points *s, struct station_fit *out)
{
    double rss[SWEEP_SERVERS + 1], least = INFINITY, left = (double)s->n - 3, allowed;
    struct err ignored = {0};
    int most = (int)fmin(SWEEP_SERVERS, s->clients[s->n - 1] + 1);

    for (int c = 1; c <= most; c++) {
        struct trial t = {.fit = fit_begin("")};

        rss[c] = try_servers(s, c, 0, false, &t, &ignored) == 0 ? t.rss : INFINITY;
        if (rss[c] < least) {
            least = rss[c];
            out->servers = c;
        }
        if (c > 2 * out->servers + 4 && rss[c] > 10 * least) /* far beyond: it only gets worse */
            most = c;
    }
    allowed = left > 0 ? least * (1 + gsl_cdf_fdist_Pinv(0.95, 1, left) / left) : INFINITY;
    out->servers_lo = out->servers_hi = out->servers;
    for (int c = 1; c <= most; c++)
        if (rss[c] <= allowed) {
            out->servers_lo = c < out->servers_lo ? c : out->servers_lo;
            out->servers_hi = c > out->servers_hi ? c : out->servers_hi;
        }
}

static void widen(const struct fit *other, struct fit *f)
{
    for (int k = 0; k < f->params_n; k++) {
        f->param[k].lo = fmin(f->param[k].lo, other->param[k].lo);
        f->param[k].hi = fmax(f->param[k].hi, other->param[k].hi);
        f->param[k].stderr_ = fmax(f->param[k].stderr_, (f->param[k].hi - f->param[k].lo) / (2 * 1.96));
    }
}

/* Intervals that cover those under each number of servers that is possible. */
static int cover_servers(const struct points *s, uint64_t seed, struct station_fit *out, struct err *err)
{
    int step = 1 + (out->servers_hi - out->servers_lo) / 16;
    struct fit_param *servers;

    for (int c = out->servers_lo; c <= out->servers_hi; c += step) {
        struct trial t = {.fit = fit_begin("")};

        if (c == out->servers)
            continue;
        TRY(try_servers(s, c, seed, true, &t, err));
        widen(&t.fit, &out->fit);
    }
    servers = fit_add(&out->fit, "servers", "", out->servers,
                      (out->servers_hi - out->servers_lo) / (2 * 1.96), 0, 1);
    servers->lo = out->servers_lo;
    servers->hi = out->servers_hi;
    return 0;
}

int sweep_station(const struct sweep_point *p, size_t n, int servers, uint64_t seed, struct station_fit *out,
                  struct err *err)
{
    struct points s;
    struct trial t = {.fit = fit_begin("closed queueing station")};

    *out = (struct station_fit){.servers = servers, .servers_lo = servers, .servers_hi = servers};
    TRY(usable(p, n, servers > 0 ? 2 : 3, &s, &t.fit, err));
    if (servers <= 0)
        find_servers(&s, out);
    TRY(try_servers(&s, out->servers, seed, true, &t, err));
    out->fit = t.fit;
    if (servers <= 0)
        TRY(cover_servers(&s, seed, out, err));
    out->capacity_per_s = out->servers / fit_get(&out->fit, "demand");
    return 0;
}
