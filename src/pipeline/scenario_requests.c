#include "pipeline/scenario_read.h"

#include <math.h>
#include <string.h>

enum { BLOCK_TOKENS = 16 };

struct class_cfg {
    struct law input_tokens, output_tokens, hops;
    long prefix_tokens;
    double deadline, share;
};

#define T struct class_cfg
static const struct param class_params[] = {
    LAW(T, input_tokens, UNIT_NONE, "0", 0, 1e8, "Tokens of the prompt, beside prefix and history"),
    LAW(T, output_tokens, UNIT_NONE, "0", 0, 1e8, "Tokens of the answer"),
    LAW(T, hops, UNIT_NONE, "0", 0, 100, "Pieces of evidence a question needs"),
    INT(T, prefix_tokens, "0", 0, 1e8, "Tokens that begin every prompt of the class, always the same"),
    REAL(T, deadline, UNIT_S, "0s", 0, 1e12, "Time a request may take; 0: any"),
    REAL(T, share, UNIT_FRAC, "0", 0, 1, "Of the requests; classes without share what is left"),
    PARAMS_END};
#undef T

static struct request_class class_of(const struct class_cfg *c, const char *name)
{
    return (struct request_class){.name = name,
                                  .share = c->share,
                                  .input_tokens = c->input_tokens,
                                  .output_tokens = c->output_tokens,
                                  .hops = c->hops,
                                  .prefix_tokens = c->prefix_tokens,
                                  .deadline_s = c->deadline > 0 ? c->deadline : INFINITY,
                                  .luck = rng_hash(name)};
}

/* A class says what differs; the rest stands once, beside "classes". */
static int read_class(struct reader *r, const struct json *all, const struct json *v, const char *where,
                      struct request_class *out)
{
    struct json *merged;
    struct class_cfg cfg;
    const char *name;
    int rc;

    if (json_type(v) != JSON_OBJECT || json_get_string(v, "name", NULL) == NULL)
        return bad(r, where,
                   "a class is an object with a \"name\", such as {\"name\": \"chat\", \"share\": 0.7}");
    name = arena_strdup(r->s->arena, json_get_string(v, "name", ""));
    merged = json_copy(all);
    json_remove(merged, "classes");
    json_remove(merged, "block_tokens");
    JSON_EACH (c, v)
        json_set(merged, json_key(c), json_copy(c));
    json_remove(merged, "name");
    rc = load_params(r, class_params, merged, where, &cfg);
    json_free(merged);
    if (rc == 0)
        *out = class_of(&cfg, name);
    return rc;
}

/* What the shares leave over belongs to those that name none. */
static int share_out(struct reader *r, struct requests *q, const char *where)
{
    double sum = 0;
    int open = 0;

    for (int i = 0; i < q->classes_n; i++) {
        sum += q->classes[i].share;
        open += q->classes[i].share == 0;
    }
    if (sum > 1 + 1e-9 || (open == 0 && sum < 1 - 1e-9))
        return bad(r, where,
                   arena_printf(r->s->arena, "the shares of the classes add up to %g, not to 1", sum));
    for (int i = 0; i < q->classes_n; i++)
        if (q->classes[i].share == 0)
            q->classes[i].share = (1 - sum) / open;
    return 0;
}

const struct requests *plain_requests(struct arena *a)
{
    struct requests *q = ARENA_NEW(a, struct requests);

    q->classes_n = 1;
    q->classes = ARENA_NEW(a, struct request_class);
    q->classes[0] = (struct request_class){.name = "", .share = 1, .deadline_s = INFINITY};
    q->block_tokens = BLOCK_TOKENS;
    return q;
}

