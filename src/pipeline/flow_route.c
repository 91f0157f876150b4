#include "pipeline/flow_parts.h"

/* ------------------------------------------------------------- books */

void visits_enter(struct stage_rt *st)
{
    double now = st->flow->sim->now;

    st->visits.came++;
    st->visits.came_area += now;
    level_set(&st->inside, now, st->inside.value + 1);
}

void visits_leave(struct stage_rt *st, double came_s)
{
    double now = st->flow->sim->now, since = st->flow->measure_from_s;
    double from = came_s > since ? came_s : since;

    st->visits.left++;
    st->visits.came_area -= from;
    st->visits.sojourn_area += now - from;
    level_set(&st->inside, now, st->inside.value - 1);
}

/* ------------------------------------------------------------- resources */

static void note_disk_use(struct resource_rt *r, const struct phase *p)
{
    struct disk_use *use = p->role == ROLE_DISK_WRITE ? &r->write : &r->read;

    use->requests += p->requests;
    use->bytes += p->amount;
}

bool resource_use(struct resource_rt *r, const struct phase *p, event_fn *done, void *self, uint64_t arg)
{
    if (r->station != NULL)
        return station_enter(r->station, p->amount, done, self, arg);
    if (r->desk != NULL)
        return desk_enter(r->desk, &(struct desk_job){
                                       .service_s = p->amount, .done = done, .self = self, .arg = arg}) != 0;
    if (r->disk != NULL)
        note_disk_use(r, p);
    if (r->cores != NULL)
        cores_use_memory(r->cores, p->amount, p->bytes, done, self, arg);
    else if (r->disk != NULL && p->role == ROLE_DISK_WRITE)
        disk_write(r->disk, p->requests, p->amount, done, self, arg);
    else if (r->disk != NULL)
        disk_read(r->disk, p->requests, p->amount, done, self, arg);
    else
        link_send(r->link, p->amount, done, self, arg);
    return true;
}

/* ------------------------------------------------------------- from stage to stage */

bool stage_enter(struct stage_rt *st, struct parcel *p, event_fn *put, void *self)
{
    if (st->in != NULL) {
        level_set(&st->inside, st->flow->sim->now, st->inside.value + 1);
        if (!buffer_put(st->in, p, put, self, (uint64_t)st->index))
            return false;
        st->items_in++;
        return true;
    }
    if (p->from != NULL)
        piece_taken(p->from);
    st->items_in++;
    if (st->host != NULL)
        host_receive(st, p);
    else
        stage_receive(st, p);
    return true;
}

/* Whoever may come by again must not have the luck of the first time. */
static void renew_luck(const struct stage_rt *st, struct item *it)
{
    struct rng r;

    rng_keyed(&r, 0, 0, st->def->luck, it->key, 0);
    it->key = rng_next(&r);
}

/* By its edges: the routes share (0, 1) between them, and what is left over goes out. */
static struct stage_rt *choose_route(struct stage_rt *st, struct parcel *p)
{
    const struct stage *def = st->def;
    struct flow *f = st->flow;
    struct stage_rt *next = NULL;
    double u = 0;
    struct rng r;

    if (def->routes_n > 1 || def->routes[0].upto < 1) {
        rng_keyed(&r, f->sim->seed, f->sim->replication, def->luck, p->v.it.key, rng_hash("route"));
        u = rng_uniform(&r);
    }
    for (int i = 0; i < def->routes_n && next == NULL; i++)
        if (u < def->routes[i].upto)
            next = &f->stages[def->routes[i].to];
    if (def->is_on_cycle)
        renew_luck(st, &p->v.it);
    return next;
}

bool parcel_leave(struct stage_rt *st, struct parcel *p, event_fn *put, void *self)
{
    struct stage_rt *next;

    st->units_out += p->v.it.count;
    p->v.arrived_s = st->flow->sim->now;
    p->from = st;
    if (p->call != NULL) {
        piece_taken(st);
        call_return(st->flow, p);
        return true;
    }
    next = st->def->routes_n > 0 ? choose_route(st, p) : NULL;
    if (next != NULL)
        return stage_enter(next, p, put, self);
    piece_taken(st);
    sink_receive(st->line, p);
    return true;
}
