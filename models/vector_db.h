/*
 * vector_db.h - what the parts of the vector database share.
 *
 *   vector_db.c          parameters, and what a query or a write wants on average
 *   vector_db_server.c   queries, nodes, writes as they happen
 *   vector_hosted.c      a service of somebody else: its rate limit, refusals, back-off
 */
#ifndef MODELS_VECTOR_DB_H
#define MODELS_VECTOR_DB_H

#include "models/server.h"
#include "models/vector_index.h"

enum vector_op {
    VECTOR_FRONT,
    VECTOR_SEARCH,
    VECTOR_KEYWORD,
    VECTOR_SSD,
    VECTOR_MEMORY,
    VECTOR_INSERT,
    VECTOR_COMPACT
};

/* Which draw of an item is which. */
enum vector_luck {
    VECTOR_LUCK_RTT = 1,
    VECTOR_LUCK_QUERY,
    VECTOR_LUCK_KEYWORD,
    VECTOR_LUCK_ROUTE,
    VECTOR_LUCK_HOSTED,
    VECTOR_LUCK_NODES = 64
};

extern const struct server vector_db_server;

/* One node's part of one query: all segments of a shard. */
struct vector_work vector_db_node_work(const struct vector_db_cfg *c, double list_factor);
double vector_db_insert_s(const struct vector_db_cfg *c); /* core seconds of one document, all replicas */

/*
 * Who asks a hosted service.  A token bucket lets `rate_limit` questions a second pass and `burst` at once;
 * whoever finds it empty is refused (429) and asks again after a back-off that doubles,
 * backoff x 2^(refusals - 1) x uniform(0.5, 1.5).
 */
struct hosted {
    const struct vector_db_cfg *c;
    struct host *host;
    double tokens, filled_s;
    struct question *free;
    uint64_t asked, refused, failed;
};
void hosted_init(struct hosted *h, const struct vector_db_cfg *c, struct host *host);
/* `done` is called with 1 when answered, 0 when it gave up; `key` names the luck. */
void hosted_ask(struct hosted *h, uint64_t key, event_fn *done, void *self);

#endif
