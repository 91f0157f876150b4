#include "pipeline/scenario_read.h"

#include <math.h>
#include <string.h>

static const char *below(const struct reader *r, const char *where, const char *key)
{
    return arena_printf(r->s->arena, "%s.%s", where, key);
}

static int read_closed(struct reader *r, const struct json *v, const char *where, struct workload *out)
{
    static const char *const keys[] = {"in_flight", NULL};
    const struct json *n;

    TRY(check_keys(r, v, where, keys));
    n = json_get(v, "in_flight");
    if (n == NULL || (json_string(n) != NULL && strcmp(json_string(n), "max") == 0))
        return 0;
    return read_quantity(r, n, UNIT_NONE, 1, 1e12, below(r, where, "in_flight"), &out->in_flight);
}

static int read_clients(struct reader *r, const struct json *v, const char *where, struct workload *out)
{
    static const char *const keys[] = {"count", "think", NULL};
    double count = 1;

    TRY(check_keys(r, v, where, keys));
    if (json_get(v, "count") != NULL)
        TRY(read_quantity(r, json_get(v, "count"), UNIT_NONE, 1, 1e7, below(r, where, "count"), &count));
    if (count != floor(count))
        return bad(r, below(r, where, "count"),
                   arena_printf(r->s->arena, "found %g; it must be a whole number", count));
    out->clients = (long)count;
    out->think = law_constant(0);
    if (json_get(v, "think") != NULL)
        TRY(read_law(r, json_get(v, "think"), UNIT_S, below(r, where, "think"), &out->think));
    return 0;
}

typedef int read_kind_fn(struct reader *r, const struct json *v, const char *where, struct workload *out);

static const struct workload_type {
    const char *key;
    enum workload_kind kind;
    read_kind_fn *read;
} types[] = {{"open", WORKLOAD_OPEN, read_open},
             {"closed", WORKLOAD_CLOSED, read_closed},
             {"clients", WORKLOAD_CLIENTS, read_clients},
             {"trace", WORKLOAD_TRACE, read_trace}};

enum { TYPES = sizeof types / sizeof *types };

static int read_dataset(struct reader *r, const struct json *v, const char *where, struct workload *out)
{
    out->data = arena_alloc(r->s->arena, sizeof *out->data);
    TRY(load_params(r, dataset_params, v, where, out->data));
    if (dataset_check(out->data, where, r->err) != 0)
        return err_at(r->err, "%s", r->s->file);
    if (out->kind != WORKLOAD_CLOSED)
        return bad(r, where, "a data set is read as fast as it can be: it goes with \"closed\"");
    return 0;
}

int read_workload(struct reader *r, const struct json *w, const char *where, struct workload *out)
{
    static const char *const keys[] = {"open",     "closed",      "clients", "trace", "dataset", "requests",
                                       "sessions", "calibration", "preset",  NULL};
    const struct workload_type *type = NULL;
    int kinds = 0;

    if (w == NULL)
        return bad(r, where,
                   "missing; write {\"open\": {\"arrivals\": ..}}, {\"closed\": {\"in_flight\": \"max\"}} or "
                   "{\"clients\": {\"count\": ..}}");
    TRY(check_keys(r, w, where, keys));
    if (strcmp(where, "$.workload") == 0) /* edits have no way into those of several pipelines */
        TRY(resolve_references(r, w, where, "workload", NULL));
    else if (json_get(w, "calibration") != NULL || json_get(w, "preset") != NULL)
        return bad(r, where, "a calibration of the workload is for scenarios of one pipeline");
    for (int i = 0; i < TYPES; i++)
        if (json_get(w, types[i].key) != NULL) {
            type = &types[i];
            kinds++;
        }
    if (kinds != 1)
        return bad(r, where, "exactly one of \"open\", \"closed\", \"clients\" and \"trace\" is needed");
    out->kind = type->kind;
    TRY(type->read(r, json_get(w, type->key), below(r, where, type->key), out));
    if (json_get(w, "dataset") != NULL)
        TRY(read_dataset(r, json_get(w, "dataset"), below(r, where, "dataset"), out));
    if (out->recording != NULL && (json_get(w, "requests") != NULL || json_get(w, "sessions") != NULL))
        return bad(r, where,
                   "\"requests\" and \"sessions\" of a trace are as they were recorded; leave them out");
    if (json_get(w, "requests") != NULL)
        TRY(read_requests(r, json_get(w, "requests"), below(r, where, "requests"), out));
    if (json_get(w, "sessions") != NULL)
        TRY(read_sessions(r, json_get(w, "sessions"), below(r, where, "sessions"), out));
    return find_stream_classes(r, where, out);
}

static int read_horizon_object(struct reader *r, const struct json *h, const char *where, struct horizon *out)
{
    static const char *const keys[] = {"items", "terminating", NULL};

    TRY(check_keys(r, h, where, keys));
    if (json_size(h) != 1)
        return bad(r, where, "either \"items\" or \"terminating\" is needed");
    if (json_get(h, "items") != NULL) {
        out->kind = HORIZON_ITEMS;
        return read_quantity(r, json_get(h, "items"), UNIT_NONE, 1, 1e15, below(r, where, "items"),
                             &out->items);
    }
    out->kind = HORIZON_TIME;
    return read_quantity(r, json_get(h, "terminating"), UNIT_S, 1e-9, 1e12, below(r, where, "terminating"),
                         &out->time_s);
}

/* A recording ends: when all of it is through, or before. */
static int recorded_horizon(struct reader *r, const struct json *h, const char *where,
                            const struct recording *rec, struct horizon *out)
{
    if (h == NULL) {
        out->kind = HORIZON_ITEMS;
        out->items = (double)rec->n;
    }
    if (out->kind == HORIZON_STEADY)
        return bad(r, where, "a recording ends; leave the horizon out, or set \"loop\": true in the trace");
    if (out->kind == HORIZON_ITEMS && out->items > (double)rec->n)
        return bad(r, where, arena_printf(r->s->arena, "the recording holds %zu requests only", rec->n));
    return 0;
}

int read_horizon(struct reader *r, const struct json *h, const char *where, const struct workload *w,
                 struct horizon *out)
{
    const struct dataset_cfg *d = w->data;
    char found[60];

    out->kind = HORIZON_STEADY;
    if (h != NULL && json_type(h) == JSON_OBJECT)
        TRY(read_horizon_object(r, h, where, out));
    else if (h != NULL && (json_string(h) == NULL || strcmp(json_string(h), "steady") != 0))
        return bad(r, where,
                   arena_printf(r->s->arena,
                                "found %s; allowed: \"steady\", {\"items\": 300}, {\"terminating\": \"8h\"}",
                                json_brief(h, found, sizeof found)));
    if (w->recording != NULL && !w->recording->loop)
        return recorded_horizon(r, h, where, w->recording, out);
    if (d == NULL)
        return 0;
    if (h == NULL) {
        out->kind = HORIZON_ITEMS;
        out->items = (double)(d->rows * d->epochs);
    }
    if (out->kind == HORIZON_STEADY && d->epochs == 1) /* the log goes on and is read once */
        return 0;
    if (out->kind != HORIZON_ITEMS || out->items != (double)(d->rows * d->epochs))
        return bad(r, where,
                   arena_printf(r->s->arena,
                                "with a data set it is {\"items\": rows * epochs}, here %ld; with one epoch also "
                                "\"steady\", a log without end",
                                d->rows * d->epochs));
    return 0;
}
