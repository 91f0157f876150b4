#include "study/speedup.h"

#include "engine/replicate.h"
#include "study/whole.h"

#include <stdlib.h>
#include <string.h>

const double speedup_points[SPEEDUP_POINTS] = {0.10, 0.25, 0.50};

struct job {
    const struct study *st;
    const double *before;
    struct speedup *list;
};

/* Job i is one point of one stage's curve. */
static int simulate_point(void *ctx, uint32_t i, struct err *err)
{
    struct job *job = ctx;
    uint32_t stage = i / SPEEDUP_POINTS, point = i % SPEEDUP_POINTS;
    struct arena *a = arena_new();
    struct scenario *s = NULL;
    struct outcome o;
    int rc = variant_build(job->st, 0, NULL, 0, &s, err);

    if (rc == 0) {
        s->stages[stage].spared = speedup_points[point];
        rc = variant_simulate(job->st, s, 1, a, &o, err);
    }
    if (rc == 0 && job->st->whole != NULL)
        whole_judge(job->st->whole, &o);
    if (rc == 0)
        job->list[stage].gain[point] =
            estimate_ratio(o.objective_rep, job->before, (size_t)o.replications, job->st->confidence);
    scenario_free(s);
    arena_free(a);
    return rc;
}

static int by_last_gain(const void *x, const void *y)
{
    const struct speedup *a = x, *b = y;
    double p = a->gain[SPEEDUP_POINTS - 1].mean, q = b->gain[SPEEDUP_POINTS - 1].mean;

    return p != q ? (p < q) - (p > q) : strcmp(a->stage, b->stage);
}

int speedups_find(const struct study *st, const struct scenario *base, const double *base_objective,
                  struct arena *a, struct speedup **out, int *n, struct err *err)
{
    struct job job = {st, base_objective, arena_array(a, (size_t)base->stages_n + 1, sizeof *job.list)};

    for (int i = 0; i < base->stages_n; i++)
        job.list[i].stage = base->stages[i].name;
    TRY(replicate_run(0, (uint32_t)base->stages_n * SPEEDUP_POINTS, st->threads, simulate_point, &job, err));
    qsort(job.list, (size_t)base->stages_n, sizeof *job.list, by_last_gain);
    *out = job.list;
    *n = base->stages_n;
    return 0;
}
