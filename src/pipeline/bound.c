#include "pipeline/bound.h"

#include <math.h>
#include <stdlib.h>

enum { CALLS_ROOM = 64 }; /* kinds of calls one stage makes for one item */

/* ------------------------------------------------------------- demands */

/* Seconds of the whole resource that one phase takes; the best the resource can do. */
static double phase_seconds(const struct scenario *s, const struct stage *st, const struct phase *p)
{
    const struct resource *r = &s->resources[st->on[p->role]];
    double best = 1, bw, ops;

    switch (r->is_held ? RESOURCE_SERVERS : r->kind) {
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
        return p->amount / (double)(r->autoscale != NULL ? r->autoscale->max : r->count);
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
    case RESOURCE_CORES:
        return r->mem_bw > 0 ? fmax(p->amount, p->bytes / r->mem_bw) : p->amount;
    default:
        return p->amount;
    }
}

/* A disk with a write bandwidth of its own serves reads and writes side by side. */
static bool writes_apart(const struct scenario *s, const struct stage *st, const struct phase *p)
{
    return p->role == ROLE_DISK_WRITE && s->resources[st->on[p->role]].write_bw > 0;
}

/* Means of what one piece wants, at best, and how it leaves. */
static void best_of(const struct stage *st, const struct item *in, struct demand *d, struct item *leave)
{
    d->n = 0;
    *leave = *in;
    if (st->model->best_demand != NULL)
        st->model->best_demand(st->cfg, in, d, leave);
    else if (st->model->demand != NULL)
        st->model->demand(st->cfg, in, NULL, d, leave);
}

static double add_piece(const struct scenario *s, int stage, const struct item *in, double times,
                        struct bound *b, struct item *leave);

/* The stages it asks, each as often as it does at least; returns how long the item waits for them. */
static double add_calls(const struct scenario *s, int stage, const struct item *in, double times,
                        struct bound *b)
{
    const struct stage *st = &s->stages[stage];
    struct server_call rows[CALLS_ROOM];
    struct item leave;
    double wait = 0;
    int n = 0;

    if (st->calls_n > 0 && st->model->server->calls != NULL)
        n = st->model->server->calls(st->cfg, in, rows, CALLS_ROOM);
    for (int i = 0; i < n; i++) {
        struct server_call *c = &rows[i];

        if (st->calls[c->callee] < 0)
            continue;
        c->it.request = &c->request;
        wait += c->in_turn * add_piece(s, st->calls[c->callee], &c->it, times * c->times, b, &leave);
    }
    return wait;
}

/* `times`: pieces per unit of the workload.  Returns how long a piece stays at least. */
static double add_piece(const struct scenario *s, int stage, const struct item *in, double times,
                        struct bound *b, struct item *leave)
{
    const struct stage *st = &s->stages[stage];
    struct demand d;
    double alone = 0, wait;

    best_of(st, in, &d, leave);
    wait = add_calls(s, stage, in, times, b);
    if (st->instant)
        return wait;
    for (int i = 0; st->spared != 0 && i < d.n; i++) {
        d.phases[i].amount *= 1 - st->spared;
        d.phases[i].requests *= 1 - st->spared;
        d.phases[i].bytes *= 1 - st->spared;
    }
    for (int i = 0; i < d.n; i++) {
        double *demand = writes_apart(s, st, &d.phases[i]) ? b->write_demand : b->resource_demand;

        demand[st->on[d.phases[i].role]] += times * phase_seconds(s, st, &d.phases[i]);
        if (s->resources[st->on[d.phases[i].role]].mem_bw > 0)
            b->bus_demand[st->on[d.phases[i].role]] +=
                times * d.phases[i].bytes / s->resources[st->on[d.phases[i].role]].mem_bw;
        alone += phase_alone(s, st, &d.phases[i]);
    }
    alone /= fmax(1, st->shape.parallel);
    b->stage_service_s[stage] += times * alone;
    if (st->model->least_stay != NULL)
        alone = fmax(alone, (1 - st->spared) * st->model->least_stay(st->cfg, in));
    return alone + wait;
}

