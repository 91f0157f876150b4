#include "study/search/search.h"

#include "study/search/front.h"
#include "study/search/select.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Proposals looked at together; constants, so that results do not depend on threads.  A few first: what they
   find rules out others. */
enum { FIRST_BATCH = 4, BATCH = 16 };

/* ------------------------------------------------------------- walking */

static const struct search_method *choose_method(const struct search_options *opt, const struct space *sp)
{
    enum { LISTED_MOST = 2000000 };
    size_t n = space_count(sp);

    if (opt->method != NULL)
        return opt->method;
    return n > 0 && n <= LISTED_MOST ? &method_branch : &method_coordinate;
}

static int check_method(const struct search_result *r, struct err *err)
{
    if (!r->method->needs_list || space_count(&r->space) > 0)
        return 0;
    return err_set(
        err, ERR_USAGE,
        "%s: --method %s lists all candidates, and there are too many; coordinate, beam and nsga2 do not",
        r->space.st->file, r->method->name);
}

/* Those that were looked at before the search was stopped. */
static size_t keep_known(struct point **points, size_t n)
{
    size_t kept = 0;

    while (kept < n && points[kept] != NULL)
        kept++;
    return kept;
}

static int walk(struct search_result *r, const struct search_view *view, void **state, struct err *err)
{
    const struct search_method *m = r->method;
    struct candidate batch[BATCH];
    struct point *points[BATCH];
    size_t most = FIRST_BATCH;

    TRY(m->init(view, state, err));
    for (; !m->done(*state) && !r->points.is_stopped; most = BATCH) {
        size_t n = m->propose(*state, batch, most), known;

        if (n == 0 && m->done(*state))
            break;
        if (m->prune == PRUNE_BEATEN)
            TRY(points_sharpen(&r->points, err));
        TRY(points_look(&r->points, batch, n, m->prune, points, err));
        known = keep_known(points, n);
        if (known < n)
            break;
        m->tell(*state, points, known);
    }
    r->pruned = r->points.pruned + (m->cut != NULL ? m->cut(*state) : 0);
    r->best_ahead = m->ahead != NULL ? m->ahead(*state) : INFINITY;
    return 0;
}

/* ----------------------------------------------------------- selecting */

struct contest {
    struct search_result *r;
    const struct search_options *opt;
    struct point **list; /* those that may win, in a fixed order */
    size_t n;
    double indifference, delta, alpha; /* of the search; what of it is left for the selection */
};

static int in_order(const void *x, const void *y)
{
    const struct point *a = *(struct point *const *)x, *b = *(struct point *const *)y;

    return candidate_compare(&a->c, &b->c);
}

/* Feasible, and not ruled out by what is known of the incumbent by now. */
static bool may_win(const struct contest *c, const struct point *x)
{
    const struct points *p = &c->r->points;
    struct optimistic o = {true, true, x->best};

    return x->status == POINT_SIMULATED && x->n > 0 && x->is_feasible &&
           (x == p->incumbent || c->r->method->prune != PRUNE_BEATEN || points_is_open(p, &o));
}

/* Where bounds have ruled candidates out, half of the indifference and of the risk is spent. */
static void find_contestants(struct contest *c)
{
    struct points *p = &c->r->points;
    double left = c->r->method->prune == PRUNE_BEATEN ? 0.5 : 1;

    c->list = xcalloc(p->n + 1, sizeof *c->list);
    for (size_t i = 0; i < p->n; i++)
        if (may_win(c, p->list[i]))
            c->list[c->n++] = p->list[i];
    qsort(c->list, c->n, sizeof *c->list, in_order);
    c->indifference = c->opt->indifference * fabs(p->incumbent->mean.mean);
    c->delta = left * c->indifference;
    c->alpha = left * (1 - c->opt->probability);
}

static void scores_of(const struct contest *c, double **x, long *n)
{
    for (size_t i = 0; i < c->n; i++) {
        x[i] = c->list[i]->score;
        n[i] = c->list[i]->n;
    }
}

/* Leaves those that may be the best after the first replications. */
static void keep_subset(struct contest *c, double **x, long *n)
{
    bool *is_in = xcalloc(c->n + 1, sizeof *is_in);
    size_t kept = 0;

    select_subset(x, c->opt->points.first, c->n, c->alpha / 2, is_in);
    for (size_t i = 0; i < c->n; i++)
        if (is_in[i])
            c->list[kept++] = c->list[i];
    c->n = kept;
    c->alpha /= 2;
    free(is_in);
    scores_of(c, x, n);
}

