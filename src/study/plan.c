#include "study/plan_parts.h"

#include <math.h>
#include <string.h>

static const double growth_factors[PLAN_GROWTH] = {1, 2, 5, 10};
static const double ARRIVALS_OF_A_CYCLE = 20000; /* so many at least are simulated, in whole cycles */

/* ------------------------------------------------------------- what is planned */

static void remove_autoscaling(struct json *tree)
{
    struct json *resources = json_get_mutable(tree, "resources");

    JSON_EACH (r, resources)
        json_remove(json_get_mutable(resources, json_key(r)), "autoscale");
}

/*
 * Traffic that goes round a schedule is seen for whole rounds: the figures of a steady run would be those of
 * whatever hours it happened to measure.
 */
static void end_after_cycles(struct planner *p, const struct scenario *s)
{
    const struct workload *w = &s->workload;
    const struct process *rates =
        w->kind == WORKLOAD_OPEN && w->streams_n == 1 ? w->streams[0].process : NULL;
    double cycle = 0, cycles;
    char text[40];

    if (s->horizon.kind != HORIZON_STEADY || s->pipelines_n > 1 || rates == NULL ||
        rates->kind != PROCESS_SCHEDULE)
        return;
    for (int i = 0; i < rates->n; i++)
        cycle += rates->length_s[i];
    cycles = ceil(ARRIVALS_OF_A_CYCLE * w->arrivals.mean / p->out->base_factor / cycle);
    p->out->horizon_note =
        arena_printf(p->a, "the traffic follows a schedule of %s: whole rounds of it are simulated (%g)",
                     units_format(text, sizeof text, cycle, UNIT_S), cycles);
    p->out->tester.recurs = true;
    json_set_number(json_set_object(p->out->tree, "horizon"), "terminating", cycle * cycles);
}

/* A rate: of what comes by itself the traffic, of what is asked for the throughput. */
static int set_rate(struct planner *p, const struct scenario *s, struct err *err)
{
    struct plan *out = p->out;
    double own = pipeline_rate_per_s(&s->pipelines[s->objective]);
    struct constraint *limits;

    out->base_factor = 1;
    out->rate_per_s = own;
    if (!(p->opt->rate_per_s > 0))
        return 0;
    if (own > 0) {
        out->base_factor = p->opt->rate_per_s / own;
        out->rate_per_s = p->opt->rate_per_s;
        return 0;
    }
    if (out->tester.limits_n == LIMITS_MAX)
        return err_set(err, ERR_USAGE, "%s: at most %d limits", p->st->file, LIMITS_MAX);
    limits = arena_array(p->a, (size_t)out->tester.limits_n + 1, sizeof *limits);
    if (out->tester.limits_n > 0)
        memcpy(limits, out->tester.limits, (size_t)out->tester.limits_n * sizeof *limits);
    limits[out->tester.limits_n++] =
        (struct constraint){.figure = {figure_find("throughput_per_s"), -1},
                            .is_at_least = true,
                            .limit = p->opt->rate_per_s,
                            .text = arena_printf(p->a, "throughput_per_s >= %g/s", p->opt->rate_per_s)};
    out->tester.limits = limits;
    return 0;
}

static int prepare(struct planner *p, struct err *err)
{
    struct scenario_options so = {.resolver = p->st->resolver};
    struct scenario *s;
    int rc;

    p->out->tree = json_copy(p->st->tree);
    remove_autoscaling(p->out->tree); /* the command has built it once: there are resources */
    TRY(scenario_build(p->out->tree, p->st->file, &so, &s, err));
    rc = set_rate(p, s, err);
    if (rc == 0)
        end_after_cycles(p, s);
    scenario_free(s);
    return rc;
}

/* ------------------------------------------------------------------ the search */

static int find_lower(struct planner *p, struct err *err)
{
    struct plan_search search = {.factor = 1, .bound_only = true};

    TRY(plan_search(p, &search, err));
    p->out->lower = search.best;
    return 0;
}

static int find_recommended(struct planner *p, struct err *err)
{
    struct plan_search search = {.factor = 1};

    progress_begin(p->opt->progress, "plan", 0);
    TRY(plan_search(p, &search, err));
    p->out->recommended = search.best;
    p->out->nearest = search.nearest;
    p->out->too_close_below = search.too_close_below;
    p->out->is_monotone = search.is_monotone;
    p->out->tried = search.tried;
    p->out->ruled_out = search.ruled_out;
    return 0;
}

/* How far above the bound the plan is, along the line: where to begin for more traffic. */
static double above_bound(const struct plan *out)
{
    const struct plan_knob *k = out->space.line >= 0 ? &out->space.knobs[out->space.line] : NULL;

    if (k == NULL || !out->lower.found)
        return 0;
    return plan_number(k, out->recommended.setting.at[out->space.line]) /
           plan_number(k, out->lower.setting.at[out->space.line]);
}

