/*
 * llm_policies.c - what one way of batching requests sustains over another at equal latency.
 *
 * Requests come as a Poisson process with lognormal lengths.  For each policy the highest rate is sought at
 * which the mean normalized latency (time in the system over tokens of the answer) stays below a bound; in
 * overload the mean number of sequences in a batch is taken.  A figure is the quotient of two policies.
 * Published ranges are compared at their geometric mean, with half their width as noise.
 *
 * The naive prediction is 1: how requests are batched makes no difference.  The interval is that of the
 * simulation: the same with other requests, SEEDS times.
 */
#include "engine/rng.h"
#include "study/replay/llm_drive.h"

#include <math.h>
#include <string.h>

enum { POLICIES = 8, SEEDS = 4, STEPS = 12 };

struct policy {
    const char *name;
    void *cfg;
    double rate_per_s[SEEDS], batch[SEEDS];
};

struct load {
    double input, output, cv, bound_s, overload_per_s;
    long requests, most; /* tokens of prompt and answer together */
};

static void draw(struct llm_driven *q, const struct load *l, uint64_t seed, double rate_per_s)
{
    double at = 0;

    for (long i = 0; i < l->requests; i++) {
        struct rng r;
        double input, output;

        rng_keyed(&r, seed, 0, rng_hash("llm-policies"), (uint64_t)i, 0);
        at += rng_exponential(&r) / rate_per_s;
        input = fmax(1, floor(rng_lognormal(&r, l->input, l->cv) + 0.5));
        output = fmax(2, floor(rng_lognormal(&r, l->output, l->cv) + 0.5));
        input = fmin(input, (double)l->most / 2);
        q[i] = (struct llm_driven){
            .at_s = at, .input = (long)input, .output = (long)fmin(output, (double)l->most - input)};
    }
}

static double normalized_latency(struct replay *r, const struct policy *p, const struct load *l,
                                 uint64_t seed, double rate_per_s, double *batch)
{
    struct llm_driven *q = arena_array(r->arena, (size_t)l->requests, sizeof *q);
    struct figure figures[32];
    double sum = 0;
    int n;

    draw(q, l, seed, rate_per_s);
    n = llm_drive(p->cfg, q, l->requests, 0, 1, seed, figures, 32);
    *batch = llm_figure(figures, n, "batch_mean");
    for (long i = 0; i < l->requests; i++)
        sum += (q[i].left_s - q[i].at_s) / (double)q[i].output;
    return sum / (double)l->requests;
}

/* The same requests, only closer together: latency grows with the rate. */
static double sustained(struct replay *r, const struct policy *p, const struct load *l, uint64_t seed)
{
    double lo = l->overload_per_s / 1024, hi = l->overload_per_s * 16, unused;

    for (int i = 0; i < STEPS; i++) {
        double mid = sqrt(lo * hi);

        if (normalized_latency(r, p, l, seed, mid, &unused) < l->bound_s)
            lo = mid;
        else
            hi = mid;
    }
    return sqrt(lo * hi);
}

static int read_policies(struct replay *r, struct policy *p, int *n, struct err *err)
{
    *n = 0;
    JSON_EACH (v, json_get(r->params, "policies")) {
        const char *where = arena_printf(r->arena, "$.params.policies[%d]", *n);
        struct json *engine = json_copy(json_get(r->params, "engine"));
        int rc;

        if (*n == POLICIES) {
            json_free(engine);
            return err_set(err, ERR_SCENARIO, "%s: %s: at most %d policies", r->c->path, where, POLICIES);
        }
        JSON_EACH (setting, json_get(v, "engine"))
            json_set(engine, json_key(setting), json_copy(setting));
        rc = replay_text(r, v, where, "name", &p[*n].name, err);
        if (rc == 0)
            rc = llm_configure(r, engine, arena_printf(r->arena, "%s.engine", where), &p[*n].cfg, err);
        json_free(engine);
        TRY(rc);
        (*n)++;
    }
    return 0;
}

