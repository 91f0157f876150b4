#include "cli/args.h"

#include "base/arena.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/cmd.h"
#include "cli/color.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct option_def option_table[] = {
    {"set", "PATH=VALUE", "change a value of the scenario, as in prep.workers=2 (repeatable)", false},
    {"apply", "NAME", "apply an optimization the scenario declares (repeatable)", false},
    {"rules", NULL, "also propose the structural rewrites that the scenario admits", false},
    {"rate", "R", "traffic to plan for, as in 120/s (default: the scenario's)", false},
    {"minimize", "cost|count", "what is to be least (default: cost, then count)", false},
    {"knob", "PATH=LO..HI", "what may change: LO..HI or VALUE,VALUE,.. (repeatable; default: the scenario's knobs)", false},
    {"brief", NULL, "only the answer, nothing around it", false},
    {"elastic", "FACTOR", "price of an hour paid as it is used over that of a committed one", false},
    {"output", "FILE", "where to write; - is stdout", false},
    {"profile", NULL, "measure every operator alone instead of running the pipeline", false},
    {"folder", "DIR", "where data files are made and kept (default foresight.work)", false},
    {"pin", "HOW", "threads on the processors that the scenario's cores stand for (cores), each on one (each), or none", false},
    {"no-drift", NULL, "do not measure the operators once more at the end", false},
    {"repeats", "N", "how often each variant is executed, interleaved", false},
    {"variants", "N", "how many variants at most (default 14)", false},
    {"name", "NAME", "name to store it under (default: the scenario's, or the file's)", false},
    {"trace", "ID", "the trace to fit (default: the scenario's latest; of a model repeatable); of run: name to keep spans under", false},
    {"where", "FILTER", "only rows that match, as in op=gemm,n=4096; op=all_reduce", false},
    {"note", "TEXT", "where the recordings come from: the source of a preset", false},
    {"bound", "FRAC", "how far fitted tables may be off (default 0.05)", false},
    {"format", "FORMAT", "output format; of import: the trace format instead of the one found", false},
    {"from", "TRACE", "a trace file, or a trace in the store (repeatable)", false},
    {"detailed-exitcode", NULL, "exit 5 when something differs, 0 when nothing does", false},
    {"force", NULL, "replace a file that exists", false},
    {"map", "MAP", "which columns of a CSV or JSON lines file mean what: text, a file, or a name kept",
     false},
    {"strict", NULL, "refuse a file with malformed records or unknown names", false},
    {"anonymize", NULL, "store hashes of sessions, hosts, services and file names", false},
    {"keep-text", NULL, "store prompts and answers too", false},
    {"traces", "DIR", "folder of recorded files (default $FORESIGHT_TRACES)", false},
    {"cases", "DIR", "folder of case files (default scenarios/replay)", false},
    {"save-data", "DIR", "write the data of every plot there too, as CSV", false},
    {"template", "NAME", "a shipped scenario to start from: etl, training, rag, agent, full", false},
    {"man", NULL, "print a manual page in roff; with -o DIR write all of them", false},
    {"completion", "bash|zsh", "print the completion script of a shell", false},
    {"slo", "EXPR", "what must hold: \"ttft_s.p95 <= 500ms and cost_usd_per_h <= 40usd/h\"", false},
    {"method", "NAME", "how the space is searched", false},
    {"budget", "N|TIME", "replications (default 3000) or time after which nothing new is simulated", false},
    {"indifference", "X", "a difference of the objective that does not matter (default 1%)", false},
    {"select", "kn|ocba", "select with a guarantee, or spend replications where they tell most", false},
    {"length", "X", "of the search's replications, relative to those of run (default 0.1)", false},
    {"fresh", NULL, "forget what earlier searches of this scenario simulated", false},
    {"store", "FILE",
     "the SQLite file of traces, calibrations and results (default $FORESIGHT_STORE or foresight.db)", true},
    {"seed", "N", "seed of all random streams (default: the scenario's)", true},
    {"threads", "N", "threads for replications (default: all cores); results do not depend on it", true},
    {"replications", "N", "independent replications (default 12)", true},
    {"precision", "P", "replicate until half-width / mean of throughput and latency is below P", true},
    {"confidence", "C", "confidence of intervals (default 0.95)", true},
    {"uncertainty", "full|none",
     "carry the uncertainty of calibrated parameters into prediction intervals (default full)", true},
    {"extrapolate", NULL, "predict outside the range of a calibration, with a warning, instead of refusing", true},
    {"max-events", "N", "stop a replication after N events, with partial results (exit 77)", true},
    {"max-wall", "TIME", "stop measuring after TIME, with partial results (exit 77)", true},
    {"max-mem", "SIZE", "stop a replication that holds more than SIZE, with partial results (exit 77)", true},
    {"ties", "fifo|random:SEED",
     "order of events at equal times: a figure that changes with it hangs on an accident", true},
    {"plot", "none|term", "draw a chart in characters below the tables (needs gnuplot)", true},
    {"json", NULL, "print one JSON document on stdout", true},
    {"timing", NULL, "add wall time and events per second", true},
    {"progress", "auto|plain|json|none", "how progress is shown on stderr", true},
    {"quiet", NULL, "no progress and no remarks on stderr", true},
    {"color", "auto|always|never", "colour verdicts (default auto: on a terminal, unless NO_COLOR is set)", true},
    {"help", NULL, "this text", true},
    {NULL, NULL, NULL, false},
};

