#include "cli/cmd.h"

#include "base/arena.h"
#include "base/text.h"
#include "base/units.h"
#include "calibrate/infer.h"
#include "calibrate/resolve.h"
#include "cli/print.h"
#include "cli/template.h"
#include "pipeline/flow.h"
#include "pipeline/simulate.h"
#include "store/import/import.h"
#include "store/trace.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_TRACES = 16 };

struct init {
    const struct args *args;
    struct arena *arena;
    struct store *store;
    int64_t traces[MOST_TRACES];
    int n;
    const char *out;
    struct resolver resolver;
    struct inferred inferred;
    struct outcome outcome;
    bool inside; /* what the scenario delivers is what was recorded */
};

/* A file is imported first (once); anything else is the name or number of a trace in the store. */
static int add_source(struct init *in, const char *source, struct err *err)
{
    struct import_options options = {0};
    struct import_report r;

    if (in->n == MOST_TRACES)
        return err_set(err, ERR_USAGE, "init: at most %d traces", MOST_TRACES);
    if (access(source, F_OK) != 0)
        return trace_find_recorded(in->store, source, &in->traces[in->n++], err);
    TRY(import_file(in->store, source, &options, in->arena, &r, err));
    in->traces[in->n++] = r.trace_id;
    return 0;
}

static int add_sources(struct init *in, struct err *err)
{
    for (int i = 0; i < in->args->given_n; i++)
        if (strcmp(in->args->given[i].name, "from") == 0)
            TRY(add_source(in, in->args->given[i].value, err));
    for (int i = 0; i < in->args->words_n; i++)
        TRY(add_source(in, in->args->words[i], err));
    return 0;
}

/* A file name made of a trace's name, which may hold anything. */
static const char *file_name(struct arena *a, const char *name)
{
    char *file = arena_printf(a, "%.100s.json", name[0] != '\0' ? name : "scenario");

    for (char *c = file; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr("._-", *c) == NULL)
            *c = '-';
    if (file[0] == '.' || file[0] == '-')
        file[0] = '_';
    return file;
}

static int write_scenario(struct init *in, struct err *err)
{
    char *text = json_text(in->inferred.tree);
    struct text t = {0};
    int rc = 0;

    in->out =
        args_get(in->args, "output", file_name(in->arena, json_get_string(in->inferred.tree, "name", "")));
    if (strcmp(in->out, "-") != 0 && access(in->out, F_OK) == 0 && !args_has(in->args, "force"))
        rc = err_set(err, ERR_USAGE, "%s: exists already; --force replaces it, -o FILE writes another",
                     in->out);
    if (rc == 0) {
        text_printf(&t, "%s\n", text);
        rc = text_write_file(in->out, t.s, t.len, err);
    }
    text_free(&t);
    free(text);
    return rc;
}

/* A recording whose steps are all alike has no width: a part in a thousand is the least that is asked. */
static bool overlap(const struct estimate *a, const struct estimate *b)
{
    double slack = 1e-3 * b->mean;

    return a->lo <= b->hi + slack && b->lo <= a->hi + slack;
}

/* One number without an interval is held against what one run of the scenario may give, as far as the fit
 * knows. */
static bool agrees(const struct outcome *o, const struct inferred *in)
{
    const struct estimate *recorded = &in->recorded;
    struct tally t = {0};
    double spread;

    if (recorded->n > 1)
        return overlap(&o->throughput_per_s, recorded);
    for (long r = 0; r < o->replications; r++)
        tally_add(&t, o->rep[r][0].throughput_per_s);
    spread = student_quantile(0.975, (double)o->replications - 1) *
             sqrt(tally_variance(&t) * (1 + 1 / (double)o->replications));
    return fabs(recorded->mean - t.mean) <= spread + (in->fit_frac + 1e-3) * t.mean;
}

/* Runs what was written: it must deliver what was recorded. */
static int try_out(struct init *in, struct err *err)
{
    const char *file = strcmp(in->out, "-") == 0 ? "the inferred scenario" : in->out;
    struct simulate_options opt = {.seed = in->args->seed,
                                   .threads = in->args->threads,
                                   .replications = in->args->replications,
                                   .confidence = in->args->confidence};
    struct scenario_options so = {.resolver = &in->resolver};
    struct scenario *s = NULL;
    int rc = scenario_build(in->inferred.tree, file, &so, &s, err);

    if (rc == 0)
        rc = simulate(s, &opt, in->arena, &in->outcome, err);
    if (rc == 0)
        in->inside = agrees(&in->outcome, &in->inferred);
    in->outcome.scenario = NULL; /* goes now; the figures stay */
    scenario_free(s);
    return rc;
}

static void print_rate(const char *label, const struct estimate *e)
{
    char lo[40], hi[40], mean[40];

    if (e->lo == e->hi) {
        printf("  %-10s %s\n", label, units_format(mean, sizeof mean, e->mean, UNIT_PER_S));
        return;
    }
    printf("  %-10s %s (%s .. %s)\n", label, units_format(mean, sizeof mean, e->mean, UNIT_PER_S),
           units_format(lo, sizeof lo, e->lo, UNIT_PER_S), units_format(hi, sizeof hi, e->hi, UNIT_PER_S));
}

