#include "cli/cmd.h"

#include "base/arena.h"
#include "base/json.h"
#include "cli/print.h"
#include "store/result.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int list(const struct args *args, struct store *s, struct arena *a, struct err *err)
{
    struct result_row *rows;
    size_t n;
    struct json *doc = json_new_object(), *out = json_set_array(doc, "runs");
    int rc = result_list(s, NULL, a, &rows, &n, err);

    for (size_t i = 0; i < n && rc == 0; i++) {
        struct json *o = json_push(out, json_new_object());

        json_set_number(o, "id", (double)rows[i].id);
        json_set_string(o, "command", rows[i].command);
        json_set_string(o, "scenario", rows[i].scenario);
        json_set_string(o, "scenario_sha256", rows[i].scenario_sha256);
        json_set_string(o, "created", rows[i].created);
        json_set_number(o, "throughput_per_s", rows[i].throughput_per_s);
        if (args->json)
            continue;
        printf("%5lld  %-20s  %-9s  %-24s %.12s", (long long)rows[i].id, rows[i].created, rows[i].command,
               rows[i].scenario, rows[i].scenario_sha256);
        if (isfinite(rows[i].throughput_per_s))
            printf("  %.5g/s", rows[i].throughput_per_s);
        putchar('\n');
    }
    if (rc == 0 && args->json)
        print_document(doc);
    else
        json_free(doc);
    return rc;
}

static int show(struct store *s, const char *which, struct arena *a, struct err *err)
{
    struct result_row row;
    struct json *doc;

    TRY(result_load(s, which, NULL, a, &row, err));
    TRY(json_parse(row.json, "stored result", &doc, err));
    print_document(doc);
    return 0;
}

static int run(const struct args *args, struct err *err)
{
    const char *verb = args->words_n > 0 ? args->words[0] : "list";
    bool removes = strcmp(verb, "rm") == 0;
    struct arena *a;
    struct store *s;
    int rc;

    if (strcmp(verb, "list") != 0 && (args->words_n < 2 || (!removes && strcmp(verb, "show") != 0)))
        return err_set(err, ERR_USAGE, "runs: write list, show ID or rm ID");
    TRY(store_open(args->store, removes ? STORE_WRITE : STORE_READ, &s, err));
    a = arena_new();
    if (removes) {
        struct result_row row;

        rc = result_load(s, args->words[1], NULL, a, &row, err);
        if (rc == 0)
            rc = result_remove(s, row.id, err);
    } else if (strcmp(verb, "show") == 0) {
        rc = show(s, args->words[1], a, err);
    } else {
        rc = list(args, s, a, err);
    }
    arena_free(a);
    store_close(s);
    return rc;
}

const struct cmd cmd_runs = {
    .name = "runs",
    .args = "list|show|rm [ID]",
    .help = "history of results in the store",
    .group = "Look into the store",
    .about = "ID is a number from the list, latest, or latest:COMMAND. `show` prints the result document.",
    .options = "",
    .examples = "  foresight runs list\n  foresight runs show latest:rank\n",
    .least = 0,
    .most = 2,
    .run = run,
};
