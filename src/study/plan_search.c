/*
 * The grid as lines: one for each combination of the knobs that are not searched by bisection.
 */
#include "study/plan_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line {
    struct plan_setting first; /* the lowest that the bound does not rule out */
    double cost, size;         /* of that */
    int order;
};

struct failed {
    struct plan_setting setting;
    enum trial_verdict verdict;
};

struct searcher {
    struct planner *p;
    struct plan_search *s;
    const struct plan_space *space;
    struct line *lines;
    size_t lines_n;
    struct failed *failed; /* found not to meet: neither does what has less */
    size_t failed_n, failed_room;
};

enum { LINES_MAX = 20000 };

int plan_trial(struct planner *p, const struct json *tree, double factor, struct trial *out, struct err *err)
{
    char done[80];

    TRY(trial_run(&p->out->tester, tree, factor * p->out->base_factor, p->a, out, err));
    snprintf(done, sizeof done, "%s (%ld replications)", trial_verdict_names[out->verdict],
             out->replications);
    progress_step(p->opt->progress, ++p->steps, done);
    return 0;
}

/* Of a setting, by the bound alone or by simulation. */
static int try_setting(struct searcher *q, const struct plan_setting *at, bool bound_only, struct trial *out,
                       struct err *err)
{
    struct tester bound = q->p->out->tester;
    struct json *tree;
    int rc;

    TRY(plan_tree(q->space, at, &tree, err));
    bound.bound_only = true;
    if (bound_only)
        rc = trial_run(&bound, tree, q->s->factor * q->p->out->base_factor, q->p->a, out, err);
    else
        rc = plan_trial(q->p, tree, q->s->factor, out, err);
    json_free(tree);
    return rc;
}

/* -------------------------------------------------------------- better, nearer */

static bool is_better(const struct planner *p, double cost, double size, const struct plan_choice *than)
{
    double a[2] = {cost, size}, b[2] = {than->trial.cost.mean, than->size};
    int first = p->out->minimize == PLAN_FEWEST;

    if (!than->found)
        return true;
    if (fabs(a[first] - b[first]) > 1e-9 * fabs(b[first]))
        return a[first] < b[first];
    return a[!first] < b[!first] - 1e-9 * fabs(b[!first]);
}

static void remember(struct searcher *q, const struct plan_setting *at, const struct trial *t)
{
    struct plan_choice c = {.found = true, .setting = *at, .trial = *t, .size = plan_size(q->space, at)};

    if (t->verdict == TRIAL_MEETS && is_better(q->p, t->cost.mean, c.size, &q->s->best))
        q->s->best = c;
    if (t->verdict == TRIAL_MEETS)
        return;
    if (!q->s->nearest.found || t->slack > q->s->nearest.trial.slack)
        q->s->nearest = c;
    if (q->failed_n == q->failed_room) {
        q->failed_room = q->failed_room == 0 ? 64 : 2 * q->failed_room;
        q->failed = xrealloc(q->failed, q->failed_room, sizeof *q->failed);
    }
    q->failed[q->failed_n++] = (struct failed){*at, t->verdict};
}

/* No more of anything that counts than one that failed, all else the same. */
static bool is_dominated(const struct searcher *q, const struct plan_setting *at)
{
    for (size_t i = 0; i < q->failed_n; i++) {
        const struct plan_setting *failed = &q->failed[i].setting;
        bool less = true;

        for (int k = 0; k < q->space->n; k++)
            less =
                less && (q->space->knobs[k].counts ? at->at[k] <= failed->at[k] : at->at[k] == failed->at[k]);
        if (less)
            return true;
    }
    return false;
}

/* One setting, simulated unless it is known already not to meet. */
static int decide(struct searcher *q, const struct plan_setting *at, bool trusts, struct trial *t,
                  struct err *err)
{
    if (trusts && is_dominated(q, at)) {
        *t = (struct trial){.verdict = TRIAL_FAILS, .slack = -INFINITY};
        q->s->ruled_out++;
        return 0;
    }
    TRY(try_setting(q, at, q->s->bound_only, t, err));
    q->s->tried += t->is_simulated;
    q->s->ruled_out += !t->is_simulated && t->verdict == TRIAL_FAILS;
    remember(q, at, t);
    return 0;
}

/* -------------------------------------------------------------------- lines */

static int line_length(const struct searcher *q)
{
    return q->space->line >= 0 ? q->space->knobs[q->space->line].knob->n : 1;
}