/* Brings systems number which[0 .. n - 1] to r replications. */
static int extend_to(struct contest *c, const size_t *which, size_t n, long r, struct err *err)
{
    struct point **points = xcalloc(n + 1, sizeof *points);
    long *upto = xcalloc(n + 1, sizeof *upto);
    int rc;

    for (size_t i = 0; i < n; i++) {
        points[i] = c->list[which[i]];
        upto[i] = r;
    }
    rc = points_extend(&c->r->points, points, upto, n, err);
    free(points);
    free(upto);
    return rc;
}

/*
 * KN_FIRST replications of all that may be the best: with fewer, what KN has to assume about their variances
 * makes it long.  Then one more of all that are still in, until one is left.
 */
static int run_kn(struct contest *c, double **x, long *n, struct err *err)
{
    enum { KN_FIRST = 12 };
    struct search_guarantee *g = &c->r->guarantee;
    long r = c->opt->points.first > KN_FIRST ? c->opt->points.first : KN_FIRST;
    struct kn kn;
    int rc;

    keep_subset(c, x, n);
    kn_init(&kn, c->n, r, c->alpha, c->delta);
    rc = c->n > 1 ? extend_to(c, kn.alive, kn.alive_n, r, err) : 0;
    scores_of(c, x, n);
    while (rc == 0 && c->n > 1 && !c->r->points.is_stopped && kn_screen(&kn, x, r) > 1) {
        rc = extend_to(c, kn.alive, kn.alive_n, ++r, err);
        scores_of(c, x, n);
    }
    if (rc == 0 && kn.alive_n == 1) {
        c->r->best = c->list[kn.alive[0]];
        g->probability = c->opt->probability;
    }
    kn_fini(&kn);
    return rc;
}

/* Rounds of OCBA until the estimated probability is reached or the budget is spent. */
static int run_ocba(struct contest *c, double **x, long *n, struct err *err)
{
    enum { ROUND = 16 };
    long *more = xcalloc(c->n + 1, sizeof *more);
    int rc = 0;

    while (rc == 0 && !c->r->points.is_stopped &&
           select_probability(x, n, c->n, c->delta) < c->opt->probability) {
        ocba_allocate(x, n, c->n, ROUND, more);
        for (size_t i = 0; i < c->n; i++)
            more[i] += n[i];
        rc = points_extend(&c->r->points, c->list, more, c->n, err);
        scores_of(c, x, n);
    }
    free(more);
    return rc;
}

static void take_largest(struct contest *c)
{
    c->r->best = NULL;
    for (size_t i = 0; i < c->n; i++)
        if (c->list[i]->is_feasible &&
            (c->r->best == NULL || point_compare(&c->r->space, c->list[i], c->r->best) < 0))
            c->r->best = c->list[i];
}

static int select_best(struct search_result *r, const struct search_options *opt, struct err *err)
{
    struct contest c = {.r = r, .opt = opt};
    struct search_guarantee *g = &r->guarantee;
    double **x;
    long *n;
    int rc = 0;

    g->probability = NAN;
    if (r->points.incumbent == NULL)
        return 0;
    if (r->method->prune == PRUNE_BEATEN)
        TRY(points_sharpen(&r->points, err));
    find_contestants(&c);
    x = xcalloc(c.n + 1, sizeof *x);
    n = xcalloc(c.n + 1, sizeof *n);
    scores_of(&c, x, n);
    g->among = c.n;
    g->indifference = c.indifference;
    g->is_whole = r->method->is_whole && !r->points.is_stopped;
    if (c.n == 1)
        g->probability = opt->probability;
    else
        rc = opt->select == SELECT_KN ? run_kn(&c, x, n, err) : run_ocba(&c, x, n, err);
    if (rc == 0 && isnan(g->probability) && c.n > 1) {
        g->probability = select_probability(x, n, c.n, c.delta);
        g->is_estimated = true;
    }
    if (rc == 0 && r->best == NULL)
        take_largest(&c);
    free(c.list);
    free(x);
    free(n);
    return rc;
}

/* ----------------------------------------------------------- full length */

