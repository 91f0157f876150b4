#include "study/details.h"

#include "base/json.h"

#include <math.h>

enum { POINTS = 60, ROOM = 2 * POINTS, LATENCY_POINTS = 200 };

/*
 * Areas under busy shares and queues, one column a sample: [thing * ROOM + sample].  The length of a run is
 * known only about; when twice the points have come, every other one is forgotten and the step doubles.
 */
struct recorder {
    int stages, resources;
    size_t n, seen, stride;
    double *at, *busy, *queue, *resource;
};

static double area(double mean, double since_s)
{
    return isfinite(mean) ? mean * since_s : 0;
}

static void halve(struct recorder *r)
{
    size_t things = (size_t)(2 * r->stages + r->resources);
    double *all[3] = {r->busy, r->queue, r->resource};

    for (size_t i = 0; i < r->n / 2; i++)
        r->at[i] = r->at[2 * i + 1];
    for (size_t t = 0; t < things; t++) {
        size_t kind = t < (size_t)r->stages ? 0 : t < 2 * (size_t)r->stages ? 1 : 2;
        double *row = all[kind] + (t - kind * (size_t)r->stages) * ROOM;

        for (size_t i = 0; i < r->n / 2; i++)
            row[i] = row[2 * i + 1];
    }
    r->n /= 2;
    r->stride *= 2;
}

static void record(void *ctx, double since_s, const struct flow_result *so_far)
{
    struct recorder *r = ctx;

    if (++r->seen % r->stride != 0)
        return;
    if (r->n == ROOM)
        halve(r);
    if (r->seen % r->stride != 0)
        return;
    r->at[r->n] = since_s;
    for (int i = 0; i < r->stages; i++) {
        r->busy[(size_t)i * ROOM + r->n] = area(so_far->stages[i].utilization, since_s);
        r->queue[(size_t)i * ROOM + r->n] = area(so_far->stages[i].queue_mean, since_s);
    }
    for (int i = 0; i < r->resources; i++)
        r->resource[(size_t)i * ROOM + r->n] = area(so_far->resources[i].utilization, since_s);
    r->n++;
}

/* Differences of areas are means of the intervals; work is booked in lumps, so a share may seem above 1. */
static void set_means(struct json *o, const char *key, const struct recorder *r, const double *areas,
                      double most)
{
    struct json *list = json_set_array(o, key);

    for (size_t i = 0; i < r->n; i++) {
        double before = i > 0 ? areas[i - 1] : 0, step = r->at[i] - (i > 0 ? r->at[i - 1] : 0);

        json_push(list, json_new_number(fmin(fmax(0, (areas[i] - before) / step), most)));
    }
}

static void recorder_json(const struct recorder *r, const struct scenario *s, struct json *doc)
{
    struct json *o = json_set_object(doc, "timeline"), *list = json_set_array(o, "at_s"), *v;

    for (size_t i = 0; i < r->n; i++)
        json_push(list, json_new_number(r->at[i]));
    list = json_set_array(o, "stages");
    for (int i = 0; i < r->stages; i++) {
        v = json_push(list, json_new_object());
        json_set_string(v, "name", s->stages[i].name);
        set_means(v, "busy_frac", r, r->busy + (size_t)i * ROOM, 1);
        set_means(v, "queue_mean", r, r->queue + (size_t)i * ROOM, INFINITY);
    }
    list = json_set_array(o, "resources");
    for (int i = 0; i < r->resources; i++) {
        v = json_push(list, json_new_object());
        json_set_string(v, "name", s->resources[i].name);
        set_means(v, "busy_frac", r, r->resource + (size_t)i * ROOM, 1);
    }
}

static void latency_json(const double *points, struct json *doc)
{
    struct json *list = points != NULL ? json_set_array(doc, "latency_quantiles_s") : NULL;

    for (size_t i = 0; points != NULL && i < LATENCY_POINTS; i++)
        json_push(list, json_new_number(points[i]));
}

int timeline_json(const struct study *st, const struct scenario *base, const struct outcome *o,
                  struct json *doc, struct err *err)
{
    struct simulate_options opt = study_simulation(st, 1);
    struct recorder r = {.stages = base->stages_n, .resources = base->resources_n, .stride = 1};
    struct sampling how = {.points = ROOM, .latency_points = LATENCY_POINTS, .sample = record, .ctx = &r};
    struct arena *a = arena_new();
    struct flow_result again;
    int rc;

    r.at = arena_array(a, ROOM, sizeof(double));
    r.busy = arena_array(a, (size_t)r.stages * ROOM, sizeof(double));
    r.queue = arena_array(a, (size_t)r.stages * ROOM, sizeof(double));
    r.resource = arena_array(a, (size_t)r.resources * ROOM, sizeof(double));
    rc = simulate_sampled(base, &opt, o, &how, a, &again, err);
    if (rc == 0) {
        recorder_json(&r, base, doc);
        latency_json(again.lines[base->objective].latency_points, doc);
    }
    arena_free(a);
    return rc;
}
