#include "study/achieved.h"

#include "store/trace.h"
#include "store/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 20, QUANTILE_BLOCKS = 10, FEWEST_IN_BLOCK = 5 };

static const double CONFIDENCE = 0.95;

static void add(struct achieved *x, const char *name, const struct estimate *value)
{
    const struct figure_def *def = figure_find(name);

    ASSERT(def != NULL && x->n < ACHIEVED_MAX);
    if (isfinite(value->mean))
        x->figure[x->n++] = (struct achieved_figure){def, *value};
}

const struct estimate *achieved_find(const struct achieved *x, const char *figure)
{
    for (int i = 0; i < x->n; i++)
        if (strcmp(x->figure[i].def->name, figure) == 0)
            return &x->figure[i].value;
    return NULL;
}

/* -------------------------------------------------------------- batch means */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double mean_of(const double *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

/* Of values in the order of time. */
static struct estimate block_mean(const double *x, size_t n)
{
    double block[BLOCKS];
    size_t blocks = n / FEWEST_IN_BLOCK < BLOCKS ? n / FEWEST_IN_BLOCK : BLOCKS;
    struct estimate e;

    if (n == 0)
        return (struct estimate){.mean = NAN};
    if (blocks < 2)
        return estimate_student(x, n, CONFIDENCE);
    for (size_t b = 0; b < blocks; b++) {
        size_t from = b * n / blocks, to = (b + 1) * n / blocks;

        block[b] = mean_of(x + from, to - from);
    }
    e = estimate_student(block, blocks, CONFIDENCE);
    e.lo += mean_of(x, n) - e.mean;
    e.hi += mean_of(x, n) - e.mean;
    e.mean = mean_of(x, n);
    return e;
}

/* The smallest value with at least q of all at or below it; sorts x. */
static double quantile(double *x, size_t n, double q)
{
    size_t at = (size_t)fmax(0, ceil(q * (double)n) - 1);

    qsort(x, n, sizeof *x, by_value);
    return x[at];
}

/* NAN where a block would not reach the quantile. */
static struct estimate block_quantile(const double *x, size_t n, double q, struct arena *a)
{
    double block[QUANTILE_BLOCKS], *copy = arena_array(a, n + 1, sizeof *copy), all;
    size_t blocks = (size_t)fmin(QUANTILE_BLOCKS, floor((double)n * (1 - q)));
    struct estimate e;

    if (blocks < 3)
        return (struct estimate){.mean = NAN};
    memcpy(copy, x, n * sizeof *copy);
    all = quantile(copy, n, q);
    for (size_t b = 0; b < blocks; b++) {
        size_t from = b * n / blocks, to = (b + 1) * n / blocks;

        memcpy(copy, x + from, (to - from) * sizeof *copy);
        block[b] = quantile(copy, to - from, q);
    }
    e = estimate_student(block, blocks, CONFIDENCE);
    return (struct estimate){
        .mean = all, .lo = all - (e.hi - e.lo) / 2, .hi = all + (e.hi - e.lo) / 2, .n = e.n};
}

/* How many of n moments (ascending) fall into a second from `start` on, over windows of equal length. */
static struct estimate block_rate(const double *t, size_t n, double start)
{
    double block[BLOCKS], length = n > 1 ? t[n - 1] - start : 0;
    double all =
        (double)(start < t[0] ? n : n - 1) / length; /* the first one opens the time, or falls into it */
    size_t blocks = n / FEWEST_IN_BLOCK < BLOCKS ? n / FEWEST_IN_BLOCK : BLOCKS, at = 0;
    struct estimate e;

    if (!(length > 0))
        return (struct estimate){.mean = NAN};
    if (blocks < 2)
        return estimate_exact(all);
    for (size_t b = 0; b < blocks; b++) {
        double end = start + length * (double)(b + 1) / (double)blocks;
        size_t before = at;

        while (at < n && (t[at] <= end || b + 1 == blocks))
            at++;
        block[b] = (double)(at - before) * (double)blocks / length;
    }
    e = estimate_student(block, blocks, CONFIDENCE);
    e.lo += all - e.mean;
    e.hi += all - e.mean;
    e.mean = all;
    return e;
}

/* ------------------------------------------------------------------ requests */

struct requests_seen {
    size_t n;
    double *arrival, *input, *output, *queue, *ttft, *latency;
    size_t *order; /* by arrival */
};

struct moment {
    double at;
    size_t i;
};

static int by_moment(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;

    return x->at != y->at ? (x->at > y->at) - (x->at < y->at) : (x->i > y->i) - (x->i < y->i);
}

static void put_in_order(struct requests_seen *r, struct arena *a)
{
    struct moment *m = arena_array(a, r->n + 1, sizeof *m);

    r->order = arena_array(a, r->n + 1, sizeof *r->order);
    for (size_t i = 0; i < r->n; i++)
        m[i] = (struct moment){isfinite(r->arrival[i]) ? r->arrival[i] : -1, i};
    qsort(m, r->n, sizeof *m, by_moment);
    for (size_t i = 0; i < r->n; i++)
        r->order[i] = m[i].i;
}

/* Those of one column that are known, in the order of arrival. */
static size_t in_order(const struct requests_seen *r, const double *column, double *out)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++)
        if (isfinite(column[r->order[i]]) && column[r->order[i]] >= 0)
            out[n++] = column[r->order[i]];
    return n;
}

