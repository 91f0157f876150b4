#include "pipeline/flow_parts.h"

#include <math.h>

/* ------------------------------------------------------------- workers */

static void worker_take(struct worker *w);
static void worker_begin_piece(struct worker *w);
static void worker_next_phase(struct worker *w);
static void worker_deliver(struct worker *w);

/* It ends now. */
void flow_watch(const struct stage_rt *st, const struct item *it, long worker, double start_s)
{
    const struct flow *f = st->flow;

    if (f->limits->watch == NULL || !f->measuring)
        return;
    f->limits->watch(f->limits->watch_ctx, &(struct flow_span){.stage = st->def,
                                                               .item = it->sequence,
                                                               .units = it->count,
                                                               .worker = worker,
                                                               .start_s = start_s,
                                                               .end_s = f->sim->now});
}

/* Of stages without workers the resource keeps the books. */
static void set_busy(struct stage_rt *st, double change)
{
    if (st->workers == NULL)
        return;
    level_set(&st->busy, st->flow->sim->now, st->busy.value + change);
}

static void set_blocked(struct stage_rt *st, double change)
{
    if (st->workers == NULL)
        return;
    level_set(&st->blocked, st->flow->sim->now, st->blocked.value + change);
}

static void worker_begin(struct worker *w)
{
    struct stage_rt *st = w->stage;

    w->turn = st->turns_given++;
    w->pieces = st->def->model->pieces != NULL ? st->def->model->pieces(st->def->cfg, &w->whole->v.it) : 1;
    w->piece_i = 0;
    w->whole_units = w->whole->v.it.count;
    w->staged = NULL;
    w->staged_tail = &w->staged;
    st->outstanding += w->pieces;
    set_busy(st, 1);
    worker_begin_piece(w);
}

/* Adds what came to what the worker has gathered so far. */
static void worker_gather(struct worker *w, struct parcel *p)
{
    struct stage_rt *st = w->stage;

    tally_add(&st->wait_s, st->flow->sim->now - p->v.arrived_s);
    st->units_in += p->v.it.count;
    if (p->from != NULL)
        piece_taken(p->from);
    if (p->v.it.data != NULL && p->v.it.data->epochs > 1)
        source_pump(st->line); /* a later epoch may be waiting for this */
    if (w->whole == NULL) {
        w->whole = p;
        return;
    }
    w->whole->v.it.count += p->v.it.count;
    w->whole->v.it.rows += p->v.it.rows;
    w->whole->v.it.bytes += p->v.it.bytes;
    w->whole->v.it.usd += p->v.it.usd;
    level_set(&st->inside, st->flow->sim->now, st->inside.value - 1);
    parcel_free(st->flow, p);
}

/* Nobody waits any more for a call that was cancelled while it stood in the buffer. */
static bool drop_unheard(struct stage_rt *st, struct parcel *p)
{
    if (p->call == NULL || p->call->done != NULL)
        return false;
    level_set(&st->inside, st->flow->sim->now, st->inside.value - 1);
    call_return(st->flow, p);
    return true;
}

static bool worker_has_enough(const struct worker *w)
{
    double take = w->stage->def->shape.take;

    return w->whole != NULL && w->whole->v.it.count >= take * (1 - 1e-12);
}

static void worker_got(struct sim *sim, void *self, uint64_t arg)
{
    struct worker *w = self;

    (void)sim;
    if (!drop_unheard(w->stage, (struct parcel *)(uintptr_t)arg))
        worker_gather(w, (struct parcel *)(uintptr_t)arg);
    worker_take(w);
}

/* A stage that may not work further ahead of the next one: workers times prefetch pieces are out. */
static bool is_far_ahead(const struct stage_rt *st)
{
    const struct shape *s = &st->def->shape;

    return s->prefetch > 0 && st->outstanding >= s->workers * s->prefetch;
}

static void worker_resumes(struct sim *sim, void *self, uint64_t arg)
{
    struct worker *w = self;

    (void)sim;
    (void)arg;
    set_blocked(w->stage, -1);
    worker_take(w);
}

/* The next stage, or the sink, has taken a piece. */
void piece_taken(struct stage_rt *st)
{
    if (st->host != NULL)
        return;
    st->outstanding--;
    if (st->def->shape.prefetch <= 0)
        return;
    if (heap_count(&st->parked) > 0 && !is_far_ahead(st))
        sim_after(st->flow->sim, 0, worker_resumes, &st->workers[heap_index(heap_pop(&st->parked))], 0);
}

