/*
 * infer_steps.c - a training loop from a PyTorch profile.
 *
 * A step lasts from its start to the next one's.  Of that the loop waits for
 * its loader (what the profile calls __next__), the device is busy (kernels,
 * copies, memsets: their union, as streams overlap), and the rest is the host:
 *
 *     step = wait + device + host
 *
 * With a loader in the same process nothing overlaps: one batch is on its way at
 * a time, and the wait is what loading a batch takes.  With loader processes the
 * wait only says that they keep up or how far they do not.
 *
 * The profiler starts in the first step and stops in the last; both take longer
 * for that reason and are left out when four or more were recorded.
 */
#include "calibrate/infer_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CLEAN_STEPS = 4 };

struct interval {
    double from, to;
};

struct intervals {
    struct interval *at;
    size_t n, room;
};

struct profile {
    struct arena *arena;
    struct intervals steps, waits, device;
    bool in_process; /* the loader runs in the loop itself */
};

static void add(struct profile *p, struct intervals *list, double from, double to)
{
    if (list->n == list->room) {
        struct interval *grown = arena_array(p->arena, 2 * list->room + 64, sizeof *grown);

        if (list->n > 0)
            memcpy(grown, list->at, list->n * sizeof *grown);
        list->at = grown;
        list->room = 2 * list->room + 64;
    }
    list->at[list->n++] = (struct interval){from, to};
}

static int by_start(const void *a, const void *b)
{
    const struct interval *x = a, *y = b;

    return (x->from > y->from) - (x->from < y->from);
}

/* Sorted, and overlapping ones made one. */
static void merge(struct intervals *list)
{
    size_t kept = 0;

    qsort(list->at, list->n, sizeof *list->at, by_start);
    for (size_t i = 0; i < list->n; i++) {
        if (kept > 0 && list->at[i].from <= list->at[kept - 1].to)
            list->at[kept - 1].to = fmax(list->at[kept - 1].to, list->at[i].to);
        else
            list->at[kept++] = list->at[i];
    }
    list->n = kept;
}

/* How much of [from, to] the merged intervals cover. */
static double covered(const struct intervals *list, double from, double to)
{
    double sum = 0;

    for (size_t i = 0; i < list->n && list->at[i].from < to; i++)
        if (list->at[i].to > from)
            sum += fmin(list->at[i].to, to) - fmax(list->at[i].from, from);
    return sum;
}

static bool is_device(const char *stage)
{
    return strcmp(stage, "kernel") == 0 || strcmp(stage, "copy") == 0 || strcmp(stage, "memset") == 0;
}

/* NCCL's kernels run on the device too; the host's calls of the same stage do not. */
static bool is_device_collective(const char *stage, const char *op)
{
    return strcmp(stage, "collective") == 0 && strstr(op, "Kernel") != NULL;
}

static int read_profile(const struct infer_source *src, struct profile *p, struct err *err)
{
    struct view_column c[] = {{.name = "stage"}, {.name = "op"}, {.name = "start_s"}, {.name = "end_s"}};
    size_t n;

    *p = (struct profile){.arena = src->arena};
    TRY(view_load(src->store, "spans", src->trace, c, 4, src->arena, &n, err));
    for (size_t i = 0; i < n; i++) {
        const char *stage = c[0].text[i], *op = c[1].text[i];
        double from = c[2].real[i], to = c[3].real[i];

        if (strcmp(stage, "step") == 0)
            add(p, &p->steps, from, to);
        if (strcmp(stage, "loader") == 0)
            add(p, &p->waits, from, to);
        if (strcmp(stage, "loader") == 0 && strstr(op, "SingleProcess") != NULL)
            p->in_process = true;
        if (is_device(stage) || is_device_collective(stage, op))
            add(p, &p->device, from, to);
    }
    qsort(p->steps.at, p->steps.n, sizeof *p->steps.at, by_start);
    merge(&p->waits);
    merge(&p->device);
    return 0;
}

struct anatomy { /* of each step, in seconds */
    double *step, *wait, *device, *host;
    size_t n;
};

