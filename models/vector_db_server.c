#include "models/vector_db.h"

#include "engine/cache.h"
#include "engine/ring.h"
#include "models/zipf.h"

#include <math.h>

/* One replica of one shard. */
struct node {
    long running;
    struct ring waiting; /* struct part * */
};

struct query {
    struct db *db;
    struct visit *visit;
    long legs; /* shards and the keyword leg that have not answered */
    uint64_t asks;
    struct query *next_free;
};

/* A query at one node. */
struct part {
    struct query *query;
    struct node *node;
    struct vector_work work;
    long legs, rounds;
    struct part *next_free;
};

struct db {
    const struct vector_db_cfg *c;
    struct host *host;
    struct node *nodes; /* [shard][replica] */
    long threads;
    struct vector_work lists_none, lists_mean; /* a node's work when its lists are empty, and on average */
    struct zipf popularity;
    struct cache *answers; /* NULL: nothing is kept */
    struct hosted hosted;
    struct query *free_query;
    struct part *free_part;
    double recall, uncompacted;
    uint64_t arrived, answered, searches, compactions;
};

static void luck_of(const struct db *db, const struct visit *v, uint64_t purpose, struct rng *r)
{
    rng_keyed(r, db->host->luck.seed, db->host->luck.replication, db->host->luck.stage, v->it.key, purpose);
}

/* ------------------------------------------------------------------------------------------- answers */

static void note(const struct db *db, const struct visit *v, bool failed)
{
    struct request *r = v->it.request;

    if (r == NULL || db->c->operation == VECTORS_INSERT)
        return;
    r->recall = failed ? 0 : db->recall;
    r->passages = failed ? 0 : db->c->k;
    r->usd += db->c->usd_per_query;
    r->failed = r->failed || failed;
}

static void pass(void *state, struct visit *v)
{
    note(state, v, false);
}

static void answer(struct query *q, bool failed)
{
    struct db *db = q->db;
    struct visit *v = q->visit;

    note(db, v, failed);
    db->answered++;
    q->next_free = db->free_query;
    db->free_query = q;
    host_leave(db->host, v);
}

static void leg_done(struct sim *sim, void *self, uint64_t arg)
{
    struct query *q = self;

    (void)sim;
    (void)arg;
    if (--q->legs == 0)
        answer(q, false);
}

/* --------------------------------------------------------------------------------------------- nodes */

static void part_begin(struct part *p);

static void part_end(struct part *p)
{
    struct query *q = p->query;
    struct db *db = q->db;
    struct node *n = p->node;

    p->next_free = db->free_part;
    db->free_part = p;
    if (n->waiting.count > 0) /* the thread goes on with the next search */
        part_begin(*(struct part **)ring_pop(&n->waiting, sizeof(struct part *)));
    else
        n->running--;
    leg_done(db->host->sim, q, 0);
}

static void part_leg_done(struct sim *sim, void *self, uint64_t arg)
{
    struct part *p = self;

    (void)sim;
    (void)arg;
    if (--p->legs == 0)
        part_end(p);
}

static void round_read(struct sim *sim, void *self, uint64_t arg);

/* What was read is scored; then the next nodes to read are known. */
static void round_scored(struct sim *sim, void *self, uint64_t arg)
{
    struct part *p = self;

    if (--p->rounds > 0)
        round_read(sim, p, arg);
    else
        part_end(p);
}

static void round_score(struct sim *sim, void *self, uint64_t arg)
{
    struct part *p = self;

    (void)sim;
    (void)arg;
    host_use(p->query->db->host, ROLE_CPU, VECTOR_SEARCH, p->work.cpu_s, 0, round_scored, p, 0);
}

static void round_read(struct sim *sim, void *self, uint64_t arg)
{
    struct part *p = self;

    (void)sim;
    (void)arg;
    host_use(p->query->db->host, ROLE_DISK_READ, VECTOR_SSD, p->work.io_bytes, p->work.ios, round_score, p,
             0);
}

/* The work of this search: its luck, and the lengths of the lists it happens to meet. */
static void draw_work(struct part *p)
{
    struct db *db = p->query->db;
    const struct vector_db_cfg *c = db->c;
    const struct vector_work *a = &db->lists_none, *b = &db->lists_mean;
    double noise, lists = 1;
    struct rng r;

    luck_of(db, p->query->visit, VECTOR_LUCK_NODES + (uint64_t)(p->node - db->nodes) / (uint64_t)c->replicas,
            &r);
    noise = rng_lognormal(&r, 1, c->cv);
    if (c->index == INDEX_IVF && c->list_cv > 0)
        lists = rng_lognormal(&r, 1, c->list_cv / sqrt((double)c->nprobe));
    p->work = *b;
    p->work.cpu_s = noise * (a->cpu_s + lists * (b->cpu_s - a->cpu_s));
    p->work.mem_bytes = a->mem_bytes + lists * (b->mem_bytes - a->mem_bytes);
}

