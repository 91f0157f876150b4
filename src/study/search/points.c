#include "study/search/points.h"

#include "study/search/work.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double wall_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int points_init(struct points *p, const struct space *sp, const struct points_options *opt, struct err *err)
{
    *p = (struct points){.sp = sp, .opt = opt, .parts = parts_new(sp), .a = arena_new(), .began_s = wall_s()};
    p->figures_n = figures_count();
    p->row = (size_t)p->figures_n * (size_t)sp->base->pipelines_n;
    p->slots = 1024;
    p->slot = xcalloc(p->slots, sizeof *p->slot);
    if (opt->store == NULL)
        return 0;
    return work_open_log(sp, opt, &p->log_id, err);
}

void points_fini(struct points *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->list[i]->figures);
        free(p->list[i]->score);
        free(p->list[i]);
    }
    free(p->list);
    free(p->slot);
    parts_free(p->parts);
    arena_free(p->a);
}

/* --------------------------------------------------------------- bound */

/* Whether a limit can hold, when the figure cannot be better than `best`. */
static bool could_hold(const struct constraint *c, double best)
{
    bool from_above = c->figure.def->better == BETTER_HIGHER;

    if (isnan(best) || c->is_at_least != from_above) /* the bound is on the other side */
        return true;
    return constraint_slack(c, best) >= -1e-9;
}

static double best_figure(struct points *p, const struct scenario *s, const struct figure_place *f)
{
    int pipeline = f->pipeline < 0 ? s->objective : f->pipeline;
    struct bound b;

    bound_of_pipeline(s, pipeline, p->a, &b);
    return figure_best(f->def, s, pipeline, &b);
}

struct optimistic points_bound(struct points *p, const struct candidate *c)
{
    const struct objective *o = &p->sp->objective;
    struct optimistic out = {.could_meet = true};
    struct err why = {0};
    const struct scenario *s = parts_scenario(p->parts, c, &why);
    double best;

    if (s == NULL)
        return out;
    out.is_legal = true;
    arena_reset(p->a);
    best = best_figure(p, s, &o->figure);
    out.score = isnan(best) || o->is_maximized != (o->figure.def->better == BETTER_HIGHER) ? INFINITY
                : o->is_maximized                                                          ? best
                                                                                           : -best;
    for (int i = 0; i < p->sp->constraints_n && out.could_meet; i++)
        out.could_meet = could_hold(&p->sp->constraints[i], best_figure(p, s, &p->sp->constraints[i].figure));
    return out;
}

/* The incumbent may have been lucky: it is as good as its interval's lower end says. */
bool points_is_open(const struct points *p, const struct optimistic *o)
{
    const struct estimate *has = p->incumbent != NULL ? &p->incumbent->mean : NULL;

    if (!o->is_legal || !o->could_meet || o->score == -INFINITY)
        return false;
    return has == NULL || o->score > has->lo + p->opt->margin * fabs(has->mean);
}

/* ------------------------------------------------------------- archive */

static size_t place_of(const struct points *p, const struct candidate *c)
{
    size_t i = candidate_hash(c) & (p->slots - 1);

    while (p->slot[i] != 0 && memcmp(&p->list[p->slot[i] - 1]->c, c, sizeof *c) != 0)
        i = (i + 1) & (p->slots - 1);
    return i;
}

bool points_has(const struct points *p, const struct candidate *c)
{
    return p->slot[place_of(p, c)] != 0;
}

static void make_room(struct points *p)
{
    if (p->n == p->cap) {
        p->cap = p->cap > 0 ? 2 * p->cap : 256;
        p->list = xrealloc(p->list, p->cap, sizeof *p->list);
    }
    if (2 * p->n < p->slots)
        return;
    free(p->slot);
    p->slots *= 2;
    p->slot = xcalloc(p->slots, sizeof *p->slot);
    for (size_t i = 0; i < p->n; i++)
        p->slot[place_of(p, &p->list[i]->c)] = i + 1;
}

static struct point *add_point(struct points *p, const struct candidate *c, enum prune prune)
{
    struct optimistic o = points_bound(p, c);
    struct point *x = xcalloc(1, sizeof *x);
    bool is_open = prune == PRUNE_NONE || (prune == PRUNE_HOPELESS && o.could_meet && o.score != -INFINITY) ||
                   points_is_open(p, &o);

