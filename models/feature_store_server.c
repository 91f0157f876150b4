#include "models/feature_store.h"

#include "engine/cache.h"
#include "engine/ring.h"
#include "models/zipf.h"

#include <math.h>
#include <string.h>

enum { LUCK_KEYS = 1, LUCK_SHARDS = 64 };

struct shard {
    long running;
    struct ring waiting; /* struct part * */
};

struct asking {
    struct store *owner;
    struct visit *visit;
    long parts;
    struct asking *next_free;
};

/* The keys of one look-up that live on one shard. */
struct part {
    struct asking *of;
    struct shard *at;
    double seconds;
    struct part *next_free;
};

struct store {
    const struct feature_store_cfg *c;
    struct host *host;
    struct shard *shards;
    long *keys_on; /* of the look-up that is being cut up */
    struct zipf popularity;
    struct cache *near; /* NULL: nothing is kept */
    struct asking *free_lookup;
    struct part *free_part;
    uint64_t arrived, left, asked_shards, lookups;
};

/* Stale values cost quality, whoever judges it. */
static void pass(void *state, struct visit *v)
{
    const struct store *s = state;
    struct request *r = v->it.request;

    if (r != NULL && s->c->quality.n > 0)
        r->quality = (isnan(r->quality) ? 1 : r->quality) * curve_at(&s->c->quality, s->c->lag);
}

static void leave(struct asking *l)
{
    struct store *s = l->owner;

    pass(s, l->visit);
    s->left++;
    host_leave(s->host, l->visit);
    l->next_free = s->free_lookup;
    s->free_lookup = l;
}

static void part_begin(struct part *p);

static void part_done(struct sim *sim, void *self, uint64_t arg)
{
    struct part *p = self;
    struct asking *l = p->of;
    struct store *s = l->owner;
    struct shard *at = p->at;

    (void)sim;
    (void)arg;
    p->next_free = s->free_part;
    s->free_part = p;
    if (at->waiting.count > 0)
        part_begin(*(struct part **)ring_pop(&at->waiting, sizeof(struct part *)));
    else
        at->running--;
    if (--l->parts == 0)
        leave(l);
}

static void part_begin(struct part *p)
{
    host_use(p->of->owner->host, ROLE_CPU, 0, p->seconds, 0, part_done, p, 0);
}

static void part_arrives(struct sim *sim, void *self, uint64_t arg)
{
    struct part *p = self;
    struct store *s = p->of->owner;

    (void)arg;
    if (s->c->threads == 0 || p->at->running < s->c->threads) {
        p->at->running++;
        part_begin(p);
    } else
        *(struct part **)ring_push(&p->at->waiting, sim->arena, sizeof p) = p;
}

static void ask(struct asking *l, long shard, long keys)
{
    struct store *s = l->owner;
    const struct feature_store_cfg *c = s->c;
    const struct luck *k = &s->host->luck;
    struct part *p = s->free_part;
    struct rng r;

    if (p != NULL)
        s->free_part = p->next_free;
    else
        p = ARENA_NEW(s->host->sim->arena, struct part);
    *p = (struct part){.of = l, .at = &s->shards[shard]};
    rng_keyed(&r, k->seed, k->replication, k->stage, l->visit->it.key, LUCK_SHARDS + (uint64_t)shard);
    p->seconds = (c->overhead + c->per_key * (double)keys) * rng_lognormal(&r, 1, c->cv);
    if (rng_uniform(&r) < c->slow_frac)
        p->seconds *= c->slow_factor;
    s->asked_shards++;
    sim_after(s->host->sim, law_draw(&c->rtt, &r), part_arrives, p, 0);
}

/* Which keys are not near, and on which shards they lie. */
static long cut_up(struct asking *l)
{
    struct store *s = l->owner;
    const struct luck *k = &s->host->luck;
    long asked = 0;
    struct rng r;

    memset(s->keys_on, 0, (size_t)s->c->shards * sizeof *s->keys_on);
    rng_keyed(&r, k->seed, k->replication, k->stage, l->visit->it.key, LUCK_KEYS);
    for (long i = 0; i < s->c->keys; i++) {
        uint64_t entity = s->near != NULL ? zipf_draw(&s->popularity, &r) : 0;
        uint64_t shard = rng_below(&r, (uint64_t)s->c->shards);

        if (s->near == NULL || !cache_ask(s->near, entity, 1))
            asked += s->keys_on[shard]++ == 0;
    }
    return asked;
}

