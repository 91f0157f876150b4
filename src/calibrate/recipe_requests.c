/*
 * recipe_requests.c - what the users of a language model send: when, and how long.
 *
 * Requests are taken in the order of their arrival, whatever the order of the
 * file.  Many answers of exactly the same, largest length mean a limit of the
 * server: those would have been longer, and count as "at least so many".
 */
#include "calibrate/arrivals.h"
#include "calibrate/drift.h"
#include "calibrate/law_rows.h"
#include "calibrate/recipes.h"
#include "calibrate/samples.h"
#include "store/view.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <string.h>

enum { R_ARRIVAL, R_INPUT, R_OUTPUT, R_CLASS, R_SEQ, R_COLUMNS };
enum { FEWEST_REQUESTS = 50, MOST_PHASED = 20000 };

static const double REFUSED = 0.01;   /* a Poisson process shows less once in a hundred recordings */
static const double PILE_FRAC = 0.01; /* this share of all at the largest length is a limit */

struct requests_seen {
    struct view_column c[R_COLUMNS];
    size_t n;
    size_t *order; /* by arrival */
    int64_t first, last;
};

struct request_key {
    const char *class;
};

static const char *request_named(const void *row, const char *name, char *room, size_t size)
{
    (void)room;
    (void)size;
    return strcmp(name, "class") == 0 ? ((const struct request_key *)row)->class : NULL;
}

static void drop_unmatched(struct fitting *f, struct requests_seen *r)
{
    size_t kept = 0;

    for (size_t i = 0; i < r->n; i++) {
        struct request_key key = {r->c[R_CLASS].text[i]};

        if (!samples_match(f->where, request_named, &key))
            continue;
        for (int k = R_ARRIVAL; k <= R_OUTPUT; k++)
            r->c[k].real[kept] = r->c[k].real[i];
        r->last = (int64_t)r->c[R_SEQ].real[i];
        if (kept++ == 0)
            r->first = r->last;
    }
    r->n = kept;
}

static int load(struct fitting *f, int64_t trace, struct requests_seen *r, struct err *err)
{
    static const char *const names[R_COLUMNS] = {"arrival_s", "input_tokens", "output_tokens", "class",
                                                 "seq"};

    for (int k = 0; k < R_COLUMNS; k++)
        r->c[k] = (struct view_column){.name = names[k]};
    TRY(view_load(f->store, "requests", trace, r->c, R_COLUMNS, f->a, &r->n, err));
    drop_unmatched(f, r);
    r->order = arena_array(f->a, r->n + 1, sizeof *r->order);
    if (r->n > 0)
        gsl_sort_index(r->order, r->c[R_ARRIVAL].real, 1, r->n);
    return 0;
}

static void source_of(struct fitting *f, const char *path, int64_t trace, const struct requests_seen *r,
                      size_t n)
{
    fitting_source(
        f, path,
        &(struct rows_used){trace, "requests", f->where != NULL ? f->where : "", r->first, r->last, (long)n});
}

/* -------------------------------------------------------------- lengths */

/* The largest length, where so many have it that it must be a limit; INFINITY otherwise. */
static double length_limit(const double *v, size_t n)
{
    double largest = 0;
    size_t at = 0;

    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, v[i]);
    for (size_t i = 0; i < n; i++)
        at += v[i] == largest;
    return (double)at > fmax(3, PILE_FRAC * (double)n) && (double)at < 0.5 * (double)n ? largest : INFINITY;
}

static int add_lengths(struct fitting *f, const struct requests_seen *r, int column, int64_t trace,
                       bool *used, struct err *err)
{
    const char *name = r->c[column].name, *path = fitting_path(f, arena_printf(f->a, "requests.%s", name));
    double *v = arena_array(f->a, r->n + 1, sizeof *v), *when = arena_array(f->a, r->n + 1, sizeof *when),
           limit;
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++) {
        size_t k = r->order[i];

        if (!(r->c[column].real[k] > 0))
            continue;
        when[n] = (double)n;
        v[n++] = r->c[column].real[k];
    }
    if (n < FEWEST_REQUESTS)
        return 0;
    limit = length_limit(v, n);
    if (isfinite(limit))
        fitting_remark(f, "note", "%s: a limit of %.0f cut lengths off; those count as at least so many",
                       name, limit);
    TRY(law_rows(f, path, arena_printf(f->a, "requests.%s", name), true, v, n, limit, "", err));
    drift_check(f, name, when, v, n);
    source_of(f, path, trace, r, n);
    *used = true;
    return 0;
}