/* Gaussian elimination with the largest pivot; every way leads out in the end, so there is a solution. */
static void solve(double *m, double *x, int n)
{
    for (int c = 0; c < n; c++) {
        int best = c;

        for (int i = c + 1; i < n; i++)
            if (fabs(m[i * n + c]) > fabs(m[best * n + c]))
                best = i;
        for (int k = 0; k < n && best != c; k++) {
            double t = m[c * n + k];

            m[c * n + k] = m[best * n + k];
            m[best * n + k] = t;
        }
        if (best != c) {
            double t = x[c];

            x[c] = x[best];
            x[best] = t;
        }
        for (int i = 0; i < n; i++) {
            double f = i != c ? m[i * n + c] / m[c * n + c] : 0;

            for (int k = c; f != 0 && k < n; k++)
                m[i * n + k] -= f * m[c * n + k];
            x[i] -= f * x[c];
        }
    }
    for (int i = 0; i < n; i++)
        x[i] /= m[i * n + i];
}

/* Units that pass each stage of the pipeline per unit that enters it; the caller frees it. */
static double *visit_ratios(const struct scenario *s, const struct pipeline *p)
{
    int n = p->stages_n;
    double *m = xcalloc((size_t)n * (size_t)n, sizeof *m), *u = xcalloc((size_t)n, sizeof *u);

    u[0] = 1;
    for (int i = 0; i < n; i++) {
        const struct stage *st = &s->stages[p->first + i];
        double before = 0;

        m[i * n + i] += 1;
        for (int k = 0; k < st->routes_n; k++) {
            m[(st->routes[k].to - p->first) * n + i] -= st->routes[k].upto - before;
            before = st->routes[k].upto;
        }
    }
    solve(m, u, n);
    free(m);
    return u;
}

/* Walks one source item through the chain; pieces are equal, so one stands for all. */
static void walk(const struct scenario *s, const struct pipeline *p, const struct item *first, int entry,
                 double weight, struct bound *b)
{
    double copies = weight, share = weight * scenario_source_units(s, p);
    struct item it = *first;

    for (int i = entry; i <= p->last; i++) {
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
        /* A unit stays as long as its piece does; other pieces overlap. */
        b->latency_s += share * add_piece(s, i, &it, copies, b, &leave);
        it = leave;
    }
}

/*
 * Where items fork or come back: u = e + P' u, units that pass each stage per unit that enters, by
 * elimination.  Nothing but gathering changes what an item weighs here, and the largest batches are the best.
 */
static void walk_routes(const struct scenario *s, const struct pipeline *p, const struct item *first,
                        double weight, struct bound *b)
{
    int n = p->stages_n;
    double *u = visit_ratios(s, p), *count = xcalloc((size_t)n, sizeof *count);

    for (int i = 0; i < n; i++)
        count[i] = first->count;
    for (int round = 0; round < n; round++) /* batches reach as far as their ways lead */
        for (int i = 0; i < n; i++) {
            const struct stage *st = &s->stages[p->first + i];

            count[i] = fmax(count[i], st->shape.take);
            for (int k = 0; k < st->routes_n; k++)
                count[st->routes[k].to - p->first] = fmax(count[st->routes[k].to - p->first], count[i]);
        }
    for (int i = 0; i < n; i++) {
        double units = weight * first->count * u[i];
        struct item it = *first, leave;

        it.count = it.rows = count[i];
        b->latency_s += units * add_piece(s, p->first + i, &it, units / count[i], b, &leave);
    }
    free(u);
    free(count);
}

static void walk_item(const struct scenario *s, const struct pipeline *p, uint64_t index, double weight,
                      struct request *request, struct bound *b)
{
    struct item it;
    int entry;

    scenario_source_item(s, p, index, &it, &entry);
    it.request = request;
    if (p->is_chain)
        walk(s, p, &it, entry, weight, b);
    else
        walk_routes(s, p, &it, weight, b);
}

/* Whether prompts may begin with what an engine has computed before. */
static bool may_repeat(const struct pipeline *p, const struct request_class *c)
{
    const struct sessions *sessions = p->workload.sessions;

    return c->prefix_tokens > 0 || (sessions != NULL && sessions->grows) || p->workload.kind == WORKLOAD_TRACE;
}

