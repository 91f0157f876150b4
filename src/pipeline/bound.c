#include "pipeline/bound.h"

#include <math.h>
#include <string.h>

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
    part.distinct *= share;
    if (part.stripe_rows > part.rows)
        part.stripe_rows = part.rows;
    return part;
}

double scenario_source_units(const struct scenario *s)
{
    if (s->workload.data != NULL)
        return (double)s->workload.data->partition_rows;
    if (s->workload.kind == WORKLOAD_CLOSED && s->stages[0].shape.take > 0)
        return s->stages[0].shape.take;
    return 1;
}

/* Where later epochs enter: at the stage that caches, else behind the last stage that works only once. */
static int later_entry(const struct scenario *s, bool *hit)
{
    int entry = 0;

    *hit = false;
    for (int i = 0; i < s->stages_n; i++) {
        if (s->stages[i].shape.once)
            entry = i + 1 < s->stages_n ? i + 1 : i;
        if (s->stages[i].shape.caches) {
            entry = i;
            *hit = true;
        }
    }
    return entry;
}

static const struct item blank;

void scenario_source_item(const struct scenario *s, uint64_t index, struct item *out, int *entry_stage)
{
    const struct dataset_cfg *d = s->workload.data;
    double units = scenario_source_units(s);
    struct demand unused;

    *out = blank; /* copied and not cleared: clearing by a string instruction cost more than all the rest */
    out->key = mix(index, 0);
    out->sequence = index;
    out->count = out->rows = units;
    out->data = d;
    *entry_stage = 0;
    if (d == NULL)
        return;
    out->epoch = (int)((double)index * units / (double)d->rows);
    if (out->epoch == 0)
        return;
    *entry_stage = later_entry(s, &out->hit);
    for (int i = 0; i < *entry_stage; i++) { /* what the stages in front made of it in the first epoch */
        struct item in = *out;

        unused.n = 0;
        s->stages[i].model->demand(s->stages[i].cfg, &in, NULL, &unused, out);
    }
}

/* ------------------------------------------------------------- demands */

/* Seconds of the whole resource that one phase takes; the best the resource can do. */
static double phase_seconds(const struct scenario *s, const struct stage *st, const struct phase *p)
{
    const struct resource *r = &s->resources[st->on[p->role]];
    double best = 1, bw, ops;

    switch (r->kind) {
    case RESOURCE_CORES:
        for (long k = 1; k <= r->count; k++) {
            double rate = (double)k * (r->speeds != NULL ? r->speeds[k - 1] : 1);

            best = fmax(best, rate);
        }
        return p->amount / best;
    case RESOURCE_DISK:
        bw = p->role == ROLE_DISK_WRITE && r->write_bw > 0 ? r->write_bw : r->read_bw;
        ops = r->iops > 0 ? p->requests / r->iops : 0;
        return fmax(p->amount / bw, ops);
    case RESOURCE_LINK:
        return p->amount / r->bandwidth;
    default:
        return p->amount / (double)r->count;
    }
}

/* Seconds one worker needs for a phase when nobody else is there. */
static double phase_alone(const struct scenario *s, const struct stage *st, const struct phase *p)
{
    const struct resource *r = &s->resources[st->on[p->role]];
    double bw;

    switch (r->kind) {
    case RESOURCE_DISK:
        bw = p->role == ROLE_DISK_WRITE && r->write_bw > 0 ? r->write_bw : r->read_bw;
        if (r->flow_cap > 0)
            bw = fmin(bw, r->flow_cap);
        return p->amount / bw + r->latency;
    case RESOURCE_LINK:
        bw = r->flow_cap > 0 ? fmin(r->bandwidth, r->flow_cap) : r->bandwidth;
        return p->amount / bw;
    default:
        return p->amount;
    }
}

/* A disk with a write bandwidth of its own serves reads and writes side by side. */
static bool writes_apart(const struct scenario *s, const struct stage *st, const struct phase *p)
{
    return p->role == ROLE_DISK_WRITE && s->resources[st->on[p->role]].write_bw > 0;
}

/* `times`: pieces per unit of the workload; `share`: of the units that go this way. */
static void add_piece(const struct scenario *s, int stage, const struct item *in, double times, double share,
                      struct bound *b, struct item *leave)
{
    const struct stage *st = &s->stages[stage];
    struct demand d = {0};
    double alone = 0;