/* ------------------------------------------------------------- arrivals */

static void gap_row(struct fitting *f, const char *path, double value, double stderr_, const struct fit *fit,
                    const char *method)
{
    fitting_plain(f, path, value, stderr_, "s", fit->n, method)->holdout_error_frac = fit->holdout_error_frac;
}

/* {"mmpp": {"rates": [high, low], "stays": [s, s]}} */
static void keep_phases(struct fitting *f, const char *param, const struct fit *m)
{
    struct json *doc = fitting_document(f), *params = json_get_mutable(doc, "params"), *o, *list;

    if (params == NULL)
        params = json_set_object(doc, "params");
    o = json_set_object(json_set_object(params, param), "mmpp");
    list = json_set_array(o, "rates");
    json_push(list, json_new_number(fit_get(m, "rate_high")));
    json_push(list, json_new_number(fit_get(m, "rate_low")));
    list = json_set_array(o, "stays");
    json_push(list, json_new_number(1 / fit_get(m, "to_low")));
    json_push(list, json_new_number(1 / fit_get(m, "to_high")));
}

/* Two rates that take turns, where likelihood says so; renewals with the spread of the gaps otherwise. */
static int bursty(struct fitting *f, const char *param, const double *t, size_t n, const struct arrivals *a,
                  struct err *err)
{
    const char *path = fitting_path(f, param);
    const struct fit_param *rate = fit_find(&a->fit, "rate");
    struct mmpp2 m = {.gain = 0};

    if (n > MOST_PHASED)
        fitting_remark(f, "note", "%s: phases were looked for in the first %d arrivals", param, MOST_PHASED);
    if (n >= 100)
        TRY(arrivals_mmpp2(t, n > MOST_PHASED ? MOST_PHASED : n, &m, err));
    if (m.gain > 10) {
        fitting_fit(f, arena_printf(f->a, "fits.%s.mmpp", f->target), &m.fit, "");
        keep_phases(f, param, &m.fit);
        return 0;
    }
    gap_row(f, arena_printf(f->a, "%s.gamma.mean", path), 1 / rate->value,
            rate->stderr_ / (rate->value * rate->value), &a->fit, "rate and spread of the gaps");
    gap_row(f, arena_printf(f->a, "%s.gamma.cv", path), fit_get(&a->fit, "gap_cv"),
            fit_find(&a->fit, "gap_cv")->stderr_, &a->fit, "rate and spread of the gaps");
    return 0;
}

int recipe_arrivals(struct fitting *f, const struct fit_info *info, int64_t trace_id, bool *used,
                    struct err *err)
{
    struct requests_seen r = {.n = 0};
    const struct fit_param *rate;
    struct arrivals a;
    double *t;
    size_t n = 0;

    *used = false;
    TRY(load(f, trace_id, &r, err));
    t = arena_array(f->a, r.n + 1, sizeof *t);
    for (size_t i = 0; i < r.n; i++)
        if (isfinite(r.c[R_ARRIVAL].real[r.order[i]]))
            t[n++] = r.c[R_ARRIVAL].real[r.order[i]];
    if (n < FEWEST_REQUESTS)
        return 0;
    TRY(arrivals_fit(t, n, &a, err));
    fitting_fit(f, arena_printf(f->a, "fits.%s.arrivals", f->target), &a.fit, "");
    rate = fit_find(&a.fit, "rate");
    if (a.poisson_p >= REFUSED)
        gap_row(f, arena_printf(f->a, "%s.exponential", fitting_path(f, info->param)), 1 / rate->value,
                rate->stderr_ / (rate->value * rate->value), &a.fit, "Poisson is not refused");
    else
        TRY(bursty(f, info->param, t, n, &a, err));
    source_of(f, fitting_path(f, info->param), trace_id, &r, n);
    *used = true;
    return 0;
}

int recipe_token_lengths(struct fitting *f, const struct fit_info *info, int64_t trace_id, bool *used,
                         struct err *err)
{
    struct requests_seen r = {.n = 0};

    (void)info;
    *used = false;
    TRY(load(f, trace_id, &r, err));
    if (r.n < FEWEST_REQUESTS)
        return 0;
    TRY(add_lengths(f, &r, R_INPUT, trace_id, used, err));
    return add_lengths(f, &r, R_OUTPUT, trace_id, used, err);
}
