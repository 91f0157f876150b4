/*
 * vector_index.h - what one search of a vector index touches, and what it finds.
 *
 * Pure physics, no queueing.  With n vectors in the part that is searched:
 *
 *   flat        n distances, codes read in order
 *   ivf         the centroids (all nlist, or a graph over them), then nprobe lists.  Queries fall where
 *               vectors are, so a probed list is longer than the average by 1 + cv^2 (size bias)
 *   hnsw        a descent of ln(n) / ln(M) layers, then `ef` nodes are expanded, 2M links each, of which
 *               `fresh_frac` lead to a node not yet seen (Malkov and Yashunin 2018, arXiv:1603.09320)
 *   ssd_graph   `ef` nodes are expanded, `beam` at a time; each is a sector from the SSD unless cached;
 *               links are scored by short codes in memory (DiskANN, NeurIPS 2019)
 *
 * A distance costs a fixed time (the miss that fetches the code) plus its bytes
 * at the pace at which a core goes through codes; the same bytes cross the
 * memory bus, which the scenario may name as a resource (role "mem").
 *
 * Where whole searches were measured (`searches`: kind of index, effort, seconds,
 * recall), these are the time and the recall, straight between two efforts and
 * never continued; what they touch is still counted as above.
 *
 * Recall is measured knots (effort -> recall), or, without them, the law
 *
 *   1 - recall = (1 - recall_reference) (effort / effort_reference)^-recall_exponent,  at most recall_cap
 *
 * where effort is ef, nprobe, or 1 for a flat scan.  Holds over about a decade
 * of effort around the reference (docs/models/vector_db.md).
 */
#ifndef MODELS_VECTOR_INDEX_H
#define MODELS_VECTOR_INDEX_H

#include "models/curve.h"

enum index_kind { INDEX_FLAT, INDEX_IVF, INDEX_HNSW, INDEX_SSD_GRAPH, INDEX_HOSTED };
enum vector_code { CODE_FLOAT32, CODE_FLOAT16, CODE_INT8, CODE_PQ };
enum filter_way { FILTER_BEST, FILTER_POST, FILTER_PRE };
enum vector_operation { VECTORS_SEARCH, VECTORS_INSERT };
enum vector_routing { ROUTE_LEAST_LOADED, ROUTE_RANDOM };

struct vector_db_cfg {
    int operation, index, code;
    long vectors, dims, k, pq_bytes, rescore;
    long nlist, nprobe, quantizer_ef, m_links, ef, ef_construction, beam;
    double list_cv, fresh_frac, cached_frac, filter_frac;
    int filter;
    double distance, scan_rate, overhead, cv;
    struct law rtt, keyword;
    long shards, replicas, segments, parallel, threads;
    int routing;
    long cache_entries, distinct_queries;
    double query_skew;
    long compact_every;
    struct law hosted;
    double rate_limit, burst, backoff, usd_per_query;
    long retries;
    const struct json *recall, *searches;
    double recall_reference, effort_reference, recall_exponent, recall_cap;
    /* filled by check() */
    struct curve recall_curve;
    struct curve measured_s, measured_recall; /* of this kind of index, by effort; n == 0: not measured */
};

struct vector_work {
    double distances, cpu_s, mem_bytes;
    double ios, io_rounds, io_bytes; /* SSD: sectors read, and in how many dependent rounds */
};

/* Reads `searches`; errors name the place in it. */
int vector_read_searches(struct vector_db_cfg *c, const struct model_env *env, struct err *err);

double vector_code_bytes(const struct vector_db_cfg *c);
/* One search among n vectors; `list_factor` scales the lists' lengths (1: their mean, size bias included). */
struct vector_work vector_search_work(const struct vector_db_cfg *c, double n, double list_factor);
struct vector_work vector_insert_work(const struct vector_db_cfg *c, double n);
double vector_effort(const struct vector_db_cfg *c);
double vector_recall(const struct vector_db_cfg *c);
double vector_memory_bytes(const struct vector_db_cfg *c); /* of all replicas, without what lies on the SSD */
double vector_ssd_bytes(const struct vector_db_cfg *c);

#endif
