/*
 * recipe_recall.c - recall against search effort, from searches at several settings of it.
 *
 * The effort is the setting that says how far a search looks: ef, nprobe, a list.  Where one index was measured,
 * its knots become the model's `recall`; where several were, each is told.
 */
#include "calibrate/recall.h"

#include "calibrate/recipes.h"
#include "calibrate/samples.h"

#include <math.h>
#include <string.h>

enum { MOST_POINTS = 64, FEWEST_EFFORTS = 3 };

static const char *const effort_names[] = {"ef",          "ef_search", "efSearch", "nprobe", "search_list",
                                           "num_candidates", "concurrency", NULL};

static double effort_of(const struct measured_row *m)
{
    for (int i = 0; strcmp(effort_names[i], "concurrency") != 0; i++)
        if (measured_number(m, effort_names[i]) > 0)
            return measured_number(m, effort_names[i]);
    return NAN;
}

/* By rising effort; two measurements of one become their mean. */
static size_t points_of(const struct measured_group *g, struct recall_point *p)
{
    size_t n = 0;

    for (size_t i = 0; i < g->n && n < MOST_POINTS; i++) {
        double effort = effort_of(g->row[i]), recall = measured_figure(g->row[i], "recall_frac");
        size_t k = 0;

        if (!(effort > 0) || !(recall >= 0 && recall <= 1))
            continue;
        while (k < n && p[k].effort < effort)
            k++;
        if (k < n && p[k].effort == effort) {
            p[k].recall = (p[k].recall + recall) / 2;
            continue;
        }
        memmove(p + k + 1, p + k, (n - k) * sizeof *p);
        p[k] = (struct recall_point){effort, recall, 0};
        n++;
    }
    return n;
}

static void keep_knots(struct fitting *f, const char *param, const struct recall_point *p, size_t n)
{
    struct json *doc = fitting_document(f), *params = json_get_mutable(doc, "params"), *list;

    if (params == NULL)
        params = json_set_object(doc, "params");
    list = json_set_array(params, param);
    for (size_t i = 0; i < n; i++) {
        struct json *pair = json_push(list, json_new_array());

        json_push(pair, json_new_number(p[i].effort));
        json_push(pair, json_new_number(p[i].recall));
    }
}

int recipe_recall_curve(struct fitting *f, const struct fit_info *info, int64_t trace_id, bool *used,
                        struct err *err)
{
    struct measured_group *g;
    size_t n, curves = 0;
    struct recall_point p[MOST_POINTS];

    *used = false;
    TRY(samples_measured(f->store, trace_id, "vector search", f->where, effort_names, false, f->a, &g, &n, err));
    for (size_t i = 0; i < n; i++)
        curves += points_of(&g[i], p) >= FEWEST_EFFORTS;
    for (size_t i = 0; i < n; i++) {
        size_t points = points_of(&g[i], p);
        const char *path = arena_printf(f->a, curves > 1 ? "fits.%s.%s[%s]" : "fits.%s.%s", f->target, info->param,
                                        g[i].short_);
        struct recall fit;

        if (points < FEWEST_EFFORTS)
            continue;
        if (recall_fit(p, points, f->a, &fit, err) != 0)
            return err_at(err, "recall of %s", g[i].key);
        fitting_fit(f, path, &fit.fit, "effort");
        if (curves == 1)
            keep_knots(f, info->param, p, points);
        fitting_source(f, path,
                       &(struct rows_used){trace_id, "measurements", g[i].key, g[i].row[0]->seq,
                                           g[i].row[g[i].n - 1]->seq, (long)points});
        *used = true;
    }
    return 0;
}
