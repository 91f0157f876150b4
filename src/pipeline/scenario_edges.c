#include "pipeline/scenario_read.h"

#include <math.h>
#include <string.h>

enum { DEFAULT_BUFFER = 2 }; /* items between two stages that block each other */

/* The edges of one pipeline while they are read; stages by their place in the file. */
struct edges {
    struct pipeline *p;
    int index; /* of the pipeline */
    const char *where;
    bool *member, *entered; /* in the flow; some edge leads here */
    struct route **routes;  /* shares as written in `upto`; NAN: none was given */
    int *routes_n;
    double *capacity; /* NAN: not given */
};

static void add_route(struct reader *r, struct edges *e, int from, int to, double share)
{
    struct route *grown = arena_array(r->s->arena, (size_t)e->routes_n[from] + 1, sizeof *grown);

    if (e->routes_n[from] > 0)
        memcpy(grown, e->routes[from], (size_t)e->routes_n[from] * sizeof *grown);
    grown[e->routes_n[from]++] = (struct route){to, share};
    e->routes[from] = grown;
    e->entered[to] = true;
    e->member[from] = e->member[to] = true;
}

static int read_edge_keys(struct reader *r, struct edges *e, const struct json *v, const char *where, int to,
                          double *share)
{
    static const char *const keys[] = {"buffer", "share", NULL};
    const struct json *buffer = json_get(v, "buffer");
    double capacity = NAN;

    TRY(check_keys(r, v, where, keys));
    if (json_get(v, "share") != NULL)
        TRY(read_quantity(r, json_get(v, "share"), UNIT_FRAC, 1e-9, 1, where, share));
    if (buffer == NULL)
        return 0;
    TRY(read_quantity(r, buffer, UNIT_NONE, 0, 1e12, where, &capacity));
    if (isfinite(e->capacity[to]) && e->capacity[to] != capacity)
        return bad(r, where,
                   arena_printf(r->s->arena, "the buffer in front of \"%s\" has two sizes, %g and %g",
                                r->s->stages[to].name, e->capacity[to], capacity));
    e->capacity[to] = capacity;
    return 0;
}

static int check_end(struct reader *r, const struct edges *e, int stage, const char *where)
{
    const struct stage *st = &r->s->stages[stage];

    if (st->pipeline == e->index)
        return 0;
    return bad(r, where,
               arena_printf(r->s->arena, "stage \"%s\" belongs to %s%s", st->name,
                            st->pipeline < 0 ? "no pipeline: it can only be called" : "the pipeline ",
                            st->pipeline < 0 ? "" : r->s->pipelines[st->pipeline].name));
}

static int read_edge(struct reader *r, struct edges *e, const struct json *v, const char *where)
{
    double share = NAN;
    int from, to;

    if (json_type(v) != JSON_ARRAY || json_size(v) < 2 || json_size(v) > 3)
        return bad(
            r, where,
            "an edge is [\"from\", \"to\"] or [\"from\", \"to\", {\"buffer\": 4}], with names of stages");
    TRY(find_stage(r, json_at(v, 0), where, &from));
    TRY(find_stage(r, json_at(v, 1), where, &to));
    TRY(check_end(r, e, from, where));
    TRY(check_end(r, e, to, where));
    if (json_size(v) == 3)
        TRY(read_edge_keys(r, e, json_at(v, 2), where, to, &share));
    for (int i = 0; i < e->routes_n[from]; i++) {
        if (e->routes[from][i].to == to)
            return bad(r, where, "this edge is there already");
        if (!isfinite(share) || !isfinite(e->routes[from][i].upto))
            return bad(r, where,
                       arena_printf(r->s->arena,
                                    "a second edge leaves \"%s\"; say which part of the items takes each, as "
                                    "in {\"share\": 0.3}",
                                    r->s->stages[from].name));
    }
    add_route(r, e, from, to, share);
    return 0;
}

/* Shares become limits of luck; what is left over leaves the pipeline. */
static int add_up_shares(struct reader *r, struct edges *e)
{
    for (int i = 0; i < r->s->stages_n; i++) {
        double sum = 0;

        for (int k = 0; k < e->routes_n[i]; k++) {
            sum += isfinite(e->routes[i][k].upto) ? e->routes[i][k].upto : 1;
            e->routes[i][k].upto = fabs(sum - 1) < 1e-9 ? 1 : sum;
        }
        if (sum > 1 + 1e-9)
            return bad(r, e->where,
                       arena_printf(r->s->arena, "the shares of the edges that leave \"%s\" add up to %g",
                                    r->s->stages[i].name, sum));
    }
    return 0;
}

/* The stages nobody calls, one after the other. */
static void default_chain(struct reader *r, struct edges *e)
{
    int last = -1;

    for (int i = 0; i < r->s->stages_n; i++) {
        if (!e->member[i])
            continue;
        if (last >= 0)
            add_route(r, e, last, i, NAN);
        last = i;
    }
}