    *leave = *in;
    if (st->model->best_demand != NULL)
        st->model->best_demand(st->cfg, in, &d, leave);
    else
        st->model->demand(st->cfg, in, NULL, &d, leave);
    if (st->instant)
        return;
    for (int i = 0; i < d.n; i++) {
        double *demand = writes_apart(s, st, &d.phases[i]) ? b->write_demand : b->resource_demand;

        demand[st->on[d.phases[i].role]] += times * phase_seconds(s, st, &d.phases[i]);
        alone += phase_alone(s, st, &d.phases[i]);
    }
    b->stage_service_s[stage] += times * alone;
    b->latency_s += share * alone; /* a unit stays as long as its piece does; other pieces overlap */
}

/* Walks one source item through the chain; pieces are equal, so one stands for all. */
static void walk(const struct scenario *s, uint64_t index, double weight, struct bound *b)
{
    double copies = weight, share = weight * scenario_source_units(s);
    struct item it;
    int entry;

    scenario_source_item(s, index, &it, &entry);
    for (int i = entry; i < s->stages_n; i++) {
        const struct stage *st = &s->stages[i];
        struct item leave;
        long pieces;

        if (st->shape.take > it.count) { /* gathered: fewer, larger items, and whole ones */
            double scale = ceil(st->shape.take / it.count * (1 - 1e-12));

            copies /= scale;
            it.rows *= scale;
            it.count *= scale;
        }
        pieces = st->model->pieces != NULL ? st->model->pieces(st->cfg, &it) : 1;
        it = item_piece(&it, 0, pieces);
        copies *= (double)pieces;
        add_piece(s, i, &it, copies, share, b, &leave);
        it = leave;
    }
}

static void walk_epochs(const struct scenario *s, struct bound *b)
{
    const struct dataset_cfg *d = s->workload.data;
    double units = scenario_source_units(s), per_epoch;

    if (d == NULL || d->epochs == 1) {
        walk(s, 0, 1 / units, b);
        return;
    }
    per_epoch = (double)d->rows / units;
    walk(s, 0, 1 / units / (double)d->epochs, b);
    walk(s, (uint64_t)per_epoch, (double)(d->epochs - 1) / units / (double)d->epochs, b);
}

/* -------------------------------------------------------------- bounds */

static void limit(struct bound *b, double per_s, const char *name)
{
    if (per_s < b->throughput_per_s) {
        b->throughput_per_s = per_s;
        b->bottleneck = name;
    }
}

static double inverse(double seconds)
{
    return seconds > 0 ? 1 / seconds : INFINITY;
}

void bound_compute(const struct scenario *s, struct arena *a, struct bound *out)
{
    const struct workload *w = &s->workload;

    *out = (struct bound){.throughput_per_s = INFINITY, .bottleneck = "nothing"};
    out->resource_per_s = arena_array(a, (size_t)s->resources_n, sizeof(double));
    out->resource_demand = arena_array(a, (size_t)s->resources_n, sizeof(double));
    out->write_demand = arena_array(a, (size_t)s->resources_n, sizeof(double));
    out->stage_per_s = arena_array(a, (size_t)s->stages_n, sizeof(double));
    out->stage_service_s = arena_array(a, (size_t)s->stages_n, sizeof(double));
    walk_epochs(s, out);
    /* A stage is named before the resource it runs on: of two equal limits the narrower place says more. */
    for (int i = 0; i < s->stages_n; i++) {
        long workers = s->stages[i].shape.workers;

        out->stage_per_s[i] = workers > 0 ? (double)workers * inverse(out->stage_service_s[i]) : INFINITY;
        limit(out, out->stage_per_s[i], s->stages[i].name);
    }
    for (int i = 0; i < s->resources_n; i++) {
        out->resource_demand[i] = fmax(out->resource_demand[i], out->write_demand[i]);
        out->resource_per_s[i] = inverse(out->resource_demand[i]);
        limit(out, out->resource_per_s[i], s->resources[i].name);
    }
    if (w->kind == WORKLOAD_OPEN)
        limit(out, 1 / w->arrivals.mean, "arrivals");
    if (w->kind == WORKLOAD_CLIENTS)
        limit(out, (double)w->clients * inverse(w->think.mean + out->latency_s), "clients");
    if (w->kind == WORKLOAD_CLOSED && w->in_flight > 0) /* one item may always go in */
        limit(out, fmax(w->in_flight, scenario_source_units(s)) * inverse(out->latency_s), "in_flight");
}
