#include "cli/cmd.h"

#include "base/text.h"
#include "cli/keep.h"
#include "cli/load.h"
#include "cli/plan_print.h"
#include "cli/print.h"
#include "cli/studies.h"

#include <stdio.h>
#include <string.h>

/* Percentiles that the scenario's "slo" names are figures; limits for single requests are not. */
static const char *from_slo(const struct json *slo, struct arena *a)
{
    const char *all = "";

    JSON_EACH (figure, slo) {
        if (json_type(figure) != JSON_OBJECT)
            continue;
        JSON_EACH (at, figure) {
            char value[60];

            if (json_string(at) != NULL)
                snprintf(value, sizeof value, "%.50s", json_string(at));
            else
                snprintf(value, sizeof value, "%.9g", json_number(at));
            all = arena_printf(a, "%s%s%s.%s <= %s", all, all[0] != '\0' ? " and " : "", json_key(figure),
                               json_key(at), value);
        }
    }
    return all;
}

/* --slo, else the scenario's constraints, else the percentiles of its "slo". */
static int find_limits(const struct args *args, const struct loaded *l, struct constraint **limits, int *n,
                       struct err *err)
{
    const struct json *slo = json_get(l->tree, "slo");
    const char *text;

    *n = 0;
    if (!args_has(args, "slo")) {
        TRY(constraints_read(l->scenario, l->arena, limits, n, err));
        text = *n == 0 && slo != NULL ? from_slo(slo, l->arena) : "";
        return text[0] == '\0' ? 0
                               : constraints_parse(text, arena_printf(l->arena, "%s: $.slo", l->file),
                                                   l->scenario, l->arena, limits, n, err);
    }
    for (int i = 0; i < args->given_n; i++)
        if (strcmp(args->given[i].name, "slo") == 0)
            TRY(constraints_parse(args->given[i].value, "--slo", l->scenario, l->arena, limits, n, err));
    return 0;
}

static int read_options(const struct args *args, struct arena *a, struct plan_options *out, struct err *err)
{
    static const char *const names[] = {"cost", "count"};
    const char *rate = args_get(args, "rate", NULL), *least = args_get(args, "minimize", NULL),
               *elastic = args_get(args, "elastic", NULL);
    const char **knobs = arena_array(a, (size_t)args->given_n + 1, sizeof *knobs);

    if (rate != NULL && (units_parse(rate, UNIT_PER_S, &out->rate_per_s, err) != 0 || !(out->rate_per_s > 0)))
        return err_set(err, ERR_USAGE, "--rate %s: a rate above 0 is needed, as in 120/s or 30/min", rate);
    if (elastic != NULL &&
        (units_parse(elastic, UNIT_NONE, &out->elastic_premium, err) != 0 || !(out->elastic_premium > 0)))
        return err_set(err, ERR_USAGE, "--elastic %s: a number above 0 is needed, as in 1.6", elastic);
    for (int i = 0; least != NULL && i < 2; i++)
        if (strcmp(least, names[i]) == 0) {
            out->minimize = i == 1 ? PLAN_FEWEST : PLAN_CHEAPEST;
            least = NULL;
        }
    if (least != NULL)
        return err_set(err, ERR_USAGE, "--minimize %s: allowed are cost and count", least);
    for (int i = 0; i < args->given_n; i++)
        if (strcmp(args->given[i].name, "knob") == 0)
            knobs[out->knobs_n++] = args->given[i].value;
    out->knobs = knobs;
    out->search_only = args_has(args, "brief");
    return 0;
}

/* Nothing meets it: said, shown, kept, and the exit status says so too. */
static int unmet(const struct plan *p, const struct loaded *l, struct err *err)
{
    if (p->recommended.found)
        return 0;
    return err_set(err, ERR_UNMET, "%s: no setting of the knobs meets the SLO", l->file);
}

static int plan_loaded(const struct args *args, struct loaded *l, struct err *err)
{
    struct progress *progress = progress_new(args->progress, args->quiet);
    struct study st = study_of(args, l, TRIAL_FIRST);
    struct plan_options opt = {.progress = progress, .draws = args->uncertainty ? PARAMETER_DRAWS : 0};
    struct constraint *limits = NULL;
    struct plan p = {0};
    int n = 0, rc = find_limits(args, l, &limits, &n, err);

    if (rc == 0)
        rc = read_options(args, l->arena, &opt, err);
    if (rc == 0)
        rc = plan_scenario(&st, limits, n, &opt, l->arena, &p, err);
    progress_free(progress);
    if (rc == 0 && args->json)
        print_document(plan_json(&st, l->scenario, &p));
    if (rc == 0 && !args->json)
        print_plan(&p, l->scenario->name);
    if (rc == 0)
        rc = keep_result(args, l, "plan", plan_json(&st, l->scenario, &p), NULL, err);
    if (rc == 0)
        rc = unmet(&p, l, err);
    plan_fini(&p);
    return rc;
}

static int run(const struct args *args, struct err *err)
{
    struct loaded l;
    int rc;

    TRY(load_to_predict(args, args->words[0], &l, err));
    if (!args->quiet)
        print_warnings(l.scenario);
    rc = plan_loaded(args, &l, err);
    loaded_free(&l);
    return rc;
}

const struct cmd cmd_plan = {
    .name = "plan",
    .args = "SCENARIO",
    .help = "what must I buy? the cheapest deployment that meets an SLO at a rate",
    .group = "Choose",
    .about =
        "Finds the cheapest (or smallest) setting of the knobs that meets --slo at --rate: the bound rules "
        "out,\n"
        "replications decide, what is too close to call is not bought. Knobs are --knob, else those of the\n"
        "scenario, else the counts of all that is paid for; the SLO is --slo, else the scenario's "
        "constraints, else\n"
        "the percentiles of its slo. Around the answer: the ideal lower bound, headroom, 2x 5x 10x the "
        "traffic, the\n"
        "knee of the load curve, one server away, autoscaling, billing, hosted models, and the settings as "
        "options\n"
        "of vLLM, Spark and DataLoader. Exit 3: nothing meets it.",
    .options = "set,apply,slo,rate,minimize,knob,elastic,brief",
    .examples =
        "  foresight plan scenarios/llm-serving.json --slo \"ttft_s.p99 <= 1s\" --rate 8/s --knob "
        "resources.accelerators.count=1..8 --brief\n"
        "  foresight plan scenarios/loader-sizing.json --rate 1800/s --knob load.workers=8..24\n",
    .least = 1,
    .most = 1,
    .run = run,
};