/* True when `name` stands in the comma-separated list. */
static bool listed(const char *list, const char *name)
{
    size_t n = strlen(name);

    for (const char *p = list; p != NULL && *p != '\0'; p += strcspn(p, ","), p += *p == ',')
        if (strcspn(p, ",") == n && strncmp(p, name, n) == 0)
            return true;
    return false;
}

bool args_takes(const struct cmd *cmd, const struct option_def *o)
{
    return o->common || listed(cmd->options, o->name);
}

static const struct option_def *find_option(const struct cmd *cmd, const char *name, size_t len)
{
    for (const struct option_def *o = option_table; o->name != NULL; o++)
        if (strlen(o->name) == len && strncmp(o->name, name, len) == 0 && args_takes(cmd, o))
            return o;
    return NULL;
}

static int unknown_option(const struct cmd *cmd, const char *word, size_t len, struct err *err)
{
    const char *names[sizeof option_table / sizeof *option_table], *near;
    char found[64];
    size_t n = 0;

    for (const struct option_def *o = option_table; o->name != NULL; o++)
        if (args_takes(cmd, o))
            names[n++] = o->name;
    snprintf(found, sizeof found, "%.*s", (int)(len < 60 ? len : 60), word);
    near = text_nearest(found, names, n);
    return err_set(err, ERR_USAGE, "%s: no option --%s%s%s%s; `foresight help %s` lists them", cmd->name,
                   found, near ? "; did you mean --" : "", near ? near : "", near ? "?" : "", cmd->name);
}

static int parse_number(const char *name, const char *text, double min, double max, double *out,
                        struct err *err)
{
    char *end;

    errno = 0;
    *out = strtod(text, &end);
    if (end == text || *end != '\0' || errno != 0 || !(*out >= min && *out <= max))
        return err_set(err, ERR_USAGE, "--%s %s: a number from %g to %g is needed", name, text, min, max);
    return 0;
}

static int parse_choice(const char *name, const char *text, const char *const *choices, int *out,
                        struct err *err)
{
    char all[100] = "";

    for (int i = 0; choices[i] != NULL; i++) {
        if (strcmp(choices[i], text) == 0) {
            *out = i;
            return 0;
        }
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", choices[i]);
    }
    return err_set(err, ERR_USAGE, "--%s %s: allowed are %s", name, text, all);
}

static int parse_ties(const char *text, uint64_t *out, struct err *err)
{
    static const char random[] = "random:";
    double seed = 0;

    *out = 0;
    if (strcmp(text, "fifo") == 0)
        return 0;
    if (strncmp(text, random, sizeof random - 1) != 0)
        return err_set(err, ERR_USAGE, "--ties %s: allowed are fifo and random:SEED", text);
    TRY(parse_number("ties random:SEED", text + sizeof random - 1, 0, 9e15, &seed, err));
    *out = (uint64_t)seed + 1;
    return 0;
}

/* The common options have fields of their own. */
static int set_common(struct args *a, const char *name, const char *value, struct err *err)
{
    static const char *const modes[] = {"auto", "plain", "json", "none", NULL};
    static const char *const uncertainty[] = {"none", "full", NULL};
    static const char *const plots[] = {"none", "term", NULL};
    static const char *const colors[] = {"auto", "always", "never", NULL};
    double x = 0;
    int k = 0;

    if (strcmp(name, "json") == 0)
        a->json = true;
    else if (strcmp(name, "quiet") == 0)
        a->quiet = true;
    else if (strcmp(name, "timing") == 0)
        a->timing = true;
    else if (strcmp(name, "help") == 0)
        a->help = true;
    else if (strcmp(name, "extrapolate") == 0)
        a->extrapolate = true;
    else if (strcmp(name, "store") == 0)
        a->store = value;
    else if (strcmp(name, "precision") == 0)
        return parse_number(name, value, 1e-6, 1, &a->precision, err);
    else if (strcmp(name, "confidence") == 0)
        return parse_number(name, value, 0.5, 0.9999, &a->confidence, err);
    else if (strcmp(name, "max-events") == 0)
        return parse_number(name, value, 1, 1e15, &a->max_events, err);
    else if (strcmp(name, "max-wall") == 0)
        return units_parse(value, UNIT_S, &a->max_wall_s, err) ? ERR_USAGE : 0;
    else if (strcmp(name, "max-mem") == 0)
        return units_parse(value, UNIT_BYTES, &a->max_bytes, err) ? ERR_USAGE : 0;
    else if (strcmp(name, "ties") == 0)
        return parse_ties(value, &a->ties, err);
    else if (strcmp(name, "uncertainty") == 0) {
        TRY(parse_choice(name, value, uncertainty, &k, err));
        a->uncertainty = k == 1;
    } else if (strcmp(name, "plot") == 0) {
        TRY(parse_choice(name, value, plots, &k, err));
        a->plot = k == 1;
    } else if (strcmp(name, "color") == 0) {
        TRY(parse_choice(name, value, colors, &k, err));
        color_choose((enum color_mode)k);
    } else if (strcmp(name, "progress") == 0) {
        TRY(parse_choice(name, value, modes, &k, err));
        a->progress = (enum progress_mode)k;
    } else {
        TRY(parse_number(name, value, strcmp(name, "replications") == 0 ? 2 : 0, 9e15, &x, err));
        if (x != (double)(uint64_t)x)
            return err_set(err, ERR_USAGE, "--%s %s: a whole number is needed", name, value);
        if (strcmp(name, "seed") == 0)
            a->seed = (uint64_t)x;
        else if (strcmp(name, "threads") == 0)
            a->threads = x > 4096 ? 4096 : (int)x;
        else
            a->replications = x > 1e6 ? 1000000 : (long)x;
    }
    return 0;
}

