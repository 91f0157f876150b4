/*
 * infer_calls.c - a service from the spans of its requests.
 *
 * Spans of one request nest: whoever calls waits for whom it called.  Every
 * moment of a request is charged to the span that began last among those open,
 * which is the innermost; moments that no span covers are charged to "elsewhere".
 * The charges of a request add up to its duration, so a chain of stages in the
 * order in which they are first reached, each with the charge as its service
 * time, takes as long as the request did.  Calls that ran side by side count once.
 *
 * A stage has as many servers as spans of it were ever open at once: the fewest
 * that could have done it.
 */
#include "calibrate/infer_parts.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STAGES = 64 };

struct call {
    double request, from, to;
    int place;
};

struct place { /* an operation of a service */
    const char *service, *op;
    double *charge;            /* per request */
    double reached, reached_n; /* when in a request it is first reached, summed */
    long most_open;
};

struct calls {
    struct arena *arena;
    struct call *at;
    size_t n, requests;
    struct place places[MOST_STAGES + 1];
    int places_n;
    double *arrival;
};

static int by_request(const void *a, const void *b)
{
    const struct call *x = a, *y = b;

    if (x->request != y->request)
        return (x->request > y->request) - (x->request < y->request);
    return (x->from > y->from) - (x->from < y->from);
}

static int place_of(struct calls *c, const char *service, const char *op)
{
    int i = 0;

    while (i < c->places_n &&
           (strcmp(c->places[i].service, service) != 0 || strcmp(c->places[i].op, op) != 0))
        i++;
    if (i == c->places_n && i < MOST_STAGES)
        c->places[c->places_n++] = (struct place){.service = service, .op = op};
    return i < MOST_STAGES ? i : -1;
}

static int read_calls(const struct infer_source *src, struct calls *c, struct err *err)
{
    struct view_column v[] = {
        {.name = "stage"}, {.name = "op"}, {.name = "item"}, {.name = "start_s"}, {.name = "end_s"}};
    size_t n;

    *c = (struct calls){.arena = src->arena};
    TRY(view_load(src->store, "spans", src->trace, v, 5, src->arena, &n, err));
    c->at = arena_array(src->arena, n + 1, sizeof *c->at);
    for (size_t i = 0; i < n; i++) {
        int place = place_of(c, v[0].text[i], v[1].text[i]);

        if (place < 0)
            return err_set(
                err, ERR_TRACE,
                "init: trace \"%s\" has more than %d different operations; export the spans of one "
                "kind of request",
                src->name, MOST_STAGES);
        if (v[2].real[i] < 0)
            return err_set(err, ERR_TRACE,
                           "init: spans of trace \"%s\" do not say which request they belong to", src->name);
        c->at[c->n++] = (struct call){v[2].real[i], v[3].real[i], v[4].real[i], place};
    }
    qsort(c->at, c->n, sizeof *c->at, by_request);
    for (size_t i = 0; i < c->n; i++)
        c->requests += i == 0 || c->at[i].request != c->at[i - 1].request;
    return 0;
}

/* ------------------------------------------------------------- charges */

