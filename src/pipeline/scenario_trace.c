#include "pipeline/scenario_read.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

struct trace_cfg {
    double rate_scale, from, to;
    bool loop;
    long block_tokens;
};

#define T struct trace_cfg
static const struct param trace_params[] = {
    REAL(T, rate_scale, UNIT_NONE, "1", 1e-6, 1e6,
         "Requests come this many times as fast as they were recorded"),
    REAL(T, from, UNIT_S, "0s", 0, 1e12, "Only what was recorded from this time on"),
    REAL(T, to, UNIT_S, "1000000000000s", 0, 1e12, "And before this one"),
    BOOL(T, loop, "false", "Begin again at the end of the recording"),
    INT(T, block_tokens, "0", 0, 1e6, "Tokens of one block of a prompt; 0: as few as fit every prompt"),
    PARAMS_END};
#undef T

/* ------------------------------------------------------------ written into the scenario */

static int read_blocks(struct reader *r, const struct json *v, const char *where,
                       struct recorded_request *out)
{
    uint64_t *blocks;

    if (v == NULL)
        return 0;
    if (json_type(v) != JSON_ARRAY)
        return bad(r, where, "\"blocks\" is a list of whole numbers");
    blocks = arena_array(r->s->arena, json_size(v) + 1, sizeof *blocks);
    JSON_EACH (b, v) {
        double x = 0;

        TRY(read_quantity(r, b, UNIT_NONE, 0, 9e15, where, &x));
        blocks[out->blocks_n++] = (uint64_t)x;
    }
    out->blocks = blocks;
    return 0;
}

/* [arrival, input tokens, output tokens], or an object that can say more. */
static int read_inline_row(struct reader *r, const struct json *v, const char *where,
                           struct recorded_request *out)
{
    static const char *const keys[] = {
        "arrival", "input_tokens", "output_tokens", "class", "session", "blocks", NULL};
    bool list = json_type(v) == JSON_ARRAY;
    double counts[2] = {0, 0};

    *out = (struct recorded_request){.class = "", .session = ""};
    if (list && (json_size(v) < 1 || json_size(v) > 3))
        return bad(r, where, "a request is [arrival, input tokens, output tokens] or an object");
    if (!list)
        TRY(check_keys(r, v, where, keys));
    for (size_t i = 0; i < 3; i++) {
        const struct json *x = list ? (i < json_size(v) ? json_at(v, i) : NULL) : json_get(v, keys[i]);

        if (x != NULL)
            TRY(read_quantity(r, x, i == 0 ? UNIT_S : UNIT_NONE, 0, 1e12, where,
                              i == 0 ? &out->arrival_s : &counts[i - 1]));
    }
    out->input_tokens = lround(counts[0]);
    out->output_tokens = lround(counts[1]);
    if (list)
        return 0;
    out->class = arena_strdup(r->s->arena, json_get_string(v, "class", ""));
    out->session = arena_strdup(r->s->arena, json_get_string(v, "session", ""));
    return read_blocks(r, json_get(v, "blocks"), where, out);
}

static int read_inline(struct reader *r, const struct json *list, const char *where,
                       struct recorded_request **out, size_t *n)
{
    if (json_type(list) != JSON_ARRAY || json_size(list) == 0)
        return bad(r, where, "a list of at least one request is needed");
    *out = arena_array(r->s->arena, json_size(list), sizeof **out);
    *n = 0;
    JSON_EACH (v, list) {
        const char *here = arena_printf(r->s->arena, "%s[%zu]", where, *n);

        TRY(read_inline_row(r, v, here, &(*out)[*n]));
        if (*n > 0 && (*out)[*n].arrival_s < (*out)[*n - 1].arrival_s)
            return bad(r, here, "requests stand in the order in which they came");
        ++*n;
    }
    return 0;
}

/* ------------------------------------------------------------ from the store */

static int read_source(struct reader *r, const struct json *v, const char *where,
                       struct recorded_request **rows, size_t *n)
{
    const struct resolver *res = r->opt != NULL ? r->opt->resolver : NULL;
    const char *ref = json_string(v);

    if (v != NULL && json_type(v) == JSON_OBJECT && json_get(v, "inline") != NULL && json_size(v) == 1)
        return read_inline(r, json_get(v, "inline"), arena_printf(r->s->arena, "%s.inline", where), rows, n);
    if (ref == NULL || strncmp(ref, "trace:", 6) != 0)
        return bad(r, where,
                   "\"trace:NAME\" of an imported recording is needed, or {\"inline\": [requests]}");
    if (res == NULL || res->requests == NULL)
        return bad(r, where, arena_printf(r->s->arena, "\"%s\": there is no store to read it from", ref));
    if (res->requests(res->ctx, ref, r->s->arena, rows, n, r->err) != 0)
        return err_at(r->err, "%s: %s", r->s->file, where);
    if (*n == 0)
        return bad(r, where, arena_printf(r->s->arena, "\"%s\": the trace holds no requests", ref));
    append_name(r->s, &r->s->recordings, &r->s->recordings_n, ref);
    return 0;
}