static void put(const struct searcher *q, struct plan_setting *at, int level)
{
    if (q->space->line >= 0)
        at->at[q->space->line] = level;
}

static int level_of(const struct searcher *q, const struct plan_setting *at)
{
    return q->space->line >= 0 ? at->at[q->space->line] : 0;
}

/* The lowest setting of a line that the bound leaves; none: *there is false and *t says why the last fails.
 */
static int first_possible(struct searcher *q, struct plan_setting *at, bool *there, struct trial *t,
                          struct err *err)
{
    int low = -1, high = line_length(q) - 1;
    struct trial one;

    put(q, at, high);
    TRY(try_setting(q, at, true, t, err));
    *there = t->verdict != TRIAL_FAILS;
    while (*there && high - low > 1) {
        int half = (low + high) / 2;

        put(q, at, half);
        TRY(try_setting(q, at, true, &one, err));
        if (one.verdict != TRIAL_FAILS) {
            high = half;
            *t = one;
        } else {
            low = half;
        }
    }
    put(q, at, high);
    q->s->ruled_out += *there ? high : line_length(q);
    return 0;
}

/* What is no size may be kept as it is; the line is walked elsewhere. */
static bool is_kept(const struct searcher *q, int k)
{
    return k == q->space->line || (q->s->kept != NULL && !q->space->knobs[k].is_size);
}

/* The next combination of the knobs beside the line; false after the last. */
static bool next_combination(const struct searcher *q, struct plan_setting *at)
{
    for (int k = q->space->n - 1; k >= 0; k--) {
        if (is_kept(q, k))
            continue;
        if (++at->at[k] < q->space->knobs[k].knob->n)
            return true;
        at->at[k] = 0;
    }
    return false;
}

static int by_cost(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    if (x->cost != y->cost)
        return (x->cost > y->cost) - (x->cost < y->cost);
    if (x->size != y->size)
        return (x->size > y->size) - (x->size < y->size);
    return (x->order > y->order) - (x->order < y->order);
}

static int by_size(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    if (x->size != y->size)
        return (x->size > y->size) - (x->size < y->size);
    return by_cost(a, b);
}

/* From what the scenario has now, in knobs that cost nothing: of two equals the one that changes less. */
static int how_different(const struct plan_space *s, const struct plan_setting *at)
{
    int steps = 0;

    for (int k = 0; k < s->n; k++)
        if (!s->knobs[k].is_size && s->knobs[k].knob->now >= 0)
            steps += abs(at->at[k] - s->knobs[k].knob->now);
    return steps;
}

static int find_lines(struct searcher *q, struct err *err)
{
    struct plan_setting at = {{0}};
    double combinations = 1;

    for (int k = 0; k < q->space->n; k++) {
        combinations *= is_kept(q, k) ? 1 : q->space->knobs[k].knob->n;
        at.at[k] = is_kept(q, k) && q->s->kept != NULL ? q->s->kept->at[k] : 0;
    }
    if (combinations > LINES_MAX)
        return err_set(err, ERR_USAGE,
                       "%s: %.3g combinations of the knobs beside %s; at most %d: narrow them with --knob "
                       "PATH=LO..HI",
                       q->p->st->file, combinations,
                       q->space->line >= 0 ? q->space->knobs[q->space->line].knob->name : "none", LINES_MAX);
    q->lines = xcalloc((size_t)combinations + 1, sizeof *q->lines);
    do {
        struct trial t;
        bool there;

        TRY(first_possible(q, &at, &there, &t, err));
        if (there)
            q->lines[q->lines_n++] =
                (struct line){at, t.cost_usd_per_h, plan_size(q->space, &at), how_different(q->space, &at)};
        else if (!q->s->nearest.found || q->s->nearest.trial.capacity_per_s < t.capacity_per_s)
            q->s->nearest = (struct plan_choice){true, at, t, plan_size(q->space, &at)};
    } while (next_combination(q, &at));
    qsort(q->lines, q->lines_n, sizeof *q->lines, q->p->out->minimize == PLAN_FEWEST ? by_size : by_cost);
    return 0;
}

/* ------------------------------------------------------------- along a line */

/* Whether a level could still be better than the best found, by what the bound says of it. */
static int may_win(struct searcher *q, struct plan_setting *at, int level, bool *may, struct err *err)
{
    struct trial t;

    put(q, at, level);
    *may = true;
    if (!q->s->best.found)
        return 0;
    TRY(try_setting(q, at, true, &t, err));
    *may =
        t.verdict != TRIAL_FAILS && is_better(q->p, t.cost_usd_per_h, plan_size(q->space, at), &q->s->best);
    return 0;
}

