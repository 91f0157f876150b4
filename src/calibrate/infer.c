#include "calibrate/infer_parts.h"

#include "base/text.h"
#include "store/trace.h"

#include <math.h>
#include <string.h>

/* ------------------------------------------------------ building a scenario */

struct json *infer_scenario(const struct infer_source *src, const char *unit, const char *description)
{
    struct json *tree = json_new_object();

    json_set_string(tree, "name", src->name);
    json_set_string(tree, "description", description);
    json_set_string(tree, "unit", unit);
    json_set_object(tree, "assumed");
    json_set_string(tree, "horizon", "steady");
    json_set_object(tree, "workload");
    json_set_object(tree, "resources");
    json_set_array(tree, "stages");
    return tree;
}

void infer_assume(struct json *tree, const char *path, const char *reason)
{
    json_set_string(json_get_mutable(tree, "assumed"), path, reason);
}

struct json *infer_resource(struct json *tree, const char *name, const char *kind, double count)
{
    struct json *r = json_set_object(json_get_mutable(tree, "resources"), name);

    json_set_string(r, "kind", kind);
    json_set_number(r, "count", count);
    return r;
}

struct json *infer_stage(struct json *tree, const char *name, const char *model, const char *role,
                         const char *resource)
{
    struct json *st = json_push(json_get_mutable(tree, "stages"), json_new_object());

    json_set_string(st, "name", name);
    json_set_string(st, "model", model);
    if (role != NULL)
        json_set_string(json_set_object(st, "on"), role, resource);
    return json_set_object(st, "params");
}

void infer_optimization(struct json *tree, const char *name, const char *about, const char *touches,
                        const char *path, struct json *value)
{
    struct json *list = json_get_mutable(tree, "optimizations"), *o;

    if (list == NULL)
        list = json_set_array(tree, "optimizations");
    o = json_push(list, json_new_object());
    json_set_string(o, "name", name);
    json_set_string(o, "about", about);
    json_push(json_set_array(o, "touches"), json_new_string(touches));
    json_set(json_set_object(o, "set"), path, value);
}

/* -------------------------------------------------------------------- laws */

static struct tally tally_of(const double *x, size_t n)
{
    struct tally t = {0};

    for (size_t i = 0; i < n; i++)
        tally_add(&t, x[i]);
    return t;
}

struct json *infer_law(const double *x, size_t n)
{
    struct tally t = tally_of(x, n);
    double cv = t.mean > 0 ? sqrt(tally_variance(&t)) / t.mean : 0;
    struct json *law, *of;

    if (!(cv > 1e-9))
        return json_new_number(t.mean);
    law = json_new_object();
    of = json_set_object(law, "lognormal");
    json_set_number(of, "mean", t.mean);
    json_set_number(of, "cv", cv);
    return law;
}

struct estimate infer_rate(const double *x, size_t n)
{
    struct estimate s = estimate_student(x, n, 0.95), rate = s;

    rate.mean = 1 / s.mean;
    rate.lo = 1 / s.hi;
    rate.hi = s.lo > 0 ? 1 / s.lo : INFINITY;
    return rate;
}

/* ------------------------------------------------------------ what is there */

struct contents {
    bool steps, calls, requests, costs, spark;
    size_t spans;
};

static bool has_rows(struct store *store, const char *view, const char *column, int64_t trace,
                     struct arena *a, struct err *err)
{
    struct view_column c[] = {{.name = column}};
    size_t n = 0;

    return view_load(store, view, trace, c, 1, a, &n, err) == 0 && n > 0;
}

static int look(const struct infer_source *src, struct contents *out, struct err *err)
{
    struct trace_op *ops;
    size_t n;

    *out = (struct contents){0};
    TRY(trace_summary(src->store, src->trace, src->arena, &ops, &n, err));
    for (size_t i = 0; i < n; i++) {
        out->spans += (size_t)ops[i].n;
        out->steps = out->steps || strcmp(ops[i].stage, "step") == 0;
    }
    out->spark = has_rows(src->store, "spark_task", "launch_s", src->trace, src->arena, err);
    out->requests = has_rows(src->store, "request", "arrival_s", src->trace, src->arena, err);
    out->costs = has_rows(src->store, "operator_costs", "time_s", src->trace, src->arena, err);
    out->calls = out->spans > 0 && !out->spark && !out->steps;
    return err->code;
}

static int nothing(const struct infer_source *src, const struct contents *c, struct err *err)
{
    if (c->costs)
        return err_set(err, ERR_USAGE,
                       "init: trace \"%s\" holds operator costs only; give a trace of requests beside it",
                       src->name);
    return err_set(err, ERR_USAGE,
                   "init: trace \"%s\" holds no steps, no calls, no requests and no Spark tasks: nothing a "
                   "pipeline could be made of. `foresight trace show %lld` lists what it holds",
                   src->name, (long long)src->trace);
}

static int infer_one(const struct infer_source *src, const struct contents *c, struct inferred *out,
                     struct err *err)
{
    if (c->steps)
        return infer_steps(src, out, err);
    if (c->calls)
        return infer_calls(src, out, err);
    return nothing(src, c, err);
}

int infer(struct store *store, const int64_t *traces, int n, struct arena *a, struct inferred *out,
          struct err *err)
{
    struct infer_source src = {.store = store, .arena = a};
    struct contents what = {0};

    *out = (struct inferred){0};
    for (int i = 0; i < n; i++) {
        struct infer_source one = {.store = store, .arena = a, .trace = traces[i]};
        struct trace_row row;
        struct contents c;

        TRY(trace_info_load(store, traces[i], a, &row, err));
        one.name = row.info.name;
        TRY(look(&one, &c, err));
        if (c.costs && !c.requests && n > 1) {
            src.costs = one.trace;
            src.costs_name = one.name;
            continue;
        }
        if (src.trace != 0)
            return err_set(err, ERR_USAGE,
                           "init: \"%s\" and \"%s\" both describe a pipeline; one scenario is made of one "
                           "recording, and operator costs beside it",
                           src.name, one.name);
        src.trace = one.trace;
        src.name = one.name;
        what = c;
    }
    return infer_one(&src, &what, out, err);
}