static void print_verdict(const struct init *in)
{
    double off = in->outcome.throughput_per_s.mean / in->inferred.recorded.mean - 1;

    if (in->inferred.fit_frac > 0)
        printf("  the fit    knows the times to \302\261%.2g %%\n", 100 * in->inferred.fit_frac);
    printf("  %s: %+.1f %%%s.\n",
           in->inside ? "The scenario delivers what was recorded"
                      : "The scenario does NOT deliver what was recorded",
           100 * off, in->inside ? ", within what the recording tells" : "; look at what is assumed");
}

static void print_summary(const struct init *in)
{
    const struct json *tree = in->inferred.tree, *assumed = json_get(tree, "assumed");

    printf("%s: a scenario of %zu stages from %s; %ss per second:\n", in->out,
           json_size(json_get(tree, "stages")), in->inferred.from, json_get_string(tree, "unit", "unit"));
    print_rate("recorded", &in->inferred.recorded);
    print_rate("simulated", &in->outcome.throughput_per_s);
    print_verdict(in);
    if (json_size(assumed) > 0)
        printf("\nAssumed, since the recording does not show it:\n");
    JSON_EACH (why, assumed)
        printf("  %s\n      %s\n", json_key(why), json_string(why));
    printf("\nNext: foresight run %s%s\n", in->out,
           json_get(tree, "optimizations") != NULL ? ", then foresight rank on it" : "");
}

static struct json *document(const struct init *in)
{
    struct json *doc = json_new_object(), *list;

    json_set_string(doc, "format", "foresight.result");
    json_set_string(doc, "format_version", "1.0");
    json_set_string(doc, "command", "init");
    json_set_string(doc, "version", PACKAGE_VERSION);
    json_set_string(doc, "scenario", json_get_string(in->inferred.tree, "name", ""));
    json_set_string(doc, "file", in->out);
    json_set_string(doc, "from", in->inferred.from);
    json_set(doc, "recorded_throughput_per_s", estimate_json(&in->inferred.recorded));
    json_set(doc, "simulated_throughput_per_s", estimate_json(&in->outcome.throughput_per_s));
    json_set_number(doc, "fit_interval_frac", in->inferred.fit_frac);
    json_set_bool(doc, "inside_interval", in->inside);
    list = json_set_array(doc, "assumed");
    JSON_EACH (why, json_get(in->inferred.tree, "assumed")) {
        struct json *o = json_push(list, json_new_object());

        json_set_string(o, "path", json_key(why));
        json_set_string(o, "why", json_string(why));
    }
    return doc;
}

static int init_from(struct init *in, struct err *err)
{
    TRY(store_open(in->args->store, STORE_WRITE, &in->store, err));
    TRY(add_sources(in, err));
    TRY(infer(in->store, &in->resolver, in->traces, in->n, in->arena, &in->inferred, err));
    TRY(write_scenario(in, err));
    return try_out(in, err);
}

static int run(const struct args *args, struct err *err)
{
    struct init in = {.args = args, .arena = arena_new()};
    bool to_stdout = strcmp(args_get(args, "output", ""), "-") == 0;
    int rc;

    if (args_has(args, "template")) {
        arena_free(in.arena);
        return template_write(args_get(args, "template", ""), args_get(args, "output", NULL),
                              args_has(args, "force"), err);
    }
    resolve_open(args->store, "inferred.json", &in.resolver);
    if (!args_has(args, "from"))
        rc = err_set(err, ERR_USAGE,
                     "init: from what? --from TRACE..., a file or the name of a trace in the store; or "
                     "--template etl|training|rag|agent|full");
    else if (args->json && to_stdout)
        rc = err_set(err, ERR_USAGE, "init: -o - and --json both want stdout");
    else
        rc = init_from(&in, err);
    if (rc == 0 && args->json)
        print_document(document(&in));
    else if (rc == 0 && !to_stdout)
        print_summary(&in);
    resolve_close(&in.resolver);
    store_close(in.store);
    json_free(in.inferred.tree);
    arena_free(in.arena);
    return rc;
}

const struct cmd cmd_init = {
    .name = "init",
    .args = "--from|--template WHAT",
    .help = "a scenario from my own traces, or a shipped one",
    .group = "Measure",
    .about = "A trace is a file (imported first) or the name of a trace in the store. Stages, edges, "
             "resources and\n"
             "rates are inferred; what the recording does not show is filled in and listed under \"assumed\" "
             "with\n"
             "the reason. The scenario is run once: it must deliver the throughput that was recorded.\n"
             "Understood: PyTorch profiles, OpenTelemetry spans, Spark event logs, recordings of requests "
             "(alone, or\n"
             "with operator costs beside them).  Without traces, --template copies a shipped scenario: etl, "
             "training, rag,\n"
             "agent, full.",
    .options = "from,template,output,force",
    .examples = "  foresight init --from worker0.pt.trace.json.gz -o training.json\n"
                "  foresight init --template rag -o mine.json\n",
    .least = 0,
    .most = -1,
    .run = run,
};
