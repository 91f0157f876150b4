/*
 * infer_requests.c - a language-model service from a recording of its requests.
 *
 * The recording itself is the workload: arrivals, lengths, sessions and prompt
 * blocks as they came.  What served it is seldom known:
 *
 *   operator costs beside it    the engine takes its times from them
 *   times of the requests       two curves.  An answer of n tokens takes its own iterations, which grow with
 *                               the sequences beside it, and waits for the prompts that come in between:
 *                                   last - first token = sum of (n - 1) (d0 + d1 beside) + p0 prompts + p1
 * tokens by least squares with non-negative coefficients (linear.h) neither                     a named model
 * on a named accelerator, both assumed, and as many of them as carry the recorded rate at less than two
 * thirds of what they can
 *
 * The curves hold for an engine that stops answers for prompts, at loads like the recorded ones.
 */
#include "calibrate/infer_parts.h"

#include "calibrate/linear.h"
#include "pipeline/simulate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_REPLICAS = 1024, LEAST_TIMED = 20 };

static const double SPARE = 1.5;    /* times the recorded rate that assumed accelerators can do */
static const double KEPT_UP = 0.98; /* of the recorded rate: the last answers come after the last arrival */

struct recorded {
    size_t n;
    double *arrival, *input, *output, *queue, *ttft, *latency;
    double *sorted; /* arrivals, ascending */
};