static int find_entry(struct reader *r, const struct edges *e, int *entry)
{
    int any = -1;

    *entry = -1;
    for (int i = 0; i < r->s->stages_n; i++) {
        if (!e->member[i])
            continue;
        if (any < 0)
            any = i;
        if (!e->entered[i] && *entry >= 0)
            return bad(
                r, e->where,
                arena_printf(r->s->arena,
                             "\"%s\" and \"%s\" both have no edge coming in; items enter a pipeline at "
                             "one stage",
                             r->s->stages[*entry].name, r->s->stages[i].name));
        if (!e->entered[i])
            *entry = i;
    }
    if (any < 0)
        return bad(r, e->where, "every stage is called by another one; items have nowhere to enter");
    if (*entry < 0)
        *entry = any;
    return 0;
}

/* Reverse postorder: with the first edges first, a chain comes out as it is. */
static void visit(const struct edges *e, int at, bool *seen, int *order, int *n)
{
    seen[at] = true;
    for (int k = e->routes_n[at] - 1; k >= 0; k--)
        if (!seen[e->routes[at][k].to])
            visit(e, e->routes[at][k].to, seen, order, n);
    order[(*n)++] = at;
}

static bool reaches(const struct edges *e, int from, int to, bool *seen)
{
    for (int k = 0; k < e->routes_n[from]; k++) {
        int next = e->routes[from][k].to;

        if (next == to)
            return true;
        if (!seen[next]) {
            seen[next] = true;
            if (reaches(e, next, to, seen))
                return true;
        }
    }
    return false;
}

static int set_capacity(struct reader *r, struct edges *e, int i)
{
    struct scenario *s = r->s;
    struct stage *st = &s->stages[i];
    bool *seen = arena_array(s->arena, (size_t)s->stages_n, sizeof *seen);

    st->is_on_cycle = reaches(e, i, i, seen);
    if (st->is_on_cycle && isfinite(e->capacity[i]))
        return bad(r, e->where,
                   arena_printf(s->arena,
                                "\"%s\" lies on a cycle: a buffer that can be full there would stop it for "
                                "good; leave \"buffer\" out",
                                st->name));
    st->in_capacity = e->p->workload.kind == WORKLOAD_CLOSED && !st->is_on_cycle ? DEFAULT_BUFFER : -1;
    if (isfinite(e->capacity[i]))
        st->in_capacity = e->capacity[i];
    if (st->shape.workers == 0)
        st->in_capacity = -1;
    return 0;
}

static int check_reached(struct reader *r, const struct edges *e, const bool *seen)
{
    for (int i = 0; i < r->s->stages_n; i++)
        if (e->member[i] && !seen[i])
            return bad(r, e->where,
                       arena_printf(r->s->arena, "no way leads from the first stage to \"%s\"",
                                    r->s->stages[i].name));
    return 0;
}

/* Somewhere on the way of every item a stage must let some of them out. */
static int check_way_out(struct reader *r, const struct edges *e)
{
    bool *out = arena_array(r->s->arena, (size_t)r->s->stages_n, sizeof *out), changed = true;

    while (changed) {
        changed = false;
        for (int i = 0; i < r->s->stages_n; i++) {
            bool leaves = e->routes_n[i] == 0 || e->routes[i][e->routes_n[i] - 1].upto < 1;

            for (int k = 0; k < e->routes_n[i]; k++)
                leaves = leaves || out[e->routes[i][k].to];
            changed = changed || leaves != out[i];
            out[i] = leaves;
        }
    }
    for (int i = 0; i < r->s->stages_n; i++)
        if (e->member[i] && !out[i])
            return bad(r, e->where,
                       arena_printf(r->s->arena,
                                    "what comes to \"%s\" never leaves: the edges form a cycle without a way "
                                    "out; let a \"share\" below 1 go round",
                                    r->s->stages[i].name));
    return 0;
}

static bool is_chain(const struct edges *e, const int *order, int n)
{
    for (int i = 0; i < n; i++)
        if (e->routes_n[order[i]] != (i + 1 < n) ||
            (i + 1 < n && (e->routes[order[i]][0].to != order[i + 1] || e->routes[order[i]][0].upto < 1)))
            return false;
    return true;
}

/* Puts the stages of one pipeline into the order of flow, at `order[*n]` and on. */
static int order_stages(struct reader *r, struct edges *e, int *order, int *n)
{
    struct scenario *s = r->s;
    bool *seen = arena_array(s->arena, (size_t)s->stages_n, sizeof *seen);
    int *back = arena_array(s->arena, (size_t)s->stages_n, sizeof *back), found = 0, entry;

    TRY(find_entry(r, e, &entry));
    visit(e, entry, seen, back, &found);
    TRY(check_reached(r, e, seen));
    TRY(check_way_out(r, e));
    e->p->first = *n;
    e->p->stages_n = found;
    while (found > 0)
        order[(*n)++] = back[--found];
    e->p->last = *n - 1;
    e->p->is_chain = is_chain(e, order + e->p->first, e->p->stages_n);
    for (int i = e->p->first; i < *n; i++) {
        TRY(set_capacity(r, e, order[i]));
        s->stages[order[i]].routes = e->routes[order[i]];
        s->stages[order[i]].routes_n = e->routes_n[order[i]];
    }
    if (e->p->workload.data != NULL && !e->p->is_chain)
        return bad(r, e->where, "with a data set the stages form a chain");
    return 0;
}