/* Every class of requests by its share, with the means of what it asks for. */
static void walk_classes(const struct scenario *s, const struct pipeline *p, double weight, struct bound *b)
{
    const struct requests *q = p->workload.requests;

    if (!p->serves) {
        walk_item(s, p, 0, weight, NULL, b);
        return;
    }
    for (int i = 0; i < q->classes_n; i++) {
        const struct request_class *c = &q->classes[i];
        struct request r = {.id = 1,
                            .class = i,
                            .input_tokens = c->prefix_tokens + lround(c->input_tokens.mean),
                            .output_tokens = lround(c->output_tokens.mean),
                            .hops = (int)lround(c->hops.mean),
                            .block_tokens = q->block_tokens,
                            .blocks_n = may_repeat(p, c) ? -1 : 0, /* who knows which */
                            .difficulty = 0.5,
                            .quality = NAN,
                            .queue_s = NAN,
                            .ttft_s = NAN,
                            .tpot_s = NAN,
                            .deadline_s = INFINITY};

        walk_item(s, p, 0, weight * c->share, &r, b);
    }
}

static void walk_epochs(const struct scenario *s, const struct pipeline *p, struct bound *b)
{
    const struct dataset_cfg *d = p->workload.data;
    double units = scenario_source_units(s, p), per_epoch;

    if (d == NULL || d->epochs == 1) {
        walk_classes(s, p, 1 / units, b);
        return;
    }
    per_epoch = (double)d->rows / units;
    walk_item(s, p, 0, 1 / units / (double)d->epochs, NULL, b);
    walk_item(s, p, (uint64_t)per_epoch, (double)(d->epochs - 1) / units / (double)d->epochs, NULL, b);
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

static void limit_by_workload(const struct scenario *s, const struct pipeline *p, struct bound *b)
{
    const struct workload *w = &p->workload;
    double least = b->latency_s;

    if (w->kind == WORKLOAD_OPEN || (w->kind == WORKLOAD_TRACE && p->horizon.kind == HORIZON_STEADY))
        limit(b, pipeline_arrivals_per_s(p), "arrivals");
    if (w->kind == WORKLOAD_CLIENTS) {
        double think = w->sessions != NULL ? fmin(w->think.mean, w->sessions->think.mean) : w->think.mean;

        limit(b, (double)w->clients * inverse(think + least), "clients");
    }
    if (w->kind == WORKLOAD_CLOSED && w->in_flight > 0) /* one item may always go in */
        limit(b, fmax(w->in_flight, scenario_source_units(s, p)) * inverse(least), "in_flight");
}

double pipeline_arrivals_per_s(const struct pipeline *p)
{
    const struct sessions *sessions = p->workload.sessions;
    double turns = 1;

    if (sessions != NULL) /* whole turns: rounding may add one */
        turns = sessions->turns.mean + (sessions->turns.kind == LAW_CONSTANT ? 0 : 1);
    return turns / p->workload.arrivals.mean;
}

void bound_of_pipeline(const struct scenario *s, int pipeline, struct arena *a, struct bound *out)
{
    const struct pipeline *p = &s->pipelines[pipeline];

    *out = (struct bound){.throughput_per_s = INFINITY, .bottleneck = "nothing"};
    out->resource_per_s = arena_array(a, (size_t)s->resources_n, sizeof(double));
    out->resource_demand = arena_array(a, (size_t)s->resources_n, sizeof(double));
    out->write_demand = arena_array(a, (size_t)s->resources_n, sizeof(double));
    out->bus_demand = arena_array(a, (size_t)s->resources_n, sizeof(double));
    out->stage_per_s = arena_array(a, (size_t)s->stages_n, sizeof(double));
    out->stage_service_s = arena_array(a, (size_t)s->stages_n, sizeof(double));
    walk_epochs(s, p, out);
    /* A stage is named before the resource it runs on: of two equal limits the narrower place says more. */
    for (int i = 0; i < s->stages_n; i++) {
        long workers = s->stages[i].shape.workers;

        out->stage_per_s[i] = workers > 0 ? (double)workers * inverse(out->stage_service_s[i]) : INFINITY;
        limit(out, out->stage_per_s[i], s->stages[i].name);
    }
    for (int i = 0; i < s->resources_n; i++) {
        out->resource_demand[i] =
            fmax(out->resource_demand[i], fmax(out->write_demand[i], out->bus_demand[i]));
        out->resource_per_s[i] = inverse(out->resource_demand[i]);
        limit(out, out->resource_per_s[i], s->resources[i].name);
    }
    limit_by_workload(s, p, out);
}

void bound_compute(const struct scenario *s, struct arena *a, struct bound *out)
{
    bound_of_pipeline(s, s->objective, a, out);
}
