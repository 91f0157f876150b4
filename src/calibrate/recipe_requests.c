/*
 * recipe_requests.c - what the users of a language model send: when, and how long.
 *
 * Requests are taken in the order of their arrival, whatever the order of the
 * file.  Many answers of exactly the same, largest length mean a limit of the
 * server: those would have been longer, and count as "at least so many".
 */
#include "calibrate/drift.h"
#include "calibrate/law_rows.h"
#include "calibrate/recipes.h"
#include "calibrate/samples.h"
#include "store/view.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <string.h>

enum { R_ARRIVAL, R_INPUT, R_OUTPUT, R_CLASS, R_SEQ, R_COLUMNS };
enum { FEWEST_REQUESTS = 50 };

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
    static const char *const names[R_COLUMNS] = {"arrival_s", "input_tokens", "output_tokens", "class", "seq"};

    for (int k = 0; k < R_COLUMNS; k++)
        r->c[k] = (struct view_column){.name = names[k]};
    TRY(view_load(f->store, "requests", trace, r->c, R_COLUMNS, f->a, &r->n, err));
    drop_unmatched(f, r);
    r->order = arena_array(f->a, r->n + 1, sizeof *r->order);
    if (r->n > 0)
        gsl_sort_index(r->order, r->c[R_ARRIVAL].real, 1, r->n);
    return 0;
}

static void source_of(struct fitting *f, const char *path, int64_t trace, const struct requests_seen *r, size_t n)
{
    fitting_source(f, path,
                   &(struct rows_used){trace, "requests", f->where != NULL ? f->where : "", r->first, r->last,
                                       (long)n});
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

static int add_lengths(struct fitting *f, const struct requests_seen *r, int column, int64_t trace, bool *used,
                       struct err *err)
{
    const char *name = r->c[column].name, *path = fitting_path(f, arena_printf(f->a, "requests.%s", name));
    double *v = arena_array(f->a, r->n + 1, sizeof *v), *when = arena_array(f->a, r->n + 1, sizeof *when), limit;
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
        fitting_remark(f, "note", "%s: a limit of %.0f cut lengths off; those count as at least so many", name, limit);
    TRY(law_rows(f, path, arena_printf(f->a, "requests.%s", name), true, v, n, limit, "", err));
    drift_check(f, name, when, v, n);
    source_of(f, path, trace, r, n);
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
