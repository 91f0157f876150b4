#include "study/replay/llm_drive.h"

#include "calibrate/resolve_rows.h"
#include "store/serving.h"

#include <math.h>
#include <string.h>

/* ------------------------------------------------------------ settings */

static int recorded_costs(void *ctx, const char *ref, struct arena *a, struct cost_row **rows, size_t *n,
                          struct err *err)
{
    struct replay *r = ctx;
    struct operator_cost *found;
    int64_t trace;

    TRY(replay_import(r, ref + strlen("trace:"), &trace, err));
    TRY(operator_cost_load(r->store, trace, a, &found, n, err));
    *rows = resolve_measured_costs(found, *n, a);
    return 0;
}

static int no_document(void *ctx, const char *name, struct arena *a, const struct json **out, struct err *err)
{
    (void)ctx, (void)a, (void)out;
    return err_set(err, ERR_SCENARIO, "\"%s\": a replay case writes its hardware and model out", name);
}

int llm_configure(struct replay *r, const struct json *params, const char *where, void **cfg, struct err *err)
{
    const struct model *m = model_find("llm_serving");
    struct lookup lookup = {.ctx = r, .costs = recorded_costs, .document = no_document};
    struct model_env env = {.where = where, .arena = r->arena, .lookup = &lookup};

    *cfg = arena_alloc(r->arena, m->cfg_size);
    if (param_load(m->params, params, where, r->arena, *cfg, err) != 0 || m->check(*cfg, &env, err) != 0)
        return err_at(err, "%s", r->c->path);
    return 0;
}

/* ------------------------------------------------------------ the host */

struct drive {
    struct host host; /* first: a host is a drive */
    double op_s[8];
    const struct server *server;
    void *state;
    struct llm_driven *q;
    long n, next, clients;
};

static struct llm_driven *driven_of(struct visit *v)
{
    return (struct llm_driven *)((char *)v - offsetof(struct llm_driven, visit));
}

static void comes(struct sim *sim, void *self, uint64_t i)
{
    struct drive *d = self;
    struct llm_driven *q = &d->q[i];

    q->at_s = q->visit.arrived_s = sim->now;
    d->server->arrive(d->state, &q->visit);
}

static void next_comes(struct drive *d, double at_s)
{
    if (d->next < d->n)
        sim_at(d->host.sim, fmax(at_s, d->host.sim->now), PRIO_NORMAL, comes, d, (uint64_t)d->next++);
}

static void comes_in_time(struct sim *sim, void *self, uint64_t i)
{
    struct drive *d = self;

    comes(sim, self, i);
    if ((long)i + 1 < d->n)
        sim_at(sim, fmax(d->q[i + 1].at_s, sim->now), PRIO_NORMAL, comes_in_time, d, i + 1);
}

static void leave(struct host *h, struct visit *v)
{
    struct drive *d = (struct drive *)h;
    struct llm_driven *q = driven_of(v);

    q->left_s = h->sim->now;
    q->queue_s = q->request.queue_s;
    q->ttft_s = q->request.ttft_s;
    q->tpot_s = q->request.tpot_s;
    if (d->clients > 0)
        next_comes(d, h->sim->now);
}

static void lose(struct host *h, struct visit *v)
{
    driven_of(v)->lost = true;
    leave(h, v);
}

static bool seize(struct host *h, enum role role, event_fn *granted, void *self, uint64_t arg)
{
    (void)h, (void)role, (void)granted, (void)self, (void)arg;
    return true;
}

static void release(struct host *h, enum role role)
{
    (void)h, (void)role;
}

static void prepare(struct llm_driven *q, long i)
{
    q->request = (struct request){.id = (uint64_t)i,
                                  .input_tokens = q->input,
                                  .output_tokens = q->output,
                                  .blocks = q->blocks,
                                  .blocks_n = q->blocks_n,
                                  .block_tokens = q->block_tokens,
                                  .queue_s = NAN,
                                  .ttft_s = NAN,
                                  .tpot_s = NAN};
    q->visit = (struct visit){.it = {.key = (uint64_t)i, .count = 1, .request = &q->request}};
}

int llm_drive(const void *cfg, struct llm_driven *q, long n, long clients, long gpus, uint64_t seed,
              struct figure *figures, int room)
{
    static const struct host_ops ops = {.seize = seize, .release = release, .leave = leave, .lose = lose};
    struct drive d = {.server = model_find("llm_serving")->server, .q = q, .n = n, .clients = clients};
    int found;

    d.host = (struct host){.sim = sim_new(seed, 0), .ops = &ops, .name = "llm", .op_s = d.op_s};
    d.host.count[ROLE_GPU] = gpus;
    d.state = d.server->open(cfg, &d.host);
    for (long i = 0; i < n; i++)
        prepare(&q[i], i);
    if (clients == 0 && n > 0)
        sim_at(d.host.sim, q[0].at_s, PRIO_NORMAL, comes_in_time, &d, 0);
    for (long i = 0; i < clients; i++)
        next_comes(&d, 0);
    sim_run(d.host.sim, INFINITY);
    d.server->assert_laws(d.state);
    found = d.server->report(d.state, figures, room);
    sim_free(d.host.sim);
    return found;
}

double llm_figure(const struct figure *f, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(f[i].name, name) == 0)
            return f[i].value;
    return NAN;
}
