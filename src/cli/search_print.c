#include "cli/search_print.h"

#include "base/text.h"
#include "cli/print.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 80, FRONT_MOST = 12, CELL = 18 };

/* "faster-llm faster-index passages=3", or "as it stands". */
static void describe(const struct space *sp, const struct candidate *c, struct text *t)
{
    char value[60];

    for (int i = 0; i < sp->st->n; i++)
        if (c->set >> i & 1)
            text_printf(t, "%s%s", t->len > 0 ? " " : "", sp->st->optimizations[i].name);
    for (int i = 0; i < sp->knobs_n; i++)
        if (c->level[i] != KNOB_AS_IS && c->level[i] != sp->knobs[i].now)
            text_printf(t, "%s%s=%s", t->len > 0 ? " " : "", sp->knobs[i].name,
                        knob_show(&sp->knobs[i], c->level[i], value, sizeof value));
    if (t->len == 0)
        text_add(t, "as it stands");
}

/* Words broken before column 80, every line but the first behind `indent` blanks. */
static void print_words(const char *text, int at, int indent)
{
    bool first = true;

    while (*text != '\0') {
        int n = (int)strcspn(text, " ");

        if (!first && at + 1 + n > WIDTH)
            at = printf("\n%*s", indent, "") - 1;
        else if (!first)
            at += printf(" ");
        at += printf("%.*s", n, text);
        text += n + strspn(text + n, " ");
        first = false;
    }
    putchar('\n');
}

static void print_candidate(const struct space *sp, const struct candidate *c, int at, int indent)
{
    struct text t = {0};

    describe(sp, c, &t);
    print_words(t.s, at, indent);
    text_free(&t);
}

/* ------------------------------------------------------------- the best */

static void print_figure(const struct search_result *r, const struct figure_def *f)
{
    const struct figure_place place = {f, -1};
    struct estimate a, b;
    char x[60], y[60];

    if (!point_figure(&r->full, r->full_best, &place, &a))
        return;
    printf("  %-22s %-24s", f->name, print_estimate(x, sizeof x, &a, f->unit));
    if (point_figure(&r->full, r->full_base, &place, &b))
        printf(" now %s, %.3fx", units_format(y, sizeof y, b.mean, f->unit), a.mean / b.mean);
    putchar('\n');
}

static void print_best_figures(const struct search_result *r)
{
    static const char *const names[] = {"throughput_per_s", "latency_s.mean", "latency_s.p95",
                                        "quality",          "cost_usd_per_h", "power_w"};
    const struct figure_place *goal = &r->space.objective.figure;

    if (goal->pipeline < 0)
        print_figure(r, goal->def);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (goal->pipeline >= 0 || strcmp(names[i], goal->def->name) != 0)
            print_figure(r, figure_find(names[i]));
}

static void print_short_figures(const struct search_result *r)
{
    const struct figure_place *goal = &r->space.objective.figure;
    struct estimate e;
    char x[60];

    if (point_figure(&r->points, r->best, goal, &e))
        printf("  %-22s %s, from %ld short replications\n", goal->def->name,
               print_estimate(x, sizeof x, &e, goal->def->unit), r->best->n);
}

static void print_constraints(const struct search_result *r)
{
    for (int i = 0; i < r->space.constraints_n; i++) {
        const struct constraint *c = &r->space.constraints[i];
        struct estimate e;
        char x[60];
        bool sure;

        if (!point_figure(&r->points, r->best, &c->figure, &e))
            continue;
        sure = constraint_slack(c, c->is_at_least ? e.lo : e.hi) >= 0;
        printf("  meets %s: %s%s\n", c->text, print_estimate(x, sizeof x, &e, c->figure.def->unit),
               sure ? "" : ", too close to be sure");
    }
}

static void print_guarantee(const struct search_result *r)
{
    const struct search_guarantee *g = &r->guarantee;
    const struct figure_def *f = r->space.objective.figure.def;
    struct text t = {0};
    char d[40], b[40];

    units_format(d, sizeof d, g->indifference, f->unit);
    if (isnan(g->probability))
        text_add(&t, "No guarantee: too few candidates or replications.");
    else
        text_printf(&t, "%s %s%.1f %% probability no %s is better by more than %s; %zu were compared%s.",
                    g->is_estimated ? "Estimated: with" : "With", g->probability > 0.999 ? "over " : "",
                    fmin(99.9, 100 * g->probability),
                    g->is_whole ? "candidate" : "candidate that was looked at", d, g->among,
                    g->is_whole ? ", bounds rule out all others" : "");
    if (search_gap(r) == 0)
        text_add(&t, " Nothing is left that could be better.");
    else if (isfinite(r->best_ahead))
        text_printf(&t, " What was not simulated cannot be better than %s: a gap of %.1f %%.",
                    units_format(b, sizeof b, fabs(r->best_ahead), f->unit), 100 * search_gap(r));
    else if (isfinite(r->best->best))
        text_printf(&t, " Its own bound is %s.", units_format(b, sizeof b, fabs(r->best->best), f->unit));
    printf("\n  ");
    print_words(t.s, 2, 2);
    text_free(&t);
}

static void print_best(const struct search_result *r)
{
    int at;

    if (r->best == NULL) {
        printf("\nNothing that was simulated meets every constraint.\n");
        return;
    }
    at = printf("\nBest: ") - 1;
    print_candidate(&r->space, &r->best->c, at, 6);
    if (r->full_best != NULL)
        print_best_figures(r);
    else
        print_short_figures(r);
    print_constraints(r);
    print_guarantee(r);
}

/* ------------------------------------------------------------ the front */

static void print_front(const struct search_result *r)
{
    const struct figure_place places[] = {
        r->space.objective.figure, {figure_find("cost_usd_per_h"), -1}, {figure_find("quality"), -1}};
    size_t columns = sizeof places / sizeof *places;

    if (r->front_n < 2)
        return;
    printf("\nNot beaten in all of objective, cost and quality (%zu):\n ", r->front_n);
    for (size_t k = 0; k < columns; k++)
        printf(" %-*s", CELL, places[k].def->name);
    putchar('\n');
    for (size_t i = 0; i < r->front_n && i < FRONT_MOST; i++) {
        int at = printf(" ");

        for (size_t k = 0; k < columns; k++) {
            struct estimate e;
            char x[40] = "-";

            if (point_figure(&r->points, r->front[i], &places[k], &e))
                units_format(x, sizeof x, e.mean, places[k].def->unit);
            at += printf(" %-*s", CELL, x);
        }
        printf("\n      ");
        print_candidate(&r->space, &r->front[i]->c, 6, 6);
    }
    if (r->front_n > FRONT_MOST)
        printf("  and %zu more (--json lists them)\n", r->front_n - FRONT_MOST);
}

void print_search(const struct search_result *r)
{
    const struct space *sp = &r->space;

    printf("%s: %s to %s %s\n", sp->base->name, r->method->name,
           sp->objective.is_maximized ? "maximize" : "minimize", sp->objective.figure.def->name);
    if (r->candidates > 0)
        printf("%.0f candidates; ", r->candidates);
    printf("%zu simulated (%ld replications), %zu pruned by bounds, %zu not legal%s\n", r->points.simulated,
           r->points.replications, r->pruned, r->points.illegal,
           r->is_stopped ? "; stopped before the end" : "");
    print_best(r);
    print_front(r);
}