    make_room(p);
    x->c = *c;
    x->best = o.score;
    x->status = !o.is_legal ? POINT_ILLEGAL : is_open ? POINT_SIMULATED : POINT_PRUNED;
    p->illegal += x->status == POINT_ILLEGAL;
    p->pruned += x->status == POINT_PRUNED;
    p->slot[place_of(p, c)] = p->n + 1;
    p->list[p->n++] = x;
    return x;
}

/* ------------------------------------------------------------- folding */

static double figure_at(const struct points *p, const struct point *x, const struct figure_place *f, long r)
{
    int pipeline = f->pipeline < 0 ? p->sp->base->objective : f->pipeline;

    return x->figures[(size_t)r * p->row + (size_t)(pipeline * p->figures_n) + (size_t)(f->def - figures)];
}

bool point_figure(const struct points *p, const struct point *x, const struct figure_place *f,
                  struct estimate *out)
{
    double *known = xcalloc((size_t)x->n + 1, sizeof *known);
    size_t n = 0;

    for (long r = 0; r < x->n; r++) {
        known[n] = figure_at(p, x, f, r);
        n += isfinite(known[n]);
    }
    if (n > 0)
        *out = estimate_student(known, n, p->sp->st->confidence);
    free(known);
    return n > 0;
}

static void check_constraints(const struct points *p, struct point *x)
{
    x->violation = 0;
    for (int i = 0; i < p->sp->constraints_n; i++) {
        struct estimate e = {.mean = NAN};
        double slack;

        point_figure(p, x, &p->sp->constraints[i].figure, &e);
        slack = constraint_slack(&p->sp->constraints[i], e.mean);
        x->violation += isnan(slack) ? 1 : fmax(0, -slack);
    }
    x->is_feasible = x->violation == 0;
}

/* What a point's replications add up to; one whose objective is not known in each cannot be compared. */
static void fold_point(struct points *p, struct point *x)
{
    const struct objective *o = &p->sp->objective;
    bool known = x->n > 0;

    x->score = xrealloc(x->score, (size_t)x->n + 1, sizeof *x->score);
    for (long r = 0; r < x->n; r++) {
        double v = figure_at(p, x, &o->figure, r);

        x->score[r] = o->is_maximized ? v : -v;
        known = known && isfinite(v);
    }
    if (!known) {
        x->status = POINT_ILLEGAL;
        return;
    }
    x->mean = estimate_student(x->score, (size_t)x->n, p->sp->st->confidence);
    check_constraints(p, x);
}

static void find_incumbent(struct points *p, const struct point *x)
{
    if (x->status == POINT_SIMULATED && x->n > 0 && x->is_feasible &&
        (p->incumbent == NULL || point_compare(p->sp, x, p->incumbent) < 0))
        p->incumbent = x;
}

int point_compare(const struct space *sp, const struct point *x, const struct point *y)
{
    int changes;

    if (x->status != y->status)
        return x->status > y->status ? -1 : 1;
    if (x->status == POINT_SIMULATED && x->is_feasible != y->is_feasible)
        return x->is_feasible ? -1 : 1;
    if (x->status == POINT_SIMULATED && !x->is_feasible && x->violation != y->violation)
        return x->violation < y->violation ? -1 : 1;
    if (x->status == POINT_SIMULATED && x->mean.mean != y->mean.mean)
        return x->mean.mean > y->mean.mean ? -1 : 1;
    if (x->status == POINT_PRUNED && x->best != y->best)
        return x->best > y->best ? -1 : 1;
    changes = space_changes(sp, &x->c) - space_changes(sp, &y->c);
    return changes != 0 ? changes : candidate_compare(&x->c, &y->c);
}

/* ---------------------------------------------------------- simulating */

static bool may_go_on(struct points *p, long more)
{
    const struct points_options *o = p->opt;

    if ((o->stop != NULL && *o->stop) || (o->budget > 0 && p->replications + more > o->budget) ||
        (o->budget_s > 0 && wall_s() - p->began_s > o->budget_s))
        p->is_stopped = true;
    return !p->is_stopped;
}