static void add_times(struct achieved *x, const char *of, const double *v, size_t n, struct arena *a)
{
    static const struct {
        const char *name;
        double q;
    } parts[] = {{"p50", .5}, {"p95", .95}, {"p99", .99}};
    struct estimate e;

    if (n < 2 * FEWEST_IN_BLOCK)
        return;
    e = block_mean(v, n);
    add(x, arena_printf(a, "%s.mean", of), &e);
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
        e = block_quantile(v, n, parts[k].q, a);
        add(x, arena_printf(a, "%s.%s", of, parts[k].name), &e);
    }
}

static void add_request_times(struct achieved *x, const struct requests_seen *r, struct arena *a)
{
    double *v = arena_array(a, r->n + 1, sizeof *v), *tpot = arena_array(a, r->n + 1, sizeof *tpot);

    add_times(x, "latency_s", v, in_order(r, r->latency, v), a);
    add_times(x, "queue_s", v, in_order(r, r->queue, v), a);
    add_times(x, "ttft_s", v, in_order(r, r->ttft, v), a);
    for (size_t i = 0; i < r->n; i++)
        tpot[i] = r->output[i] > 1 ? (r->latency[i] - r->ttft[i]) / (r->output[i] - 1) : NAN;
    add_times(x, "tpot_s", v, in_order(r, tpot, v), a);
}

/* Answers a second, from the first request to the last answer; NAN where not all tell when they were done. */
static struct estimate completed(const struct requests_seen *r, struct arena *a)
{
    double *end = arena_array(a, r->n + 1, sizeof *end);

    for (size_t i = 0; i < r->n; i++) {
        end[i] = r->arrival[i] + r->latency[i];
        if (!isfinite(end[i]))
            return (struct estimate){.mean = NAN};
    }
    qsort(end, r->n, sizeof *end, by_value);
    return block_rate(end, r->n, r->arrival[r->order[0]]);
}

static int read_requests(struct store *store, int64_t trace, struct arena *a, struct achieved *x, bool *found,
                         struct err *err)
{
    struct view_column c[] = {{.name = "arrival_s"}, {.name = "input_tokens"}, {.name = "output_tokens"},
                              {.name = "queue_s"},   {.name = "ttft_s"},       {.name = "latency_s"}};
    struct requests_seen r;
    struct estimate done;
    double *v;
    size_t n;

    TRY(view_load(store, "request", trace, c, 6, a, &r.n, err));
    *found = r.n >= 2 * FEWEST_IN_BLOCK;
    if (!*found)
        return 0;
    r = (struct requests_seen){r.n, c[0].real, c[1].real, c[2].real, c[3].real, c[4].real, c[5].real, NULL};
    put_in_order(&r, a);
    v = arena_array(a, r.n + 1, sizeof *v);
    x->from = "requests";
    x->observed = r.n;
    n = in_order(&r, r.arrival, v);
    x->rate_per_s = block_rate(v, n, v[0]);
    done = completed(&r, a);
    add(x, "throughput_per_s", isfinite(done.mean) ? &done : &x->rate_per_s);
    x->input_tokens = block_mean(v, in_order(&r, r.input, v));
    x->output_tokens = block_mean(v, in_order(&r, r.output, v));
    add_request_times(x, &r, a);
    return 0;
}

/* --------------------------------------------------------------------- spans */

struct stay { /* of one request: from its first span to its last */
    double item, from, to;
};

static int by_item(const void *a, const void *b)
{
    const struct stay *x = a, *y = b;

    return x->item != y->item ? (x->item > y->item) - (x->item < y->item)
                              : (x->from > y->from) - (x->from < y->from);
}

static int by_from(const void *a, const void *b)
{
    const struct stay *x = a, *y = b;

    return (x->from > y->from) - (x->from < y->from);
}

static int read_visits(struct store *store, int64_t trace, struct arena *a, struct stay **out, size_t *n,
                       struct err *err)
{
    struct view_column c[] = {{.name = "item"}, {.name = "start_s"}, {.name = "end_s"}};
    struct stay *v;
    size_t rows, k = 0;

