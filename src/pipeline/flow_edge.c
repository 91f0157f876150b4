#include "pipeline/flow_parts.h"

#include <math.h>
#include <string.h>

/* ------------------------------------------------------------ parcels */

struct parcel *parcel_new(struct flow *f)
{
    struct parcel *p = f->free_parcels;

    if (p != NULL)
        f->free_parcels = p->next;
    else
        p = ARENA_NEW(f->sim->arena, struct parcel);
    p->ready_s = f->sim->now;
    p->next = NULL;
    return p;
}

void parcel_free(struct flow *f, struct parcel *p)
{
    p->next = f->free_parcels;
    f->free_parcels = p;
}

/* ---------------------------------------------------------- accounting */

static void account_enter(struct flow *f, const struct item *it)
{
    f->entered_units += it->count;
    level_set(&f->inside, f->sim->now, f->inside.value + it->count);
    f->born_area += it->count * it->born_s;
}

static void account_leave(struct flow *f, const struct item *it)
{
    double from = it->born_s > f->measure_from_s ? it->born_s : f->measure_from_s;

    f->left_units += it->count;
    level_set(&f->inside, f->sim->now, f->inside.value - it->count);
    f->born_area -= it->count * from;
    f->sojourn_area += it->count * (f->sim->now - from);
}

static void begin_measuring(struct flow *f)
{
    double now = f->sim->now;

    f->measuring = true;
    f->measure_from_s = now;
    f->measure_from_units = f->inside.value;
    f->pieces_out = f->units_out = 0;
    f->latency_s = (struct tally){0};
    hist_reset(f->latency);
    f->born_area = f->inside.value * now; /* everyone inside counts from now on */
    f->sojourn_area = 0;
    level_start(&f->inside, now, f->inside.value);
    for (int i = 0; i < f->s->stages_n; i++) {
        struct stage_rt *st = &f->stages[i];

        level_start(&st->busy, now, st->busy.value);
        level_start(&st->blocked, now, st->blocked.value);
        level_start(&st->inside, now, st->inside.value);
        st->wait_s = st->service_s = (struct tally){0};
        st->units_out = st->disk_bytes = st->lost_units = st->arrived_units = 0;
        memset(st->op_s, 0, sizeof(double) * (size_t)model_operators(st->def->model, st->def->cfg));
        if (st->in != NULL)
            buffer_begin_measuring(st->in);
    }
    for (int i = 0; i < f->s->resources_n; i++) {
        struct resource_rt *r = &f->resources[i];

        if (r->station != NULL)
            station_begin_measuring(r->station);
        if (r->cores != NULL)
            cores_begin_measuring(r->cores);
        if (r->disk != NULL)
            disk_begin_measuring(r->disk);
        if (r->link != NULL)
            link_begin_measuring(r->link);
    }
}

/* -------------------------------------------------------------- source */

static void source_put_done(struct sim *sim, void *self, uint64_t arg)
{
    struct flow *f = self;

    (void)sim;
    f->stages[arg].items_in++;
    f->source_in_put = false;
    source_pump(f);
}

/* Hands an item to its entry stage; false when it must wait for room there. */
static bool inject(struct flow *f, struct parcel *p, int entry)
{
    struct stage_rt *st = &f->stages[entry];

    p->it.born_s = f->sim->now;
    account_enter(f, &p->it);
    f->in_flight_units += p->it.count;
    if (st->in == NULL) {
        stage_receive(st, p);
        return true;
    }
    level_set(&st->inside, f->sim->now, st->inside.value + 1);
    if (buffer_put(st->in, p, source_put_done, f, (uint64_t)entry)) {
        st->items_in++;
        return true;
    }
    f->source_in_put = true;
    return false;
}

/* Later epochs start when the stage they enter has been given everything of the epoch before. */
static bool epoch_ready(const struct flow *f, const struct item *it, int entry)
{
    double before = (double)it->epoch * (double)it->data->rows;

    return f->stages[entry].units_in >= before - 0.5;
}

/* Closed workloads: sends whatever there is room for. Called again whenever room may have appeared. */
void source_pump(struct flow *f)
{
    const struct workload *w = &f->s->workload;

    while (!f->source_in_put && (f->source_total == 0 || f->source_next < f->source_total)) {
        struct parcel *p;
        int entry;

        if (w->in_flight > 0 && f->in_flight_units > 0 && f->in_flight_units + f->source_units > w->in_flight)
            return;
        p = parcel_new(f);
        scenario_source_item(f->s, f->source_next, &p->it, &entry);
        if (p->it.epoch > 0 && !epoch_ready(f, &p->it, entry)) {
            parcel_free(f, p);
            return;
        }
        f->source_next++;
        if (!inject(f, p, entry))
            return;
    }
}

