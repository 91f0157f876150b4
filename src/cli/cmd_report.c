#include "cli/cmd.h"

#include "base/text.h"
#include "cli/keep.h"
#include "cli/load.h"
#include "cli/print.h"
#include "cli/studies.h"
#include "report/report.h"
#include "store/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The newest result of a command on exactly this content, or NULL. */
static struct json *stored(struct store *store, const char *command, const struct loaded *l)
{
    struct result_filter filter = {.command = command, .scenario_sha256 = l->scenario->sha256};
    struct result_row row;
    struct json *doc = NULL;
    struct err none = {0};

    if (result_load(store, "latest", &filter, l->arena, &row, &none) != 0)
        return NULL;
    return json_parse(row.json, "stored result", &doc, &none) == 0 ? doc : NULL;
}

/* Runs what takes seconds; an execution takes minutes of the whole machine, so it is asked for by hand. */
static int complete(const struct args *args, struct loaded *l, struct store *store, struct err *err)
{
    struct json *run = stored(store, "run", l), *rank = stored(store, "rank", l);
    bool no_run = run == NULL, no_rank = rank == NULL && l->optimizations_n > 0;

    json_free(run);
    json_free(rank);
    if (no_run)
        TRY(study_run(args, l, err));
    if (no_rank)
        TRY(study_rank(args, l, err));
    return 0;
}

static bool ends_in(const char *s, const char *tail)
{
    size_t n = strlen(s), k = strlen(tail);

    return n >= k && strcmp(s + n - k, tail) == 0;
}

static int render(const struct args *args, struct loaded *l, struct store *store, const char *out,
                  struct err *err)
{
    struct json *run = stored(store, "run", l), *rank = stored(store, "rank", l),
                *validate = stored(store, "validate", l);
    struct report_input in = {
        .run = run, .rank = rank, .validate = validate, .scenario_name = l->scenario->name};
    struct text t = {0};
    int rc = ends_in(out, ".md") ? report_markdown(&in, &t, err) : report_html(&in, &t, err);

    /* A missing gnuplot costs the plots, not the report: it is written, and the exit status tells. */
    if (rc == 0 || rc == ERR_PROGRAM) {
        struct err writing = {0};

        if (text_write_file(out, t.s, t.len, &writing) != 0) {
            *err = writing;
            rc = writing.code;
        }
    }
    if ((rc == 0 || rc == ERR_PROGRAM) && strcmp(out, "-") != 0 && !args->json)
        printf("%s: written\n", out);
    text_free(&t);
    json_free(run);
    json_free(rank);
    json_free(validate);
    return rc;
}

static int run(const struct args *args, struct err *err)
{
    const char *out = args_get(args, "output", "report.html");
    struct store *store = NULL;
    struct loaded l;
    int rc;

    if (!ends_in(out, ".html") && !ends_in(out, ".md") && strcmp(out, "-") != 0)
        return err_set(err, ERR_USAGE, "-o %s: the name must end in .html or .md", out);
    TRY(load_to_predict(args, args->words[0], &l, err));
    rc = store_open(args->store, STORE_WRITE, &store, err);
    if (rc == 0)
        rc = complete(args, &l, store, err);
    if (rc == 0)
        rc = render(args, &l, store, out, err);
    store_close(store);
    loaded_free(&l);
    return rc;
}

const struct cmd cmd_report = {
    .name = "report",
    .args = "SCENARIO",
    .help = "a review document with plots: what it delivers, what to build, how far to trust it",
    .group = "Share",
    .about = "Renders the stored results of the scenario as one self-contained HTML or Markdown file. The "
             "simulation and\n"
             "the ranking are run when missing; a validation (which executes for minutes) is shown when "
             "there is one.",
    .options = "set,apply,output",
    .examples = "  foresight report scenarios/quickstart.json -o report.html\n"
                "  foresight report scenarios/quickstart.json -o report.md\n",
    .least = 1,
    .most = 1,
    .run = run,
};
