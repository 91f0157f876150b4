#include "models/model.h"

#include <math.h>

const char *role_name(enum role r)
{
    static const char *const names[ROLES] = {"cpu", "gpu", "disk", "disk", "net", "servers", "mem"};

    return names[r];
}

int model_operators(const struct model *m, const void *cfg)
{
    int n = 0;

    if (m->ops == NULL)
        return m->operators(cfg);
    while (m->ops[n].name != NULL)
        n++;
    return n;
}

const char *model_operator_name(const struct model *m, const void *cfg, int op)
{
    return m->ops != NULL ? m->ops[op].name : m->operator_name(cfg, op);
}

void demand_add(struct demand *d, enum role role, int op, double amount, double requests)
{
    if (amount <= 0 && requests <= 0)
        return;
    ASSERT(d->n < DEMAND_MAX);
    d->phases[d->n++] = (struct phase){.role = role, .op = op, .amount = amount, .requests = requests};
}

void demand_add_memory(struct demand *d, int op, double seconds, double bytes)
{
    if (seconds <= 0 && bytes <= 0)
        return;
    ASSERT(d->n < DEMAND_MAX);
    d->phases[d->n++] = (struct phase){.role = ROLE_CPU, .op = op, .amount = seconds, .bytes = bytes};
}

static void note_size(struct size_log *log, int op, double items, double bytes)
{
    if (log->n == DEMAND_MAX)
        return;
    log->seen[log->n].op = op;
    log->seen[log->n].items = items;
    log->seen[log->n++].bytes = bytes;
}

void demand_costs(struct demand *d, int op, const struct cost *c, double runs, double items, double bytes,
                  const struct item *in, const struct luck *luck)
{
    double seconds = runs * (c->fixed_s + c->per_item_s * items + c->per_byte_s * bytes);

    if (luck != NULL && luck->sizes != NULL && runs > 0)
        note_size(luck->sizes, op, items, bytes);
    if (luck != NULL && c->cv > 0) {
        struct rng r;

        rng_keyed(&r, luck->seed, luck->replication, luck->stage, in->key, (uint64_t)op);
        seconds *= rng_lognormal(&r, 1, c->cv / sqrt(fmax(1, runs)));
    }
    demand_add(d, ROLE_CPU, op, seconds, 0);
}

void demand_cost(struct demand *d, int op, const struct cost *c, double items, double bytes,
                 const struct item *in, const struct luck *luck)
{
    demand_costs(d, op, c, 1, items, bytes, in, luck);
}

double luck_law(const struct law *law, const struct item *in, const struct luck *luck, uint64_t purpose)
{
    return luck_law_sum(law, 1, in, luck, purpose);
}

double luck_law_sum(const struct law *law, long n, const struct item *in, const struct luck *luck,
                    uint64_t purpose)
{
    struct rng r;
    double sum = 0;

    if (luck == NULL || law->kind == LAW_CONSTANT)
        return law->mean * (double)n;
    rng_keyed(&r, luck->seed, luck->replication, luck->stage, in->key, purpose);
    for (long i = 0; i < n; i++)
        sum += law_draw(law, &r);
    return sum;
}
