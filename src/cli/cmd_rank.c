#include "cli/cmd.h"

#include "cli/keep.h"
#include "cli/load.h"
#include "cli/print.h"
#include "cli/studies.h"

#include <stdio.h>

/* A gain as "1.42x ±1 %"; an interval that says nothing is left out. */
static char *print_gain(char *buf, size_t size, const struct estimate *e)
{
    double half = 100 * (e->hi - e->lo) / 2 / e->mean;

    if (half >= 0.05)
        snprintf(buf, size, "%.3fx \302\261%.1f %%", e->mean, half);
    else
        snprintf(buf, size, "%.3fx", e->mean);
    return buf;
}

static void print_ranking(const struct study *st, const struct ranking *r)
{
    char a[60], b[60];

    printf("%s: %d optimizations, %s %.4g, limited by %s\n\n", r->base_scenario->name, r->n,
           "base throughput per s", r->base.throughput_per_s.mean, r->base.bound.bottleneck);
    printf("  %-22s %-16s %-18s %-18s %7s  %s\n", "optimization", "local gain", "end-to-end gain",
           "prediction interval", "share", "verdict");
    for (int i = 0; i < r->n; i++) {
        const struct ranked *o = &r->list[i];

        printf("  %-22s %-16s %-18s ", o->opt->name, print_gain(a, sizeof a, &o->local_gain),
               print_gain(b, sizeof b, &o->end_to_end_gain));
        if (o->end_to_end_gain.has_pred)
            printf("%.3f .. %-10.3f", o->end_to_end_gain.pred_lo, o->end_to_end_gain.pred_hi);
        else
            printf("%-18s", "-");
        printf(" %6.1f %%  %s\n  %-22s %s\n", 100 * o->share.mean, o->verdict, "", o->why);
    }
    printf("\nBest together: %s with", print_gain(a, sizeof a, &r->best_gain));
    for (int i = 0; i < st->n; i++)
        if (r->best >> i & 1)
            printf(" %s", st->optimizations[i].name);
    printf("; then the limit is %s.\n", r->after_best);
    if (r->next_path != NULL)
        printf("Measure next: %s (%s).\n", r->next_path, r->next_why);
}

static void print_interactions(const struct study *st, const struct ranking *r)
{
    char a[60];

    for (int i = 0; i < r->interactions_n && i < 3; i++) {
        const struct interaction *x = &r->interactions[i];

        printf("%s %s + %s: %s what the product of their gains says\n",
               i ? "             " : "Interactions:", st->optimizations[x->a].name,
               st->optimizations[x->b].name, print_gain(a, sizeof a, &x->effect));
    }
}

static int run(const struct args *args, struct err *err)
{
    struct loaded l;
    struct study st;
    struct ranking r;
    int rc;

    TRY(load_to_predict(args, args->words[0], &l, err));
    if (!args->quiet)
        print_warnings(l.scenario);
    rc = rank_loaded(args, &l, &st, &r, err);
    if (rc == 0 && args->json)
        print_document(ranking_json(&st, &r));
    if (rc == 0 && !args->json) {
        print_ranking(&st, &r);
        print_interactions(&st, &r);
    }
    if (rc == 0)
        rc = keep_result(args, &l, "rank", ranking_json(&st, &r), NULL, err);
    ranking_fini(&r);
    loaded_free(&l);
    return rc;
}

const struct cmd cmd_rank = {
    .name = "rank",
    .args = "SCENARIO",
    .help = "which optimization helps end to end? local gain beside end-to-end gain",
    .group = "Choose",
    .about = "Simulates every optimization the scenario declares: alone in the stages it touches (local "
             "gain) and in\n"
             "the whole pipeline (end-to-end gain), and every combination of up to ten of them, for shares "
             "that do\n"
             "not depend on the order of introduction.",
    .options = "set,apply",
    .examples = "  foresight rank scenarios/quickstart.json\n"
                "  foresight rank scenarios/quickstart.json --set prep.workers=2 --json\n",
    .least = 1,
    .most = 1,
    .run = run,
};
