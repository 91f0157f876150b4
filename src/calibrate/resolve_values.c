#include "calibrate/resolve_values.h"

#include "base/arena.h"
#include "base/text.h"
#include "store/trace.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <stdbool.h>
#include <string.h>

enum { MOST_NAMES = 64 };

/* What `ref` says, once its trace is found. */
struct source {
    int64_t trace_id;
    const char *trace, *stage, *op; /* stage NULL: whichever has the operator */
};

/* Cut at the last /, or at the one before it: TRACE/OP or TRACE/STAGE/OP. */
static int find_source(struct store *s, const char *ref, struct arena *a, struct source *out, struct err *err)
{
    char *trace = arena_strdup(a, ref), *op = strrchr(trace, '/'), *stage;
    struct err within = {0};

    if (op == NULL || op == trace || op[1] == '\0')
        return err_set(err, ERR_USAGE, "\"trace:%s\" does not say which operator; write trace:TRACE/OPERATOR",
                       ref);
    *op++ = '\0';
    *out = (struct source){.trace = trace, .op = op};
    stage = strrchr(trace, '/');
    if (stage == NULL || stage == trace)
        return trace_find_recorded(s, trace, &out->trace_id, err);
    if (trace_find_recorded(s, trace, &out->trace_id, err) == 0)
        return 0;
    *stage++ = '\0';
    out->stage = stage;
    return trace_find_recorded(s, trace, &out->trace_id, &within) == 0 ? 0 : err->code;
}

static int no_operator(const struct source *from, const struct trace_op *ops, size_t n, struct err *err)
{
    const char *names[MOST_NAMES];
    size_t names_n = 0;
    struct text t = {0};

    for (size_t i = 0; i < n && names_n < MOST_NAMES; i++)
        names[names_n++] = ops[i].op;
    if (n == 0)
        text_add(&t, "it holds no spans");
    else
        text_add_suggestion(&t, from->op, names, names_n);
    err_set(err, ERR_USAGE, "trace \"%s\" has no operator \"%s\"%s%s; %s", from->trace, from->op,
            from->stage != NULL ? " in stage " : "", from->stage != NULL ? from->stage : "", t.s);
    text_free(&t);
    return err->code;
}

/* The one stage that has the operator; *spans: how many its variants have. */
static int find_stage(struct store *s, struct source *from, struct arena *a, size_t *spans, struct err *err)
{
    const char *stage = NULL;
    struct trace_op *ops;
    size_t n;

    *spans = 0;
    TRY(trace_summary(s, from->trace_id, a, &ops, &n, err));
    for (size_t i = 0; i < n; i++) {
        if (strcmp(ops[i].op, from->op) != 0 ||
            (from->stage != NULL && strcmp(ops[i].stage, from->stage) != 0))
            continue;
        if (stage != NULL && strcmp(stage, ops[i].stage) != 0)
            return err_set(err, ERR_USAGE,
                           "trace \"%s\": stages \"%s\" and \"%s\" both have an operator \"%s\"; write "
                           "trace:%s/%s/%s for one of them",
                           from->trace, stage, ops[i].stage, from->op, from->trace, stage, from->op);
        stage = ops[i].stage;
        *spans += (size_t)ops[i].n;
    }
    if (*spans == 0)
        return no_operator(from, ops, n, err);
    from->stage = stage;
    return 0;
}

struct durations {
    double *s;
    size_t n;
};

static int add_duration(void *ctx, const struct span *p, struct err *err)
{
    struct durations *d = ctx;

    (void)err;
    d->s[d->n++] = p->end_s - p->start_s;
    return 0;
}

int resolve_span_values(struct store *s, const char *ref, struct arena *a, double **values, size_t *n,
                        struct err *err)
{
    struct durations d = {0};
    struct source from;
    size_t spans;

    *n = 0;
    TRY(find_source(s, ref, a, &from, err));
    TRY(find_stage(s, &from, a, &spans, err));
    d.s = arena_array(a, spans, sizeof *d.s);
    TRY(trace_each(s, from.trace_id, from.stage, from.op, add_duration, &d, err));
    gsl_sort(d.s, 1, d.n);
    *n = d.n < VALUES_MOST ? d.n : VALUES_MOST;
    *values = d.s;
    if (d.n <= VALUES_MOST)
        return 0;
    *values = arena_array(a, VALUES_MOST, sizeof **values);
    for (size_t i = 0; i < VALUES_MOST; i++)
        (*values)[i] = gsl_stats_quantile_from_sorted_data(d.s, 1, d.n, ((double)i + 0.5) / VALUES_MOST);
    return 0;
}
