#include "study/search/search.h"

#include <math.h>
#include <stdlib.h>

/* What the document says of a candidate, beside the objective. */
static const char *const shown[] = {"throughput_per_s", "latency_s.mean", "latency_s.p95",
                                    "cost_usd_per_h",   "quality",        "power_w"};
enum { SHOWN = sizeof shown / sizeof *shown };

/* "latency_s.p95" goes into "latency_s": {"p95": ..}, as in the metrics of `run`. */
static void set_figure(struct json *o, const char *name, const struct estimate *e)
{
    char head[32];
    const char *dot = NULL;
    size_t n = 0;

    while (name[n] != '\0' && n < sizeof head - 1) {
        dot = name[n] == '.' ? name + n : dot;
        head[n] = name[n];
        n++;
    }
    head[dot != NULL ? (size_t)(dot - name) : n] = '\0';
    if (dot != NULL) {
        o = json_get(o, head) != NULL ? json_get_mutable(o, head) : json_set_object(o, head);
        json_set(o, dot + 1, estimate_json(e));
    } else {
        json_set(o, name, estimate_json(e));
    }
}

static void set_point(const struct search_result *r, const struct points *p, const struct point *x,
                      struct json *o)
{
    const struct figure_place *goal = &r->space.objective.figure;
    struct estimate e;

    for (int i = 0; i < SHOWN; i++) {
        struct figure_place f = {figure_find(shown[i]), -1};

        if (point_figure(p, x, &f, &e))
            set_figure(o, shown[i], &e);
    }
    if (goal->pipeline < 0 && point_figure(p, x, goal, &e))
        set_figure(o, goal->def->name, &e);
    json_set_number(o, "replications", (double)x->n);
}

static void set_goal(const struct search_result *r, struct json *doc)
{
    const struct objective *o = &r->space.objective;
    struct json *goal = json_set_object(doc, "objective"), *list = json_set_array(doc, "constraints");

    json_set_string(goal, o->is_maximized ? "maximize" : "minimize", o->figure.def->name);
    if (o->figure.pipeline >= 0)
        json_set_string(goal, "pipeline", r->space.base->pipelines[o->figure.pipeline].name);
    for (int i = 0; i < r->space.constraints_n; i++)
        json_push(list, json_new_string(r->space.constraints[i].text));
}

static void set_guarantee(const struct search_result *r, struct json *doc)
{
    const struct search_guarantee *g = &r->guarantee;
    struct json *o = json_set_object(doc, "guarantee");

    json_set_number(o, "probability", g->probability); /* null where there is none */
    json_set_number(o, "indifference", g->indifference);
    json_set_number(o, "among", (double)g->among);
    json_set_bool(o, "estimated", g->is_estimated);
    json_set_string(o, "of", g->is_whole ? "all candidates" : "candidates simulated");
}

static void set_best(const struct search_result *r, struct json *doc)
{
    struct json *o;
    double best = r->best != NULL ? r->best->best : NAN;

    if (r->best == NULL) {
        json_set(doc, "best", json_new_null());
        return;
    }
    o = json_set_object(doc, "best");
    space_write(&r->space, &r->best->c, o);
    if (r->full_best != NULL)
        set_point(r, &r->full, r->full_best, o);
    else
        set_point(r, &r->points, r->best, o);
    json_set_number(o, "bound", r->space.objective.is_maximized ? best : -best);
    json_set_number(o, "gap_frac", search_gap(r));
}

struct json *search_json(const struct search_result *r)
{
    struct json *doc = result_document("search", r->space.base), *list;

    json_set_string(doc, "unit", r->space.base->unit);
    json_set_number(doc, "seed", (double)r->space.st->seed);
    json_set_number(doc, "confidence", r->space.st->confidence);
    json_set_string(doc, "method", r->method->name);
    set_goal(r, doc);
    if (r->candidates > 0)
        json_set_number(doc, "candidates", r->candidates);
    json_set_number(doc, "evaluated", (double)r->points.simulated);
    json_set_number(doc, "pruned_by_bound", (double)r->pruned);
    json_set_number(doc, "illegal", (double)r->points.illegal);
    json_set_number(doc, "replications", (double)r->points.replications);
    json_set_bool(doc, "stopped", r->is_stopped);
    set_guarantee(r, doc);
    list = json_set_array(doc, "front");
    for (size_t i = 0; i < r->front_n; i++) {
        struct json *o = json_push(list, json_new_object());

        space_write(&r->space, &r->front[i]->c, o);
        set_point(r, &r->points, r->front[i], o);
    }
    set_best(r, doc);
    if (r->full_base != NULL)
        set_point(r, &r->full, r->full_base, json_set_object(doc, "base"));
    else if (r->base != NULL)
        set_point(r, &r->points, r->base, json_set_object(doc, "base"));
    return doc;
}
