#include "cli/cmd.h"

#include "cli/chart.h"
#include "cli/keep.h"
#include "cli/load.h"
#include "cli/print.h"
#include "cli/rank_print.h"
#include "cli/studies.h"

#include <stdio.h>

static int run(const struct args *args, struct err *err)
{
    struct loaded l;
    struct study st;
    struct ranking r;
    int rc;

    TRY(load_to_predict(args, args->words[0], &l, err));
    if (!args->quiet)
        print_warnings(l.scenario);
    if (l.optimizations_n == 0) {
        rc = load_rules(&l, err);
        if (rc == 0 && l.optimizations_n > 0 && !args->quiet)
            fprintf(stderr, "foresight: the scenario declares no optimizations: ranked are the rewrites it admits\n");
        if (rc != 0) {
            loaded_free(&l);
            return rc;
        }
    }
    rc = rank_loaded(args, &l, &st, &r, err);
    if (rc == 0 && args->json)
        print_document(ranking_json(&st, &r));
    if (rc == 0 && !args->json)
        print_ranking(&st, &r);
    if (rc == 0)
        rc = keep_result(args, &l, "rank", ranking_json(&st, &r), NULL, err);
    if (rc == 0)
        rc = chart_ranking(args, &r, err);
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
             "not depend on the order of introduction.  Differences are paired: both sides see the same "
             "luck.  Where\n"
             "quality moves and rests on values that the scenario lists as assumed, the row is no verdict "
             "but says what\n"
             "change of quality it needs; $.objective.quality_usd says what one more right answer is worth.\n"
             "With several pipelines, $.objective.whole judges them all together.  Beyond ten optimizations, only the\n"
             "pairs that interact by the bounds are simulated, and shares are sampled, with their error.\n"
             "--rules adds structural rewrites that the scenario admits (reorder, fuse, cache, offload, right-size,\n"
             "batch, codec, projection, prefix cache ...; `foresight check --rules` says why each is legal); a "
             "scenario\n"
             "that declares no optimizations is ranked by them alone.",
    .options = "set,apply,rules",
    .examples = "  foresight rank scenarios/quickstart.json\n"
                "  foresight rank scenarios/quickstart.json --set prep.workers=2 --json\n"
                "  foresight rank scenarios/vision-training.json --rules --replications 2\n",
    .least = 1,
    .most = 1,
    .run = run,
};
