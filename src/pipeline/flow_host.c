#include "pipeline/flow_parts.h"

#include <string.h>

static struct stage_rt *stage_of(struct host *h)
{
    return ((struct host_rt *)h)->stage;
}

/* ------------------------------------------------------------ visits */

static void note_occupied(struct stage_rt *st)
{
    level_set(&st->host->occupied, st->flow->sim->now, st->inside.value > 0);
}

static void visit_arrives(struct sim *sim, void *self, uint64_t arg)
{
    struct stage_rt *st = self;
    struct parcel *p = (struct parcel *)(uintptr_t)arg;
    const struct server *server = st->def->model->server;

    (void)sim;
    if (p->call != NULL)
        p->call->coming = 0;
    if (!st->host->passes) {
        server->arrive(st->host->state, &p->v);
        return;
    }
    if (server->pass != NULL)
        server->pass(st->host->state, &p->v);
    host_leave(&st->host->host, &p->v);
}

/* Through the calendar: whoever sent it may be in the middle of this stage's own work. */
void host_receive(struct stage_rt *st, struct parcel *p)
{
    event_id coming;

    p->v.arrived_s = st->flow->sim->now;
    p->v.own = NULL;
    st->units_in += p->v.it.count;
    st->arrived_units += p->v.it.count;
    visits_enter(st);
    note_occupied(st);
    coming = sim_after(st->flow->sim, 0, visit_arrives, st, (uint64_t)(uintptr_t)p);
    if (p->call != NULL)
        p->call->coming = coming;
}

static void visit_ends(struct stage_rt *st, struct parcel *p)
{
    visits_leave(st, p->v.arrived_s);
    note_occupied(st);
}

static void found_room(struct sim *sim, void *self, uint64_t index)
{
    struct flow *f = self;

    (void)sim;
    f->stages[index].items_in++;
}

static void leave(struct host *h, struct visit *v)
{
    struct stage_rt *st = stage_of(h);
    struct parcel *p = (struct parcel *)v;

    tally_add(&st->service_s, st->flow->sim->now - v->arrived_s);
    flow_watch(st, &v->it, 0, v->arrived_s);
    visit_ends(st, p);
    parcel_leave(st, p, found_room, st->flow);
}

/* Whoever asked hears that it failed; an item of the flow is gone. */
static void lose(struct host *h, struct visit *v)
{
    struct stage_rt *st = stage_of(h);
    struct parcel *p = (struct parcel *)v;

    if (v->it.request != NULL)
        v->it.request->failed = true;
    visit_ends(st, p);
    st->lost_units += v->it.count;
    if (p->call != NULL)
        call_return(st->flow, p);
    else
        sink_lose(st->line, p);
}

bool host_withdraw(struct stage_rt *st, struct parcel *p, event_id coming)
{
    const struct server *server = st->def->model->server;
    bool out = coming != 0 ? sim_cancel(st->flow->sim, coming)
                           : server->withdraw != NULL && server->withdraw(st->host->state, &p->v);

    if (out)
        visit_ends(st, p);
    return out;
}

/* ------------------------------------------------------------ resources */

static void use(struct host *h, enum role role, int op, double amount, double requests, event_fn *done,
                void *self, uint64_t arg)
{
    struct stage_rt *st = stage_of(h);
    bool queued;

    ASSERT(st->def->on[role] >= 0);
    if (h->instant) {
        sim_after(st->flow->sim, 0, done, self, arg);
        return;
    }
    amount *= 1 - h->spared;
    requests *= 1 - h->spared;
    st->used[role] += amount;
    if (role == ROLE_DISK_READ || role == ROLE_DISK_WRITE)
        st->disk_bytes += amount;
    else if (role != ROLE_NET && role != ROLE_MEM)
        st->op_s[op] += amount;
    queued = resource_use(&st->flow->resources[st->def->on[role]],
                          &(struct phase){.role = role, .op = op, .amount = amount, .requests = requests},
                          done, self, arg);
    ASSERT(queued); /* no stage that loses items shares a resource with one that has state */
}

static bool seize(struct host *h, enum role role, event_fn *granted, void *self, uint64_t arg)
{
    struct stage_rt *st = stage_of(h);
    struct station *station = st->flow->resources[st->def->on[role]].station;

    ASSERT(station != NULL);
    if (h->instant || station_try_seize(station))
        return true;
    station_seize(station, granted, self, arg);
    return false;
}

static void release(struct host *h, enum role role)
{
    struct stage_rt *st = stage_of(h);
    struct station *station = st->flow->resources[st->def->on[role]].station;

    if (!h->instant)
        station_leave(station);
}

/* ------------------------------------------------------------ calls */

static call_id call(struct host *h, int callee, const struct item *it, returned_fn *done, void *self,
                    uint64_t arg)
{
    struct stage_rt *st = stage_of(h);

    ASSERT(callee >= 0 && callee < CALLEES_MAX && st->def->calls[callee] >= 0);
    st->host->calls_made++;
    return call_make(&st->flow->stages[st->def->calls[callee]], it, done, self, arg);
}

static void cancel(struct host *h, call_id id)
{
    call_cancel(stage_of(h)->flow, id);
}

static const struct host_ops ops = {use, seize, release, call, cancel, leave, lose};

/* ------------------------------------------------------------ beginning */

static bool is_shared(const struct scenario *s, const struct stage *st, int resource)
{
    for (int i = 0; i < s->stages_n; i++)
        for (enum role r = 0; &s->stages[i] != st && r < ROLES; r++)
            if (s->stages[i].on[r] == resource)
                return true;
    return false;
}

static void describe(const struct stage_rt *st, struct host *h)
{
    const struct scenario *s = st->flow->s;

    for (enum role r = 0; r < ROLES; r++) {
        int on = st->def->on[r];

        h->count[r] = on >= 0 ? s->resources[on].count : 0;
        h->is_shared[r] = on >= 0 && is_shared(s, st->def, on);
    }
    for (int i = 0; i < CALLEES_MAX; i++)
        h->has_callee[i] = st->def->calls[i] >= 0;
}

void host_open(struct stage_rt *st)
{
    struct sim *sim = st->flow->sim;
    struct host_rt *h = ARENA_NEW(sim->arena, struct host_rt);

    h->stage = st;
    h->passes = st->def->instant && st->def->calls_n == 0;
    h->host = (struct host){
        .sim = sim,
        .ops = &ops,
        .name = st->def->name,
        .luck = {.seed = sim->seed, .stage = st->def->luck, .replication = sim->replication},
        .op_s = st->op_s,
        .instant = st->def->instant,
        .spared = st->def->spared,
    };
    describe(st, &h->host);
    st->host = h;
    h->state = st->def->model->server->open(st->def->cfg, &h->host);
}

void host_begin_measuring(struct stage_rt *st)
{
    const struct server *server = st->def->model->server;
    struct host_rt *h = st->host;

    level_start(&h->occupied, st->flow->sim->now, h->occupied.value);
    h->calls_made = 0;
    if (server->begin_measuring != NULL)
        server->begin_measuring(h->state);
}