static void part_begin(struct part *p)
{
    struct db *db = p->query->db;
    struct host *h = db->host;
    long wide = db->c->parallel;
    bool has_bus = h->count[ROLE_MEM] > 0;

    draw_work(p);
    db->searches++;
    if (p->work.io_rounds >= 1) {
        p->rounds = (long)p->work.io_rounds;
        p->work.cpu_s /= p->work.io_rounds;
        p->work.ios /= p->work.io_rounds;
        p->work.io_bytes /= p->work.io_rounds;
        round_read(h->sim, p, 0);
        return;
    }
    p->legs = wide + has_bus;
    if (has_bus) /* bytes cross the bus while cores go through them: done when both are */
        host_use(h, ROLE_MEM, VECTOR_MEMORY, p->work.mem_bytes, 0, part_leg_done, p, 0);
    for (long i = 0; i < wide; i++)
        host_use(h, ROLE_CPU, VECTOR_SEARCH, p->work.cpu_s / (double)wide, 0, part_leg_done, p, 0);
}

static struct node *choose_replica(struct db *db, const struct visit *v, long shard)
{
    struct node *of = &db->nodes[shard * db->c->replicas], *best = of;
    struct rng r;

    if (db->c->replicas == 1)
        return of;
    luck_of(db, v, VECTOR_LUCK_ROUTE, &r);
    if (db->c->routing == ROUTE_RANDOM)
        return of + rng_below(&r, (uint64_t)db->c->replicas);
    for (struct node *n = of + 1; n < of + db->c->replicas; n++)
        if (n->running + (long)n->waiting.count < best->running + (long)best->waiting.count)
            best = n;
    return best;
}

static void ask_shard(struct query *q, long shard)
{
    struct db *db = q->db;
    struct node *n = choose_replica(db, q->visit, shard);
    struct part *p = db->free_part;

    if (p != NULL)
        db->free_part = p->next_free;
    else
        p = ARENA_NEW(db->host->sim->arena, struct part);
    *p = (struct part){.query = q, .node = n};
    if (n->running < db->threads) {
        n->running++;
        part_begin(p);
    } else
        *(struct part **)ring_push(&n->waiting, db->host->sim->arena, sizeof p) = p;
}

/* ------------------------------------------------------------------------------------------- queries */

static bool is_kept(struct db *db, const struct visit *v)
{
    struct rng r;

    if (db->answers == NULL)
        return false;
    luck_of(db, v, VECTOR_LUCK_QUERY, &r);
    return cache_ask(db->answers, zipf_draw(&db->popularity, &r), 1);
}

static void query_fan(struct sim *sim, void *self, uint64_t arg)
{
    struct query *q = self;
    struct db *db = q->db;
    struct host *h = db->host;
    double keyword;

    (void)sim;
    (void)arg;
    if (is_kept(db, q->visit)) {
        answer(q, false);
        return;
    }
    keyword = luck_law(&db->c->keyword, &q->visit->it, &h->luck, VECTOR_LUCK_KEYWORD);
    q->legs = db->c->shards + (keyword > 0);
    if (keyword > 0)
        host_use(h, ROLE_CPU, VECTOR_KEYWORD, keyword, 0, leg_done, q, 0);
    for (long s = 0; s < db->c->shards; s++)
        ask_shard(q, s);
}

static void hosted_done(struct sim *sim, void *self, uint64_t arg)
{
    (void)sim;
    answer(self, arg == 0);
}

static void query_front(struct sim *sim, void *self, uint64_t arg)
{
    struct query *q = self;
    struct db *db = q->db;

    (void)sim;
    (void)arg;
    if (db->c->index == INDEX_HOSTED)
        hosted_ask(&db->hosted, q->visit->it.key, hosted_done, q);
    else
        host_use(db->host, ROLE_CPU, VECTOR_FRONT, db->c->overhead, 0, query_fan, q, 0);
}

/* -------------------------------------------------------------------------------------------- writes */

static void compacted(struct sim *sim, void *self, uint64_t arg)
{
    struct db *db = self;

    (void)sim;
    (void)arg;
    db->compactions++;
}