/* The best and the scenario as it stands, with the replications that `run` would make. */
static int run_full(struct search_result *r, const struct search_options *opt, struct err *err)
{
    struct candidate c[] = {space_base(&r->space), r->best != NULL ? r->best->c : space_base(&r->space)};
    struct point *x[2];

    if (r->best == NULL || (opt->points.stop != NULL && *opt->points.stop))
        return 0;
    r->full_options = (struct points_options){.first = opt->full,
                                              .length = 1,
                                              .store = opt->points.store,
                                              .stop = opt->points.stop,
                                              .is_fresh = opt->points.is_fresh};
    TRY(points_init(&r->full, &r->space, &r->full_options, err));
    TRY(points_look(&r->full, c, 2, PRUNE_NONE, x, err));
    if (x[0] != NULL && x[1] != NULL && x[0]->n > 0 && x[1]->n > 0) {
        r->full_base = x[0];
        r->full_best = x[1];
    }
    return 0;
}

/* ---------------------------------------------------------------- whole */

/* A limit or goal of which the scenario knows nothing would make every candidate infeasible. */
static int check_known(struct search_result *r, struct err *err)
{
    const struct space *sp = &r->space;
    struct estimate e;

    if (r->base->status != POINT_SIMULATED)
        return err_set(err, ERR_SCENARIO,
                       "%s: the objective %s is not known: see the metrics of `foresight run %s`",
                       sp->st->file, sp->objective.figure.def->name, sp->st->file);
    for (int i = 0; i < sp->constraints_n; i++)
        if (!point_figure(&r->points, r->base, &sp->constraints[i].figure, &e))
            return err_set(
                err, ERR_SCENARIO,
                "%s: \"%s\": the scenario knows no %s (prices, an slo, a stage of that kind?); see the "
                "metrics of `foresight run %s`",
                sp->st->file, sp->constraints[i].text, sp->constraints[i].figure.def->name, sp->st->file);
    return 0;
}

static int look_at_base(struct search_result *r, struct err *err)
{
    struct candidate c = space_base(&r->space);
    struct point *base;

    TRY(points_look(&r->points, &c, 1, PRUNE_NONE, &base, err));
    r->base = base;
    return base != NULL ? check_known(r, err) : 0;
}

static void find_ahead(struct search_result *r)
{
    for (size_t i = 0; i < r->points.n; i++) {
        const struct point *x = r->points.list[i];

        if (x->status == POINT_SIMULATED && x->n == 0) /* the search was stopped before */
            r->best_ahead = fmax(r->best_ahead, x->best);
    }
}

double search_gap(const struct search_result *r)
{
    double score = r->best != NULL ? r->best->mean.mean : NAN;

    if (r->best_ahead == -INFINITY)
        return 0;
    return fmax(0, r->best_ahead - score) / fabs(score);
}

static int search_all(struct search_result *r, const struct search_options *opt, struct arena *a,
                      struct err *err)
{
    struct search_view view = {.sp = &r->space, .seed = r->space.st->seed, .points = &r->points};
    void *state = NULL;
    int rc;

    TRY(check_method(r, err));
    progress_begin(opt->points.progress, "searching", (double)opt->points.budget);
    rc = look_at_base(r, err);
    if (rc == 0 && r->base != NULL)
        rc = walk(r, &view, &state, err);
    if (rc == 0)
        rc = select_best(r, opt, err);
    progress_end(opt->points.progress);
    if (state != NULL)
        r->method->free(state);
    if (rc != 0)
        return rc;
    find_ahead(r);
    r->is_stopped = r->points.is_stopped;
    r->front_n = front_find(&r->points, a, &r->front);
    return run_full(r, opt, err);
}

int search_run(const struct study *st, const char *slo, const struct search_options *opt, struct arena *a,
               struct search_result *out, struct err *err)
{
    int rc;

    *out = (struct search_result){.best_ahead = INFINITY, .points_options = opt->points};
    out->points_options.margin = opt->indifference / 2;
    rc = space_init(&out->space, st, slo, a, err);
    if (rc == 0)
        rc = points_init(&out->points, &out->space, &out->points_options, err);
    if (rc != 0) {
        space_fini(&out->space);
        *out = (struct search_result){0};
        return rc;
    }
    out->method = choose_method(opt, &out->space);
    out->candidates = space_size(&out->space);
    rc = search_all(out, opt, a, err);
    if (rc != 0)
        search_fini(out);
    return rc;
}

void search_fini(struct search_result *r)
{
    if (r->space.tree == NULL)
        return;
    if (r->full.sp != NULL)
        points_fini(&r->full);
    points_fini(&r->points);
    space_fini(&r->space);
    *r = (struct search_result){0};
}
