#include "pipeline/flow_parts.h"

#include "base/arena.h"

#include <math.h>

/* ------------------------------------------------------------ parcels */

struct parcel *parcel_new(struct flow *f)
{
    struct parcel *p = f->free_parcels;

    if (p != NULL)
        f->free_parcels = p->next;
    else
        p = ARENA_NEW(f->sim->arena, struct parcel);
    p->v.arrived_s = f->sim->now;
    p->v.own = NULL;
    p->from = NULL;
    p->call = NULL;
    p->next = NULL;
    return p;
}

void parcel_free(struct flow *f, struct parcel *p)
{
    p->next = f->free_parcels;
    f->free_parcels = p;
}

/* ------------------------------------------------------------ into the first stage */

static void source_put_done(struct sim *sim, void *self, uint64_t arg)
{
    struct line *l = self;

    (void)sim;
    l->flow->stages[arg].items_in++;
    l->source_in_put = false;
    source_pump(l);
}

/* Hands an item to its entry stage; false when it must wait for room there. */
static bool inject(struct line *l, struct parcel *p, int entry)
{
    p->v.it.born_s = l->flow->sim->now;
    account_enter(l, &p->v.it);
    l->in_flight_units += p->v.it.count;
    if (stage_enter(&l->flow->stages[entry], p, source_put_done, l))
        return true;
    l->source_in_put = true;
    return false;
}

/* A steady pipeline that has shown enough goes on: the others still feel it. */
static bool is_dry(const struct line *l)
{
    return (l->ended && l->def->horizon.kind != HORIZON_STEADY) ||
           (l->source_total != 0 && l->source_next >= l->source_total);
}

/* The next item of the source in a parcel of its own, with a request where the pipeline serves. */
static struct parcel *next_parcel(struct line *l, int class, int *entry)
{
    struct parcel *p = parcel_new(l->flow);

    scenario_source_item(l->flow->s, l->def, l->source_next++, &p->v.it, entry);
    if (l->def->serves)
        request_begin(l, &p->v.it, class);
    return p;
}

/* ------------------------------------------------------------ closed */

/* Later epochs start when the stage they enter has been given everything of the epoch before. */
static bool epoch_ready(const struct line *l, uint64_t index)
{
    struct item it;
    int entry;

    if (l->def->workload.data == NULL)
        return true;
    scenario_source_item(l->flow->s, l->def, index, &it, &entry);
    return it.epoch == 0 || l->flow->stages[entry].units_in >= (double)it.epoch * (double)it.data->rows - 0.5;
}

/* Closed workloads: sends whatever there is room for. Called again whenever room may have appeared. */
void source_pump(struct line *l)
{
    const struct workload *w = &l->def->workload;
    struct parcel *p;
    int entry;

    while (!l->source_in_put && l->started && !is_dry(l)) {
        if (w->in_flight > 0 && l->in_flight_units > 0 && l->in_flight_units + l->source_units > w->in_flight)
            return;
        if (!epoch_ready(l, l->source_next))
            return;
        p = next_parcel(l, -1, &entry);
        if (!inject(l, p, entry))
            return;
    }
}

/* ------------------------------------------------------------ open arrivals, clients, sessions */

static void source_arrival(struct sim *sim, void *self, uint64_t stream)
{
    struct line *l = self;
    struct stream_rt *st = &l->streams[stream];
    struct parcel *p;
    int entry;

    if (is_dry(l))
        return;
    p = next_parcel(l, st->def->class, &entry);
    inject(l, p, entry);
    if (!is_dry(l))
        sim_after(sim, stream_gap(st), source_arrival, l, stream);
}

static double recorded_s(const struct line *l, uint64_t index)
{
    const struct recording *rec = l->def->workload.recording;

    return (rec->rows[index % rec->n].arrival_s + (double)(index / rec->n) * rec->span_s) / rec->rate_scale;
}

static void source_replays(struct sim *sim, void *self, uint64_t index)
{
    const struct recording *rec;
    struct line *l = self;
    struct parcel *p;
    int entry;

    if (is_dry(l))
        return;
    rec = l->def->workload.recording;
    p = parcel_new(l->flow);
    scenario_source_item(l->flow->s, l->def, l->source_next++, &p->v.it, &entry);
    request_replay(l, &p->v.it, index % rec->n);
    inject(l, p, entry);
    index++;
    if (!is_dry(l) && (rec->loop || index < rec->n))
        sim_at(sim, fmax(sim->now, l->started_s + recorded_s(l, index)), PRIO_NORMAL, source_replays, l,
               index);
}