/* Upwards in growing steps until one meets: `*low` does not (or is below the line), `*high` does; `*high` of
 * -1: none that could win does. */
static int climb(struct searcher *q, struct plan_setting *at, int from, int *low, int *high, struct err *err)
{
    int top = line_length(q) - 1, level = from, step = 1;
    struct trial t;
    bool may;

    *high = -1;
    for (;;) {
        TRY(may_win(q, at, level, &may, err));
        if (!may)
            return 0;
        TRY(decide(q, at, true, &t, err));
        if (t.verdict == TRIAL_MEETS) {
            *high = level;
            return 0;
        }
        *low = level;
        if (level == top)
            return 0;
        level = level + step < top ? level + step : top;
        step *= 2;
    }
}

static int bisect(struct searcher *q, struct plan_setting *at, int low, int *high, struct err *err)
{
    while (*high - low > 1) {
        int half = (low + *high) / 2;
        struct trial t;

        put(q, at, half);
        TRY(decide(q, at, true, &t, err));
        if (t.verdict == TRIAL_MEETS)
            *high = half;
        else
            low = half;
    }
    return 0;
}

/* Every level in its order: where more was found to hurt. */
static int walk(struct searcher *q, struct plan_setting *at, int from, int to, struct err *err)
{
    for (int level = from; level < to; level++) {
        struct trial t;

        put(q, at, level);
        TRY(decide(q, at, false, &t, err));
        if (t.verdict == TRIAL_MEETS)
            return 0;
    }
    return 0;
}

/* One more must do as well: that is what bisection rests on. */
static int verify(struct searcher *q, struct plan_setting *at, int first, int found, struct err *err)
{
    struct trial t;

    if (found + 1 >= line_length(q) || q->s->bound_only)
        return 0;
    put(q, at, found + 1);
    TRY(try_setting(q, at, false, &t, err));
    q->s->tried++;
    if (t.verdict != TRIAL_FAILS)
        return 0;
    q->s->is_monotone = false;
    return walk(q, at, first, found, err);
}

/* Below where a smaller plan began is looked only when the start itself meets. */
static int search_line(struct searcher *q, const struct line *line, struct err *err)
{
    struct plan_setting at = line->first;
    int first = level_of(q, &line->first), low = first - 1, high, from = first;
    struct trial t;

    if (q->s->start_ratio > 1 && q->space->line >= 0) {
        const struct plan_knob *k = &q->space->knobs[q->space->line];

        while (from + 1 < k->knob->n && plan_number(k, from + 1) <= q->s->start_ratio * plan_number(k, first))
            from++;
    }
    TRY(climb(q, &at, from, &low, &high, err));
    for (int down = 1; high == from && from > first; down *= 2) {
        int level = high - down > first ? high - down : first;

        put(q, &at, level);
        TRY(decide(q, &at, true, &t, err));
        if (t.verdict != TRIAL_MEETS) {
            low = level;
            break;
        }
        high = from = level;
    }
    if (high < 0)
        return 0;
    TRY(bisect(q, &at, low, &high, err));
    return verify(q, &at, first, high, err);
}

/* Whether the next one down failed clearly, or could not be called. */
static void look_below(struct searcher *q)
{
    struct plan_setting below = q->s->best.setting;

    if (!q->s->best.found || level_of(q, &below) == 0)
        return;
    put(q, &below, level_of(q, &below) - 1);
    for (size_t i = 0; i < q->failed_n; i++)
        if (memcmp(&q->failed[i].setting, &below, sizeof below) == 0)
            q->s->too_close_below = q->failed[i].verdict == TRIAL_CLOSE;
}

static int search_lines(struct searcher *q, struct err *err)
{
    TRY(find_lines(q, err));
    for (size_t i = 0; i < q->lines_n; i++) {
        struct plan_setting at = q->lines[i].first;
        bool may;

        TRY(may_win(q, &at, level_of(q, &at), &may, err));
        if (may)
            TRY(search_line(q, &q->lines[i], err));
    }
    look_below(q);
    return 0;
}

int plan_search(struct planner *p, struct plan_search *search, struct err *err)
{
    struct searcher q = {.p = p, .s = search, .space = &p->out->space};
    int rc;

    search->is_monotone = true;
    rc = search_lines(&q, err);
    free(q.lines);
    free(q.failed);
    return rc;
}
