#include "pipeline/scenario_read.h"

#include <math.h>
#include <string.h>

static int read_open(struct reader *r, const struct json *v)
{
    static const char *const keys[] = {"arrivals", NULL};

    TRY(check_keys(r, v, "$.workload.open", keys));
    if (json_get(v, "arrivals") == NULL)
        return bad(r, "$.workload.open",
                   "\"arrivals\" is missing: the time between arrivals, such as {\"exponential\": \"10ms\"}");
    TRY(read_law(r, json_get(v, "arrivals"), UNIT_S, "$.workload.open.arrivals", &r->s->workload.arrivals));
    if (!(r->s->workload.arrivals.mean > 0))
        return bad(r, "$.workload.open.arrivals", "the mean time between arrivals must be above 0");
    r->s->workload.kind = WORKLOAD_OPEN;
    return 0;
}

static int read_closed(struct reader *r, const struct json *v)
{
    static const char *const keys[] = {"in_flight", NULL};
    const struct json *n;

    TRY(check_keys(r, v, "$.workload.closed", keys));
    n = json_get(v, "in_flight");
    r->s->workload.kind = WORKLOAD_CLOSED;
    if (n == NULL || (json_string(n) != NULL && strcmp(json_string(n), "max") == 0))
        return 0;
    return read_quantity(r, n, UNIT_NONE, 1, 1e12, "$.workload.closed.in_flight", &r->s->workload.in_flight);
}

static int read_clients(struct reader *r, const struct json *v)
{
    static const char *const keys[] = {"count", "think", NULL};
    double count = 1;

    TRY(check_keys(r, v, "$.workload.clients", keys));
    if (json_get(v, "count") != NULL)
        TRY(read_quantity(r, json_get(v, "count"), UNIT_NONE, 1, 1e7, "$.workload.clients.count", &count));
    if (count != floor(count))
        return bad(r, "$.workload.clients.count",
                   arena_printf(r->s->arena, "found %g; it must be a whole number", count));
    r->s->workload.kind = WORKLOAD_CLIENTS;
    r->s->workload.clients = (long)count;
    r->s->workload.think = law_constant(0);
    if (json_get(v, "think") != NULL)
        TRY(read_law(r, json_get(v, "think"), UNIT_S, "$.workload.clients.think", &r->s->workload.think));
    return 0;
}

int read_workload(struct reader *r)
{
    static const char *const keys[] = {"open", "closed", "clients", "dataset", NULL};
    struct scenario *s = r->s;
    const struct json *w = json_get(s->tree, "workload"), *data;
    int kinds = 0;

    if (w == NULL)
        return bad(r, "$.workload",
                   "missing; write {\"open\": {\"arrivals\": ..}}, {\"closed\": {\"in_flight\": \"max\"}} or "
                   "{\"clients\": {\"count\": ..}}");
    TRY(check_keys(r, w, "$.workload", keys));
    for (int i = 0; i < 3; i++)
        kinds += json_get(w, keys[i]) != NULL;
    if (kinds != 1)
        return bad(r, "$.workload", "exactly one of \"open\", \"closed\" and \"clients\" is needed");
    if (json_get(w, "open") != NULL)
        TRY(read_open(r, json_get(w, "open")));
    if (json_get(w, "closed") != NULL)
        TRY(read_closed(r, json_get(w, "closed")));
    if (json_get(w, "clients") != NULL)
        TRY(read_clients(r, json_get(w, "clients")));
    data = json_get(w, "dataset");
    if (data == NULL)
        return 0;
    s->workload.data = arena_alloc(s->arena, sizeof *s->workload.data);
    TRY(load_params(r, dataset_params, data, "$.workload.dataset", s->workload.data));
    if (dataset_check(s->workload.data, "$.workload.dataset", r->err) != 0)
        return err_at(r->err, "%s", s->file);
    if (s->workload.kind != WORKLOAD_CLOSED)
        return bad(r, "$.workload.dataset",
                   "a data set is read as fast as it can be: it goes with \"closed\"");
    return 0;
}

int read_horizon(struct reader *r)
{
    static const char *const keys[] = {"items", "terminating", NULL};
    struct scenario *s = r->s;
    const struct json *h = json_get(s->tree, "horizon");
    const struct dataset_cfg *d = s->workload.data;
    char found[60];

    s->horizon.kind = HORIZON_STEADY;
    if (h != NULL && json_type(h) == JSON_OBJECT) {
        TRY(check_keys(r, h, "$.horizon", keys));
        if (json_size(h) != 1)
            return bad(r, "$.horizon", "either \"items\" or \"terminating\" is needed");
        s->horizon.kind = json_get(h, "items") != NULL ? HORIZON_ITEMS : HORIZON_TIME;
        if (s->horizon.kind == HORIZON_ITEMS)
            TRY(read_quantity(r, json_get(h, "items"), UNIT_NONE, 1, 1e15, "$.horizon.items",
                              &s->horizon.items));
        else
            TRY(read_quantity(r, json_get(h, "terminating"), UNIT_S, 1e-9, 1e12, "$.horizon.terminating",
                              &s->horizon.time_s));
    } else if (h != NULL && (json_string(h) == NULL || strcmp(json_string(h), "steady") != 0)) {
        return bad(r, "$.horizon",
                   arena_printf(s->arena,
                                "found %s; allowed: \"steady\", {\"items\": 300}, {\"terminating\": \"8h\"}",
                                json_brief(h, found, sizeof found)));
    }
    if (d == NULL)
        return 0;
    if (h == NULL) {
        s->horizon.kind = HORIZON_ITEMS;
        s->horizon.items = (double)(d->rows * d->epochs);
    }
    if (s->horizon.kind != HORIZON_ITEMS || s->horizon.items != (double)(d->rows * d->epochs))
        return bad(r, "$.horizon",
                   arena_printf(s->arena, "with a data set it is {\"items\": rows * epochs}, here %ld",
                                d->rows * d->epochs));
    return 0;
}