    TRY(view_load(store, "spans", trace, c, 3, a, &rows, err));
    v = arena_array(a, rows + 1, sizeof *v);
    for (size_t i = 0; i < rows; i++)
        v[i] = (struct stay){c[0].real[i], c[1].real[i], c[2].real[i]};
    qsort(v, rows, sizeof *v, by_item);
    for (size_t i = 0; i < rows; i++)
        if (k > 0 && v[k - 1].item == v[i].item)
            v[k - 1].to = fmax(v[k - 1].to, v[i].to);
        else
            v[k++] = v[i];
    qsort(v, k, sizeof *v, by_from);
    *out = v;
    *n = k;
    return 0;
}

static void add_calls(struct achieved *x, const struct stay *v, size_t n, struct arena *a)
{
    double *from = arena_array(a, n + 1, sizeof *from), *took = arena_array(a, n + 1, sizeof *took);

    for (size_t i = 0; i < n; i++) {
        from[i] = v[i].from;
        took[i] = v[i].to - v[i].from;
    }
    x->from = "call spans";
    x->observed = n;
    x->rate_per_s = block_rate(from, n, from[0]);
    add(x, "throughput_per_s", &x->rate_per_s);
    add_times(x, "latency_s", took, n, a);
}

/* What a run with an end took, and what it got done in that time. */
static void add_makespan(struct achieved *x, const char *from, double makespan, double units, size_t observed)
{
    struct estimate e = estimate_exact(makespan), rate = estimate_exact(units / makespan);

    x->from = from;
    x->observed = observed;
    if (units > 0)
        add(x, "throughput_per_s", &rate);
    add(x, "makespan_s", &e);
}

static int read_spans(struct store *store, int64_t trace, const struct trace_row *row,
                      const struct scenario *s, struct arena *a, struct achieved *x, bool *found,
                      struct err *err)
{
    struct stay *v;
    size_t n;
    double first = INFINITY, last = 0;

    TRY(read_visits(store, trace, a, &v, &n, err));
    for (size_t i = 0; i < n; i++) {
        first = fmin(first, v[i].from);
        last = fmax(last, v[i].to);
    }
    *found = n > 0;
    if (*found && strcmp(row->info.kind, "exec") == 0)
        add_makespan(x, "an execution", last - first, s->horizon.kind == HORIZON_ITEMS ? s->horizon.items : 0,
                     (size_t)row->spans);
    else if (n >= 2 * FEWEST_IN_BLOCK && v[0].item >= 0)
        add_calls(x, v, n, a);
    else
        *found = false;
    return 0;
}

/* --------------------------------------------------------------- Spark, steps */

static int read_spark(struct store *store, int64_t trace, const struct scenario *s, struct arena *a,
                      struct achieved *x, bool *found, struct err *err)
{
    struct view_column c[] = {{.name = "launch_s"}, {.name = "finish_s"}};
    double first = INFINITY, last = 0;
    size_t n;

    TRY(view_load(store, "spark_task", trace, c, 2, a, &n, err));
    for (size_t i = 0; i < n; i++) {
        first = fmin(first, c[0].real[i]);
        last = fmax(last, c[1].real[i]);
    }
    *found = n > 0;
    if (*found)
        add_makespan(x, "Spark tasks", last - first, s->horizon.kind == HORIZON_ITEMS ? s->horizon.items : 0,
                     n);
    return 0;
}

static int read_steps(struct store *store, const struct resolver *resolver, int64_t trace, struct arena *a,
                      struct achieved *x, bool *found, struct err *err)
{
    struct trace_op *ops;
    struct inferred in = {0};
    size_t n;
    int rc;

    *found = false;
    TRY(trace_summary(store, trace, a, &ops, &n, err));
    for (size_t i = 0; i < n; i++)
        if (strcmp(ops[i].stage, "step") == 0) {
            *found = true;
            x->observed = (size_t)ops[i].n;
        }
    if (!*found)
        return 0;
    rc = infer(store, resolver, &trace, 1, a, &in, err);
    x->from = "training steps";
    if (rc == 0)
        add(x, "throughput_per_s", &in.recorded);
    json_free(in.tree);
    return rc;
}

int achieved_read(struct store *store, const struct resolver *resolver, int64_t trace_id,
                  const struct scenario *s, struct arena *a, struct achieved *out, struct err *err)
{
    struct trace_row row;
    bool found = false;

    *out = (struct achieved){.from = "", .trace_id = trace_id};
    TRY(trace_info_load(store, trace_id, a, &row, err));
    out->trace = row.info.name;
    TRY(read_requests(store, trace_id, a, out, &found, err));
    if (!found)
        TRY(read_spark(store, trace_id, s, a, out, &found, err));
    if (!found)
        TRY(read_steps(store, resolver, trace_id, a, out, &found, err));
    if (!found)
        TRY(read_spans(store, trace_id, &row, s, a, out, &found, err));
    if (!found || out->n == 0)
        return err_set(err, ERR_USAGE,
                       "reconcile: trace \"%s\" holds no requests, runs or steps that a prediction could be "
                       "compared with; `foresight trace show %lld` lists what it holds",
                       row.info.name, (long long)trace_id);
    return 0;
}
