#include "models/inference.h"

#include "engine/stats.h"

#include <math.h>

/* A request, from coming to leaving: some of its texts wait, some are in batches, some are done. */
struct encode {
    struct visit *visit;
    struct encoder *owner;
    long waiting, running;
    double tokens; /* of one text */
    double came_s;
    struct encode *next, *next_free;
};

/* Texts of one request in one batch. */
struct share {
    struct encode *of;
    long texts;
    struct share *next;
};

struct batch {
    struct encoder *owner;
    struct share *shares;
    long threads_left;
    double seconds;
    struct batch *next_free;
};

struct encoder {
    const struct inference_cfg *c;
    struct host *host;
    struct encode *first, **last; /* who has texts waiting, oldest first */
    long waiting, running;        /* texts; batches */
    bool asking;                  /* one batch at a time asks for a GPU: it is filled when it gets it */
    event_id alarm;
    uint64_t batches, texts_in, texts_out;
    struct tally size;
    struct encode *free_encode;
    struct batch *free_batch;
    struct share *free_share;
};

static void consider(struct encoder *e);

/* ------------------------------------------------------------------------------------------- batches */

static struct share *share_new(struct encoder *e)
{
    struct share *s = e->free_share;

    if (s == NULL)
        return ARENA_NEW(e->host->sim->arena, struct share);
    e->free_share = s->next;
    return s;
}

static void take_from_first(struct encoder *e, struct batch *b, long room)
{
    struct encode *x = e->first;
    struct share *s = share_new(e);

    *s = (struct share){.of = x, .texts = x->waiting < room ? x->waiting : room, .next = b->shares};
    b->shares = s;
    x->waiting -= s->texts;
    x->running += s->texts;
    if (x->waiting > 0)
        return;
    e->first = x->next;
    if (e->first == NULL)
        e->last = &e->first;
}

/* What waits now, up to max_batch. */
static struct batch *fill(struct encoder *e)
{
    struct batch *b = e->free_batch;
    long room = e->c->max_batch;
    double tokens = 0;
    uint64_t key = e->first->visit->it.key;
    struct rng r;

    if (b != NULL)
        e->free_batch = b->next_free;
    else
        b = ARENA_NEW(e->host->sim->arena, struct batch);
    *b = (struct batch){.owner = e};
    while (room > 0 && e->first != NULL) {
        take_from_first(e, b, room);
        room -= b->shares->texts;
        tokens += b->shares->of->tokens * (double)b->shares->texts;
    }
    e->waiting -= e->c->max_batch - room;
    rng_keyed(&r, e->host->luck.seed, e->host->luck.replication, e->host->luck.stage, key, 2);
    b->seconds = inference_batch_s(e->c, tokens) * rng_lognormal(&r, 1, e->c->cv);
    tally_add(&e->size, (double)(e->c->max_batch - room));
    e->batches++;
    return b;
}

static void finish(struct encode *x)
{
    struct encoder *e = x->owner;
    struct request *r = x->visit->it.request;

    if (r != NULL)
        r->usd += e->c->usd_per_1m_tokens * 1e-6 * x->tokens * inference_texts(e->c);
    host_leave(e->host, x->visit);
    x->next_free = e->free_encode;
    e->free_encode = x;
}

static void batch_done(struct batch *b)
{
    struct encoder *e = b->owner;
    struct share *s = b->shares;

    e->running--;
    while (s != NULL) {
        struct share *next = s->next;
        struct encode *x = s->of;

        x->running -= s->texts;
        e->texts_out += (uint64_t)s->texts;
        if (x->running == 0 && x->waiting == 0)
            finish(x);
        s->next = e->free_share;
        e->free_share = s;
        s = next;
    }
    b->next_free = e->free_batch;
    e->free_batch = b;
    consider(e);
}

static void gpu_done(struct sim *sim, void *self, uint64_t arg)
{
    struct batch *b = self;

    (void)sim;
    (void)arg;
    host_release(b->owner->host, ROLE_GPU);
    batch_done(b);
}

static void thread_done(struct sim *sim, void *self, uint64_t arg)
{
    struct batch *b = self;

    (void)sim;
    (void)arg;
    if (--b->threads_left == 0)
        batch_done(b);
}

static void granted(struct encoder *e)
{
    e->asking = false;
    if (e->waiting > 0) {
        struct batch *b = fill(e);
        double seconds = host_time(e->host, b->seconds);

        e->host->op_s[0] += seconds;
        sim_after(e->host->sim, seconds, gpu_done, b, 0);
    } else { /* whoever it was asked for was called away meanwhile */
        e->running--;
        host_release(e->host, ROLE_GPU);
    }
}