static void written(struct sim *sim, void *self, uint64_t arg)
{
    struct query *q = self;
    struct db *db = q->db;
    double every = (double)db->c->compact_every;

    (void)sim;
    (void)arg;
    db->uncompacted += q->visit->it.count;
    while (every > 0 && db->uncompacted >= every) { /* nobody waits for it, but it takes the cores */
        db->uncompacted -= every;
        host_use(db->host, ROLE_CPU, VECTOR_COMPACT, every * vector_db_insert_s(db->c), 0, compacted, db, 0);
    }
    db->answered++;
    host_leave(db->host, q->visit);
    q->next_free = db->free_query;
    db->free_query = q;
}

static void arrive(void *state, struct visit *v)
{
    struct db *db = state;
    struct query *q = db->free_query;
    double rtt = luck_law(&db->c->rtt, &v->it, &db->host->luck, VECTOR_LUCK_RTT);

    if (q != NULL)
        db->free_query = q->next_free;
    else
        q = ARENA_NEW(db->host->sim->arena, struct query);
    *q = (struct query){.db = db, .visit = v};
    db->arrived++;
    if (db->c->operation == VECTORS_SEARCH)
        sim_after(db->host->sim, rtt, query_front, q, 0);
    else
        host_use(db->host, ROLE_CPU, VECTOR_INSERT, db->c->overhead + v->it.count * vector_db_insert_s(db->c),
                 0, written, q, 0);
}

/* ----------------------------------------------------------------------------------------- the server */

static void *open_db(const void *cfg, struct host *h)
{
    const struct vector_db_cfg *c = cfg;
    struct db *db = ARENA_NEW(h->sim->arena, struct db);
    long nodes = c->shards * c->replicas;

    db->c = c;
    db->host = h;
    db->nodes = arena_array(h->sim->arena, (size_t)nodes, sizeof *db->nodes);
    db->threads = c->threads > 0 ? c->threads : (long)fmax(1, (double)(h->count[ROLE_CPU] / nodes));
    db->recall = vector_recall(c);
    db->lists_none = vector_db_node_work(c, 0);
    db->lists_mean = vector_db_node_work(c, 1);
    zipf_init(&db->popularity, (double)c->distinct_queries, c->query_skew);
    if (c->cache_entries > 0)
        db->answers = cache_new(h->sim, CACHE_LRU, c->cache_entries);
    hosted_init(&db->hosted, c, h);
    return db;
}

static void begin_measuring(void *state)
{
    struct db *db = state;

    if (db->answers != NULL)
        cache_begin_measuring(db->answers);
    db->hosted.asked = db->hosted.refused = db->hosted.failed = 0;
    db->compactions = 0;
}

static int report(const void *state, struct figure *out, int room)
{
    const struct db *db = state;
    const struct vector_db_cfg *c = db->c;
    int n = 0;

    ASSERT(room >= 6);
    if (c->operation == VECTORS_INSERT) {
        out[n++] = (struct figure){"compactions", (double)db->compactions};
        return n;
    }
    out[n++] = (struct figure){"recall_frac", db->recall};
    if (c->index == INDEX_HOSTED) {
        double asked = fmax(1, (double)db->hosted.asked);

        out[n++] = (struct figure){"refused_frac", (double)db->hosted.refused / asked};
        out[n++] = (struct figure){"failed_frac", (double)db->hosted.failed / asked};
        return n;
    }
    out[n++] = (struct figure){"index_memory_bytes", vector_memory_bytes(c)};
    if (c->index == INDEX_SSD_GRAPH)
        out[n++] = (struct figure){"index_ssd_bytes", vector_ssd_bytes(c)};
    if (db->answers != NULL)
        out[n++] = (struct figure){"answer_cache_hit_frac", cache_stats(db->answers).hit_frac};
    return n;
}

static void assert_laws(const void *state)
{
    const struct db *db = state;

    ASSERT(db->answered <= db->arrived);
    for (long i = 0; i < db->c->shards * db->c->replicas; i++) {
        const struct node *n = &db->nodes[i];

        ASSERT(n->running >= 0 && n->running <= db->threads);
        ASSERT(n->waiting.count == 0 || n->running == db->threads); /* nobody waits beside an idle thread */
    }
}

const struct server vector_db_server = {
    .open = open_db,
    .arrive = arrive,
    .pass = pass,
    .begin_measuring = begin_measuring,
    .report = report,
    .assert_laws = assert_laws,
};
