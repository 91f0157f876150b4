#include "cli/cmd.h"

#include "base/text.h"
#include "cli/keep.h"
#include "cli/load.h"
#include "cli/print.h"
#include "cli/studies.h"
#include "report/report.h"
#include "store/result.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { COMMANDS = 6, MOST_RUNS = 12 };

/* The documents of a report; those of one run, or several runs side by side. */
struct shown {
    struct json *doc[COMMANDS]; /* as `commands` names them */
    struct json *compared[MOST_RUNS];
    size_t compared_n;
    char *name;
};

static const char *const commands[COMMANDS] = {"run", "rank", "validate", "report", "plan", "search"};

/* ------------------------------------------------------------------ loading */

/* The newest result of a command on exactly this content, or NULL. */
static struct json *stored(struct store *store, const char *command, const char *sha256)
{
    struct result_filter filter = {.command = command, .scenario_sha256 = sha256};
    struct arena *a = arena_new();
    struct result_row row;
    struct json *doc = NULL;
    struct err none = {0};

    if (result_load(store, "latest", &filter, a, &row, &none) == 0 &&
        json_parse(row.json, "stored result", &doc, &none) != 0)
        doc = NULL;
    arena_free(a);
    return doc;
}

static bool is_stored(struct store *store, const char *command, const char *sha256)
{
    struct json *doc = stored(store, command, sha256);

    json_free(doc);
    return doc != NULL;
}

/* Runs what takes seconds; an execution takes minutes of the whole machine, so it is asked for by hand. */
static int complete(const struct args *args, struct loaded *l, struct store *store, struct err *err)
{
    const char *sha = l->scenario->sha256;

    if (!is_stored(store, "run", sha))
        TRY(study_run(args, l, err));
    if (!is_stored(store, "rank", sha) && l->optimizations_n > 0)
        TRY(study_rank(args, l, err));
    if (!is_stored(store, "report", sha))
        TRY(study_details(args, l, err));
    return 0;
}

static void load_all(struct store *store, const char *sha256, struct shown *s)
{
    for (int i = 0; i < COMMANDS; i++)
        s->doc[i] = stored(store, commands[i], sha256);
}

static int show_scenario(const struct args *args, const char *file, struct store *store, struct shown *s,
                         struct err *err)
{
    struct loaded l;
    int rc;

    TRY(load_to_predict(args, file, &l, err));
    rc = complete(args, &l, store, err);
    if (rc == 0) {
        load_all(store, l.scenario->sha256, s);
        s->name = xstrdup(l.scenario->name);
    }
    loaded_free(&l);
    return rc;
}

/* A number of `foresight runs list`, or latest:COMMAND: with everything known of the same scenario. */
static int show_run(const char *which, struct store *store, struct shown *s, struct err *err)
{
    struct arena *a = arena_new();
    struct json *doc = NULL;
    struct result_row row;
    int rc = result_load(store, which, NULL, a, &row, err);

    if (rc == 0)
        rc = json_parse(row.json, "stored result", &doc, err);
    if (rc == 0) {
        load_all(store, row.scenario_sha256, s);
        s->name = xstrdup(row.scenario);
        for (int i = 0; i < COMMANDS; i++)
            if (strcmp(row.command, commands[i]) == 0) {
                json_free(s->doc[i]);
                s->doc[i] = doc;
                doc = NULL;
            }
    }
    json_free(doc);
    arena_free(a);
    return rc;
}

static bool is_run(const char *word)
{
    return strncmp(word, "latest", 6) == 0 || strspn(word, "0123456789") == strlen(word);
}

static int show_one(const struct args *args, const char *word, struct store *store, struct shown *s,
                    struct err *err)
{
    return is_run(word) ? show_run(word, store, s, err) : show_scenario(args, word, store, s, err);
}

static void shown_fini(struct shown *s)
{
    for (int i = 0; i < COMMANDS; i++)
        json_free(s->doc[i]);
    for (size_t i = 0; i < s->compared_n; i++)
        json_free(s->compared[i]);
    free(s->name);
    *s = (struct shown){0};
}

/* Of each scenario or run its run, or what a ranking found of it as it is. */
static int show_several(const struct args *args, struct store *store, struct shown *s, struct err *err)
{
    if (args->words_n > MOST_RUNS)
        return err_set(err, ERR_USAGE, "report: %d runs; at most %d stand side by side", args->words_n,
                       MOST_RUNS);
    for (int i = 0; i < args->words_n; i++) {
        struct shown one = {0};
        int rc = show_one(args, args->words[i], store, &one, err);
        int which = one.doc[0] != NULL ? 0 : 1;

        if (rc == 0 && one.doc[which] == NULL)
            rc = err_set(err, ERR_USAGE, "report: %s is neither a run nor a ranking", args->words[i]);
        if (rc == 0) {
            s->compared[s->compared_n++] = one.doc[which];
            one.doc[which] = NULL;
        }
        shown_fini(&one);
        TRY(rc);
    }
    s->name = xstrdup("several runs");
    return 0;
}

