#include "study/rank_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct set_value *base_of(const struct work *w)
{
    return values_find(&w->values, NOTHING);
}

static const struct set_value *row_of(const struct work *w, const struct ranked *r)
{
    return values_find(&w->values, one(r->index));
}

/* -------------------------------------------------------------- figures */

/* Over the replications in which both are known. */
static struct rank_difference compare(const struct work *w, bool higher, const double *after,
                                      const double *before)
{
    size_t reps = (size_t)w->st->replications, n = 0;
    double *a = xcalloc(reps, sizeof *a), *b = xcalloc(reps, sizeof *b);
    struct rank_difference d = {0};

    for (size_t r = 0; r < reps; r++)
        if (isfinite(after[r]) && isfinite(before[r])) {
            a[n] = after[r];
            b[n++] = before[r];
        }
    d.known = n > 0;
    if (d.known) {
        d.delta = estimate_difference(a, b, n, w->st->confidence);
        d.gain = estimate_ratio(higher ? a : b, higher ? b : a, n, w->st->confidence);
    }
    free(a);
    free(b);
    return d;
}

static struct rank_difference difference(const struct work *w, enum rank_figure k, const double *after,
                                         const double *before)
{
    return compare(w, rank_figure(k)->better == BETTER_HIGHER, after, before);
}

/* ------------------------------------------------- components and owners */

/* Difference of one part of what the stages of `owner` (NULL: stage `only` alone) take. */
static struct estimate part_difference(const struct work *w, const struct ranked *r, const char *owner,
                                       int only, enum stage_part part)
{
    const struct scenario *s = w->out->base_scenario;
    size_t reps = (size_t)w->st->replications;
    double *after = xcalloc(reps, sizeof *after), *before = xcalloc(reps, sizeof *before);
    struct estimate e;

    for (int k = 0; k < s->stages_n; k++)
        for (size_t i = 0; (owner != NULL ? strcmp(s->stages[k].owner, owner) == 0 : k == only) && i < reps;
             i++) {
            after[i] += row_of(w, r)->part[part][(size_t)k * reps + i];
            before[i] += base_of(w)->part[part][(size_t)k * reps + i];
        }
    e = estimate_difference(after, before, reps, w->st->confidence);
    free(after);
    free(before);
    return e;
}

static void find_components(struct work *w, struct ranked *r)
{
    const struct set_value *with = row_of(w, r), *base = base_of(w);
    const struct scenario *s = w->out->base_scenario;

    r->deltas = arena_array(w->a, (size_t)s->stages_n, sizeof *r->deltas);
    for (int k = 0; k < s->stages_n; k++) {
        double cpu = with->cpu[k] - base->cpu[k], disk = with->disk[k] - base->disk[k];
        struct component_delta *d = &r->deltas[r->deltas_n];

        if (fabs(cpu) <= 0.005 * base->cpu[k] && fabs(disk) <= 0.005 * base->disk[k])
            continue;
        r->deltas_n++;
        *d = (struct component_delta){
            .stage = s->stages[k].name, .owner = s->stages[k].owner, .cpu_s = cpu, .disk_bytes = disk};
        for (enum stage_part p = 0; p < STAGE_PARTS; p++)
            d->part[p] = part_difference(w, r, NULL, k, p);
    }
}

static bool is_first_of_owner(const struct scenario *s, int stage)
{
    for (int i = 0; i < stage; i++)
        if (strcmp(s->stages[i].owner, s->stages[stage].owner) == 0)
            return false;
    return true;
}

static void find_owners(struct work *w, struct ranked *r)
{
    const struct scenario *s = w->out->base_scenario;
    int n = 0;

    r->owners = arena_array(w->a, (size_t)w->out->owners_n + 1, sizeof *r->owners);
    for (int i = 0; i < s->stages_n; i++) {
        if (!is_first_of_owner(s, i))
            continue;
        r->owners[n].owner = s->stages[i].owner;
        for (enum stage_part p = 0; p < STAGE_PARTS; p++)
            r->owners[n].part[p] = part_difference(w, r, s->stages[i].owner, -1, p);
        n++;
    }
}

