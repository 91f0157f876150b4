#include "cli/cmd.h"

#include "base/text.h"
#include "cli/chart.h"
#include "cli/print.h"
#include "store/result.h"
#include "study/replay.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN = 8 }; /* figures of a case when all cases run */

/* ------------------------------------------------------------- case files */

struct files {
    char **path; /* sorted */
    size_t n;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static const char *cases_folder(const struct args *args)
{
    static const char *const places[] = {"scenarios/replay", FORESIGHT_DATADIR "/scenarios/replay"};
    const char *given = args_get(args, "cases", NULL);

    if (given != NULL)
        return given;
    return access(places[0], R_OK) == 0 ? places[0] : places[1];
}

static int list_files(const char *folder, struct arena *a, struct files *out, struct err *err)
{
    DIR *d = opendir(folder);
    struct dirent *e;

    *out = (struct files){0};
    if (d == NULL)
        return err_set(err, ERR_NOFILE, "%s: no folder of case files; --cases DIR names one", folder);
    while ((e = readdir(d)) != NULL) {
        size_t n = strlen(e->d_name);

        if (n < 6 || strcmp(e->d_name + n - 5, ".json") != 0 || e->d_name[0] == '.')
            continue;
        out->path = xrealloc(out->path, out->n + 1, sizeof *out->path);
        out->path[out->n++] = arena_printf(a, "%s/%s", folder, e->d_name);
    }
    closedir(d);
    if (out->n > 0)
        qsort(out->path, out->n, sizeof *out->path, by_name);
    return 0;
}

static int no_such_case(const char *name, const struct replay_case *all, size_t n, struct err *err)
{
    const char **names = xcalloc(n + 1, sizeof *names);
    struct text t = {0};

    for (size_t i = 0; i < n; i++)
        names[i] = all[i].name;
    text_add_suggestion(&t, name, names, n);
    err_set(err, ERR_USAGE, "replay: no case \"%.60s\"; %s", name, t.s);
    text_free(&t);
    free(names);
    return err->code;
}

/* Keeps the cases named on the command line, in that order; all without names. */
static int choose(const struct args *args, struct replay_case *all, size_t *n, struct arena *a,
                  struct err *err)
{
    struct replay_case *chosen = arena_array(a, (size_t)args->words_n + 1, sizeof *chosen);
    bool *used = arena_array(a, *n + 1, sizeof *used);
    size_t chosen_n = 0;

    if (args->words_n == 0)
        return 0;
    for (int w = 0; w < args->words_n; w++) {
        size_t i = 0;

        while (i < *n && strcmp(all[i].name, args->words[w]) != 0)
            i++;
        if (i == *n)
            return no_such_case(args->words[w], all, *n, err);
        if (!used[i])
            chosen[chosen_n++] = all[i];
        used[i] = true;
    }
    for (size_t i = 0; i < *n; i++)
        if (!used[i])
            replay_case_fini(&all[i]);
    memcpy(all, chosen, chosen_n * sizeof *all);
    *n = chosen_n;
    return 0;
}

static int read_cases(const struct files *files, struct arena *a, struct replay_case **out, size_t *n,
                      struct err *err)
{
    *n = 0;
    *out = arena_array(a, files->n + 1, sizeof **out);
    for (size_t i = 0; i < files->n; i++) {
        TRY(replay_case_read(files->path[i], a, &(*out)[i], err));
        (*n)++;
    }
    return 0;
}

static int load_cases(const struct args *args, struct arena *a, struct replay_case **out, size_t *n,
                      struct err *err)
{
    struct files files;
    int rc = list_files(cases_folder(args), a, &files, err);