static void worker_take(struct worker *w)
{
    struct parcel *p;

    if (w->whole == NULL && is_far_ahead(w->stage)) {
        heap_push(&w->stage->parked, heap_pack(0, 0, (uint32_t)(w - w->stage->workers)));
        set_blocked(w->stage, 1);
        return;
    }
    while (!worker_has_enough(w)) {
        p = buffer_get(w->stage->in, worker_got, w);
        if (p == NULL)
            return;
        if (!drop_unheard(w->stage, p))
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

/* The few phases that are used: an item that waits must not hold room for all there might be. */
static void keep_phases(struct worker *w, const struct demand *d)
{
    if (d->n > w->phases_room) {
        w->phases_room = (d->n + 3) & ~3;
        w->phases = arena_array(w->stage->flow->sim->arena, (size_t)w->phases_room, sizeof *w->phases);
    }
    for (int i = 0; i < d->n; i++)
        w->phases[i] = d->phases[i];
    for (int i = 0; w->stage->def->spared != 0 && i < d->n; i++) {
        w->phases[i].amount *= 1 - w->stage->def->spared;
        w->phases[i].requests *= 1 - w->stage->def->spared;
        w->phases[i].bytes *= 1 - w->stage->def->spared;
    }
    w->phases_n = d->n;
}

/* The piece leaves as the model says; until then it is only moved about, so its parcel holds that already. */
static void worker_begin_piece(struct worker *w)
{
    struct stage_rt *st = w->stage;
    struct flow *f = st->flow;
    struct luck luck = {.seed = f->sim->seed, .stage = st->def->luck, .replication = f->sim->replication};
    struct item in = w->whole->v.it;

    w->piece = w->whole;
    if (w->pieces > 1) {
        in = item_piece(&w->whole->v.it, w->piece_i, w->pieces);
        w->piece = parcel_new(f);
        w->piece->v.it = in;
    }
    f->demand.n = 0;
    st->def->model->demand(st->def->cfg, &in, &luck, &f->demand, &w->piece->v.it);
    w->piece->v.it.born_s = in.born_s;
    if (st->def->instant)
        f->demand.n = 0;
    keep_phases(w, &f->demand);
    w->phase = 0;
    w->began_s = f->sim->now;
    w->phase_s = 0;
    if (w->phases_n == 0)
        sim_after(f->sim, 0, phase_done, w,
                  0); /* through the calendar: a chain of instant stages must not recurse */
    else
        worker_next_phase(w);
}

static void lose_item(struct worker *w);

static void worker_finish_piece(struct worker *w)
{
    struct stage_rt *st = w->stage;
    double now = st->flow->sim->now, spent = now - w->began_s;

    if (st->workers == NULL) { /* the resource did the queueing: what was not service was waiting */
        double waited = spent > w->phase_s ? spent - w->phase_s : 0;

        tally_add(&st->wait_s, waited);
        tally_add(&st->service_s, w->phase_s);
        if (st->def->pipeline >= 0) /* a call has a request of its own */
            request_waited(&w->piece->v.it, waited);
        flow_watch(st, &w->piece->v.it, 0, fmax(w->began_s, now - w->phase_s));
    } else {
        tally_add(&st->service_s, spent);
        flow_watch(st, &w->piece->v.it, w - st->workers, w->began_s);
    }
    if (w->piece == w->whole)
        w->whole = NULL;
    *w->staged_tail = w->piece;
    w->staged_tail = &w->piece->next;
    w->piece = NULL;
    w->piece_i++;
    worker_deliver(w);
}

static void note_phase(struct stage_rt *st, const struct phase *p)
{
    st->used[p->role] += p->amount;
    if (p->role == ROLE_DISK_READ || p->role == ROLE_DISK_WRITE)
        st->disk_bytes += p->amount;
    else if (p->role != ROLE_NET && p->role != ROLE_MEM)
        st->op_s[p->op] += p->amount;
}

/* Work on cores goes on from operator to operator, unless one of them asks the memory bus for more. */
static bool goes_on(const struct resource_rt *r, const struct phase *p)
{
    return p->role == ROLE_CPU && (r->def->mem_bw == 0 || p->bytes == 0);
}

static void worker_next_phase(struct worker *w)
{
    struct resource_rt *r;
    struct phase all;

    if (w->phase >= w->phases_n) {
        worker_finish_piece(w);
        return;
    }
    all = w->phases[w->phase++];
    r = &w->stage->flow->resources[w->stage->def->on[all.role]];
    note_phase(w->stage, &all);
    while (goes_on(r, &all) && w->phase < w->phases_n && goes_on(r, &w->phases[w->phase])) {
        note_phase(w->stage, &w->phases[w->phase]);
        all.amount += w->phases[w->phase++].amount;
    }
    w->phase_s += all.amount;
    if (!resource_use(r, &all, phase_done, w, 0))
        lose_item(w);
}

static void forget_worker(struct worker *w)
{
    w->next_free = w->stage->free_workers;
    w->stage->free_workers = w;
}

/* A full queue in front of the servers. */
static void lose_item(struct worker *w)
{
    struct stage_rt *st = w->stage;
    const struct phase *lost = &w->phases[w->phase - 1];
    struct parcel *p = w->whole;

    p->v.it.count = w->whole_units; /* a piece that is the whole is on its way out already */
    st->op_s[lost->op] -= lost->amount;
    st->lost_units += p->v.it.count;
    visits_leave(st, w->came_s);
    set_busy(st, -1);
    if (w->piece != p)
        parcel_free(st->flow, w->piece);
    w->whole = w->piece = NULL;
    forget_worker(w);
    sink_lose(st->line, p);
}

/* Turns that are out lie side by side and each worker has one at most: a place per worker holds them all. */
static struct worker **turn_place(struct stage_rt *st, uint64_t turn)
{
    return &st->waiting_for_turn[turn % (uint64_t)st->def->shape.workers];
}

static void give_turn(struct stage_rt *st)
{
    struct worker **next = turn_place(st, ++st->turn_now), *w = *next;

    if (w == NULL)
        return;
    ASSERT(w->turn == st->turn_now);
    *next = NULL;
    set_blocked(st, -1);
    set_busy(st, 1);
    worker_deliver(w);
}

static void worker_done_with_item(struct worker *w)
{
    struct stage_rt *st = w->stage;
    struct flow *f = st->flow;

    if (w->whole != NULL) {
        parcel_free(f, w->whole);
        w->whole = NULL;
    }
    if (st->def->shape.workers == 0) {
        visits_leave(st, w->came_s);
        forget_worker(w);
        return;
    }
    level_set(&st->inside, f->sim->now, st->inside.value - 1);
    set_busy(st, -1);
    if (st->def->shape.in_order)
        give_turn(st);
    worker_take(w);
}

static void put_done(struct sim *sim, void *self, uint64_t next)
{
    struct worker *w = self;

    (void)sim;
    set_blocked(w->stage, -1);
    set_busy(w->stage, 1);
    w->stage->flow->stages[next].items_in++;
    worker_deliver(w);
}

/* Moves staged pieces on; false when the next stage has no room and the worker must wait. */
static bool send_staged(struct worker *w)
{
    struct stage_rt *st = w->stage;

    while (w->staged != NULL) {
        struct parcel *p = w->staged;

        w->staged = p->next;
        if (w->staged == NULL)
            w->staged_tail = &w->staged;
        p->next = NULL;
        if (!parcel_leave(st, p, put_done, w)) {
            set_busy(st, -1);
            set_blocked(st, 1);
            return false;
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
    *turn_place(st, w->turn) = w;
    set_busy(st, -1);
    set_blocked(st, 1);
}

/* A stage without workers begins with every item at once; its resource does the queueing. */
void stage_receive(struct stage_rt *st, struct parcel *p)
{
    struct worker *w = st->free_workers;

    if (w != NULL)
        st->free_workers = w->next_free;
    else
        w = ARENA_NEW(st->flow->sim->arena, struct worker);
    w->stage = st;
    w->whole = p;
    w->came_s = st->flow->sim->now;
    st->units_in += p->v.it.count;
    st->arrived_units += p->v.it.count;
    visits_enter(st);
    worker_begin(w);
}

void stage_start(struct stage_rt *st)
{
    for (long i = 0; i < st->def->shape.workers; i++)
        worker_take(&st->workers[i]);
}