void rank_base(struct work *w)
{
    const struct scenario *s = w->out->base_scenario;
    double *nought = xcalloc((size_t)w->st->replications, sizeof *nought);

    w->out->gain_of = w->st->whole != NULL ? "all work, pipelines weighted"
                      : s->workload.kind == WORKLOAD_OPEN || s->workload.kind == WORKLOAD_TRACE
                          ? "1 / mean latency"
                          : "throughput";
    for (enum rank_figure k = 0; k < RANK_FIGURES; k++)
        w->out->before[k] = difference(w, k, base_of(w)->figure[k], nought);
    for (int i = 0; i < s->stages_n; i++)
        w->out->owners_n += is_first_of_owner(s, i);
    free(nought);
}

/* What each pipeline delivers, against the base. */
static void find_pipelines(struct work *w, struct ranked *r)
{
    const struct whole *whole = w->st->whole;

    r->pipelines = whole == NULL ? NULL : arena_array(w->a, (size_t)whole->n, sizeof *r->pipelines);
    for (int p = 0; whole != NULL && p < whole->n; p++)
        r->pipelines[p] = compare(w, true, row_of(w, r)->delivers[p], base_of(w)->delivers[p]);
}

void rank_differences(struct work *w, struct ranked *r)
{
    for (enum rank_figure k = 0; k < RANK_FIGURES; k++)
        r->figure[k] = difference(w, k, row_of(w, r)->figure[k], base_of(w)->figure[k]);
    find_components(w, r);
    find_owners(w, r);
    find_pipelines(w, r);
}

/* ------------------------------------------------------------------ why */

static double stage_base(const struct work *w, const char *stage, bool disk)
{
    const struct scenario *s = w->out->base_scenario;

    for (int k = 0; k < s->stages_n; k++)
        if (strcmp(s->stages[k].name, stage) == 0)
            return disk ? base_of(w)->disk[k] : base_of(w)->cpu[k];
    return 0;
}

/* "+41 %", or "new" where there was none. */
static const char *change(struct work *w, double delta, double before)
{
    return before > 0 ? arena_printf(w->a, "%+.0f %%", 100 * delta / before) : "new";
}

static bool touches(const struct optimization *o, const char *stage)
{
    for (int i = 0; i < o->touches_n; i++)
        if (strcmp(o->touches[i], stage) == 0)
            return true;
    return false;
}

/* In an estate the work of a pipeline that does not change is known only so well. */
static bool says_something(const struct work *w, const struct ranked *r, const struct component_delta *d)
{
    const double noise = 0.02;

    return w->st->whole == NULL || touches(r->opt, d->stage) ||
           fabs(d->cpu_s) > noise * stage_base(w, d->stage, false) ||
           fabs(d->disk_bytes) > noise * stage_base(w, d->stage, true);
}

/* "prep -41 % work, table -54 % bytes" */
static const char *changed_work(struct work *w, const struct ranked *r)
{
    const char *text = "";

    for (int k = 0; k < r->deltas_n; k++) {
        const struct component_delta *d = &r->deltas[k];
        double cpu = stage_base(w, d->stage, false), disk = stage_base(w, d->stage, true);

        if (!says_something(w, r, d))
            continue;
        text = arena_printf(w->a, "%s%s%s", text, text[0] ? ", " : "", d->stage);
        if (fabs(d->cpu_s) > 0.005 * cpu)
            text = arena_printf(w->a, "%s %s work", text, change(w, d->cpu_s, cpu));
        if (fabs(d->disk_bytes) > 0.005 * disk)
            text = arena_printf(w->a, "%s %s bytes", text, change(w, d->disk_bytes, disk));
    }
    return text[0] != '\0' ? text : "no stage's work per unit changes";
}

static bool changes_work_of(const struct ranked *r, const char *stage)
{
    bool changes = false;

    for (int k = 0; k < r->deltas_n; k++)
        changes = changes || strcmp(r->deltas[k].stage, stage) == 0;
    return changes;
}

