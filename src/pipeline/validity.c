#include "pipeline/validity.h"

#include "pipeline/bound.h"
#include "pipeline/scenario_read.h"

#include <math.h>
#include <string.h>

static const double SLACK = 1e-6; /* relative: ranges are printed and read again */

/* ------------------------------------------------------ sizes of operators */

/* The sizes that runs of an operator have; 0 and 0: it was not seen to run. */
struct asked {
    double items, bytes;
};

/* One item on its way from `entry` to the end, until it leaves `stage`; what it brings to the operators there. */
static void follow(const struct scenario *s, const struct pipeline *p, const struct item *first, int entry,
                   int stage, struct size_log *log)
{
    struct item it = *first;

    for (int i = entry; i <= stage && i <= p->last; i++) {
        const struct stage *st = &s->stages[i];
        struct luck luck = {.seed = 1, .stage = st->luck, .sizes = i == stage ? log : NULL};
        struct demand d = {.n = 0};
        struct item leave;

        if (st->shape.take > it.count) {
            double scale = ceil(st->shape.take / it.count * (1 - 1e-12));

            it.rows *= scale;
            it.count *= scale;
        }
        it = item_piece(&it, 0, st->model->pieces != NULL ? st->model->pieces(st->cfg, &it) : 1);
        leave = it;
        if (st->model->demand == NULL)
            return;
        st->model->demand(st->cfg, &it, &luck, &d, &leave);
        it = leave;
    }
}

static struct asked sizes_of(const struct scenario *s, int stage, const char *op)
{
    const struct stage *st = &s->stages[stage];
    const struct pipeline *p = st->pipeline >= 0 ? &s->pipelines[st->pipeline] : NULL;
    struct size_log log = {.n = 0};
    struct asked out = {0, 0};
    struct item it;
    int entry;

    if (p == NULL || !p->is_chain || p->serves)
        return out;
    scenario_source_item(s, p, 0, &it, &entry);
    follow(s, p, &it, entry, stage, &log);
    for (int i = 0; i < log.n; i++)
        if (strcmp(model_operator_name(st->model, st->cfg, log.seen[i].op), op) == 0)
            out = (struct asked){log.seen[i].items, log.seen[i].bytes};
    return out;
}

/* "stages.prep.params.costs.hash.per_item": hash */
static bool operator_of(const char *path, char *op, size_t size)
{
    const char *costs = strstr(path, ".costs."), *from = costs != NULL ? costs + strlen(".costs.") : NULL;
    size_t n = from != NULL ? strcspn(from, ".") : 0;

    if (n == 0 || n >= size)
        return false;
    memcpy(op, from, n);
    op[n] = '\0';
    return true;
}

/* ---------------------------------------------------------------- one range */

static int stage_of(const struct scenario *s, const char *owner)
{
    for (int i = 0; i < s->stages_n; i++)
        if (strncmp(owner, "stages.", 7) == 0 && strcmp(owner + 7, s->stages[i].name) == 0)
            return i;
    return -1;
}

/* 0: nothing is known. */
static double concurrency(const struct scenario *s, int stage)
{
    int pipeline = stage >= 0 ? s->stages[stage].pipeline : s->objective;
    const struct workload *w = pipeline >= 0 ? &s->pipelines[pipeline].workload : &s->workload;

    return w->kind == WORKLOAD_CLIENTS ? (double)w->clients : w->kind == WORKLOAD_CLOSED ? w->in_flight : 0;
}

static double asked_of(const struct scenario *s, const struct validity *v)
{
    int stage = stage_of(s, v->owner);
    char op[80];

    if (strcmp(v->of, "concurrency") == 0)
        return concurrency(s, stage);
    if (stage < 0 || !operator_of(v->path, op, sizeof op))
        return 0;
    if (strcmp(v->of, "items") == 0)
        return sizes_of(s, stage, op).items;
    return strcmp(v->of, "bytes") == 0 ? sizes_of(s, stage, op).bytes : 0;
}

static bool same_finding(const struct validity *a, const struct validity *b)
{
    size_t n = strlen(a->path) - strlen(strrchr(a->path, '.') != NULL ? strrchr(a->path, '.') : "");

    return strcmp(a->owner, b->owner) == 0 && strcmp(a->of, b->of) == 0 && strncmp(a->path, b->path, n) == 0;
}

int scenario_check_validity(struct scenario *s, bool extrapolate, struct err *err)
{
    const struct validity *last = NULL;

    for (int i = 0; i < s->validity_n; i++) {
        const struct validity *v = &s->validity[i];
        double asked = asked_of(s, v);
        const char *text;

        if (asked <= 0 || (asked >= v->from * (1 - SLACK) && asked <= v->to * (1 + SLACK)) ||
            (last != NULL && same_finding(last, v))) /* the other terms of one cost */
            continue;
        last = v;
        text = arena_printf(s->arena, "calibrated for %s from %.4g to %.4g (\"%s\", %s), asked for %.4g", v->of, v->from,
                            v->to, v->calibration, v->path, asked);
        if (!extrapolate)
            return err_set(err, ERR_SCENARIO, "%s: %s: %s; --extrapolate predicts all the same, and marks it", s->file,
                           v->owner, text);
        warn(s, v->owner, arena_printf(s->arena, "extrapolated: %s", text));
    }
    return 0;
}