/* Runs units, and puts what they found behind what the points have. */
static int run_units(struct points *p, struct work_unit *units, size_t n, struct err *err)
{
    int rc = work_run(p, units, n, err);

    for (size_t i = 0; i < n; i++) {
        struct work_unit *u = &units[i];
        struct point *x = u->point;

        if (rc == 0 && u->code == 0 && u->is_done) {
            x->figures = xrealloc(x->figures, (size_t)(u->first + u->n) * p->row, sizeof *x->figures);
            memcpy(x->figures + (size_t)u->first * p->row, u->figures,
                   (size_t)u->n * p->row * sizeof(double));
            x->n = u->first + u->n;
            x->warmup = u->warmup;
        } else if (rc == 0 && u->is_done) {
            x->status = POINT_ILLEGAL;
        }
        free(u->figures);
    }
    if (rc == ERR_CAP) { /* interrupted: what was finished is in the store */
        *err = (struct err){0};
        p->is_stopped = true;
        rc = 0;
    }
    return rc;
}

/* The first replications of new points, as many points as the budget allows. */
static int simulate_new(struct points *p, struct point **fresh, size_t n, struct err *err)
{
    struct work_unit *units = xcalloc(n + 1, sizeof *units);
    size_t k = 0;
    int rc;

    while (k < n && may_go_on(p, p->opt->first)) {
        units[k] = (struct work_unit){.point = fresh[k], .n = p->opt->first};
        p->replications += p->opt->first;
        k++;
    }
    rc = run_units(p, units, k, err);
    free(units);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (fresh[i]->n > 0)
            fold_point(p, fresh[i]);
        p->simulated += fresh[i]->status == POINT_SIMULATED && fresh[i]->n > 0;
        p->illegal += fresh[i]->status == POINT_ILLEGAL;
    }
    for (size_t i = 0; rc == 0 && i < n; i++)
        find_incumbent(p, fresh[i]);
    return rc;
}

int points_look(struct points *p, const struct candidate *candidates, size_t n, enum prune prune,
                struct point **out, struct err *err)
{
    struct point **fresh = xcalloc(n + 1, sizeof *fresh);
    size_t fresh_n = 0;
    int rc;

    for (size_t i = 0; i < n; i++) {
        size_t known = p->slot[place_of(p, &candidates[i])];

        out[i] = known != 0 ? p->list[known - 1] : add_point(p, &candidates[i], prune);
        if (known == 0 && out[i]->status == POINT_SIMULATED)
            fresh[fresh_n++] = out[i];
    }
    rc = simulate_new(p, fresh, fresh_n, err);
    free(fresh);
    for (size_t i = 0; i < n; i++)
        if (out[i]->status == POINT_SIMULATED && out[i]->n == 0)
            out[i] = NULL;
    return rc;
}

int points_extend(struct points *p, struct point *const *points, const long *upto, size_t n, struct err *err)
{
    struct work_unit *units;
    size_t k = 0, all = 0;
    int rc;

    for (size_t i = 0; i < n; i++)
        all += upto[i] > points[i]->n ? (size_t)(upto[i] - points[i]->n) : 0;
    units = xcalloc(all + 1, sizeof *units);
    if (may_go_on(p, (long)all))
        for (size_t i = 0; i < n; i++)
            for (long r = points[i]->n; r < upto[i]; r++)
                units[k++] =
                    (struct work_unit){.point = points[i], .first = r, .n = 1, .warmup = points[i]->warmup};
    p->replications += (long)k;
    rc = run_units(p, units, k, err);
    free(units);
    for (size_t i = 0; rc == 0 && k > 0 && i < n; i++)
        fold_point(p, points[i]);
    p->incumbent = NULL;
    for (size_t i = 0; rc == 0 && i < p->n; i++)
        find_incumbent(p, p->list[i]);
    return rc;
}

int points_sharpen(struct points *p, struct err *err)
{
    enum { MOST = 64 };

    while (p->incumbent != NULL && p->opt->margin > 0 && !p->is_stopped && p->incumbent->n < MOST) {
        struct point *x = p->list[p->slot[place_of(p, &p->incumbent->c)] - 1];
        long upto = 2 * x->n;

        if (x->mean.mean - x->mean.lo <= p->opt->margin / 2 * fabs(x->mean.mean))
            break;
        TRY(points_extend(p, &x, &upto, 1, err));
    }
    return 0;
}
