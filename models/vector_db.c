/*
 * vector_db.c - a vector database: shards and replicas, search threads, writes, a cache of answers.
 *
 * A query passes the front (rtt, overhead), goes to one replica of every shard and is answered when the
 * slowest shard has answered.  A shard's node runs `threads` searches at a time and queues the rest; one
 * search may use `parallel` threads over its segments.  All nodes' work runs on the cores bound to "cpu";
 * bound to "mem", the codes it reads also cross that bus, and to "disk" the sectors of an SSD graph.
 *
 *     node's search = sum over its segments of vector_search_work(vectors / shards / segments) x noise
 *
 * A stage with operation "insert" writes what flows through it: each document is indexed in every replica,
 * and every `compact_every` documents a segment is rebuilt in the background.  It competes with the queries
 * of another stage because both name the same cores.
 *
 * Left out: an index that grows during the run; network links between nodes (rtt stands for them).
 */
#include "models/vector_db.h"

#include "models/fits.h"
#include "models/zipf.h"

#include <math.h>

static const struct op_info ops[] = {{"front", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {"search", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {"keyword", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {"ssd", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {"memory", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {"insert", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {"compact", NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {NULL, NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT}};
static const char *const roles[] = {NULL}; /* which are needed follows from the index */

static const char *const operation_names[] = {"search", "insert", NULL};
static const char *const index_names[] = {"flat", "ivf", "hnsw", "ssd_graph", "hosted", NULL};
static const char *const code_names[] = {"float32", "float16", "int8", "pq", NULL};
static const char *const filter_names[] = {"best", "post", "pre", NULL};
static const char *const routing_names[] = {"least_loaded", "random", NULL};

#define T struct vector_db_cfg
static const struct param params[] = {
    CHOICE(T, operation, "search", operation_names, "Whether items are queries or documents to be written"),
    CHOICE(T, index, "hnsw", index_names, "Index structure; hosted: somebody else's, known by its latency"),
    CHOICE(T, code, "float32", code_names, "How a vector is stored for the search"),
    INT(T, vectors, "1000000", 1, 1e12, "Vectors in the collection"),
    INT(T, dims, "768", 1, 65536, "Dimensions of one vector"),
    INT(T, k, "10", 1, 1e5, "Neighbours a query asks for"),
    INT(T, pq_bytes, "64", 1, 65536, "Bytes of one product-quantized code"),
    INT(T, rescore, "0", 0, 1e6, "Candidates scored again with full vectors"),
    INT(T, nlist, "1024", 1, 1e9, "IVF: lists of the whole shard"),
    INT(T, nprobe, "16", 1, 1e9, "IVF: lists scanned for a query"),
    INT(T, quantizer_ef, "0", 0, 1e6, "IVF: search effort of a graph over the centroids; 0 scans them all"),
    INT(T, m_links, "16", 2, 512, "Graphs: M, links of a node in the upper layers, half of the lowest"),
    INT(T, ef, "100", 1, 1e6, "Graphs: candidates kept while searching"),
    INT(T, ef_construction, "200", 1, 1e6, "Graphs: candidates kept while inserting"),
    INT(T, beam, "4", 1, 1024, "SSD graph: nodes read at a time"),
    REAL(T, list_cv, UNIT_NONE, "0.5", 0, 10, "IVF: spread of list lengths, standard deviation / mean"),
    REAL(T, fresh_frac, UNIT_FRAC, "0.5", 0.01, 1, "Graphs: share of links that lead to a node not yet seen"),
    REAL(T, cached_frac, UNIT_FRAC, "0", 0, 1, "SSD graph: share of visited nodes held in memory"),
    REAL(T, filter_frac, UNIT_FRAC, "1", 1e-9, 1, "Share of vectors that pass a query's filter"),
    CHOICE(T, filter, "best", filter_names,
           "Filter after the index, before it by brute force, or the cheaper"),
    REAL(T, distance, UNIT_S, "50ns", 0, 1e-3,
         "Fixed cost of one distance in a graph: the miss that fetches the code"),
    REAL(T, scan_rate, UNIT_BYTES_PER_S, "10GB/s", 1e3, 1e15, "Codes one core goes through"),
    REAL(T, overhead, UNIT_S, "0.1ms", 0, 1e3, "Core time of a query outside the index"),
    REAL(T, cv, UNIT_NONE, "0.1", 0, 10, "Spread of the work of one search, standard deviation / mean"),
    LAW(T, rtt, UNIT_S, "0.3ms", 0, 1e4, "Network time of a query, there and back"),
    LAW(T, keyword, UNIT_S, "0s", 0, 1e4,
        "Hybrid search: core time of the keyword leg, which runs beside the vector leg"),
    INT(T, shards, "1", 1, 65536, "Parts the collection is split into; a query asks all of them"),
    INT(T, replicas, "1", 1, 65536, "Copies of each shard; a query asks one of them"),
    INT(T, segments, "1", 1, 65536, "Separately indexed parts of a shard, all searched"),
    INT(T, parallel, "1", 1, 4096, "Segments of one query searched at the same time"),
    INT(T, threads, "0", 0, 1e6, "Searches a node runs at a time; 0: its share of the cores"),
    CHOICE(T, routing, "least_loaded", routing_names, "Which replica of a shard is asked"),
    INT(T, cache_entries, "0", 0, 1e12, "Answers kept for repeated queries; 0: none"),
    INT(T, distinct_queries, "1000000", 1, 1e15, "Different queries there are"),
    REAL(T, query_skew, UNIT_NONE, "0.8", 0, 5, "Zipf exponent of the queries' popularity"),
    INT(T, compact_every, "0", 0, 1e12, "Documents after which a segment is rebuilt; 0: never"),
    LAW(T, hosted, UNIT_S, "20ms", 0, 1e4, "Hosted: time to an answer that is not refused"),
    REAL(T, rate_limit, UNIT_PER_S, "0", 0, 1e9, "Hosted: queries a second before 429; 0: no limit"),
    REAL(T, burst, UNIT_NONE, "10", 1, 1e9, "Hosted: queries that may come at once above the limit"),
    REAL(T, backoff, UNIT_S, "1s", 0, 1e4, "Hosted: first wait after a refusal; doubles with each"),
    REAL(T, usd_per_query, UNIT_USD, "0usd", 0, 1e3, "Price of one query"),
    INT(T, retries, "10", 0, 1e6, "Hosted: refusals after which a query fails"),
    JSONV(T, recall, "Measured recall, [[effort, recall], ...] or a preset's name; effort is ef or nprobe"),
    JSONV(T, searches,
          "Measured searches of the whole collection, {\"ivf\": [[effort, seconds, recall], ...]}: time and "
          "recall"),
    REAL(T, recall_reference, UNIT_FRAC, "0.95", 0, 1,
         "Recall at the reference effort, without measured knots"),
    REAL(T, effort_reference, UNIT_NONE, "100", 1e-3, 1e9, "Effort at which recall is recall_reference"),
    REAL(T, recall_exponent, UNIT_NONE, "0.8", 0, 5, "How fast the missed share falls with effort"),
    REAL(T, recall_cap, UNIT_FRAC, "1", 0, 1, "Recall that no effort exceeds: what the codes have lost"),
    PARAMS_END};
#undef T

static int check(void *cfg, const struct model_env *env, struct err *err)
{
    struct vector_db_cfg *c = cfg;

    if (c->parallel > c->segments)
        return err_set(err, ERR_SCENARIO, "%s.parallel: %ld of %ld segments cannot be searched at once",
                       env->where, c->parallel, c->segments);
    if (c->index == INDEX_HOSTED && c->operation == VECTORS_INSERT)
        return err_set(err, ERR_SCENARIO,
                       "%s.operation: insert needs an index of one's own, not a hosted one", env->where);
    TRY(vector_read_searches(c, env, err));
    return curve_read(c->recall, "recall", true, 0, 1, env, &c->recall_curve, err);
}

static void shape(const void *cfg, struct shape *out)
{
    (void)cfg;
    *out = (struct shape){.prefetch = -1, .queue_limit = -1};
}

static void scale(struct vector_work *w, double by)
{
    w->distances *= by;
    w->cpu_s *= by;
    w->mem_bytes *= by;
    w->ios *= by;
    w->io_rounds *= by;
    w->io_bytes *= by;
}

struct vector_work vector_db_node_work(const struct vector_db_cfg *c, double list_factor)
{
    double parts = (double)c->segments, n = (double)c->vectors / ((double)c->shards * parts);
    struct vector_work w = vector_search_work(c, n, list_factor);

    scale(&w, parts);
    return w;
}

static void add_work(struct demand *out, int op, const struct vector_work *w, double times)
{
    demand_add(out, ROLE_CPU, op, w->cpu_s * times, 0);
    demand_add(out, ROLE_DISK_READ, VECTOR_SSD, w->io_bytes * times, w->ios * times);
}

/* What one query costs on average when none is found in the cache. */
static void search_demand(const struct vector_db_cfg *c, double asked, struct demand *out)
{
    struct vector_work w = vector_db_node_work(c, 1);

    demand_add(out, ROLE_CPU, VECTOR_FRONT, c->overhead, 0);
    demand_add(out, ROLE_CPU, VECTOR_KEYWORD, c->keyword.mean * asked, 0);
    add_work(out, VECTOR_SEARCH, &w, asked * (double)c->shards);
}

double vector_db_insert_s(const struct vector_db_cfg *c)
{
    double n = (double)c->vectors / (double)(c->shards * c->segments);

    return (double)c->replicas * vector_insert_work(c, n).cpu_s;
}

static void db_demand(const struct vector_db_cfg *c, const struct item *in, double asked, struct demand *out)
{
    if (c->index == INDEX_HOSTED)
        return;
    if (c->operation == VECTORS_SEARCH) {
        search_demand(c, asked, out);
        return;
    }
    demand_add(out, ROLE_CPU, VECTOR_INSERT, c->overhead + in->count * vector_db_insert_s(c), 0);
    if (c->compact_every > 0)
        demand_add(out, ROLE_CPU, VECTOR_COMPACT, in->count * vector_db_insert_s(c), 0);
}

static void demand(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave)
{
    (void)luck;
    (void)leave;
    db_demand(cfg, in, 1, out);
}

/* No cache of that size can hit more than one that holds the most popular queries. */
static void best_demand(const void *cfg, const struct item *in, struct demand *out, struct item *leave)
{
    const struct vector_db_cfg *c = cfg;
    double hits = zipf_top((double)c->distinct_queries, c->query_skew, (double)c->cache_entries);

    (void)leave;
    db_demand(c, in, 1 - hits, out);
}

const struct model vector_db_model = {
    .name = "vector_db",
    .title = "Vector database",
    .about =
        "Answers nearest-neighbour queries from sharded, replicated indexes, or takes documents into them.",
    .cfg_size = sizeof(struct vector_db_cfg),
    .params = params,
    .roles = roles,
    .ops = ops,
    .check = check,
    .shape = shape,
    .demand = demand,
    .fits = vector_db_fits,
    .best_demand = best_demand,
    .server = &vector_db_server,
};