static void dissect(const struct profile *p, struct anatomy *a)
{
    size_t first = p->steps.n >= CLEAN_STEPS ? 1 : 0, last = p->steps.n - first;

    *a = (struct anatomy){.step = arena_array(p->arena, p->steps.n, sizeof(double)),
                          .wait = arena_array(p->arena, p->steps.n, sizeof(double)),
                          .device = arena_array(p->arena, p->steps.n, sizeof(double)),
                          .host = arena_array(p->arena, p->steps.n, sizeof(double))};
    for (size_t i = first; i < last; i++) {
        double from = p->steps.at[i].from,
               to = i + 1 < p->steps.n ? p->steps.at[i + 1].from : p->steps.at[i].to;
        size_t k = a->n++;

        a->step[k] = to - from;
        a->wait[k] = covered(&p->waits, from, to);
        /* A device that still works while the loop waits for a batch hides behind that wait. */
        a->device[k] = fmin(covered(&p->device, from, to), a->step[k] - a->wait[k]);
        a->host[k] = a->step[k] - a->wait[k] - a->device[k];
    }
}

static void add_op(struct json *params, const char *name, const char *what, const double *x, size_t n)
{
    struct json *ops = json_get_mutable(params, "ops"), *op;
    double sum = 0;

    if (ops == NULL)
        ops = json_set_array(params, "ops");
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    if (sum <= 0)
        return;
    op = json_push(ops, json_new_object());
    json_set_string(op, "name", name);
    json_set(op, what, infer_law(x, n));
}

static void describe(struct json *tree, const struct profile *p, const struct anatomy *an)
{
    struct json *load = infer_stage(tree, "load", "operators", "cpu", "host"), *train, *on;
    struct json *closed = json_set_object(json_get_mutable(tree, "workload"), "closed");

    infer_resource(tree, "host", "cores", p->in_process ? 1 : 2);
    infer_resource(tree, "gpu", "gpus", 1);
    infer_assume(tree, "resources.host.count", "a profile does not say how many cores the host has");
    if (p->in_process) {
        add_op(load, "next", "cpu", an->wait, an->n);
        json_set_number(closed, "in_flight", 1);
        infer_optimization(tree, "loader-process",
                           "Load the next batches in another process while this one trains", "load",
                           "workload.closed.in_flight", json_new_string("max"));
        infer_optimization(tree, "second-core", "Give the loader a core of its own", "load",
                           "resources.host.count", json_new_number(2));
    } else {
        double *half = arena_array(p->arena, 1, sizeof *half);

        for (size_t i = 0; i < an->n; i++)
            half[0] += an->step[i] / 2 / (double)an->n;
        add_op(load, "next", "cpu", half, 1);
        infer_assume(tree, "stages.load.params.ops[0].cpu",
                     "loader processes keep up with the loop: any time per batch below a step would show the "
                     "same profile; half a step is taken");
        json_set_string(closed, "in_flight", "max");
    }
    train = infer_stage(tree, "train", "operators", "cpu", "host");
    on = json_get_mutable(json_at_mutable(json_get_mutable(tree, "stages"), 1), "on");
    json_set_string(on, "gpu", "gpu");
    if (!p->in_process)
        add_op(train, "take-batch", "cpu", an->wait, an->n);
    add_op(train, "host", "cpu", an->host, an->n);
    add_op(train, "device", "gpu", an->device, an->n);
}

int infer_steps(const struct infer_source *src, struct inferred *out, struct err *err)
{
    struct profile p;
    struct anatomy an;

    TRY(read_profile(src, &p, err));
    if (p.steps.n < 2)
        return err_set(err, ERR_TRACE, "init: trace \"%s\" holds %zu training step; at least 2 are needed",
                       src->name, p.steps.n);
    dissect(&p, &an);
    out->from = "training steps";
    out->recorded = infer_rate(an.step, an.n);
    out->tree = infer_scenario(
        src, "sample",
        arena_printf(src->arena,
                     "A training loop as a profile of %zu steps shows it; one sample stands for one step's "
                     "batch%s",
                     p.steps.n, an.n < p.steps.n ? "; the first and the last step are left out" : ""));
    infer_assume(out->tree, "unit",
                 "a profile does not say how many samples a batch holds: batches are counted");
    describe(out->tree, &p, &an);
    return 0;
}