static int find_growth(struct planner *p, struct err *err)
{
    for (int i = 1; i < PLAN_GROWTH; i++) {
        struct plan_search search = {.factor = growth_factors[i],
                                     .start_ratio = above_bound(p->out),
                                     .kept = &p->out->recommended.setting};

        TRY(plan_search(p, &search, err));
        p->out->growth[i].factor = growth_factors[i];
        p->out->growth[i].choice = search.best.found ? search.best : search.nearest;
        p->out->growth[i].choice.found = search.best.found;
        p->out->growth_n++;
    }
    return 0;
}

static int find_around(struct planner *p, struct err *err)
{
    struct json *tree;
    int rc;

    TRY(plan_tree(&p->out->space, &p->out->recommended.setting, &tree, err));
    rc = plan_find_reach(p, tree, &p->out->recommended.trial, &p->out->headroom, err);
    if (rc == 0)
        rc = plan_find_curve(p, tree, err);
    json_free(tree);
    return rc;
}

/* Of draws of the calibrated parameters, how many the recommended deployment stands. */
static int find_draws(struct planner *p, struct err *err)
{
    struct scenario_options so = {.resolver = p->st->resolver};
    struct tester t = p->out->tester;
    struct scenario *s;
    struct json *tree;
    int rc, uncertain;

    TRY(plan_tree(&p->out->space, &p->out->recommended.setting, &tree, err));
    rc = scenario_build(tree, p->st->file, &so, &s, err);
    uncertain = rc == 0 ? s->uncertain_n : 0;
    if (rc == 0)
        scenario_free(s);
    for (int k = 1; rc == 0 && uncertain > 0 && k <= p->opt->draws; k++) {
        struct trial trial;

        t.parameter_draw = (uint32_t)k;
        rc = trial_run(&t, tree, p->out->base_factor, p->a, &trial, err);
        p->out->draws++;
        p->out->draws_met += rc == 0 && trial.verdict == TRIAL_MEETS;
        progress_step(p->opt->progress, ++p->steps, "calibrated parameters drawn");
    }
    json_free(tree);
    return rc;
}

static int find_exports(struct planner *p, struct err *err)
{
    struct scenario_options so = {.resolver = p->st->resolver};
    struct scenario *s = NULL;
    struct json *tree;
    int rc;

    TRY(plan_tree(&p->out->space, &p->out->recommended.setting, &tree, err));
    rc = scenario_build(tree, p->st->file, &so, &s, err);
    if (rc == 0)
        export_scenario(s, p->a, &p->out->exports, &p->out->exports_n);
    scenario_free(s);
    json_free(tree);
    return rc;
}

static int find_all(struct planner *p, struct err *err)
{
    TRY(prepare(p, err));
    if (p->out->tester.limits_n == 0)
        return err_set(err, ERR_USAGE,
                       "%s: what must it meet? --slo \"latency_s.p95 <= 500ms\", or \"constraints\" in the "
                       "scenario",
                       p->st->file);
    TRY(plan_space_find(p, err));
    TRY(find_lower(p, err));
    TRY(find_recommended(p, err));
    if (!p->out->recommended.found)
        return 0;
    TRY(find_exports(p, err));
    p->out->growth[0] = (struct plan_growth){1, p->out->recommended};
    p->out->growth_n = 1;
    if (p->opt->search_only)
        return 0;
    TRY(find_draws(p, err));
    TRY(find_around(p, err));
    TRY(find_growth(p, err));
    TRY(plan_find_away(p, err));
    TRY(plan_find_policies(p, err));
    plan_find_billing(p);
    return plan_find_hosted(p, err);
}

int plan_scenario(const struct study *st, const struct constraint *limits, int limits_n,
                  const struct plan_options *opt, struct arena *a, struct plan *out, struct err *err)
{
    struct planner p = {.st = st, .opt = opt, .out = out, .a = a};
    int rc;

    *out = (struct plan){.tester = {.file = st->file,
                                    .resolver = st->resolver,
                                    .limits = limits,
                                    .limits_n = limits_n,
                                    .simulate = study_simulation(st, st->threads)},
                         .minimize = opt->minimize};
    if (limits_n > LIMITS_MAX)
        return err_set(err, ERR_USAGE, "%s: at most %d limits", st->file, LIMITS_MAX);
    rc = find_all(&p, err);
    progress_end(opt->progress);
    return rc;
}

void plan_fini(struct plan *p)
{
    json_free(p->tree);
    p->tree = NULL;
}
