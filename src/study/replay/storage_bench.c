/*
 * storage_bench.c - published storage benchmarks: from one accelerator type to another.
 *
 * An emulated accelerator sleeps for the computation of a batch; what a step
 * takes beyond that is the host's and the storage's.  Accelerators of a host
 * share it equally, so the wait of each grows in proportion to their number:
 *
 *   samples/s = accelerators * batch / (compute + wait),   wait = wait before * accelerators / accelerators
 * before
 *
 * The interval is given by the case: what the same rule misses recorded systems by.
 */
#include "study/replay/tools.h"

#include <math.h>

struct setting {
    double accelerators, hosts, batch, compute_s, samples_per_s;
};

static int read_setting(const struct replay *r, const struct json *v, const char *where, struct setting *s,
                        struct err *err)
{
    TRY(replay_number(r, v, where, "accelerators", &s->accelerators, err));
    TRY(replay_number(r, v, where, "hosts", &s->hosts, err));
    TRY(replay_number(r, v, where, "batch", &s->batch, err));
    TRY(replay_number(r, v, where, "compute_s", &s->compute_s, err));
    return replay_number(r, v, where, "samples_per_s", &s->samples_per_s, err);
}

static double wait_s(const struct setting *s)
{
    return fmax(0, s->accelerators * s->batch / s->samples_per_s - s->compute_s);
}

static double predict(const struct setting *a, const struct setting *b)
{
    double sharing = b->accelerators / b->hosts / (a->accelerators / a->hosts);

    return b->accelerators * b->batch / (b->compute_s + wait_s(a) * sharing);
}

static double constant_utilization(const struct setting *a, const struct setting *b)
{
    return b->accelerators * b->batch / (b->compute_s * (1 + wait_s(a) / a->compute_s));
}

static int run(struct replay *r, struct err *err)
{
    double error;
    size_t i = 0;

    TRY(replay_number(r, r->params, "$.params", "error_frac", &error, err));
    JSON_EACH (f, json_get(r->c->spec, "figures")) {
        const char *where = arena_printf(r->arena, "$.figures[%zu]", i++);
        struct replay_figure figure = {.unit = "samples/s", .noise_frac = NAN};
        struct tools_spread spread = {-error, error, 1};
        struct setting from, to;

        TRY(replay_text(r, f, where, "name", &figure.name, err));
        TRY(read_setting(r, json_get(f, "from"), arena_printf(r->arena, "%s.from", where), &from, err));
        TRY(read_setting(r, json_get(f, "to"), arena_printf(r->arena, "%s.to", where), &to, err));
        figure.measured = to.samples_per_s;
        figure.predicted = tools_estimate(predict(&from, &to), &spread);
        figure.naive = constant_utilization(&from, &to);
        replay_emit(r, &figure);
    }
    return 0;
}

const struct replay_kind replay_storage_bench = {
    .name = "storage-bench",
    .about = "published storage benchmarks: from one accelerator type to another",
    .run = run,
};
