#include "cli/cmd.h"

#include "cli/compare.h"
#include "cli/load.h"
#include "cli/print.h"
#include "cli/studies.h"
#include "store/result.h"

#include <stdio.h>
#include <unistd.h>

static int diff_scenarios(const struct args *args, struct err *err)
{
    struct loaded before, after;
    struct err doubt = {0};
    struct outcome b, a;
    struct whatif w;
    int rc;

    TRY(load_scenario(args, args->words[0], &before, err));
    rc = load_scenario(args, args->words[1], &after, err);
    if (rc != 0) {
        loaded_free(&before);
        return rc;
    }
    rc = simulate_compared(args, &before, &b, &doubt, err);
    if (rc == 0)
        rc = simulate_compared(args, &after, &a, &doubt, err);
    if (rc == 0) {
        whatif_compare(before.tree, after.tree, &b, &a, after.arena, &w);
        rc = compare_show(args, "diff", &w, err);
    }
    loaded_free(&before);
    loaded_free(&after);
    if (rc != 0)
        return rc;
    *err = doubt;
    return doubt.code;
}

static int load_run(struct store *store, const char *which, struct arena *a, struct json **out,
                    struct err *err)
{
    struct result_row row;

    TRY(result_load(store, which, NULL, a, &row, err));
    return json_parse(row.json, arena_printf(a, "run %s", which), out, err);
}

static int diff_runs(const struct args *args, struct err *err)
{
    struct arena *a = arena_new();
    struct json *before = NULL, *after = NULL;
    struct store *store = NULL;
    struct whatif w;
    int rc = store_open(args->store, STORE_READ, &store, err);

    if (rc == 0)
        rc = load_run(store, args->words[0], a, &before, err);
    if (rc == 0)
        rc = load_run(store, args->words[1], a, &after, err);
    if (rc == 0)
        rc = whatif_compare_runs(before, after, a, &w, err);
    if (rc == 0)
        rc = compare_show(args, "diff", &w, err);
    json_free(before);
    json_free(after);
    store_close(store);
    arena_free(a);
    return rc;
}

/* Files are scenarios; anything else names a stored run. */
static int run(const struct args *args, struct err *err)
{
    bool first = access(args->words[0], F_OK) == 0, second = access(args->words[1], F_OK) == 0;

    if (first && second)
        return diff_scenarios(args, err);
    if (first || second)
        return err_set(err, ERR_NOFILE,
                       "diff: %s is a file and %s is none: two scenarios or two stored runs can be compared",
                       args->words[first ? 0 : 1], args->words[first ? 1 : 0]);
    return diff_runs(args, err);
}

const struct cmd cmd_diff = {
    .name = "diff",
    .args = "A B",
    .help = "the same, between two scenario files or two stored runs",
    .group = "Choose",
    .about =
        "Two files are simulated with the same luck and compared replication by replication; what differs "
        "in\n"
        "the files is listed first. Two numbers (or latest, latest:run) are results in the store: their\n"
        "intervals are compared as they were kept.",
    .options = "set,apply,format,detailed-exitcode",
    .examples = "  foresight diff scenarios/01-one-stage.json scenarios/01-one-stage.json\n"
                "  foresight diff scenarios/01-one-stage.json scenarios/01-one-stage.json --json\n",
    .least = 2,
    .most = 2,
    .run = run,
};