static int by_time(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The innermost call open during the moments after `at`: calls are in the order of their beginning. */
static int innermost(const struct call *calls, size_t n, double at)
{
    int place = -1;

    for (size_t i = 0; i < n && calls[i].from <= at; i++)
        if (calls[i].to > at)
            place = calls[i].place;
    return place;
}

static void charge_request(struct calls *c, const struct call *calls, size_t n, size_t request)
{
    double *edge = xcalloc(2 * n, sizeof *edge);
    bool seen[MOST_STAGES] = {false};
    size_t edges = 0;

    for (size_t i = 0; i < n; i++) {
        struct place *p = &c->places[calls[i].place];

        edge[edges++] = calls[i].from;
        edge[edges++] = calls[i].to;
        if (!seen[calls[i].place]) {
            p->reached += calls[i].from - calls[0].from;
            p->reached_n++;
        }
        seen[calls[i].place] = true;
    }
    qsort(edge, edges, sizeof *edge, by_time);
    for (size_t i = 0; i + 1 < edges; i++) {
        int place = innermost(calls, n, edge[i]);

        c->places[place >= 0 ? place : c->places_n].charge[request] += edge[i + 1] - edge[i];
    }
    c->arrival[request] = calls[0].from;
    free(edge);
}

static void charge_all(struct calls *c)
{
    size_t from = 0, request = 0;

    c->places[c->places_n] = (struct place){.service = "", .op = "elsewhere", .reached = INFINITY};
    for (int i = 0; i <= c->places_n; i++)
        c->places[i].charge = arena_array(c->arena, c->requests, sizeof(double));
    c->arrival = arena_array(c->arena, c->requests, sizeof *c->arrival);
    for (size_t i = 1; i <= c->n; i++) {
        if (i < c->n && c->at[i].request == c->at[from].request)
            continue;
        charge_request(c, &c->at[from], i - from, request++);
        from = i;
    }
    qsort(c->arrival, c->requests, sizeof *c->arrival, by_time);
}

/* The most spans of one operation that were open at the same time. */
static void count_open(struct calls *c, int place)
{
    double *from = xcalloc(c->n, sizeof *from), *to = xcalloc(c->n, sizeof *to);
    size_t n = 0, ended = 0;

    for (size_t i = 0; i < c->n; i++)
        if (c->at[i].place == place) {
            from[n] = c->at[i].from;
            to[n++] = c->at[i].to;
        }
    qsort(from, n, sizeof *from, by_time);
    qsort(to, n, sizeof *to, by_time);
    for (size_t i = 0; i < n; i++) {
        while (to[ended] <= from[i])
            ended++;
        if ((long)(i + 1 - ended) > c->places[place].most_open)
            c->places[place].most_open = (long)(i + 1 - ended);
    }
    free(from);
    free(to);
}

/* ------------------------------------------------------------ scenario */

static int by_reach(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    double rx = x->reached / fmax(1, x->reached_n), ry = y->reached / fmax(1, y->reached_n);

    return (rx > ry) - (rx < ry);
}

static double total(const double *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

static const char *stage_name(const struct calls *c, const struct place *p)
{
    for (int i = 0; i < c->places_n; i++)
        if (&c->places[i] != p && strcmp(c->places[i].op, p->op) == 0)
            return arena_printf(c->arena, "%s %s", p->service, p->op);
    return p->op;
}

static void describe_place(struct json *tree, const struct calls *c, const struct place *p)
{
    const char *name = stage_name(c, p), *pool = arena_printf(c->arena, "%s servers", name);
    struct json *params;

    if (total(p->charge, c->requests) <= 0)
        return; /* it only waited for others */
    infer_resource(tree, pool, "servers", (double)(p->most_open > 0 ? p->most_open : 1000000));
    infer_assume(tree, arena_printf(c->arena, "resources.%s.count", pool),
                 p->most_open > 0 ? "the most that were seen at work at once; there may be more"
                                  : "time that no span covers: nobody is known to queue for it");
    params = infer_stage(tree, name, "station", "servers", pool);
    json_set(params, "service", infer_law(p->charge, c->requests));
}

static void describe_arrivals(struct json *tree, const double *gaps, size_t n)
{
    struct json *open = json_set_object(json_get_mutable(tree, "workload"), "open"), *law, *of;
    struct tally t = {0};

    for (size_t i = 0; i < n; i++)
        tally_add(&t, gaps[i]);
    if (!(tally_variance(&t) > 1e-18 * t.mean * t.mean)) {
        json_set_number(open, "arrivals", t.mean);
        return;
    }
    law = json_set_object(open, "arrivals");
    of = json_set_object(law, "gamma");
    json_set_number(of, "mean", t.mean);
    json_set_number(of, "cv", sqrt(tally_variance(&t)) / t.mean);
}

int infer_calls(const struct infer_source *src, struct inferred *out, struct err *err)
{
    struct calls c;
    double *gaps;

    TRY(read_calls(src, &c, err));
    if (c.requests < 3)
        return err_set(err, ERR_TRACE, "init: trace \"%s\" holds %zu requests; at least 3 are needed",
                       src->name, c.requests);
    charge_all(&c);
    for (int i = 0; i < c.places_n; i++)
        count_open(&c, i);
    gaps = arena_array(src->arena, c.requests, sizeof *gaps);
    for (size_t i = 1; i < c.requests; i++)
        gaps[i - 1] = c.arrival[i] - c.arrival[i - 1];
    if (!(total(gaps, c.requests - 1) > 0))
        return err_set(err, ERR_TRACE, "init: all requests of trace \"%s\" begin at the same time",
                       src->name);
    out->from = "call spans";
    out->recorded = infer_rate(gaps, c.requests - 1);
    out->tree = infer_scenario(
        src, "request",
        arena_printf(src->arena, "A service as the spans of %zu requests show it", c.requests));
    describe_arrivals(out->tree, gaps, c.requests - 1);
    qsort(c.places, (size_t)c.places_n + 1, sizeof *c.places, by_reach);
    c.places_n++;
    for (int i = 0; i < c.places_n; i++)
        describe_place(out->tree, &c, &c.places[i]);
    return 0;
}