/* ------------------------------------------------------------------ writing */

static bool ends_in(const char *s, const char *tail)
{
    size_t n = strlen(s), k = strlen(tail);

    return n >= k && strcmp(s + n - k, tail) == 0;
}

static int format_of(const char *out, enum report_format *format, struct err *err)
{
    if (ends_in(out, ".html") || strcmp(out, "-") == 0)
        *format = REPORT_HTML;
    else if (ends_in(out, ".md"))
        *format = REPORT_MARKDOWN;
    else if (ends_in(out, ".pdf"))
        *format = REPORT_PDF;
    else
        return err_set(err, ERR_USAGE, "-o %s: the name must end in .html, .md or .pdf", out);
    return report_check_format(*format, err);
}

static int save_data(const char *folder, const struct report_input *in, struct err *err)
{
    struct report_data *list;
    size_t n = report_data(in, &list);
    int rc = 0;

    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        rc = err_io(err, "make the folder", folder);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct text path = {0};

        text_printf(&path, "%s/%s", folder, list[i].name);
        rc = text_write_file(path.s, list[i].csv, strlen(list[i].csv), err);
        text_free(&path);
    }
    if (rc == 0)
        fprintf(stderr, "%s: the data of %zu plots\n", folder, n);
    report_data_free(list, n);
    return rc;
}

/* A missing gnuplot costs the plots, not the report: it is written, and the exit status tells. */
static int write_document(const struct report_input *in, enum report_format format, const char *out,
                          struct err *err)
{
    struct text t = {0};
    struct err writing = {0};
    int rc = report_write(in, format, &t, err);

    if ((rc == 0 || rc == ERR_PROGRAM) && t.len > 0 && text_write_file(out, t.s, t.len, &writing) != 0) {
        *err = writing;
        rc = writing.code;
    }
    text_free(&t);
    return rc;
}

static int render(const struct args *args, const struct shown *s, enum report_format format, const char *out,
                  struct err *err)
{
    const struct json *compared[MOST_RUNS];
    struct report_input in = {.run = s->doc[0],
                              .rank = s->doc[1],
                              .validate = s->doc[2],
                              .details = s->doc[3],
                              .plan = s->doc[4],
                              .search = s->doc[5],
                              .compared = compared,
                              .compared_n = s->compared_n,
                              .scenario_name = s->name};
    const char *folder = args_get(args, "save-data", NULL);
    int rc;

    for (size_t i = 0; i < s->compared_n; i++)
        compared[i] = s->compared[i];
    rc = write_document(&in, format, out, err);
    if ((rc == 0 || rc == ERR_PROGRAM) && strcmp(out, "-") != 0 && !args->json)
        printf("%s: written\n", out);
    if (rc == 0 && folder != NULL)
        rc = save_data(folder, &in, err);
    return rc;
}

/* Before a store is made: scenarios that cannot be read leave nothing behind. */
static int check_scenarios(const struct args *args, struct err *err)
{
    for (int i = 0; i < args->words_n; i++) {
        struct loaded l;

        if (is_run(args->words[i]) || strcmp(args->words[i], "-") == 0) /* standard input is read once */
            continue;
        TRY(load_scenario(args, args->words[i], &l, err));
        loaded_free(&l);
    }
    return 0;
}

static int run(const struct args *args, struct err *err)
{
    const char *out = args_get(args, "output", "report.html");
    enum report_format format = REPORT_HTML;
    struct store *store = NULL;
    struct shown s = {0};
    int rc;

    TRY(format_of(out, &format, err));
    TRY(check_scenarios(args, err));
    TRY(store_open(args->store, STORE_WRITE, &store, err));
    rc = args->words_n == 1 ? show_one(args, args->words[0], store, &s, err)
                            : show_several(args, store, &s, err);
    if (rc == 0)
        rc = render(args, &s, format, out, err);
    store_close(store);
    shown_fini(&s);
    return rc;
}

const struct cmd cmd_report = {
    .name = "report",
    .args = "SCENARIO|RUN...",
    .help = "a review document with plots: what it delivers, what to build, how far to trust it",
    .group = "Share",
    .about =
        "Renders the stored results of the scenario as one self-contained HTML file, as Markdown or as PDF.\n"
        "The simulation, the ranking, and what only a report shows (time lines, load curve, sensitivity) are run\n"
        "when missing; a validation (which executes for minutes) is shown when there is one.  A number of\n"
        "`foresight runs list`, or latest:run, stands for a stored run and everything known of its scenario;\n"
        "several are set side by side.",
    .options = "set,apply,output,save-data",
    .examples = "  foresight report scenarios/quickstart.json -o report.html --save-data report.data\n"
                "  foresight report scenarios/quickstart.json -o report.pdf\n"
                "  foresight report latest:run scenarios/quickstart.json -o compared.html\n",
    .least = 1,
    .most = -1,
    .run = run,
};