/* The pipeline whose deliveries move most by their share of the whole. */
static int moved_most(const struct whole *whole, const struct ranked *r)
{
    double most = -1;
    int best = 0;

    for (int p = 0; p < whole->n; p++) {
        double moves = r->pipelines[p].known ? whole->weight[p] * fabs(log(r->pipelines[p].gain.mean)) : 0;

        if (moves > most) {
            most = moves;
            best = p;
        }
    }
    return best;
}

/* "prep -41 % work; the limit moves from prep to train" */
const char *rank_explain(struct work *w, const struct ranked *r)
{
    int p = w->st->whole != NULL ? moved_most(w->st->whole, r) : -1;
    const char *before = p >= 0 ? base_of(w)->limits[p] : base_of(w)->limit;
    const char *after = p >= 0 ? row_of(w, r)->limits[p] : row_of(w, r)->limit;
    const char *whose = p >= 0 ? arena_printf(w->a, " of %s", w->st->whole->name[p]) : "";

    if (strcmp(before, after) != 0)
        return arena_printf(w->a, "%s; the limit%s moves from %s to %s", changed_work(w, r), whose, before,
                            after);
    return arena_printf(w->a, "%s; %s %s the limit%s", changed_work(w, r), before,
                        changes_work_of(r, before) ? "stays" : "was and stays", whose);
}

/* ---------------------------------------------------- what is told apart */

struct placed {
    const char *name;
    const double *x;
    double mean;
};

static int by_mean(const void *x, const void *y)
{
    const struct placed *a = x, *b = y;

    return a->mean != b->mean ? (a->mean < b->mean) - (a->mean > b->mean) : strcmp(a->name, b->name);
}

/* The base and all rows, best known figure first; those that do not know it are left out. */
static int place(const struct work *w, enum rank_figure k, struct placed *list)
{
    int n = 0;

    for (int i = -1; i < w->out->n; i++) {
        const struct set_value *v = i < 0 ? base_of(w) : row_of(w, &w->out->list[i]);
        double sum = 0;

        for (long r = 0; r < w->st->replications; r++)
            sum += v->figure[k][r];
        if (isfinite(sum))
            list[n++] = (struct placed){i < 0 ? "base" : w->out->list[i].opt->name, v->figure[k], sum};
    }
    qsort(list, (size_t)n, sizeof *list, by_mean);
    return n;
}

/* Differences below this share of the figure are none, whatever their interval: simulation tells luck, not
 * more. */
static const double ROUNDING = 1e-9;

static bool may_be_equal(const struct work *w, const struct placed *a, const struct placed *b)
{
    struct estimate e = estimate_difference(a->x, b->x, (size_t)w->st->replications, w->st->confidence);

    return !(e.lo > 0 || e.hi < 0) || fabs(e.mean) <= ROUNDING * fabs(a->mean);
}

static void close_group(struct work *w, const struct placed *from, int n, enum rank_figure k)
{
    struct alike *g = &w->out->alike[w->out->alike_n];

    if (n < 2)
        return;
    *g = (struct alike){rank_figure(k)->name, n, arena_array(w->a, (size_t)n, sizeof *g->names)};
    for (int i = 0; i < n; i++)
        g->names[i] = from[i].name;
    w->out->alike_n++;
}

void rank_find_alike(struct work *w)
{
    struct placed *list = arena_array(w->a, (size_t)w->out->n + 1, sizeof *list);

    w->out->alike = arena_array(w->a, (size_t)RANK_FIGURES * (size_t)(w->out->n + 1), sizeof *w->out->alike);
    for (enum rank_figure k = 0; k <= RANK_QUALITY; k++) {
        int n = w->st->whole != NULL && (k == RANK_COST_PER_1M || k == RANK_THROUGHPUT) ? 0
                                                                                        : place(w, k, list),
            from = 0;

        for (int i = 1; i <= n; i++)
            if (i == n || !may_be_equal(w, &list[i - 1], &list[i])) {
                close_group(w, list + from, i - from, k);
                from = i;
            }
    }
}
