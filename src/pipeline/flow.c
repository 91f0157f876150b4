#include "pipeline/flow.h"

#include "engine/buffer.h"
#include "engine/cores.h"
#include "engine/link.h"
#include "engine/station.h"
#include "pipeline/bound.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* An item inside the pipeline, with the bookkeeping of where it has been. */
struct parcel {
    struct item it;
    double ready_s; /* when it came to the stage it is at */
    struct parcel *next;
};

struct resource_rt {
    const struct resource *def;
    struct station *station; /* servers and GPUs */
    struct cores *cores;
    struct disk *disk;
    struct link *link;
};

struct worker {
    struct stage_rt *stage;
    struct parcel *whole, *piece;
    long pieces, piece_i;
    int phase;
    struct demand demand;
    struct item leave;
    double gathered, began_s, phase_s;
    uint64_t turn;            /* order in which it took its item */
    struct parcel *staged, **staged_tail;
    bool waiting_for_turn;
    struct worker *next_free; /* stages without workers */
};

struct stage_rt {
    struct flow *flow;
    const struct stage *def;
    int index;
    struct buffer *in; /* NULL: stages without workers take every item at once */
    struct worker *workers, *free_workers;
    uint64_t turns_given, turn_now; /* in-order delivery */
    double units_in, units_out;
    uint64_t items_in; /* since the start: what later epochs wait for */
    struct level busy, blocked, inside;
    struct tally wait_s, service_s;
    double *op_s, disk_bytes, lost_units, arrived_units;
};

struct flow {
    struct sim *sim;
    const struct scenario *s;
    const struct flow_limits *limits;
    struct resource_rt *resources;
    struct stage_rt *stages;
    struct parcel *free_parcels;
    struct rng arrivals;
    /* the source */
    uint64_t source_next, source_total; /* items; total 0: endless */
    double source_units, in_flight_units;
    bool source_waiting; /* in a put, for room in flight, or for an epoch to pass */
    bool source_in_put;
    struct rng *think;
    /* the sink */
    double pieces_out, units_out, target_units;
    bool measuring;
    double measure_from_s;
    struct hist *latency;
    struct tally latency_s;
    /* Little's law on the whole: units inside, and the sum of count * max(born, measure_from) of those inside */
    struct level inside;
    double born_area, sojourn_area;
    double entered_units, left_units, lost_units;
};

/* ------------------------------------------------------------ parcels */

static struct parcel *parcel_new(struct flow *f, const struct item *it)
{
    struct parcel *p = f->free_parcels;

    if (p != NULL)
        f->free_parcels = p->next;
    else
        p = ARENA_NEW(f->sim->arena, struct parcel);
    p->it = *it;
    p->ready_s = f->sim->now;
    p->next = NULL;
    return p;
}

static void parcel_free(struct flow *f, struct parcel *p)
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
    double from = fmax(it->born_s, f->measure_from_s);

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

static void source_pump(struct flow *f);
static void stage_receive(struct stage_rt *st, struct parcel *p);

static void source_put_done(struct sim *sim, void *self, uint64_t arg)
{
    struct flow *f = self;

    (void)sim;
    f->stages[arg].items_in++;
    f->source_in_put = false;
    source_pump(f);
}