static void online(struct asking *l)
{
    struct store *s = l->owner;

    s->lookups++;
    l->parts = cut_up(l);
    if (l->parts == 0) {
        leave(l);
        return;
    }
    for (long i = 0; i < s->c->shards; i++)
        if (s->keys_on[i] > 0)
            ask(l, i, s->keys_on[i]);
}

/* ------------------------------------------------------------------------------------------- offline */

static void join_written(struct sim *sim, void *self, uint64_t arg)
{
    struct asking *l = self;
    const struct feature_store_cfg *c = l->owner->c;

    (void)sim;
    (void)arg;
    l->visit->it.bytes = l->visit->it.rows * (c->label_row_bytes + c->features * c->value_bytes);
    leave(l);
}

static void join_merged(struct sim *sim, void *self, uint64_t arg)
{
    struct asking *l = self;
    struct join_bytes j = feature_store_join(l->owner->c, l->visit->it.rows);

    (void)sim;
    (void)arg;
    host_use(l->owner->host, ROLE_DISK_WRITE, 1, j.written, 1, join_written, l, 0);
}

static void join_read(struct sim *sim, void *self, uint64_t arg)
{
    struct asking *l = self;
    struct join_bytes j = feature_store_join(l->owner->c, l->visit->it.rows);

    (void)sim;
    (void)arg;
    host_use(l->owner->host, ROLE_CPU, 1, j.cpu_s, 0, join_merged, l, 0);
}

/* ----------------------------------------------------------------------------------------- the server */

static void arrive(void *state, struct visit *v)
{
    struct store *s = state;
    struct asking *l = s->free_lookup;

    if (l != NULL)
        s->free_lookup = l->next_free;
    else
        l = ARENA_NEW(s->host->sim->arena, struct asking);
    *l = (struct asking){.owner = s, .visit = v};
    s->arrived++;
    if (s->c->mode == FEATURES_ONLINE)
        online(l);
    else
        host_use(s->host, ROLE_DISK_READ, 1, feature_store_join(s->c, v->it.rows).read, 1, join_read, l, 0);
}

static void *open_store(const void *cfg, struct host *h)
{
    const struct feature_store_cfg *c = cfg;
    struct store *s = ARENA_NEW(h->sim->arena, struct store);

    s->c = c;
    s->host = h;
    s->shards = arena_array(h->sim->arena, (size_t)c->shards, sizeof *s->shards);
    s->keys_on = arena_array(h->sim->arena, (size_t)c->shards, sizeof *s->keys_on);
    zipf_init(&s->popularity, (double)c->entities, c->skew);
    if (c->cache_entries > 0)
        s->near = cache_new(h->sim, CACHE_LRU, c->cache_entries);
    return s;
}

static void begin_measuring(void *state)
{
    struct store *s = state;

    if (s->near != NULL)
        cache_begin_measuring(s->near);
    s->asked_shards = s->lookups = 0;
}

static int report(const void *state, struct figure *out, int room)
{
    const struct store *s = state;
    int n = 0;

    ASSERT(room >= 3);
    if (s->c->mode == FEATURES_OFFLINE)
        return 0;
    out[n++] = (struct figure){"shards_asked_mean", (double)s->asked_shards / fmax(1, (double)s->lookups)};
    if (s->near != NULL)
        out[n++] = (struct figure){"cache_hit_frac", cache_stats(s->near).hit_frac};
    if (s->c->quality.n > 0)
        out[n++] = (struct figure){"freshness_quality_frac", curve_at(&s->c->quality, s->c->lag)};
    return n;
}

static void assert_laws(const void *state)
{
    const struct store *s = state;

    ASSERT(s->left <= s->arrived);
    for (long i = 0; i < s->c->shards; i++) {
        ASSERT(s->shards[i].running >= 0);
        ASSERT(s->shards[i].waiting.count == 0 || s->shards[i].running == s->c->threads);
    }
}

const struct server feature_store_server = {
    .open = open_store,
    .arrive = arrive,
    .pass = pass,
    .begin_measuring = begin_measuring,
    .report = report,
    .assert_laws = assert_laws,
};
