#include "cli/cmd.h"

#include "cli/compare.h"
#include "cli/keep.h"
#include "cli/load.h"
#include "cli/print.h"
#include "cli/studies.h"

#include <stdio.h>

/* The scenario as it stands: the same command line without its edits. */
static int load_before(const struct args *args, struct loaded *out, struct err *err)
{
    struct args plain = *args;

    plain.given_n = 0;
    return load_scenario(&plain, args->words[0], out, err);
}

static int compare(const struct args *args, struct loaded *before, struct loaded *after, struct err *err)
{
    struct err doubt = {0};
    struct outcome b, a;
    struct whatif w;

    TRY(simulate_compared(args, before, &b, &doubt, err));
    TRY(simulate_compared(args, after, &a, &doubt, err));
    whatif_compare(before->tree, after->tree, &b, &a, after->arena, &w);
    TRY(keep_result(args, after, "whatif", whatif_json("whatif", &w), NULL, err));
    TRY(compare_show(args, "whatif", &w, err));
    *err = doubt;
    return doubt.code;
}

static int run(const struct args *args, struct err *err)
{
    struct loaded before, after;
    int rc;

    if (!args_has(args, "set") && !args_has(args, "apply"))
        return err_set(err, ERR_USAGE, "whatif: what if what? --set PATH=VALUE or --apply OPTIMIZATION");
    TRY(load_before(args, &before, err));
    rc = load_scenario(args, args->words[0], &after, err);
    if (rc == 0) {
        if (!args->quiet)
            print_warnings(after.scenario);
        rc = compare(args, &before, &after, err);
        loaded_free(&after);
    }
    loaded_free(&before);
    return rc;
}

const struct cmd cmd_whatif = {
    .name = "whatif",
    .args = "SCENARIO",
    .help = "what changes if ...? before, after and the difference, like a plan",
    .group = "Choose",
    .about =
        "Simulates the scenario as it stands and with the edits, both with the same luck: differences are\n"
        "paired replication by replication, so small ones show. + is better, - is worse, neither means that\n"
        "the interval of the difference holds zero. --format markdown is for a review comment.",
    .options = "set,apply,rules,format,detailed-exitcode",
    .examples =
        "  foresight whatif scenarios/quickstart.json --apply cluster+dedup --replications 4\n"
        "  foresight whatif scenarios/01-one-stage.json --set resources.server.count=2 --format markdown\n",
    .least = 1,
    .most = 1,
    .run = run,
};