int read_requests(struct reader *r, const struct json *v, const char *where, struct workload *out)
{
    struct requests *q = ARENA_NEW(r->s->arena, struct requests);
    const struct json *list, *block;
    struct json *one;
    double tokens = BLOCK_TOKENS;
    struct class_cfg cfg;
    int rc;

    if (json_type(v) != JSON_OBJECT)
        return bad(r, where, "an object is needed, such as {\"input_tokens\": 512, \"output_tokens\": 128}");
    list = json_get(v, "classes");
    block = json_get(v, "block_tokens");
    if (block != NULL)
        TRY(read_quantity(r, block, UNIT_NONE, 1, 1e6, arena_printf(r->s->arena, "%s.block_tokens", where),
                          &tokens));
    q->block_tokens = (long)tokens;
    out->requests = q;
    if (list != NULL && (json_type(list) != JSON_ARRAY || json_size(list) == 0))
        return bad(r, arena_printf(r->s->arena, "%s.classes", where),
                   "a list of at least one class is needed");
    if (list != NULL) {
        q->classes = arena_array(r->s->arena, json_size(list), sizeof *q->classes);
        JSON_EACH (c, list) {
            const char *here = arena_printf(r->s->arena, "%s.classes[%d]", where, q->classes_n);

            TRY(read_class(r, v, c, here, &q->classes[q->classes_n]));
            q->classes_n++;
        }
        return share_out(r, q, where);
    }
    one = json_copy(v);
    json_remove(one, "block_tokens");
    rc = load_params(r, class_params, one, where, &cfg);
    json_free(one);
    q->classes_n = 1;
    q->classes = ARENA_NEW(r->s->arena, struct request_class);
    if (rc == 0)
        q->classes[0] = class_of(&cfg, "");
    q->classes[0].share = 1;
    return rc;
}

#define T struct sessions
static const struct param session_params[] = {
    LAW(T, turns, UNIT_NONE, "1", 1, 1e6, "Requests of one session, one after the other"),
    LAW(T, think, UNIT_S, "0s", 0, 1e9, "Time between an answer and the next request of the session"),
    BOOL(T, grows, "true", "A later prompt begins with all that was said before"), PARAMS_END};
#undef T

int read_sessions(struct reader *r, const struct json *v, const char *where, struct workload *out)
{
    struct sessions *s = ARENA_NEW(r->s->arena, struct sessions);

    TRY(load_params(r, session_params, v, where, s));
    out->sessions = s;
    if (out->requests == NULL)
        out->requests = plain_requests(r->s->arena);
    return 0;
}

/* ------------------------------------------------------------ service-level objectives */

static int read_limit(struct reader *r, const struct json *v, const char *where, double *out)
{
    static const char *const keys[] = {"mean", "p50", "p95", "p99", NULL};
    double limit, most = 0;

    if (json_type(v) != JSON_OBJECT)
        return read_quantity(r, v, UNIT_S, 0, 1e9, where, out);
    TRY(check_keys(r, v, where, keys));
    JSON_EACH (c, v) {
        TRY(read_quantity(r, c, UNIT_S, 0, 1e9, arena_printf(r->s->arena, "%s.%s", where, json_key(c)),
                          &limit));
        most = fmax(most, limit);
    }
    if (json_size(v) > 0)
        *out = most;
    return 0;
}

/* A limit on a percentile is, for one request, the limit itself; of several the widest. */
int read_slo(struct reader *r, const struct json *v, const char *where, struct slo *slo)
{
    static const char *const keys[] = {"latency_s",        "queue_s", "ttft_s", "tpot_s",
                                       "throughput_per_s", "quality", NULL};

    for (int i = 0; i < SLO_FIGURES; i++)
        slo->per_request[i] = INFINITY;
    if (v == NULL)
        return 0;
    TRY(check_keys(r, v, where, keys));
    for (int i = 0; i < SLO_FIGURES; i++)
        if (json_get(v, keys[i]) != NULL) {
            TRY(read_limit(r, json_get(v, keys[i]), arena_printf(r->s->arena, "%s.%s", where, keys[i]),
                           &slo->per_request[i]));
            slo->given = true;
        }
    return 0;
}