static void source_arrival(struct sim *sim, void *self, uint64_t arg)
{
    struct flow *f = self;
    struct parcel *p = parcel_new(f);
    int entry;

    (void)arg;
    scenario_source_item(f->s, f->source_next++, &p->it, &entry);
    inject(f, p, entry);
    if (f->source_total == 0 || f->source_next < f->source_total)
        sim_after(sim, law_draw(&f->s->workload.arrivals, &f->arrivals), source_arrival, f, 0);
}

static void client_submits(struct sim *sim, void *self, uint64_t arg)
{
    struct flow *f = self;
    struct parcel *p;
    int entry;

    (void)sim;
    if (f->source_total != 0 && f->source_next >= f->source_total)
        return;
    p = parcel_new(f);
    scenario_source_item(f->s, f->source_next++, &p->it, &entry);
    p->it.sequence = arg; /* which client */
    inject(f, p, entry);
}

void source_start(struct flow *f)
{
    const struct workload *w = &f->s->workload;

    rng_stream(&f->arrivals, f->sim->seed, f->sim->replication, "source.arrivals");
    f->think = ARENA_NEW(f->sim->arena, struct rng);
    rng_stream(f->think, f->sim->seed, f->sim->replication, "source.think");
    f->source_units = scenario_source_units(f->s);
    if (f->s->horizon.kind == HORIZON_ITEMS) {
        f->source_total = (uint64_t)ceil(f->s->horizon.items / f->source_units - 1e-9);
        f->target_units = (double)f->source_total * f->source_units;
    }
    if (w->kind == WORKLOAD_OPEN)
        sim_after(f->sim, law_draw(&w->arrivals, &f->arrivals), source_arrival, f, 0);
    else if (w->kind == WORKLOAD_CLIENTS)
        for (long i = 0; i < w->clients; i++)
            sim_after(f->sim, law_draw(&w->think, f->think), client_submits, f, (uint64_t)i);
    else
        source_pump(f);
}

/* ---------------------------------------------------------------- sink */

static void check_end(struct flow *f)
{
    if (f->s->horizon.kind == HORIZON_ITEMS) {
        if (f->left_units + f->lost_units >= f->target_units * (1 - 1e-9))
            sim_stop(f->sim);
        return;
    }
    if (f->s->horizon.kind == HORIZON_TIME)
        return; /* the clock ends the run */
    if (!f->measuring && f->pieces_out >= f->limits->warmup)
        begin_measuring(f);
    else if (f->measuring && f->pieces_out >= f->limits->measured)
        sim_stop(f->sim);
}

static void series_add(struct flow *f, const struct item *it, double sojourn)
{
    struct series *s = &f->series;

    if (s->n == s->room)
        return;
    s->amount += f->has_latency ? sojourn : f->sim->now - s->last_s;
    s->weight += f->has_latency ? 1 : it->count;
    s->inside_sum += f->inside.value;
    s->last_s = f->sim->now;
    if (++s->pieces < f->limits->series_pieces)
        return;
    s->response[s->n] = s->amount / s->weight;
    s->inside[s->n++] = s->inside_sum / s->pieces;
    s->pieces = s->amount = s->weight = s->inside_sum = 0;
}

void sink_receive(struct flow *f, struct parcel *p)
{
    const struct item it = p->it;
    double sojourn = f->sim->now - it.born_s;

    parcel_free(f, p);
    account_leave(f, &it);
    f->in_flight_units -= it.count;
    f->pieces_out++;
    f->units_out += it.count;
    if (f->has_latency) {
        tally_add(&f->latency_s, sojourn);
        hist_add(f->latency, sojourn);
    }
    series_add(f, &it, sojourn);
    check_end(f);
    if (f->s->workload.kind == WORKLOAD_CLIENTS)
        sim_after(f->sim, law_draw(&f->s->workload.think, f->think), client_submits, f, it.sequence);
    else if (f->s->workload.kind == WORKLOAD_CLOSED)
        source_pump(f);
}

void sink_lose(struct flow *f, const struct item *it)
{
    account_leave(f, it);
    f->left_units -= it->count;
    f->lost_units += it->count;
    f->in_flight_units -= it->count;
    check_end(f);
}