static void client_submits(struct sim *sim, void *self, uint64_t client)
{
    struct line *l = self;
    struct parcel *p;
    int entry;

    (void)sim;
    if (is_dry(l))
        return;
    p = next_parcel(l, -1, &entry);
    p->v.it.sequence = client;
    inject(l, p, entry);
}

/* The next turn of a session that goes on; its request is still that of the last turn, made new. */
static void turn_begins(struct sim *sim, void *self, uint64_t request)
{
    struct line *l = self;
    struct request_rt *r = (struct request_rt *)(uintptr_t)request;
    struct parcel *p;
    int entry;

    (void)sim;
    if (is_dry(l)) {
        request_free(l->flow, &r->r);
        return;
    }
    p = parcel_new(l->flow);
    scenario_source_item(l->flow->s, l->def, l->source_next++, &p->v.it, &entry);
    p->v.it.sequence = r->client;
    request_turn(l, &r->r, &p->v.it);
    inject(l, p, entry);
}

void source_again(struct line *l, struct parcel *p)
{
    const struct workload *w = &l->def->workload;
    struct request_rt *r = (struct request_rt *)p->v.it.request;
    uint64_t client = p->v.it.sequence;
    struct sim *sim = l->flow->sim;

    parcel_free(l->flow, p);
    if (r != NULL && r->turns_left > 0) {
        r->client = client;
        sim_after(sim, request_think(l, r), turn_begins, l, (uint64_t)(uintptr_t)r);
        return;
    }
    if (r != NULL)
        request_free(l->flow, &r->r);
    if (w->kind == WORKLOAD_CLIENTS)
        sim_after(sim, law_draw(&w->think, &l->think), client_submits, l, client);
    else if (w->kind == WORKLOAD_CLOSED)
        source_pump(l);
}

/* ------------------------------------------------------------ beginning */

static void time_is_up(struct sim *sim, void *self, uint64_t arg)
{
    (void)sim;
    (void)arg;
    line_ends(self);
}

/* Streams of the only pipeline keep the names they had before there were several. */
static void name_stream(const struct line *l, struct rng *r, const char *what)
{
    const struct sim *sim = l->flow->sim;
    const char *name = l->def->luck == 0 ? arena_printf(sim->arena, "source.%s", what)
                                         : arena_printf(sim->arena, "source.%s.%s", l->def->name, what);

    rng_stream(r, sim->seed, sim->replication, name);
}

static void start_streams(struct line *l)
{
    const struct workload *w = &l->def->workload;
    struct sim *sim = l->flow->sim;

    l->streams = arena_array(sim->arena, (size_t)w->streams_n, sizeof *l->streams);
    for (int i = 0; i < w->streams_n; i++) {
        struct stream_rt *st = &l->streams[i];

        st->def = &w->streams[i];
        name_stream(l, &st->rng, w->streams_n == 1 ? "arrivals" : arena_printf(sim->arena, "arrivals.%d", i));
        stream_begin(st, sim->arena);
        sim_after(sim, stream_gap(st), source_arrival, l, (uint64_t)i);
    }
}

void source_start(struct line *l)
{
    const struct pipeline *def = l->def;
    const struct workload *w = &def->workload;
    struct sim *sim = l->flow->sim;

    l->started = true;
    l->started_s = sim->now;
    name_stream(l, &l->think, "think");
    l->source_units = scenario_source_units(l->flow->s, def);
    if (def->horizon.kind == HORIZON_ITEMS) {
        l->source_total = (uint64_t)ceil(def->horizon.items / l->source_units - 1e-9);
        l->target_units = (double)l->source_total * l->source_units;
    }
    if (def->horizon.kind == HORIZON_TIME && l->flow->s->pipelines_n > 1)
        sim_at(sim, sim->now + def->horizon.time_s, PRIO_LAST, time_is_up, l, 0);
    if (w->kind == WORKLOAD_OPEN)
        start_streams(l);
    else if (w->kind == WORKLOAD_TRACE)
        sim_after(sim, recorded_s(l, 0), source_replays, l, 0);
    else if (w->kind == WORKLOAD_CLIENTS)
        for (long i = 0; i < w->clients; i++)
            sim_after(sim, law_draw(&w->think, &l->think), client_submits, l, (uint64_t)i);
    else
        source_pump(l);
}