static int read_load(struct replay *r, struct load *l, struct err *err)
{
    const char *where = "$.params";
    double requests, most;

    TRY(replay_number(r, r->params, where, "input_tokens", &l->input, err));
    TRY(replay_number(r, r->params, where, "output_tokens", &l->output, err));
    TRY(replay_number(r, r->params, where, "length_cv", &l->cv, err));
    TRY(replay_number(r, r->params, where, "latency_bound_s_per_token", &l->bound_s, err));
    TRY(replay_number(r, r->params, where, "overload_per_s", &l->overload_per_s, err));
    TRY(replay_number(r, r->params, where, "requests", &requests, err));
    TRY(replay_number(r, r->params, where, "most_tokens", &most, err));
    l->requests = (long)fmax(10, requests);
    l->most = (long)fmax(16, most);
    return 0;
}

static int find(const struct replay *r, const struct policy *p, int n, const struct json *f,
                const char *where, const char *key, const struct policy **out, struct err *err)
{
    const char *name;

    TRY(replay_text(r, f, where, key, &name, err));
    for (int i = 0; i < n; i++)
        if (strcmp(p[i].name, name) == 0) {
            *out = &p[i];
            return 0;
        }
    return err_set(err, ERR_SCENARIO, "%s: %s.%s: no policy \"%.60s\" in $.params.policies", r->c->path,
                   where, key, name);
}

static int emit(struct replay *r, const struct policy *p, int n, const struct json *f, const char *where,
                struct err *err)
{
    const struct policy *of, *over;
    bool batches = json_get_bool(f, "batch", false);
    double log_ratio[SEEDS], mean = 0, square = 0, from, to;

    TRY(find(r, p, n, f, where, "of", &of, err));
    TRY(find(r, p, n, f, where, "over", &over, err));
    TRY(replay_number(r, f, where, "from", &from, err));
    TRY(replay_number(r, f, where, "to", &to, err));
    for (int s = 0; s < SEEDS; s++) {
        log_ratio[s] =
            batches ? log(of->batch[s] / over->batch[s]) : log(of->rate_per_s[s] / over->rate_per_s[s]);
        mean += log_ratio[s] / SEEDS;
    }
    for (int s = 0; s < SEEDS; s++)
        square += (log_ratio[s] - mean) * (log_ratio[s] - mean);
    replay_emit(r, &(struct replay_figure){
                       .name = arena_printf(r->arena, "%s over %s, %s", of->name, over->name,
                                            batches ? "sequences in a batch" : "rate at equal latency"),
                       .unit = "ratio",
                       .measured = sqrt(from * to),
                       .predicted = replay_estimate(exp(mean), sqrt(square / (SEEDS - 1)), SEEDS - 1),
                       .naive = 1,
                       .noise_frac = to > from ? sqrt(to / from) - 1 : NAN});
    return 0;
}

static int run(struct replay *r, struct err *err)
{
    struct policy p[POLICIES] = {0};
    struct load l;
    int n, i = 0;

    TRY(read_load(r, &l, err));
    TRY(read_policies(r, p, &n, err));
    for (int k = 0; k < n; k++)
        for (int s = 0; s < SEEDS; s++) {
            p[k].rate_per_s[s] = sustained(r, &p[k], &l, r->seed + (uint64_t)s);
            normalized_latency(r, &p[k], &l, r->seed + (uint64_t)s, l.overload_per_s, &p[k].batch[s]);
        }
    JSON_EACH (f, json_get(r->c->spec, "figures"))
        TRY(emit(r, p, n, f, arena_printf(r->arena, "$.figures[%d]", i++), err));
    r->c->found = arena_printf(r->arena, "requests a second within %g s a token:", l.bound_s);
    for (int k = 0; k < n; k++)
        r->c->found = arena_printf(r->arena, "%s %s %.3g%s", r->c->found, p[k].name, p[k].rate_per_s[0],
                                   k + 1 < n ? "," : "");
    return 0;
}

const struct replay_kind replay_llm_policies = {
    .name = "llm-policies",
    .about = "ways of batching requests of a language model, at equal latency",
    .run = run,
};