static int read_option(const struct cmd *cmd, int argc, char **argv, int *i, struct args *out,
                       struct err *err)
{
    const char *word = argv[*i] + (argv[*i][1] == '-' ? 2 : 1), *value = NULL;
    size_t len = strcspn(word, "=");
    const struct option_def *o;

    if (strcmp(argv[*i], "-o") == 0) {
        word = "output";
        len = 6;
    }
    if (strcmp(argv[*i], "-h") == 0) {
        word = "help";
        len = 4;
    }
    o = find_option(cmd, word, len);
    if (o == NULL)
        return unknown_option(cmd, word, len, err);
    if (word[len] == '=')
        value = word + len + 1;
    else if (o->arg != NULL && *i + 1 < argc)
        value = argv[++*i];
    if (o->arg != NULL && value == NULL)
        return err_set(err, ERR_USAGE, "%s: --%s needs a value: --%s %s", cmd->name, o->name, o->name,
                       o->arg);
    if (o->arg == NULL && value != NULL)
        return err_set(err, ERR_USAGE, "%s: --%s takes no value", cmd->name, o->name);
    if (o->common)
        return set_common(out, o->name, value, err);
    out->given[out->given_n++] = (struct option_value){o->name, value};
    return 0;
}

int args_read(const struct cmd *cmd, int argc, char **argv, struct args *out, struct err *err)
{
    const char **words = xcalloc((size_t)argc + 1, sizeof *words);
    bool only_words = false;

    *out = (struct args){.words = words, .confidence = 0.95, .uncertainty = true};
    out->given = xcalloc((size_t)argc + 1, sizeof *out->given);
    out->store = getenv("FORESIGHT_STORE");
    if (out->store == NULL || out->store[0] == '\0')
        out->store = "foresight.db";
    for (int i = 0; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0)
            only_words = true;
        else if (only_words || argv[i][0] != '-' || argv[i][1] == '\0')
            words[out->words_n++] = argv[i];
        else
            TRY(read_option(cmd, argc, argv, &i, out, err));
    }
    if (out->help)
        return 0;
    if (out->words_n < cmd->least)
        return err_set(err, ERR_USAGE, "%s: an argument is missing: foresight %s %s", cmd->name, cmd->name,
                       cmd->args);
    if (cmd->most >= 0 && out->words_n > cmd->most)
        return err_set(err, ERR_USAGE, "%s: unexpected argument \"%s\": foresight %s %s", cmd->name,
                       words[cmd->most], cmd->name, cmd->args);
    return 0;
}

void args_free(struct args *a)
{
    free((void *)(size_t)a->words);
    free(a->given);
}

const char *args_get(const struct args *a, const char *name, const char *fallback)
{
    for (int i = a->given_n; i-- > 0;)
        if (strcmp(a->given[i].name, name) == 0)
            return a->given[i].value;
    return fallback;
}

bool args_has(const struct args *a, const char *name)
{
    for (int i = 0; i < a->given_n; i++)
        if (strcmp(a->given[i].name, name) == 0)
            return true;
    return false;
}

int args_long(const struct args *a, const char *name, long fallback, long min, long max, long *out,
              struct err *err)
{
    const char *text = args_get(a, name, NULL);
    double x;

    *out = fallback;
    if (text == NULL)
        return 0;
    TRY(parse_number(name, text, (double)min, (double)max, &x, err));
    *out = (long)x;
    return 0;
}

void args_print_options(const struct cmd *cmd)
{
    for (int common = 0; common < 2; common++) {
        bool any = false;

        for (const struct option_def *o = option_table; o->name != NULL; o++) {
            char left[48];

            if (o->common != (common == 1) || !args_takes(cmd, o))
                continue;
            if (!any)
                printf("\n%s:\n", common ? "Common options" : "Options");
            any = true;
            snprintf(left, sizeof left, "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
            printf("  %-28s %s\n", left, o->help);
        }
    }
}