/* Those within the window and of the class, counted from the first on; unknown counts become 0. */
static size_t select_rows(struct recorded_request *rows, size_t n, const struct trace_cfg *c,
                          const char *class)
{
    double first = NAN;
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        struct recorded_request row = rows[i];

        if (!isfinite(row.arrival_s) || row.arrival_s < c->from || row.arrival_s >= c->to ||
            (class != NULL && strcmp(class, row.class) != 0))
            continue;
        if (kept == 0)
            first = row.arrival_s;
        row.arrival_s -= first;
        row.input_tokens = row.input_tokens > 0 ? row.input_tokens : 0;
        row.output_tokens = row.output_tokens > 0 ? row.output_tokens : 0;
        rows[kept++] = row;
    }
    return kept;
}

/* A prompt of n blocks is at most n blocks long: the largest such need is what a block holds. */
static long guess_block_tokens(const struct recorded_request *rows, size_t n)
{
    long most = 1;

    for (size_t i = 0; i < n; i++)
        if (rows[i].blocks_n > 0)
            most = (long)fmax((double)most, ceil((double)rows[i].input_tokens / (double)rows[i].blocks_n));
    return most;
}

static int class_index(struct requests *q, const char *name, struct arena *a)
{
    struct request_class *grown;

    for (int i = 0; i < q->classes_n; i++)
        if (strcmp(q->classes[i].name, name) == 0)
            return i;
    grown = arena_array(a, (size_t)q->classes_n + 1, sizeof *grown);
    if (q->classes_n > 0)
        memcpy(grown, q->classes, (size_t)q->classes_n * sizeof *grown);
    grown[q->classes_n] =
        (struct request_class){.name = name, .deadline_s = INFINITY, .luck = rng_hash(name)};
    q->classes = grown;
    return q->classes_n++;
}

/* The classes that were recorded, each with its share and its mean lengths: what the bound works with. */
static struct requests *recorded_classes(const struct recording *rec, int *classes, struct arena *a)
{
    struct requests *q = ARENA_NEW(a, struct requests);
    double *input, *output, *count;

    for (size_t i = 0; i < rec->n; i++)
        classes[i] = class_index(q, rec->rows[i].class, a);
    input = arena_array(a, (size_t)q->classes_n, sizeof *input);
    output = arena_array(a, (size_t)q->classes_n, sizeof *output);
    count = arena_array(a, (size_t)q->classes_n, sizeof *count);
    for (size_t i = 0; i < rec->n; i++) {
        input[classes[i]] += (double)rec->rows[i].input_tokens;
        output[classes[i]] += (double)rec->rows[i].output_tokens;
        count[classes[i]]++;
    }
    for (int i = 0; i < q->classes_n; i++) {
        q->classes[i].share = count[i] / (double)rec->n;
        q->classes[i].input_tokens = law_constant(input[i] / count[i]);
        q->classes[i].output_tokens = law_constant(output[i] / count[i]);
        q->classes[i].hops = law_constant(0);
    }
    return q;
}

static int finish_recording(struct reader *r, struct recorded_request *rows, size_t n,
                            const struct trace_cfg *c, const char *where, struct workload *out)
{
    struct recording *rec = ARENA_NEW(r->s->arena, struct recording);
    int *classes = arena_array(r->s->arena, n, sizeof *classes);
    uint64_t *sessions = arena_array(r->s->arena, n, sizeof *sessions);
    struct requests *q;
    double last = rows[n - 1].arrival_s;

    *rec = (struct recording){.rows = rows,
                              .classes = classes,
                              .sessions = sessions,
                              .n = n,
                              .rate_scale = c->rate_scale,
                              .loop = c->loop};
    for (size_t i = 0; i < n; i++)
        sessions[i] = rows[i].session[0] != '\0' ? rng_hash(rows[i].session) : 0;
    rec->span_s =
        n > 1 ? last * (double)n / (double)(n - 1) : 1; /* and one mean gap before it begins again */
    if (c->loop && !(rec->span_s > 0))
        return bad(r, where, "all requests came at once; that cannot go on in a loop");
    q = recorded_classes(rec, classes, r->s->arena);
    q->block_tokens = c->block_tokens > 0 ? c->block_tokens : guess_block_tokens(rows, n);
    out->requests = q;
    out->recording = rec;
    out->arrivals = law_constant(rec->span_s / (double)n / c->rate_scale);
    return 0;
}

int read_trace(struct reader *r, const struct json *v, const char *where, struct workload *out)
{
    struct recorded_request *rows;
    struct trace_cfg cfg;
    struct json *rest;
    const char *class;
    size_t n;
    int rc;

    if (json_type(v) != JSON_OBJECT)
        return bad(r, where, "an object is needed, such as {\"source\": \"trace:NAME\", \"rate_scale\": 2}");
    class = json_get_string(v, "class", NULL);
    rest = json_copy(v);
    json_remove(rest, "source");
    json_remove(rest, "class");
    rc = load_params(r, trace_params, rest, where, &cfg);
    json_free(rest);
    TRY(rc);
    TRY(read_source(r, json_get(v, "source"), arena_printf(r->s->arena, "%s.source", where), &rows, &n));
    n = select_rows(rows, n, &cfg, class);
    if (n == 0)
        return bad(r, where,
                   class != NULL
                       ? arena_printf(r->s->arena, "no recorded request of class \"%s\" is left", class)
                       : "no recorded request with a time is left between \"from\" and \"to\"");
    return finish_recording(r, rows, n, &cfg, where, out);
}
