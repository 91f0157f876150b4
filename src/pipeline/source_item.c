#include "pipeline/bound.h"

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t x = a ^ (b + 0x9e3779b97f4a7c15ULL + (a << 6) + (a >> 2));

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

struct item item_piece(const struct item *whole, long piece, long pieces)
{
    struct item part = *whole;
    double share = 1.0 / (double)pieces;

    if (pieces == 1)
        return part;
    part.key = mix(whole->key, (uint64_t)piece);
    part.count *= share;
    part.rows *= share;
    part.bytes *= share;
    part.used_bytes *= share;
    part.encoded_bytes *= share;
    part.encoded_used_bytes *= share;
    part.delta_bytes *= share;
    part.distinct *= share;
    if (part.stripe_rows > part.rows)
        part.stripe_rows = part.rows;
    return part;
}

double scenario_source_units(const struct scenario *s, const struct pipeline *p)
{
    const struct stage *first = &s->stages[p->first];

    if (p->workload.data != NULL)
        return (double)p->workload.data->partition_rows;
    if (p->workload.kind == WORKLOAD_CLOSED && first->shape.take > 0)
        return first->shape.take;
    return 1;
}

/* Where later epochs enter: at the stage that caches, else behind the last stage that works only once. */
static int later_entry(const struct scenario *s, const struct pipeline *p, bool *hit)
{
    int entry = p->first;

    *hit = false;
    for (int i = p->first; i <= p->last; i++) {
        if (s->stages[i].shape.once)
            entry = i < p->last ? i + 1 : i;
        if (s->stages[i].shape.caches) {
            entry = i;
            *hit = true;
        }
    }
    return entry;
}

static const struct item blank;

void scenario_source_item(const struct scenario *s, const struct pipeline *p, uint64_t index,
                          struct item *out, int *entry_stage)
{
    const struct dataset_cfg *d = p->workload.data;
    double units = scenario_source_units(s, p);
    struct demand unused;

    *out = blank; /* copied and not cleared: clearing by a string instruction cost more than all the rest */
    out->key = mix(index, p->luck);
    out->sequence = index;
    out->count = out->rows = units;
    out->data = d;
    *entry_stage = p->first;
    if (d == NULL)
        return;
    out->epoch = (int)((double)index * units / (double)d->rows);
    if (out->epoch == 0)
        return;
    *entry_stage = later_entry(s, p, &out->hit);
    for (int i = p->first; i < *entry_stage;
         i++) { /* what the stages in front made of it in the first epoch */
        struct item in = *out;

        unused.n = 0;
        s->stages[i].model->demand(s->stages[i].cfg, &in, NULL, &unused, out);
    }
}