    *n = 0;
    if (rc == 0)
        rc = read_cases(&files, a, out, n, err);
    free(files.path);
    return rc != 0 ? rc : choose(args, *out, n, a, err);
}

/* ---------------------------------------------------------------- printing */

static const char *percent(char *buf, size_t size, double frac)
{
    if (!isfinite(frac))
        snprintf(buf, size, "-");
    else
        snprintf(buf, size, fabs(frac) < 0.0995 ? "%.1f %%" : "%.0f %%", 100 * frac);
    return buf;
}

static void print_score(const char *name, const struct replay_score *s)
{
    char e[20], p[20], n[20], f[20], c[20], o[20], skill[20];

    if (isfinite(s->skill))
        snprintf(skill, sizeof skill, "%.2f", s->skill);
    else
        snprintf(skill, sizeof skill, "-");
    printf("  %-22.22s %4zu %7s %7s %7s %6s %6s %6s %6s\n", name, s->figures,
           percent(e, sizeof e, s->median_error), percent(p, sizeof p, s->p90_error),
           percent(n, sizeof n, s->naive_error), skill, percent(f, sizeof f, s->noise),
           percent(c, sizeof c, s->coverage), percent(o, sizeof o, s->order));
}

static void print_head(const char *title)
{
    printf("  %-22s %4s %7s %7s %7s %6s %6s %6s %6s\n", title, "n", "error", "p90", "naive", "skill", "noise",
           "inside", "order");
}

/* A number of figures large and small in nine characters. */
static const char *number(char *buf, size_t size, double x)
{
    snprintf(buf, size, fabs(x) >= 1e5 ? "%.3e" : "%.4g", x);
    return buf;
}

static void print_figure(const struct replay_figure *f)
{
    char m[30], p[30], lo[30], hi[30];

    printf("    %-32.32s %9s %9s %+6.1f %%  %s .. %s%s %s\n", f->name, number(m, sizeof m, f->measured),
           number(p, sizeof p, f->predicted.mean), 100 * f->error_frac,
           number(lo, sizeof lo, f->predicted.pred_lo), number(hi, sizeof hi, f->predicted.pred_hi),
           f->inside_interval ? "" : " *", f->unit);
}

static int worst_first(const void *a, const void *b)
{
    double x = fabs((*(const struct replay_figure *const *)a)->error_frac);
    double y = fabs((*(const struct replay_figure *const *)b)->error_frac);

    return (x < y) - (x > y);
}

/* All figures of a case that was asked for, else the worst few. */
static void print_figures(const struct replay_case *c, bool all)
{
    size_t shown = all || c->figures_n <= SHOWN ? c->figures_n : SHOWN / 2;
    const struct replay_figure **order = xcalloc(c->figures_n + 1, sizeof *order);

    for (size_t i = 0; i < c->figures_n; i++)
        order[i] = &c->figures[i];
    if (shown < c->figures_n)
        qsort(order, c->figures_n, sizeof *order, worst_first);
    printf("\n  %s: %s\n", c->name, c->title);
    if (c->why_not_counted != NULL)
        printf("    not counted: %s\n", c->why_not_counted);
    printf("    %-32s %9s %9s %8s  %s\n", shown < c->figures_n ? "the worst" : "figure", "measured",
           "predicted", "error", "90 % interval (* missed)");
    for (size_t i = 0; i < shown; i++)
        print_figure(order[i]);
    if (shown < c->figures_n)
        printf("    ... and %zu more: foresight replay %s\n", c->figures_n - shown, c->name);
    if (c->found != NULL)
        printf("    found: %s\n", c->found);
    if (c->lacking != NULL)
        printf("    lacking: %s\n", c->lacking);
    free(order);
}

static void print_summary(const struct replay_result *r)
{
    char a[20], b[20], c[20], d[20], e[20];

    printf("\n  %zu cases count, %zu of them with positive skill. Median over cases %s, p90 over\n"
           "  figures %s; %s of measurements inside the 90 %% interval (median width %s);\n"
           "  order right in %s of %zu pairs. Gate (6 %%, 20 %%): %s. Goal (5 %%, 15 %%, 85 %%,\n"
           "  95 %%): %s.\n",
           r->counted, r->skilled, percent(a, sizeof a, r->summary.median_error),
           percent(b, sizeof b, r->summary.p90_error), percent(c, sizeof c, r->summary.coverage),
           percent(d, sizeof d, r->summary.width), percent(e, sizeof e, r->summary.order), r->summary.pairs,
           r->gate ? "passed" : "missed", r->goal ? "reached" : "not reached");
}

static void print_parts(const struct replay_result *r)
{
    bool any = false;

    for (int part = 0; part <= REGIMES; part++) {
        if (r->apart[part].figures == 0)
            continue;
        if (!any) {
            printf("\n");
            print_head("by regime (saturation)");
        }
        any = true;
        print_score(part == REGIMES ? "tails" : replay_regime_names[part], &r->apart[part]);
    }
}

static void print_replay(const struct replay_result *r, bool all)
{
    bool skipped = false;

    print_head("case");
    for (int counted = 1; counted >= 0; counted--)
        for (size_t i = 0; i < r->n; i++)
            if (r->cases[i].skipped == NULL && (r->cases[i].why_not_counted == NULL) == (counted == 1)) {
                char name[40];

                snprintf(name, sizeof name, "%s%s", counted ? "" : "~ ", r->cases[i].name);
                print_score(name, &r->cases[i].score);
            }
    printf("  ~ shown, not counted\n");
    if (r->counted > 0)
        print_summary(r);
    print_parts(r);
    for (size_t i = 0; i < r->n; i++)
        if (r->cases[i].skipped == NULL)
            print_figures(&r->cases[i], all);
    for (size_t i = 0; i < r->n; i++)
        if (r->cases[i].skipped != NULL) {
            printf("%s    %s: %s\n", skipped ? "" : "\n  skipped\n", r->cases[i].name, r->cases[i].skipped);
            skipped = true;
        }
}

/* ----------------------------------------------------------------- running */

static int keep(const struct args *args, struct json *doc, struct err *err)
{
    char *text = json_compact(doc), sha256[65];
    struct store *store;
    int64_t id;
    int rc = store_open(args->store, STORE_WRITE, &store, err);

    json_free(doc);
    text_sha256(text, strlen(text), sha256);
    if (rc == 0)
        rc = result_save(store, "replay", "replay", sha256, args->seed, PACKAGE_VERSION, text, &id, err);
    store_close(rc == 0 ? store : NULL);
    free(text);
    return rc;
}

static int replay_all(const struct args *args, struct replay_case *cases, size_t n,
                      const struct replay_options *opt, struct arena *a, struct err *err)
{
    struct replay_result result;

    TRY(replay_run(cases, n, opt, a, &result, err));
    if (args->json)
        print_document(replay_json(&result));
    else
        print_replay(&result, args->words_n > 0);
    TRY(keep(args, replay_json(&result), err));
    TRY(chart_replay(args, &result, err));
    for (size_t i = 0; result.failed > 0 && i < n; i++)
        if (cases[i].skipped != NULL && strncmp(cases[i].skipped, "failed: ", 8) == 0)
            return err_set(err, ERR_FAILED, "replay: case \"%s\" %s", cases[i].name, cases[i].skipped);
    return 0;
}

static int run(const struct args *args, struct err *err)
{
    struct replay_options opt = {.traces = args_get(args, "traces", getenv("FORESIGHT_TRACES")),
                                 .progress = progress_new(args->progress, args->quiet),
                                 .seed = args->seed != 0 ? args->seed : 1};
    struct arena *a = arena_new();
    struct replay_case *cases = NULL;
    size_t n;
    int rc = load_cases(args, a, &cases, &n, err);

    if (rc == 0)
        rc = replay_all(args, cases, n, &opt, a, err);
    for (size_t i = 0; i < n; i++)
        replay_case_fini(&cases[i]);
    progress_free(opt.progress);
    arena_free(a);
    return rc;
}

static void print_kinds(void)
{
    printf("\nKinds of cases:\n");
    for (size_t i = 0; replay_kinds[i] != NULL; i++)
        printf("  %-16s %s\n", replay_kinds[i]->name, replay_kinds[i]->about);
}

const struct cmd cmd_replay = {
    .name = "replay",
    .args = "[CASE...]",
    .help = "does it reproduce measured and published systems?",
    .group = "Measure",
    .about =
        "Every case names its source, what it calibrates from, what it predicts, and the naive prediction "
        "to\n"
        "beat; skill is 1 - error / naive error. Cases that need recorded files are skipped without them.",
    .options = "traces,cases",
    .examples = "  foresight replay\n"
                "  foresight replay pecan-cost dsi-demand --json\n",
    .least = 0,
    .most = -1,
    .run = run,
    .print_more = print_kinds,
};
