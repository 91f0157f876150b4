#include "pipeline/scenario_read.h"

#include <math.h>
#include <string.h>

enum { PERIODS_MOST = 1000 };

/* ------------------------------------------------------------ rates that change */

static int read_numbers(struct reader *r, const struct json *v, enum unit unit, const char *where,
                        const double **out, int *n)
{
    double *x;

    if (v == NULL || json_type(v) != JSON_ARRAY || json_size(v) == 0 || json_size(v) > PERIODS_MOST)
        return bad(r, where, arena_printf(r->s->arena, "a list of 1 to %d values is needed", PERIODS_MOST));
    x = arena_array(r->s->arena, json_size(v), sizeof *x);
    for (*n = 0; *n < (int)json_size(v); ++*n)
        TRY(read_quantity(r, json_at(v, (size_t)*n), unit, 0, 1e12,
                          arena_printf(r->s->arena, "%s[%d]", where, *n), &x[*n]));
    *out = x;
    return 0;
}

static int finish_process(struct reader *r, struct process *p, const char *where, struct stream *out)
{
    double items = 0, time_s = 0;

    for (int i = 0; i < p->n; i++) {
        if (!(p->length_s[i] > 0))
            return bad(r, where, "every period must last longer than 0");
        items += p->rate_per_s[i] * p->length_s[i];
        time_s += p->length_s[i];
    }
    if (!(items > 0))
        return bad(r, where, "one of the rates must be above 0");
    out->process = p;
    out->gaps = law_constant(time_s / items);
    return 0;
}

static int read_mmpp(struct reader *r, const struct json *v, const char *where, struct stream *out)
{
    static const char *const keys[] = {"rates", "stays", NULL};
    struct process *p = ARENA_NEW(r->s->arena, struct process);
    int stays;

    TRY(check_keys(r, v, where, keys));
    *p = (struct process){.kind = PROCESS_MMPP, .cv = 1};
    TRY(read_numbers(r, json_get(v, "rates"), UNIT_PER_S, arena_printf(r->s->arena, "%s.rates", where),
                     &p->rate_per_s, &p->n));
    TRY(read_numbers(r, json_get(v, "stays"), UNIT_S, arena_printf(r->s->arena, "%s.stays", where),
                     &p->length_s, &stays));
    if (stays != p->n)
        return bad(r, where, "\"rates\" and \"stays\" need one value for each state");
    return finish_process(r, p, where, out);
}

static int read_schedule(struct reader *r, const struct json *v, const char *where, struct stream *out)
{
    static const char *const keys[] = {"rates", "period", "cv", NULL};
    struct process *p = ARENA_NEW(r->s->arena, struct process);
    double period = 3600, *lengths;

    TRY(check_keys(r, v, where, keys));
    *p = (struct process){.kind = PROCESS_SCHEDULE, .cv = 1};
    TRY(read_numbers(r, json_get(v, "rates"), UNIT_PER_S, arena_printf(r->s->arena, "%s.rates", where),
                     &p->rate_per_s, &p->n));
    if (json_get(v, "period") != NULL)
        TRY(read_quantity(r, json_get(v, "period"), UNIT_S, 1e-9, 1e9,
                          arena_printf(r->s->arena, "%s.period", where), &period));
    if (json_get(v, "cv") != NULL)
        TRY(read_quantity(r, json_get(v, "cv"), UNIT_NONE, 0, 100, arena_printf(r->s->arena, "%s.cv", where),
                          &p->cv));
    lengths = arena_array(r->s->arena, (size_t)p->n, sizeof *lengths);
    for (int i = 0; i < p->n; i++)
        lengths[i] = period;
    p->length_s = lengths;
    return finish_process(r, p, where, out);
}

