#include "study/values.h"

#include "engine/replicate.h"
#include "study/residual.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct job {
    struct set_values *v;
    const size_t *todo; /* indices of the list */
    struct progress *progress;
    pthread_mutex_t lock; /* of the arena and of `done` */
    size_t done;
};

void values_init(struct set_values *v, const struct study *st, struct arena *a)
{
    *v = (struct set_values){.st = st, .a = a};
}

void values_want(struct set_values *v, opt_set set)
{
    if (v->n == v->cap) {
        struct set_value *grown = arena_array(v->a, 2 * v->cap + 64, sizeof *grown);

        if (v->n > 0)
            memcpy(grown, v->list, v->n * sizeof *grown);
        v->list = grown;
        v->cap = 2 * v->cap + 64;
    }
    v->list[v->n++] = (struct set_value){.set = set};
}

static int by_set(const void *x, const void *y)
{
    opt_set a = ((const struct set_value *)x)->set, b = ((const struct set_value *)y)->set;

    return (a > b) - (a < b);
}

/* Of the same set, what was simulated comes first, to be kept. */
static int by_set_then_done(const void *x, const void *y)
{
    int order = by_set(x, y);

    return order != 0 ? order : ((const struct set_value *)y)->done - ((const struct set_value *)x)->done;
}

static void sort_unique(struct set_values *v)
{
    size_t kept = 0;

    qsort(v->list, v->n, sizeof *v->list, by_set_then_done);
    for (size_t i = 0; i < v->n; i++)
        if (kept == 0 || v->list[kept - 1].set != v->list[i].set)
            v->list[kept++] = v->list[i];
    v->n = kept;
}

const struct figure_def *rank_figure(enum rank_figure k)
{
    static const char *const names[RANK_FIGURES] = {
        "throughput_per_s", "latency_s.p95", "cost_usd_per_1m_units", "quality",
        "cost_usd_per_h",   "power_w",       "goodput_per_s"};

    return figure_find(names[k]);
}

static void keep_value(struct set_value *value, const struct whole *whole, const struct outcome *o)
{
    size_t reps = (size_t)o->replications;

    for (long r = 0; r < o->replications; r++) {
        value->objective[r] = o->objective_rep[r];
        value->mean += o->objective_rep[r] / (double)o->replications;
        for (enum rank_figure k = 0; k < RANK_FIGURES; k++)
            value->figure[k][r] = figure_value(rank_figure(k), o, r, o->scenario->objective);
    }
    for (int p = 0; value->delivers[0] != NULL && p < o->pipelines_n; p++)
        for (long r = 0; r < o->replications; r++)
            value->delivers[p][r] = whole_delivers(whole, o, r, p);
    for (int k = 0; k < o->stages_n; k++) {
        value->cpu[k] = o->stages[k].cpu_s_per_unit;
        value->disk[k] = o->stages[k].disk_bytes_per_unit;
        for (int p = 0; p < STAGE_PARTS; p++)
            memcpy(value->part[p] + (size_t)k * reps, o->stages[k].part_rep[p], reps * sizeof(double));
    }
}

/* What limits each pipeline at the rates that all of them reach. */
static void keep_limits(struct set_values *v, struct set_value *value, const struct outcome *o)
{
    struct residual cap[WHOLE_PIPELINES_MAX];
    double units_per_s[WHOLE_PIPELINES_MAX];

    if (v->st->whole == NULL)
        return;
    for (int p = 0; p < o->pipelines_n; p++)
        units_per_s[p] = o->pipelines[p].throughput_per_s.mean;
    residual_capacities(o->scenario, units_per_s, cap);
    for (int p = 0; p < o->pipelines_n; p++)
        value->limits[p] = arena_strdup(v->a, cap[p].limit);
}

static int simulate_one(void *ctx, uint32_t i, struct err *err)
{
    struct job *job = ctx;
    struct set_values *v = job->v;
    struct set_value *value = &v->list[job->todo[i]];
    struct arena *a = arena_new();
    struct scenario *s = NULL;
    struct outcome o;
    int rc = variant_build(v->st, value->set, NULL, 0, &s, err);

    if (rc == 0)
        rc = variant_simulate(v->st, s, 1, a, &o, err);
    if (rc == 0) {
        if (v->st->whole != NULL)
            whole_judge(v->st->whole, &o);
        keep_value(value, v->st->whole, &o);
        pthread_mutex_lock(&job->lock);
        value->limit = arena_strdup(v->a, o.bound.bottleneck);
        keep_limits(v, value, &o);
        progress_step(job->progress, (double)++job->done, NULL);
        pthread_mutex_unlock(&job->lock);
    }
    scenario_free(s);
    arena_free(a);
    return rc;
}

static void make_room(struct set_values *v, struct set_value *value, int stages_n)
{
    size_t reps = (size_t)v->st->replications;

    value->objective = arena_array(v->a, reps, sizeof(double));
    for (int k = 0; k < RANK_FIGURES; k++)
        value->figure[k] = arena_array(v->a, reps, sizeof(double));
    for (int p = 0; v->st->whole != NULL && p < v->st->whole->n; p++)
        value->delivers[p] = arena_array(v->a, reps, sizeof(double));
    for (int k = 0; k < STAGE_PARTS; k++)
        value->part[k] = arena_array(v->a, (size_t)stages_n * reps, sizeof(double));
    value->cpu = arena_array(v->a, (size_t)stages_n, sizeof(double));
    value->disk = arena_array(v->a, (size_t)stages_n, sizeof(double));
}

int values_simulate(struct set_values *v, int stages_n, struct progress *progress, struct err *err)
{
    size_t *todo = xcalloc(v->n + 1, sizeof *todo), n = 0;
    struct job job = {.v = v, .todo = todo, .progress = progress, .lock = PTHREAD_MUTEX_INITIALIZER};
    int rc;

    sort_unique(v);
    for (size_t i = 0; i < v->n; i++)
        if (!v->list[i].done) {
            make_room(v, &v->list[i], stages_n);
            todo[n++] = i;
        }
    progress_begin(progress, "simulating combinations", (double)n);
    rc = replicate_run(0, (uint32_t)n, v->st->threads, simulate_one, &job, err);
    progress_end(progress);
    for (size_t i = 0; i < n; i++)
        v->list[todo[i]].done = true;
    v->simulated_n = v->n;
    free(todo);
    return rc;
}

const struct set_value *values_find(const struct set_values *v, opt_set set)
{
    struct set_value key = {.set = set};

    return v->list == NULL ? NULL : bsearch(&key, v->list, v->simulated_n, sizeof *v->list, by_set);
}