static void on_gpu(struct sim *sim, void *self, uint64_t arg)
{
    (void)sim;
    (void)arg;
    granted(self);
    consider(self);
}

static void on_cores(struct encoder *e)
{
    struct batch *b = fill(e);

    b->threads_left = e->c->threads;
    for (long i = 0; i < e->c->threads; i++)
        host_use(e->host, ROLE_CPU, 0, b->seconds / (double)e->c->threads, 0, thread_done, b, 0);
}

/* ------------------------------------------------------------------------------------- when to start */

static void alarmed(struct sim *sim, void *self, uint64_t arg)
{
    struct encoder *e = self;

    (void)sim;
    (void)arg;
    e->alarm = 0;
    consider(e);
}

static void begin_batch(struct encoder *e)
{
    e->running++;
    if (e->c->threads > 0) {
        on_cores(e);
        return;
    }
    e->asking = true;
    if (host_seize(e->host, ROLE_GPU, on_gpu, e, 0))
        granted(e);
}

/* Starts what may start; otherwise sees to it that the oldest text does not wait too long. */
static void consider(struct encoder *e)
{
    struct sim *sim = e->host->sim;

    while (e->waiting > 0 && e->running < e->c->replicas && !e->asking) {
        double due = e->first->came_s + e->c->max_wait;

        if (e->waiting < e->c->max_batch && due > sim->now) {
            if (e->alarm == 0)
                e->alarm = sim_at(sim, due, PRIO_NORMAL, alarmed, e, 0);
            return;
        }
        if (e->alarm != 0) { /* it was set for a text that is on its way now */
            sim_cancel(sim, e->alarm);
            e->alarm = 0;
        }
        begin_batch(e);
    }
}

/* ----------------------------------------------------------------------------------------- the server */

static void arrive(void *state, struct visit *v)
{
    struct encoder *e = state;
    struct encode *x = e->free_encode;

    if (x != NULL)
        e->free_encode = x->next_free;
    else
        x = ARENA_NEW(e->host->sim->arena, struct encode);
    *x = (struct encode){.visit = v, .owner = e, .came_s = e->host->sim->now};
    x->waiting = (long)inference_texts(e->c);
    x->tokens = luck_law(&e->c->tokens, &v->it, &e->host->luck, 1);
    v->own = x;
    e->waiting += x->waiting;
    e->texts_in += (uint64_t)x->waiting;
    *e->last = x;
    e->last = &x->next;
    consider(e);
}

/* Texts that no batch has taken yet can be called back. */
static bool withdraw(void *state, struct visit *v)
{
    struct encoder *e = state;
    struct encode *x = v->own, **at = &e->first;

    if (x->running > 0 || x->waiting < (long)inference_texts(e->c))
        return false;
    while (*at != x)
        at = &(*at)->next;
    *at = x->next;
    if (e->last == &x->next)
        e->last = at;
    e->waiting -= x->waiting;
    e->texts_in -= (uint64_t)x->waiting;
    x->next_free = e->free_encode;
    e->free_encode = x;
    return true;
}

static void *open_encoder(const void *cfg, struct host *h)
{
    struct encoder *e = ARENA_NEW(h->sim->arena, struct encoder);

    e->c = cfg;
    e->host = h;
    e->last = &e->first;
    return e;
}

static void begin_measuring(void *state)
{
    struct encoder *e = state;

    e->batches = 0;
    e->size = (struct tally){0};
}

static int report(const void *state, struct figure *out, int room)
{
    const struct encoder *e = state;

    ASSERT(room >= 2);
    out[0] = (struct figure){"batches", (double)e->batches};
    out[1] = (struct figure){"batch_texts_mean", e->size.mean};
    return 2;
}

static void assert_laws(const void *state)
{
    const struct encoder *e = state;
    long waiting = 0;

    for (const struct encode *x = e->first; x != NULL; x = x->next)
        waiting += x->waiting;
    ASSERT(waiting == e->waiting);
    ASSERT(e->running >= 0 && e->running <= e->c->replicas);
    ASSERT(e->texts_out + (uint64_t)waiting <= e->texts_in);
}

const struct server inference_server = {
    .open = open_encoder,
    .arrive = arrive,
    .withdraw = withdraw,
    .begin_measuring = begin_measuring,
    .report = report,
    .assert_laws = assert_laws,
};
