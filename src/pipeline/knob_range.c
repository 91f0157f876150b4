#include "pipeline/knob_read.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

enum { EACH_UP_TO = 64, POINTS = 9 };
static const double WIDE = 100; /* hi / lo from which on equal factors say more than equal steps */

bool knob_is_number(const struct param *row)
{
    return row != NULL && (row->type == PARAM_REAL || row->type == PARAM_INT);
}

struct range {
    double lo, hi, step; /* step 0: none given */
    long points;         /* 0: not given */
    bool is_log, has_scale, is_whole;
};

static int read_scale(struct knob_reader *r, struct range *g)
{
    static const char *const scales[] = {"linear", "log"};
    const struct json *v = json_get(r->json, "scale");
    struct text t = {0};

    g->has_scale = v != NULL;
    g->is_log = v != NULL && json_string(v) != NULL && strcmp(json_string(v), "log") == 0;
    if (v == NULL || g->is_log || (json_string(v) != NULL && strcmp(json_string(v), "linear") == 0))
        return 0;
    text_add_suggestion(&t, json_string(v) != NULL ? json_string(v) : "?", scales, 2);
    knob_bad_key(r, "scale", t.s);
    text_free(&t);
    return ERR_SCENARIO;
}

static int read_end(struct knob_reader *r, size_t i, double *out)
{
    const struct json *v = json_at(json_get(r->json, "range"), i);
    const char *where = arena_printf(r->a, "%s.range[%zu]", r->where, i);

    TRY(knob_check_value(r, v, where));
    return param_read_real(v, r->k->unit, -1e18, 1e18, where, out, r->err);
}

static int read_ends(struct knob_reader *r, struct range *g)
{
    const struct json *v = json_get(r->json, "range");

    if (v == NULL) {
        g->lo = r->row->min;
        g->hi = r->row->max;
        return 0;
    }
    if (json_type(v) != JSON_ARRAY || json_size(v) != 2)
        return knob_bad_key(r, "range", "[LOWEST, HIGHEST] is needed");
    if (r->row != NULL && !knob_is_number(r->row))
        return knob_bad_key(r, "range", "the parameter is no number; list its \"values\"");
    TRY(read_end(r, 0, &g->lo));
    TRY(read_end(r, 1, &g->hi));
    return g->lo < g->hi ? 0 : knob_bad_key(r, "range", "the first value must be below the second");
}

static int read_grid(struct knob_reader *r, struct range *g)
{
    const struct json *step = json_get(r->json, "step"), *points = json_get(r->json, "points");
    double n = 0;

    TRY(read_scale(r, g));
    if (step != NULL && (points != NULL || g->is_log))
        return knob_bad_key(r, "step", "either a step, or \"points\" and \"scale\"");
    if (step != NULL)
        TRY(param_read_real(step, r->k->unit, 0, 1e18, arena_printf(r->a, "%s.step", r->where), &g->step,
                            r->err));
    if (step != NULL && !(g->step > 0 && (g->hi - g->lo) / g->step < KNOB_VALUES_MAX))
        return knob_bad_key(r, "step", "a positive number is needed that gives at most 1000 values");
    if (points != NULL)
        TRY(param_read_real(points, UNIT_NONE, 2, KNOB_VALUES_MAX, arena_printf(r->a, "%s.points", r->where),
                            &n, r->err));
    g->points = lround(n);
    if (g->is_log && g->lo <= 0)
        return knob_bad_key(r, "scale", "\"log\" needs a range above zero");
    return 0;
}

/* What the scenario leaves open: each whole number of a few, else points, by equal factors where it is wide.
 */
static void complete(struct range *g)
{
    if (g->step == 0 && g->points == 0 && !g->has_scale && g->is_whole && g->hi - g->lo < EACH_UP_TO)
        g->step = 1;
    if (g->step == 0 && !g->has_scale)
        g->is_log = g->lo > 0 && g->hi / g->lo >= WIDE;
    if (g->step == 0 && g->points == 0)
        g->points = POINTS;
}

static void fill_numbers(struct knob_reader *r, const struct range *g)
{
    long n = g->step > 0 ? (long)floor((g->hi - g->lo) / g->step * (1 + 1e-12)) + 1 : g->points;
    struct knob *k = r->k;

    k->kind = KNOB_NUMBERS;
    k->is_log = g->is_log;
    k->is_continuous = g->step == 0 && !g->is_whole;
    k->numbers = arena_array(r->a, (size_t)n, sizeof *k->numbers);
    for (long i = 0; i < n; i++) {
        double x = g->step > 0  ? g->lo + (double)i * g->step
                   : i == n - 1 ? g->hi
                                : knob_between(g->lo, g->hi, g->is_log, (double)i / (double)(n - 1));

        x = g->is_whole ? round(x) : x;
        if (k->n == 0 || x > k->numbers[k->n - 1])
            k->numbers[k->n++] = x;
    }
}

int knob_read_range(struct knob_reader *r)
{
    struct range g = {0};

    for (int i = 0; i < r->k->paths_n; i++)
        g.is_whole = g.is_whole || (r->rows[i] != NULL && r->rows[i]->type == PARAM_INT);
    TRY(read_ends(r, &g));
    TRY(read_grid(r, &g));
    complete(&g);
    fill_numbers(r, &g);
    return 0;
}