static int by_time(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static int read_requests(const struct infer_source *src, struct recorded *r, struct err *err)
{
    struct view_column c[] = {{.name = "arrival_s"}, {.name = "input_tokens"}, {.name = "output_tokens"},
                              {.name = "queue_s"},   {.name = "ttft_s"},       {.name = "latency_s"}};

    TRY(view_load(src->store, "request", src->trace, c, 6, src->arena, &r->n, err));
    *r = (struct recorded){r->n, c[0].real, c[1].real, c[2].real, c[3].real, c[4].real, c[5].real, NULL};
    r->sorted = arena_array(src->arena, r->n + 1, sizeof *r->sorted);
    for (size_t i = 0; i < r->n; i++) {
        if (!isfinite(r->arrival[i]))
            return err_set(
                err, ERR_TRACE,
                "init: requests of trace \"%s\" do not say when they came; lengths alone make no workload",
                src->name);
        r->sorted[i] = r->arrival[i];
    }
    qsort(r->sorted, r->n, sizeof *r->sorted, by_time);
    if (r->n < 3 || !(r->sorted[r->n - 1] > r->sorted[0]))
        return err_set(err, ERR_TRACE,
                       "init: trace \"%s\" holds %zu requests; at least 3, at different times, are "
                       "needed",
                       src->name, r->n);
    return 0;
}

/* ------------------------------------------------------- from times of requests */

static bool is_timed(const struct recorded *r, size_t i)
{
    return isfinite(r->ttft[i]) && isfinite(r->latency[i]) && r->input[i] > 0 && r->output[i] > 1 &&
           r->latency[i] > r->ttft[i];
}

/* Sequences that ran while this one made its answer, itself included: a mean over that time. */
static double running_beside(const struct recorded *r, size_t i)
{
    double from = r->arrival[i] + r->ttft[i], to = r->arrival[i] + r->latency[i], sum = 0;

    for (size_t k = 0; k < r->n; k++)
        if (is_timed(r, k)) {
            double begin = fmax(from, r->arrival[k] + r->ttft[k]),
                   end = fmin(to, r->arrival[k] + r->latency[k]);

            sum += fmax(0, end - begin);
        }
    return sum / (to - from);
}

/* Prompts whose first token came while this one made its answer: their tokens, and how many. */
static void prompts_between(const struct recorded *r, size_t i, double *tokens, double *prompts)
{
    double from = r->arrival[i] + r->ttft[i], to = r->arrival[i] + r->latency[i];

    *tokens = *prompts = 0;
    for (size_t k = 0; k < r->n; k++) {
        double first = r->arrival[k] + r->ttft[k];

        if (k == i || !is_timed(r, k) || first <= from || first > to)
            continue;
        *tokens += r->input[k];
        ++*prompts;
    }
}

enum { ANSWER_TOKEN, ANSWER_BESIDE, PROMPT, PROMPT_TOKEN, PARTS };

static void add_curve(struct json *ops, const char *name, double from, double to, double base, double slope)
{
    struct json *list = json_set_array(ops, name);
    double at[2] = {from, to};

    for (int i = 0; i < 2 && (i == 0 || to > from); i++) {
        struct json *pair = json_push(list, json_new_array());

        json_push(pair, json_new_number(at[i]));
        json_push(pair, json_new_number(fmax(1e-6, base + slope * at[i])));
    }
}

struct timed {
    double *x, *y; /* what each answer took, and what it was made of */
    size_t n;
    double least_input, most_input, most_beside;
    bool queued; /* some waited although the engine ran: it was full */
};

static void collect_times(const struct infer_source *src, const struct recorded *r, struct timed *t)
{
    *t = (struct timed){.x = arena_array(src->arena, PARTS * r->n + 1, sizeof(double)),
                        .y = arena_array(src->arena, r->n + 1, sizeof(double)),
                        .least_input = INFINITY,
                        .most_beside = 1};
    for (size_t i = 0; i < r->n; i++) {
        double *x = &t->x[PARTS * t->n];

        if (!is_timed(r, i))
            continue;
        x[ANSWER_TOKEN] = r->output[i] - 1;
        x[ANSWER_BESIDE] = x[ANSWER_TOKEN] * running_beside(r, i);
        prompts_between(r, i, &x[PROMPT_TOKEN], &x[PROMPT]);
        t->y[t->n++] = r->latency[i] - r->ttft[i];
        t->least_input = fmin(t->least_input, r->input[i]);
        t->most_input = fmax(t->most_input, r->input[i]);
        t->most_beside = fmax(t->most_beside, ceil(x[ANSWER_BESIDE] / x[ANSWER_TOKEN]));
        t->queued = t->queued || r->queue[i] > 1;
    }
}

/* How well the fit knows what all answers took together: the errors of its coefficients, and its bias on what
 * was held out. */
static double total_error(const struct timed *t, const struct fit *fit)
{
    double sum[PARTS] = {0}, total = 0, variance = 0;

    for (size_t i = 0; i < t->n; i++)
        for (int k = 0; k < PARTS; k++)
            sum[k] += t->x[PARTS * i + (size_t)k];
    for (int k = 0; k < PARTS; k++) {
        total += sum[k] * fit->param[k].value;
        for (int m = 0; m < PARTS; m++)
            variance += sum[k] * sum[m] * fit->cov[k][m];
    }
    return 1.96 * sqrt(fmax(0, variance)) / total +
           (isfinite(fit->holdout_bias_frac) ? fit->holdout_bias_frac : 0);
}

/* What the requests of the first half say of those of the second, in total: how far the law holds as the load
 * changes. */
static double second_half_error(const struct linear_data *all, const struct linear_options *opt)
{
    struct linear_data first = *all;
    struct err none = {0};
    struct fit fit = {0};
    double measured = 0, predicted = 0;

    first.n = all->n / 2;
    if (linear_fit(&first, opt, &fit, &none) != 0)
        return 0;
    for (size_t i = first.n; i < all->n; i++) {
        measured += all->y[i];
        predicted += linear_predict(&fit, &all->x[i * all->k]);
    }
    return fabs(predicted / measured - 1);
}

static int from_times(const struct infer_source *src, const struct recorded *r, struct json *params,
                      bool *found, double *error, struct err *err)
{
    static const char *const names[] = {"answer token", "sequence beside", "prompt", "prompt token"};
    struct linear_options opt = {.noise = NOISE_RELATIVE, .huber = 3};
    struct timed t;
    struct linear_data data = {.k = PARTS, .name = names};
    struct fit fit = {0};
    struct json *ops;

    collect_times(src, r, &t);
    *found = t.n >= LEAST_TIMED; /* too few tell their times */
    if (!*found)
        return 0;
    data.x = t.x;
    data.y = t.y;
    data.n = t.n;
    TRY(linear_fit(&data, &opt, &fit, err));
    *error = total_error(&t, &fit) + second_half_error(&data, &opt);
    ops = json_set_object(params, "ops");
    add_curve(ops, "prefill", t.least_input, t.most_input, fit.param[PROMPT].value,
              fit.param[PROMPT_TOKEN].value);
    add_curve(ops, "decode", 1, t.most_beside, fit.param[ANSWER_TOKEN].value, fit.param[ANSWER_BESIDE].value);
    json_set_string(params, "policy", "vllm");
    json_set_number(params, "max_batch", t.queued ? t.most_beside : fmax(256, t.most_beside));
    return 0;
}

/* ------------------------------------------------------------------- assumed */

/* Whether the scenario with so many accelerators keeps up: first by the bound, which ignores memory. */
static int keeps_up(const struct infer_source *src, const struct json *tree, double rate, bool *enough,
                    struct err *err)
{
    struct scenario_options so = {.resolver = src->resolver};
    struct simulate_options once = {.replications = 2};
    struct arena *a = arena_new();
    struct scenario *s = NULL;
    struct outcome o;
    struct bound b;
    int rc = scenario_build(tree, "the inferred scenario", &so, &s, err);

    *enough = false;
    if (rc == 0) {
        bound_compute(s, a, &b);
        *enough = fmin(b.stage_per_s[0], b.resource_per_s[0]) >= SPARE * rate;
    }
    if (rc == 0 && *enough)
        rc = simulate(s, &once, a, &o, err);
    if (rc == 0 && *enough)
        *enough = o.throughput_per_s.mean >= KEPT_UP * rate;
    scenario_free(s);
    arena_free(a);
    return rc;
}

/* As many accelerators as carry the rate with something to spare. */
static int choose_replicas(const struct infer_source *src, struct json *tree, double rate, struct err *err)
{
    struct json *gpus = json_get_mutable(json_get_mutable(tree, "resources"), "accelerators");
    bool enough = false;

    for (long n = 1; !enough && n <= MOST_REPLICAS; n *= 2) {
        json_set_number(gpus, "count", (double)n);
        TRY(keeps_up(src, tree, rate, &enough, err));
    }
    return 0;
}

static int assume_engine(const struct infer_source *src, struct json *tree, struct json *params, double rate,
                         struct err *err)
{
    json_set_string(params, "model", "llama-3-8b");
    json_set_string(params, "hardware", "h100-sxm");
    infer_assume(tree, "stages.serve.params.model",
                 "a recording of requests does not say what answered them");
    infer_assume(tree, "stages.serve.params.hardware", "nor on what");
    infer_assume(tree, "resources.accelerators.count",
                 "as many as carry the recorded rate at less than two thirds of what they can do");
    infer_optimization(tree, "fp8", "Weights in eight bits", "serve", "serve.weights",
                       json_new_string("fp8"));
    return choose_replicas(src, tree, rate, err);
}

static int describe_engine(const struct infer_source *src, const struct recorded *r, double rate,
                           struct json *tree, double *error, struct err *err)
{
    struct json *params;
    bool timed = false;

    infer_resource(tree, "accelerators", "gpus", 1);
    params = infer_stage(tree, "serve", "llm_serving", "gpu", "accelerators");
    if (src->costs != 0) {
        json_set_string(params, "ops", arena_printf(src->arena, "trace:%s", src->costs_name));
        infer_assume(tree, "resources.accelerators.count", "the recordings do not say how many there were");
        return 0;
    }
    TRY(from_times(src, r, params, &timed, error, err));
    if (timed) {
        infer_assume(tree, "stages.serve.params.policy",
                     "times of requests do not tell how the engine made up its iterations");
        infer_assume(tree, "resources.accelerators.count",
                     "the times are those of the service as a whole: one engine");
        return 0;
    }
    return assume_engine(src, tree, params, rate, err);
}

/* From the first arrival to the last answer; 0 when not all tell their times. */
static double all_ended(const struct recorded *r)
{
    double last = 0;

    for (size_t i = 0; i < r->n; i++) {
        if (!isfinite(r->latency[i]))
            return 0;
        last = fmax(last, r->arrival[i] + r->latency[i]);
    }
    return last - r->sorted[0];
}

int infer_requests(const struct infer_source *src, struct inferred *out, struct err *err)
{
    struct recorded r;
    struct json *trace;
    double *gaps;

    TRY(read_requests(src, &r, err));
    gaps = arena_array(src->arena, r.n, sizeof *gaps);
    for (size_t i = 1; i < r.n; i++)
        gaps[i - 1] = r.sorted[i] - r.sorted[i - 1];
    out->from = "requests";
    out->recorded =
        all_ended(&r) > 0 ? estimate_exact((double)r.n / all_ended(&r)) : infer_rate(gaps, r.n - 1);
    out->tree =
        infer_scenario(src, "request", arena_printf(src->arena, "%zu recorded requests, as they came", r.n));
    trace = json_set_object(json_get_mutable(out->tree, "workload"), "trace");
    json_set_string(trace, "source", arena_printf(src->arena, "trace:%s", src->name));
    json_remove(out->tree, "horizon");
    json_set_number(json_set_object(out->tree, "horizon"), "items", (double)r.n);
    return describe_engine(src, &r, out->recorded.mean, out->tree, &out->fit_frac, err);
}