static int read_edges_of(struct reader *r, int index, const struct json *list, const char *where, int *order,
                         int *n)
{
    struct scenario *s = r->s;
    size_t stages = (size_t)s->stages_n;
    struct edges e = {.p = &s->pipelines[index], .index = index, .where = where};
    int i = 0;

    e.member = arena_array(s->arena, stages, sizeof *e.member);
    e.entered = arena_array(s->arena, stages, sizeof *e.entered);
    e.routes = arena_array(s->arena, stages, sizeof *e.routes);
    e.routes_n = arena_array(s->arena, stages, sizeof *e.routes_n);
    e.capacity = arena_array(s->arena, stages, sizeof *e.capacity);
    for (size_t k = 0; k < stages; k++) {
        e.member[k] = s->stages[k].pipeline == index && !s->stages[k].is_called;
        e.capacity[k] = NAN;
    }
    if (list != NULL && json_type(list) != JSON_ARRAY)
        return bad(r, where, "a list of [\"from\", \"to\"] pairs is needed");
    for (const struct json *v = list ? json_first(list) : NULL; v != NULL; v = json_next(v), i++)
        TRY(read_edge(r, &e, v, arena_printf(s->arena, "%s[%d]", where, i)));
    if (list == NULL)
        default_chain(r, &e);
    TRY(add_up_shares(r, &e));
    return order_stages(r, &e, order, n);
}

static int check_first(struct reader *r, int index)
{
    const struct scenario *s = r->s;
    const struct pipeline *p = &s->pipelines[index];
    const char *where = s->pipelines_n == 1
                            ? "$.workload.closed.in_flight"
                            : arena_printf(s->arena, "$.pipelines[%d].workload.closed.in_flight", index);

    if (p->workload.kind != WORKLOAD_CLOSED || p->workload.in_flight > 0 ||
        s->stages[p->first].shape.workers > 0)
        return 0;
    return bad(r, where,
               arena_printf(s->arena,
                            "the first stage \"%s\" takes any number of items; say how many may be in flight",
                            s->stages[p->first].name));
}

/* Moves the stages to their places; whoever named one by its old place follows. */
static void apply_order(struct scenario *s, const int *order)
{
    struct stage *ordered = arena_array(s->arena, (size_t)s->stages_n, sizeof *ordered);
    int *place = arena_array(s->arena, (size_t)s->stages_n, sizeof *place);

    for (int i = 0; i < s->stages_n; i++)
        place[order[i]] = i;
    for (int i = 0; i < s->stages_n; i++) {
        struct stage *st = &ordered[i];

        *st = s->stages[order[i]];
        for (int k = 0; k < st->routes_n; k++)
            st->routes[k].to = place[st->routes[k].to];
        for (int k = 0; k < CALLEES_MAX; k++)
            st->calls[k] = st->calls[k] >= 0 ? place[st->calls[k]] : -1;
    }
    s->stages = ordered;
}

static void limit_queues(struct scenario *s)
{
    for (int i = 0; i < s->stages_n; i++) {
        long limit = s->stages[i].shape.queue_limit;
        int on = s->stages[i].on[ROLE_SERVERS];

        if (on >= 0 && limit >= 0 &&
            (s->resources[on].queue_limit < 0 || limit < s->resources[on].queue_limit))
            s->resources[on].queue_limit = limit;
    }
}

int read_edges(struct reader *r)
{
    struct scenario *s = r->s;
    const struct json *pipelines = json_get(s->tree, "pipelines");
    int *order = arena_array(s->arena, (size_t)s->stages_n, sizeof *order), n = 0;
    bool *placed = arena_array(s->arena, (size_t)s->stages_n, sizeof *placed);

    for (int i = 0; i < s->pipelines_n; i++) {
        const struct json *of = pipelines != NULL ? json_at(pipelines, (size_t)i) : s->tree;
        const char *where =
            pipelines != NULL ? arena_printf(s->arena, "$.pipelines[%d].edges", i) : "$.edges";

        TRY(read_edges_of(r, i, json_get(of, "edges"), where, order, &n));
    }
    for (int i = 0; i < n; i++)
        placed[order[i]] = true;
    for (int i = 0; i < s->stages_n; i++) {
        struct stage *st = &s->stages[i];

        if (placed[i])
            continue;
        if (!st->is_called)
            return bad(r, r->texts[i].where, "no pipeline leads here and no stage calls it");
        st->pipeline = -1;
        st->in_capacity = -1;
        order[n++] = i;
    }
    apply_order(s, order);
    for (int i = 0; i < s->pipelines_n; i++)
        TRY(check_first(r, i));
    limit_queues(s);
    return 0;
}