/* Hands an item to its entry stage; false when it must wait for room there. */
static bool inject(struct flow *f, const struct item *it, int entry)
{
    struct stage_rt *st = &f->stages[entry];
    struct parcel *p = parcel_new(f, it);

    p->it.born_s = f->sim->now;
    account_enter(f, &p->it);
    f->in_flight_units += it->count;
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
static void source_pump(struct flow *f)
{
    const struct workload *w = &f->s->workload;

    while (!f->source_in_put && (f->source_total == 0 || f->source_next < f->source_total)) {
        int entry;
        struct item it;

        if (w->in_flight > 0 && f->in_flight_units > 0 && f->in_flight_units + f->source_units > w->in_flight)
            return;
        it = scenario_source_item(f->s, f->source_next, &entry);
        if (it.epoch > 0 && !epoch_ready(f, &it, entry))
            return;
        f->source_next++;
        if (!inject(f, &it, entry))
            return;
    }
}

static void source_arrival(struct sim *sim, void *self, uint64_t arg)
{
    struct flow *f = self;
    int entry;
    struct item it = scenario_source_item(f->s, f->source_next++, &entry);

    (void)arg;
    inject(f, &it, entry);
    if (f->source_total == 0 || f->source_next < f->source_total)
        sim_after(sim, law_draw(&f->s->workload.arrivals, &f->arrivals), source_arrival, f, 0);
}

static void client_submits(struct sim *sim, void *self, uint64_t arg)
{
    struct flow *f = self;
    int entry;
    struct item it;

    (void)sim;
    if (f->source_total != 0 && f->source_next >= f->source_total)
        return;
    it = scenario_source_item(f->s, f->source_next++, &entry);
    it.sequence = arg; /* which client */
    inject(f, &it, entry);
}

static void source_start(struct flow *f)
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

static void sink_receive(struct flow *f, struct parcel *p)
{
    const struct item it = p->it;
    double sojourn = f->sim->now - it.born_s;

    parcel_free(f, p);
    account_leave(f, &it);
    f->in_flight_units -= it.count;
    f->pieces_out++;
    f->units_out += it.count;
    if (scenario_has_latency(f->s)) {
        tally_add(&f->latency_s, sojourn);
        hist_add(f->latency, sojourn);
    }
    check_end(f);
    if (f->s->workload.kind == WORKLOAD_CLIENTS)
        sim_after(f->sim, law_draw(&f->s->workload.think, f->think), client_submits, f, it.sequence);
    else if (f->s->workload.kind == WORKLOAD_CLOSED)
        source_pump(f);
}

/* ------------------------------------------------------------- workers */

static void worker_take(struct worker *w);
static void worker_begin_piece(struct worker *w);
static void worker_next_phase(struct worker *w);
static void worker_deliver(struct worker *w);

static void set_busy(struct stage_rt *st, double change)
{
    level_set(&st->busy, st->flow->sim->now, st->busy.value + change);
}

static void set_blocked(struct stage_rt *st, double change)
{
    level_set(&st->blocked, st->flow->sim->now, st->blocked.value + change);
}

static void worker_begin(struct worker *w)
{
    struct stage_rt *st = w->stage;

    w->turn = st->turns_given++;
    w->pieces = st->def->model->pieces != NULL ? st->def->model->pieces(st->def->cfg, &w->whole->it) : 1;
    w->piece_i = 0;
    w->staged = NULL;
    w->staged_tail = &w->staged;
    set_busy(st, 1);
    worker_begin_piece(w);
}

/* Adds what came to what the worker has gathered so far. */
static void worker_gather(struct worker *w, struct parcel *p)
{
    struct stage_rt *st = w->stage;

    tally_add(&st->wait_s, st->flow->sim->now - p->ready_s);
    st->units_in += p->it.count;
    if (p->it.data != NULL && p->it.data->epochs > 1)
        source_pump(st->flow); /* a later epoch may be waiting for this */
    if (w->whole == NULL) {
        w->whole = p;
        return;
    }
    w->whole->it.count += p->it.count;
    w->whole->it.rows += p->it.rows;
    w->whole->it.bytes += p->it.bytes;
    level_set(&st->inside, st->flow->sim->now, st->inside.value - 1);
    parcel_free(st->flow, p);
}

static bool worker_has_enough(const struct worker *w)
{
    double take = w->stage->def->shape.take;

    return w->whole != NULL && w->whole->it.count >= take * (1 - 1e-12);
}

static void worker_got(struct sim *sim, void *self, uint64_t arg)
{
    struct worker *w = self;

    (void)sim;
    worker_gather(w, (struct parcel *)(uintptr_t)arg);
    worker_take(w);
}

static void worker_take(struct worker *w)
{
    struct parcel *p;

    while (!worker_has_enough(w)) {
        p = buffer_get(w->stage->in, worker_got, w);
        if (p == NULL)
            return;
        worker_gather(w, p);
    }
    worker_begin(w);
}

static void phase_done(struct sim *sim, void *self, uint64_t arg)
{
    (void)sim;
    (void)arg;
    worker_next_phase(self);
}

static void worker_begin_piece(struct worker *w)
{
    struct stage_rt *st = w->stage;
    struct flow *f = st->flow;
    struct item it = item_piece(&w->whole->it, w->piece_i, w->pieces);
    struct luck luck = {.seed = f->sim->seed, .stage = st->def->luck, .replication = f->sim->replication};

    w->piece = parcel_new(f, &it);
    w->piece->it.born_s = w->whole->it.born_s;
    w->demand.n = 0;
    w->leave = w->piece->it;
    st->def->model->demand(st->def->cfg, &w->piece->it, &luck, &w->demand, &w->leave);
    if (st->def->instant)
        w->demand.n = 0;
    w->phase = 0;
    w->began_s = f->sim->now;
    w->phase_s = 0;
    if (w->demand.n == 0)
        sim_after(f->sim, 0, phase_done, w, 0); /* through the calendar: a chain of instant stages must not recurse */
    else
        worker_next_phase(w);
}

static void lose_item(struct worker *w);

/* Asks the resource for one phase; phases on cores that follow each other are one request. */
static void worker_use(struct worker *w, const struct phase *p, double amount)
{
    struct stage_rt *st = w->stage;
    struct resource_rt *r = &st->flow->resources[st->def->on[p->role]];

    if (r->cores != NULL)
        cores_use(r->cores, amount, phase_done, w, 0);
    else if (r->disk != NULL && p->role == ROLE_DISK_WRITE)
        disk_write(r->disk, p->requests, amount, phase_done, w, 0);
    else if (r->disk != NULL)
        disk_read(r->disk, p->requests, amount, phase_done, w, 0);
    else if (r->link != NULL)
        link_send(r->link, amount, phase_done, w, 0);
    else if (!station_enter(r->station, amount, phase_done, w, 0))
        lose_item(w);
}

static void worker_finish_piece(struct worker *w)
{
    struct stage_rt *st = w->stage;
    double now = st->flow->sim->now;

    if (st->def->shape.workers == 0) /* the resource did the queueing: what was not service was waiting */
        tally_add(&st->wait_s, fmax(0, now - w->began_s - w->phase_s));
    tally_add(&st->service_s, st->def->shape.workers == 0 ? w->phase_s : now - w->began_s);
    w->leave.born_s = w->piece->it.born_s;
    w->piece->it = w->leave;
    *w->staged_tail = w->piece;
    w->staged_tail = &w->piece->next;
    w->piece = NULL;
    w->piece_i++;
    worker_deliver(w);
}

static void worker_next_phase(struct worker *w)
{
    struct demand *d = &w->demand;
    const struct phase *first;
    double amount = 0;

    if (w->phase >= d->n) {
        worker_finish_piece(w);
        return;
    }
    first = &d->phases[w->phase];
    do {
        const struct phase *p = &d->phases[w->phase++];

        amount += p->amount;
        if (p->role == ROLE_DISK_READ || p->role == ROLE_DISK_WRITE)
            w->stage->disk_bytes += p->amount;
        else if (p->role != ROLE_NET)
            w->stage->op_s[p->op] += p->amount;
    } while (first->role == ROLE_CPU && w->phase < d->n && d->phases[w->phase].role == ROLE_CPU);
    w->phase_s += amount;
    worker_use(w, first, amount);
}

/* A full queue in front of the servers: the item is gone. */
static void lose_item(struct worker *w)
{
    struct stage_rt *st = w->stage;
    struct flow *f = st->flow;
    double count = w->whole->it.count;

    st->op_s[w->demand.phases[w->phase - 1].op] -= w->demand.phases[w->phase - 1].amount;
    st->lost_units += count;
    account_leave(f, &w->whole->it);
    f->left_units -= count;
    f->lost_units += count;
    f->in_flight_units -= count;
    level_set(&st->inside, f->sim->now, st->inside.value - 1);
    set_busy(st, -1);
    parcel_free(f, w->piece);
    if (w->whole != w->piece)
        parcel_free(f, w->whole);
    w->whole = w->piece = NULL;
    w->next_free = st->free_workers;
    st->free_workers = w;
    check_end(f);
}

static void give_turn(struct stage_rt *st)
{
    st->turn_now++;
    for (long i = 0; i < st->def->shape.workers; i++) {
        struct worker *w = &st->workers[i];

        if (w->waiting_for_turn && w->turn == st->turn_now) {
            w->waiting_for_turn = false;
            set_blocked(st, -1);
            set_busy(st, 1);
            worker_deliver(w);
            return;
        }
    }
}

static void worker_done_with_item(struct worker *w)
{
    struct stage_rt *st = w->stage;
    struct flow *f = st->flow;

    parcel_free(f, w->whole);
    w->whole = NULL;
    level_set(&st->inside, f->sim->now, st->inside.value - 1);
    set_busy(st, -1);
    if (st->def->shape.workers == 0) {
        w->next_free = st->free_workers;
        st->free_workers = w;
        return;
    }
    if (st->def->shape.in_order)
        give_turn(st);
    worker_take(w);
}

static void put_done(struct sim *sim, void *self, uint64_t arg)
{
    struct worker *w = self;

    (void)sim;
    (void)arg;
    set_blocked(w->stage, -1);
    set_busy(w->stage, 1);
    w->stage[1].items_in++;
    worker_deliver(w);
}

/* Moves staged pieces on; false when the next stage has no room and the worker must wait. */
static bool send_staged(struct worker *w)
{
    struct stage_rt *st = w->stage;
    struct flow *f = st->flow;

    while (w->staged != NULL) {
        struct parcel *p = w->staged;
        struct stage_rt *next = st->index + 1 < f->s->stages_n ? st + 1 : NULL;

        w->staged = p->next;
        if (w->staged == NULL)
            w->staged_tail = &w->staged;
        p->next = NULL;
        p->ready_s = f->sim->now;
        st->units_out += p->it.count;
        if (next == NULL) {
            sink_receive(f, p);
        } else if (next->in == NULL) {
            stage_receive(next, p);
        } else {
            level_set(&next->inside, f->sim->now, next->inside.value + 1);
            if (!buffer_put(next->in, p, put_done, w, 0)) {
                set_busy(st, -1);
                set_blocked(st, 1);
                return false;
            }
            next->items_in++;
        }
    }
    return true;
}

/* After each piece: hand over what may leave, go on with the next piece, or wait for one's turn. */
static void worker_deliver(struct worker *w)
{
    struct stage_rt *st = w->stage;
    bool my_turn = !st->def->shape.in_order || st->def->shape.workers == 0 || w->turn == st->turn_now;

    if (my_turn && !send_staged(w))
        return;
    if (w->piece_i < w->pieces) {
        worker_begin_piece(w);
        return;
    }
    if (my_turn) {
        worker_done_with_item(w);
        return;
    }
    w->waiting_for_turn = true;
    set_busy(st, -1);
    set_blocked(st, 1);
}

/* An item comes to a stage without workers. */
static void stage_receive(struct stage_rt *st, struct parcel *p)
{
    struct flow *f = st->flow;
    struct worker *w = st->free_workers;

    if (w != NULL)
        st->free_workers = w->next_free;
    else
        w = ARENA_NEW(f->sim->arena, struct worker);
    w->stage = st;
    w->whole = p;
    st->items_in++;
    st->units_in += p->it.count;
    st->arrived_units += p->it.count;
    level_set(&st->inside, f->sim->now, st->inside.value + 1);
    worker_begin(w);
}

/* --------------------------------------------------------------- build */

static void build_resources(struct flow *f)
{
    const struct scenario *s = f->s;

    f->resources = arena_array(f->sim->arena, (size_t)s->resources_n, sizeof *f->resources);
    for (int i = 0; i < s->resources_n; i++) {
        const struct resource *def = &s->resources[i];
        struct resource_rt *r = &f->resources[i];
        struct disk_spec disk = {.read_bw = def->read_bw, .write_bw = def->write_bw, .iops = def->iops,
                                 .latency_s = def->latency, .flow_cap = def->flow_cap};

        r->def = def;
        switch (def->kind) {
        case RESOURCE_CORES:
            r->cores = cores_new(f->sim, def->name, def->count, def->speeds);
            break;
        case RESOURCE_DISK:
            r->disk = disk_new(f->sim, def->name, &disk);
            break;
        case RESOURCE_LINK:
            r->link = link_new(f->sim, def->name, def->bandwidth, def->flow_cap);
            break;
        default:
            r->station = station_new(f->sim, def->name, def->count, def->queue_limit);
        }
    }
}

static void build_stages(struct flow *f)
{
    const struct scenario *s = f->s;

    f->stages = arena_array(f->sim->arena, (size_t)s->stages_n, sizeof *f->stages);
    for (int i = 0; i < s->stages_n; i++) {
        struct stage_rt *st = &f->stages[i];
        const struct stage *def = &s->stages[i];
        long workers = def->shape.workers;
        double capacity = def->in_capacity;

        *st = (struct stage_rt){.flow = f, .def = def, .index = i};
        st->op_s = arena_array(f->sim->arena, (size_t)model_operators(def->model, def->cfg), sizeof(double));
        if (workers == 0)
            continue;
        /* The first stage of a closed pipeline takes from the source itself: one item at hand is enough. */
        if (i == 0 && s->workload.kind == WORKLOAD_CLOSED)
            capacity = 1;
        st->in = buffer_new(f->sim, def->name, (long)capacity);
        st->workers = arena_array(f->sim->arena, (size_t)workers, sizeof *st->workers);
        for (long k = 0; k < workers; k++)
            st->workers[k].stage = st;
    }
}

/* -------------------------------------------------------------- results */

static void stage_result(struct stage_rt *st, double window_s, struct arena *a, struct flow_stage *out)
{
    double now = st->flow->sim->now, units = fmax(st->flow->units_out, 1e-300);
    long workers = st->def->shape.workers;
    int ops = model_operators(st->def->model, st->def->cfg);
    double busy = level_mean(&st->busy, now), blocked = level_mean(&st->blocked, now);

    out->throughput_per_s = window_s > 0 ? st->units_out / window_s : 0;
    out->wait_s = st->wait_s.mean;
    out->service_s = st->service_s.mean;
    out->op_s_per_unit = arena_array(a, (size_t)ops, sizeof(double));
    for (int i = 0; i < ops; i++)
        out->op_s_per_unit[i] = st->op_s[i] / units;
    out->disk_bytes_per_unit = st->disk_bytes / units;
    if (workers > 0) {
        out->utilization = busy / (double)workers;
        out->blocked_frac = blocked / (double)workers;
        out->starved_frac = fmax(0, 1 - out->utilization - out->blocked_frac);
        out->queue_mean = buffer_stats(st->in).length_mean;
        return;
    }
    for (int i = 0; i < ops; i++)
        out->utilization += window_s > 0 ? st->op_s[i] / window_s : 0;
    if (st->def->on[ROLE_SERVERS] >= 0)
        out->utilization /= (double)st->flow->s->resources[st->def->on[ROLE_SERVERS]].count;
    out->queue_mean = fmax(0, level_mean(&st->inside, now) - (window_s > 0 ? st->service_s.mean * (double)st->service_s.n / window_s : 0));
    out->lost_frac = st->arrived_units > 0 ? st->lost_units / st->arrived_units : 0;
}

static double resource_utilization(const struct resource_rt *r)
{
    if (r->cores != NULL)
        return cores_stats(r->cores).busy_mean / (double)r->def->count;
    if (r->disk != NULL)
        return disk_stats(r->disk).utilization;
    if (r->link != NULL)
        return link_stats(r->link).utilization;
    return station_stats(r->station).busy_mean / (double)r->def->count;
}

/* What must hold in every run, whatever the scenario. */
static void assert_laws(struct flow *f)
{
    double now = f->sim->now, window = now - f->measure_from_s;
    double inside = f->inside.value, scale = fmax(1, f->entered_units);
    double area = level_mean(&f->inside, now) * window;
    double sojourns = f->sojourn_area + inside * now - f->born_area;

    ASSERT(fabs(f->entered_units - f->left_units - f->lost_units - inside) <= 1e-6 * scale); /* flow balance */
    ASSERT(fabs(area - sojourns) <= 1e-6 * fmax(fabs(area), inside * now + 1e-9));           /* Little's law */
    for (int i = 0; i < f->s->resources_n; i++)
        ASSERT(resource_utilization(&f->resources[i]) <= 1 + 1e-9);
}

static void collect(struct flow *f, struct arena *a, struct flow_result *out)
{
    const struct scenario *s = f->s;
    double window = f->sim->now - f->measure_from_s;
    const struct flow_stage *last;

    out->units = f->units_out;
    out->pieces = (uint64_t)f->pieces_out;
    out->throughput_per_s = window > 0 ? f->units_out / window : 0;
    out->makespan_s = f->sim->now;
    out->events = f->sim->events;
    out->capped = f->sim->capped;
    out->latency_s[0] = f->latency_s.n > 0 ? f->latency_s.mean : NAN;
    for (int i = 1; i < 4; i++)
        out->latency_s[i] = f->latency_s.n > 0 ? hist_quantile(f->latency, (double[]){0, .5, .95, .99}[i]) : NAN;
    out->stages = arena_array(a, (size_t)s->stages_n, sizeof *out->stages);
    for (int i = 0; i < s->stages_n; i++)
        stage_result(&f->stages[i], window, a, &out->stages[i]);
    out->resource_utilization = arena_array(a, (size_t)s->resources_n, sizeof(double));
    for (int i = 0; i < s->resources_n; i++)
        out->resource_utilization[i] = resource_utilization(&f->resources[i]);
    last = &out->stages[s->stages_n - 1];
    out->stall_frac = f->stages[s->stages_n - 1].def->shape.workers > 0 ? last->starved_frac : 1 - last->utilization;
}

/* Nothing can happen any more, yet the horizon was not reached: a deadlock, or a source that ran dry. */
static int report_stuck(struct flow *f, struct err *err)
{
    char who[600] = "";
    size_t n = 0;

    for (int i = 0; i < f->s->stages_n && n < sizeof who - 80; i++) {
        const struct stage_rt *st = &f->stages[i];

        n += (size_t)snprintf(who + n, sizeof who - n, "%s%.40s holds %g", i ? "; " : "", st->def->name,
                              st->inside.value);
    }
    return err_set(err, ERR_FAILED,
                   "%s: the simulation came to a halt at %g s with %g units inside (%s); a batch that never fills, or "
                   "stages that wait for each other",
                   f->s->file, f->sim->now, f->inside.value, who);
}

int flow_run(const struct scenario *s, uint64_t seed, uint32_t replication, const struct flow_limits *limits,
             struct arena *a, struct flow_result *out, struct err *err)
{
    struct flow f = {.s = s, .limits = limits};
    double until = s->horizon.kind == HORIZON_TIME ? s->horizon.time_s : INFINITY;
    bool reached;
    int rc = 0;

    f.sim = sim_new(seed, replication);
    f.sim->max_events = limits->max_events;
    f.latency = hist_new();
    level_start(&f.inside, 0, 0);
    build_resources(&f);
    build_stages(&f);
    f.measuring = s->horizon.kind != HORIZON_STEADY;
    for (int i = 0; i < s->stages_n; i++)
        for (long k = 0; k < s->stages[i].shape.workers; k++)
            worker_take(&f.stages[i].workers[k]);
    source_start(&f);
    sim_run(f.sim, until);
    reached = f.sim->stopping || f.sim->capped || (s->horizon.kind == HORIZON_TIME && f.sim->now >= until);
    if (!reached && f.inside.value > 1e-6)
        rc = report_stuck(&f, err);
    assert_laws(&f);
    *out = (struct flow_result){0};
    if (rc == 0) {
        collect(&f, a, out);
        out->latency = f.latency;
    } else {
        hist_free(f.latency);
    }
    sim_free(f.sim);
    return rc;
}

void flow_result_fini(struct flow_result *r)
{
    hist_free(r->latency);
    r->latency = NULL;
}
