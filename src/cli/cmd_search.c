#include "cli/cmd.h"

#include "base/text.h"
#include "base/units.h"
#include "cli/keep.h"
#include "cli/load.h"
#include "cli/print.h"
#include "cli/search_print.h"
#include "cli/studies.h"
#include "study/search/ranks.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST = 6, FULL = 12, BUDGET = 3000 };
static const double INDIFFERENCE = 0.01, LENGTH = 0.1;

/* ---------------------------------------------------------- interruption */

static volatile sig_atomic_t stop;

/* Once: a second Ctrl-C ends the program as usual. */
static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static void catch_interruption(void)
{
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

    sigemptyset(&act.sa_mask);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
}

/* --------------------------------------------------------------- options */

static int read_method(const struct args *args, struct search_options *opt, struct err *err)
{
    const char *name = args_get(args, "method", NULL), *names[16];
    struct text t = {0};
    size_t n = 0;

    if (name == NULL || strcmp(name, "auto") == 0)
        return 0;
    opt->method = search_method_find(name);
    if (opt->method != NULL)
        return 0;
    names[n++] = "auto";
    for (int i = 0; search_methods[i] != NULL; i++)
        names[n++] = search_methods[i]->name;
    text_add_suggestion(&t, name, names, n);
    err_set(err, ERR_USAGE, "--method %s: no such method; %s", name, t.s);
    text_free(&t);
    return ERR_USAGE;
}

static int read_select(const struct args *args, struct search_options *opt, struct err *err)
{
    const char *name = args_get(args, "select", "kn");

    opt->select = strcmp(name, "ocba") == 0 ? SELECT_OCBA : SELECT_KN;
    if (strcmp(name, "kn") == 0 || strcmp(name, "ocba") == 0)
        return 0;
    return err_set(err, ERR_USAGE, "--select %s: allowed are kn and ocba", name);
}

/* A bare number counts replications, one with a unit is a time. */
static int read_budget(const struct args *args, struct points_options *opt, struct err *err)
{
    const char *text = args_get(args, "budget", NULL);
    char *end;
    double x;

    opt->budget = BUDGET;
    if (text == NULL)
        return 0;
    x = strtod(text, &end);
    if (end != text && *end == '\0') {
        opt->budget = (long)x;
        if (x >= 2 && x <= 1e9 && (double)opt->budget == x)
            return 0;
        return err_set(err, ERR_USAGE,
                       "--budget %s: a whole number of replications (2 at least) or a time is needed", text);
    }
    opt->budget = 0;
    if (units_parse(text, UNIT_S, &opt->budget_s, err) != 0 || opt->budget_s <= 0) {
        err_at(err, "--budget");
        return err->code = ERR_USAGE;
    }
    return 0;
}

static int read_share(const struct args *args, const char *name, double fallback, double most, double *out,
                      struct err *err)
{
    const char *text = args_get(args, name, NULL);

    *out = fallback;
    if (text == NULL)
        return 0;
    if (units_parse(text, UNIT_FRAC, out, err) != 0) {
        err_at(err, "--%s", name);
        return err->code = ERR_USAGE;
    }
    if (*out > 0 && *out <= most)
        return 0;
    return err_set(err, ERR_USAGE, "--%s %s: a share above 0 and at most %g is needed", name, text, most);
}

static int read_options(const struct args *args, struct search_options *opt, struct err *err)
{
    *opt = (struct search_options){.probability = args->confidence, .full = FULL};
    opt->points.first = args->replications ? args->replications : FIRST;
    opt->points.stop = &stop;
    TRY(read_method(args, opt, err));
    TRY(read_select(args, opt, err));
    TRY(read_budget(args, &opt->points, err));
    TRY(read_share(args, "indifference", INDIFFERENCE, 1, &opt->indifference, err));
    return read_share(args, "length", LENGTH, 1, &opt->points.length, err);
}