static int read_stream(struct reader *r, const struct json *v, const char *where, struct stream *out)
{
    out->class = -1;
    if (json_type(v) == JSON_OBJECT && json_get(v, "mmpp") != NULL && json_size(v) == 1)
        return read_mmpp(r, json_get(v, "mmpp"), arena_printf(r->s->arena, "%s.mmpp", where), out);
    if (json_type(v) == JSON_OBJECT && json_get(v, "schedule") != NULL && json_size(v) == 1)
        return read_schedule(r, json_get(v, "schedule"), arena_printf(r->s->arena, "%s.schedule", where),
                             out);
    TRY(read_law(r, v, UNIT_S, where, &out->gaps));
    if (!(out->gaps.mean > 0))
        return bad(r, where, "the mean time between arrivals must be above 0");
    return 0;
}

/* ------------------------------------------------------------ several at once */

static int read_part(struct reader *r, const struct json *v, const char *where, struct stream *out)
{
    static const char *const keys[] = {"class", "arrivals", NULL};

    TRY(check_keys(r, v, where, keys));
    if (json_get(v, "arrivals") == NULL)
        return bad(r, where, "\"arrivals\" is missing");
    TRY(read_stream(r, json_get(v, "arrivals"), arena_printf(r->s->arena, "%s.arrivals", where), out));
    out->class_name = json_get_string(v, "class", NULL);
    return 0;
}

static int read_parts(struct reader *r, const struct json *list, const char *where, struct workload *out)
{
    struct stream *parts;

    if (json_type(list) != JSON_ARRAY || json_size(list) == 0 || json_size(list) > PERIODS_MOST)
        return bad(r, where,
                   arena_printf(r->s->arena, "a list of 1 to %d arrival processes is needed", PERIODS_MOST));
    parts = arena_array(r->s->arena, json_size(list), sizeof *parts);
    out->streams = parts;
    JSON_EACH (v, list) {
        TRY(read_part(r, v, arena_printf(r->s->arena, "%s[%d]", where, out->streams_n),
                      &parts[out->streams_n]));
        out->streams_n++;
    }
    return 0;
}

int read_open(struct reader *r, const struct json *v, const char *where, struct workload *out)
{
    static const char *const keys[] = {"arrivals", NULL};
    const struct json *arrivals;
    struct stream *one;
    double rate = 0;

    TRY(check_keys(r, v, where, keys));
    arrivals = json_get(v, "arrivals");
    if (arrivals == NULL)
        return bad(r, where,
                   "\"arrivals\" is missing: the time between arrivals, such as {\"exponential\": \"10ms\"}");
    where = arena_printf(r->s->arena, "%s.arrivals", where);
    if (json_type(arrivals) == JSON_OBJECT && json_get(arrivals, "superpose") != NULL &&
        json_size(arrivals) == 1) {
        TRY(read_parts(r, json_get(arrivals, "superpose"), arena_printf(r->s->arena, "%s.superpose", where),
                       out));
    } else {
        one = ARENA_NEW(r->s->arena, struct stream);
        out->streams = one;
        out->streams_n = 1;
        TRY(read_stream(r, arrivals, where, one));
    }
    for (int i = 0; i < out->streams_n; i++)
        rate += 1 / out->streams[i].gaps.mean;
    out->arrivals = out->streams_n == 1 ? out->streams[0].gaps : law_constant(1 / rate);
    return 0;
}

/* Streams name classes, which stand elsewhere in the workload. */
int find_stream_classes(struct reader *r, const char *where, struct workload *w)
{
    struct stream *streams = (struct stream *)(uintptr_t)w->streams; /* they are ours until we are done */

    for (int i = 0; i < w->streams_n; i++) {
        struct stream *st = &streams[i];

        for (int k = 0; st->class_name != NULL && w->requests != NULL && k < w->requests->classes_n; k++)
            if (strcmp(w->requests->classes[k].name, st->class_name) == 0)
                st->class = k;
        if (st->class_name != NULL && st->class < 0)
            return bad(r, where,
                       arena_printf(r->s->arena, "no class \"%s\" among \"requests\": {\"classes\": [..]}",
                                    st->class_name));
    }
    return 0;
}
