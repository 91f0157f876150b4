#include "calibrate/cost.h"

#include "calibrate/linear.h"

#include <math.h>
#include <stdlib.h>

enum term { FIXED, PER_ITEM, PER_BYTE, TERMS };

static const char *const names[TERMS] = {"fixed", "per_item", "per_byte"};

double cost_seconds(const struct cost *c, double items, double bytes)
{
    return c->fixed_s + c->per_item_s * items + c->per_byte_s * bytes;
}

/*
 * The sizes seen do not tell the terms apart: the one without which they do, the fixed one if it is, else
 * bytes.  (Where bytes are so many times the items it is bytes: leaving out the fixed cost would help
 * nobody.)
 */
static enum term superfluous(const struct linear_data *d, bool *use)
{
    static const enum term order[TERMS] = {FIXED, PER_BYTE, PER_ITEM};

    for (int i = 0; i < TERMS; i++) {
        bool apart;

        if (!use[order[i]])
            continue;
        use[order[i]] = false;
        apart = linear_tells_apart(d, NOISE_RELATIVE, use);
        use[order[i]] = true;
        if (apart)
            return order[i];
    }
    return use[FIXED] ? FIXED : PER_BYTE;
}

/* Keeps the columns of the terms in use; term[j] says which column j is. */
static size_t keep_columns(const double *all, size_t n, const bool *use, double *x, enum term *term)
{
    size_t k = 0;

    for (int t = 0; t < TERMS; t++)
        if (use[t])
            term[k++] = (enum term)t;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < k; j++)
            x[i * k + j] = all[i * TERMS + term[j]];
    return k;
}

static void write_out(const struct fit *f, const enum term *term, const double *mean, struct cost_fit *out)
{
    double value[TERMS] = {0}, error[TERMS] = {0}, at[TERMS], seconds;

    for (int j = 0; j < f->params_n; j++) {
        value[term[j]] = f->param[j].value;
        error[term[j]] = f->param[j].identifiable ? f->param[j].stderr_ : 0;
        at[j] = mean[term[j]];
    }
    seconds = linear_predict(f, at);
    out->cost = (struct cost){value[FIXED], value[PER_ITEM], value[PER_BYTE], f->noise_frac};
    out->fixed_stderr = error[FIXED];
    out->per_item_stderr = error[PER_ITEM];
    out->per_byte_stderr = error[PER_BYTE];
    out->relative_stderr = seconds > 0 ? linear_predict_stderr(f, at) / seconds : 0;
    out->r2 = f->r2;
    out->holdout_error_frac = f->holdout_bias_frac;
}

static int fit_terms(const double *all, const double *seconds, size_t n, bool *use, struct cost_fit *out,
                     struct err *err)
{
    struct linear_options o = {.noise = NOISE_RELATIVE, .huber = 3};
    struct linear_data d = {.x = all, .y = seconds, .n = n, .k = TERMS, .name = names};
    double *x = xcalloc(n * TERMS, sizeof *x), mean[TERMS] = {0};
    const char *kept[TERMS];
    enum term term[TERMS];
    struct fit f;
    int rc;

    while (!linear_tells_apart(&d, NOISE_RELATIVE, use))
        use[superfluous(&d, use)] = false;
    for (size_t i = 0; i < n; i++)
        for (int t = 0; t < TERMS; t++)
            mean[t] += all[i * TERMS + t] / (double)n;
    d.k = keep_columns(all, n, use, x, term);
    for (size_t j = 0; j < d.k; j++)
        kept[j] = names[term[j]];
    d.x = x;
    d.name = kept;
    rc = linear_fit(&d, &o, &f, err);
    free(x);
    if (rc == 0)
        write_out(&f, term, mean, out);
    return rc;
}

int fit_cost(const struct observation *obs, size_t n, bool use_items, bool use_bytes, struct cost_fit *out,
             struct err *err)
{
    double *x, *seconds;
    bool use[TERMS] = {true, false, false};
    int rc;

    *out = (struct cost_fit){.n = (long)n, .from = INFINITY};
    if (n < 3)
        return err_set(err, ERR_FAILED, "%zu measurements; at least 3 are needed for a fit", n);
    for (size_t i = 0; i < n; i++) {
        double size = use_items || !use_bytes ? obs[i].items : obs[i].bytes;

        if (!(obs[i].seconds > 0) || !isfinite(obs[i].seconds))
            return err_set(err, ERR_FAILED, "measurement %zu took %g s; a fit needs times above 0", i,
                           obs[i].seconds);
        use[PER_ITEM] = use[PER_ITEM] || (use_items && obs[i].items > 0);
        use[PER_BYTE] = use[PER_BYTE] || (use_bytes && obs[i].bytes > 0);
        out->from = fmin(out->from, size);
        out->to = fmax(out->to, size);
    }
    if (n == 3 && use[PER_ITEM] && use[PER_BYTE]) /* as many terms as measurements say nothing of the noise */
        use[FIXED] = false;
    x = xcalloc(n * TERMS, sizeof *x);
    seconds = xcalloc(n, sizeof *seconds);
    for (size_t i = 0; i < n; i++) {
        x[i * TERMS + FIXED] = 1;
        x[i * TERMS + PER_ITEM] = obs[i].items;
        x[i * TERMS + PER_BYTE] = obs[i].bytes;
        seconds[i] = obs[i].seconds;
    }
    rc = fit_terms(x, seconds, n, use, out, err);
    free(seconds);
    free(x);
    return rc;
}