/* --------------------------------------------------------------- running */

static int report(const struct args *args, const struct loaded *l, const struct search_result *r,
                  struct err *err)
{
    if (args->json)
        print_document(search_json(r));
    else
        print_search(r);
    TRY(keep_result(args, l, "search", search_json(r), NULL, err));
    if (stop)
        return err_set(err, ERR_CAP,
                       "interrupted: what was simulated is in %s, and the same command goes on from there",
                       args->store);
    if (r->best == NULL && r->space.constraints_n > 0)
        return err_set(err, ERR_UNMET, "%s: nothing that was simulated meets every constraint", l->file);
    return 0;
}

static int search_here(const struct args *args, struct loaded *l, const struct study *st,
                       struct search_options *opt, struct err *err)
{
    struct search_result r;
    int rc;

    opt->points.progress = progress_new(args->progress, args->quiet);
    opt->points.is_fresh = args_has(args, "fresh");
    rc = store_open(args->store, STORE_WRITE, &opt->points.store, err);
    catch_interruption();
    if (rc == 0)
        rc = search_run(st, args_get(args, "slo", NULL), opt, l->arena, &r, err);
    store_close(opt->points.store);
    progress_free(opt->points.progress);
    if (rc != 0)
        return rc;
    rc = report(args, l, &r, err);
    search_fini(&r);
    return rc;
}

/* Every rank reads the scenario; rank 0 searches, the others compute what it sends. */
static int search_ranks(const struct args *args, struct loaded *l, struct search_options *opt,
                        struct err *err)
{
    struct study st = study_of(args, l, opt->points.first);
    struct space sp;
    int rc;

    if (ranks_count() > 1 && st.threads == 0)
        st.threads = 1;
    if (ranks_me() == 0)
        return search_here(args, l, &st, opt, err);
    rc = space_init(&sp, &st, NULL, l->arena, err);
    if (rc == 0)
        rc = ranks_serve(&sp, err);
    space_fini(&sp);
    return rc;
}

static int run(const struct args *args, struct err *err)
{
    struct search_options opt;
    struct loaded l = {0};
    int rc;

    TRY(ranks_begin(err));
    rc = read_options(args, &opt, err);
    if (rc == 0)
        rc = load_to_predict(args, args->words[0], &l, err);
    if (rc == 0 && ranks_me() == 0 && !args->quiet)
        print_warnings(l.scenario);
    rc = ranks_agree(rc, err);
    if (rc == 0)
        rc = search_ranks(args, &l, &opt, err);
    if (l.arena != NULL)
        loaded_free(&l);
    if (ranks_me() != 0)
        err->text[0] = '\0'; /* rank 0 says it */
    ranks_end();
    return rc;
}

static void print_methods(void)
{
    printf("\nMethods (--method; without it branch-and-bound where the space can be listed, else "
           "coordinate):\n");
    for (int i = 0; search_methods[i] != NULL; i++)
        printf("  %-17s %s\n", search_methods[i]->name, search_methods[i]->about);
}

const struct cmd cmd_search = {
    .name = "search",
    .args = "SCENARIO",
    .help = "which combination of optimizations and settings is best under constraints?",
    .group = "Choose",
    .about =
        "Searches the optimizations and knobs that the scenario declares for the best objective under its\n"
        "constraints.  Bounds rule candidates out in microseconds, simulation decides among the others, and "
        "the\n"
        "best is selected with a stated probability.  What was simulated stays in the store: the same "
        "command\n"
        "goes on where it was interrupted.  docs/search.md says more.",
    .options = "set,apply,slo,method,budget,indifference,select,length,fresh",
    .examples = "  foresight search scenarios/rag-serving.json --slo \"quality >= 0.4\"\n"
                "  foresight search scenarios/loader-sizing.json --method coordinate --budget 200 --json\n",
    .least = 1,
    .most = 1,
    .run = run,
    .print_more = print_methods,
};
