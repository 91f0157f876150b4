/*
 * plan against Erlang's formula: as many servers as staffing by C(c, a) asks for, exactly.
 *
 *   P(wait) = C(c, a)     E[W] = C / (c - a)     P(W > t) = C exp(-(c - a) t)        service time 1
 *
 * In each row the limit lies at least 2 % away from what the formula says of c and of c - 1 servers, so that
 * a trial can tell them apart.
 */
#include "study/plan.h"

#include "../unit/scenario_text.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

static double erlang_c(int servers, double load)
{
    double b = 1;

    for (int k = 1; k <= servers; k++)
        b = load * b / (k + load * b);
    return servers > load ? b * servers / (servers - load * (1 - b)) : 1;
}

enum what { MEAN_WAIT, P_WAIT, P95_WAIT };

static double wait_figure(enum what what, int c, double a)
{
    double p = erlang_c(c, a);

    if (what == MEAN_WAIT)
        return p / (c - a);
    if (what == P_WAIT)
        return p;
    return p > .05 ? log(p / .05) / (c - a) : 0;
}

static int staffing(enum what what, double a, double limit)
{
    int c = (int)a + 1;

    while (wait_figure(what, c, a) > limit)
        c++;
    return c;
}

static const char queue[] = "{\"name\": \"erlang\", \"unit\": \"call\", \"workload\": {\"open\": "
                            "{\"arrivals\": {\"exponential\": %.17g}}, "
                            "\"requests\": {}}, \"resources\": {\"agents\": {\"kind\": \"servers\", "
                            "\"count\": 1, \"price\": \"1usd/h\"}}, "
                            "\"stages\": [{\"name\": \"desk\", \"model\": \"station\", \"on\": {\"servers\": "
                            "\"agents\"}, \"params\": "
                            "{\"service\": {\"exponential\": 1}}}], \"slo\": {\"queue_s\": 1e-6}}";

struct planned {
    struct plan plan;
    int servers;
};

static void plan_queue(double load, const char *slo, struct arena *a, double rate, struct planned *out)
{
    const char *const knobs[] = {"resources.agents.count=1..64"};
    struct plan_options opt = {.knobs = knobs, .knobs_n = 1, .search_only = true, .rate_per_s = rate};
    struct constraint *limits = NULL;
    struct json *tree = NULL;
    struct scenario *s = NULL;
    struct err err = {0};
    struct study st = {.file = "erlang.json", .seed = 7};
    int n = 0, rc = json_parse(arena_printf(a, queue, 1 / load), "erlang.json", &tree, &err);

    st.tree = tree;
    rc = rc != 0 ? rc : scenario_build(tree, "erlang.json", NULL, &s, &err);
    rc = rc != 0 ? rc : constraints_parse(slo, "slo", s, a, &limits, &n, &err);
    rc = rc != 0 ? rc : plan_scenario(&st, limits, n, &opt, a, &out->plan, &err);
    cr_assert_eq(rc, 0, "%s", err.text);
    out->servers = out->plan.recommended.found ? out->plan.recommended.setting.at[0] + 1 : 0;
    plan_fini(&out->plan);
    scenario_free(s);
    json_free(tree);
}

static void expect_staffing(enum what what, double load, double limit)
{
    static const char *const slos[] = {"queue_s.mean <= %.17g", "goodput_frac >= %.17g",
                                       "queue_s.p95 <= %.17g"};
    struct arena *a = arena_new();
    int c = staffing(what, load, limit);
    struct planned p;
    char slo[80];

    snprintf(slo, sizeof slo, slos[what], what == P_WAIT ? 1 - limit : limit);
    plan_queue(load, slo, a, 0, &p);
    cr_expect_eq(p.servers, c, "load %g, %s: planned %d, Erlang %d", load, slo, p.servers, c);
    cr_expect_eq(p.plan.lower.setting.at[0] + 1, (int)load + 1, "the ideal only keeps up");
    arena_free(a);
}

Test(plan, mean_wait_is_staffed_as_erlang_says)
{
    expect_staffing(MEAN_WAIT, .8, .5);
    expect_staffing(MEAN_WAIT, 3.2, .1);
    expect_staffing(MEAN_WAIT, 8.5, .5);
    expect_staffing(MEAN_WAIT, 20, .1);
}

Test(plan, chance_of_waiting_is_staffed_as_erlang_says)
{
    expect_staffing(P_WAIT, .8, .2);
    expect_staffing(P_WAIT, 3.2, .2);
    expect_staffing(P_WAIT, 8.5, .05);
    expect_staffing(P_WAIT, 20, .05);
}

Test(plan, p95_of_waiting_is_staffed_as_erlang_says)
{
    expect_staffing(P95_WAIT, .8, .25);
    expect_staffing(P95_WAIT, 3.2, 1);
    expect_staffing(P95_WAIT, 8.5, .25);
    expect_staffing(P95_WAIT, 20, 1);
}

Test(plan, a_rate_scales_the_arrivals)
{
    struct arena *a = arena_new();
    struct planned p;

    plan_queue(.8, "queue_s.mean <= 0.1", a, 3.2, &p);
    cr_expect_eq(p.servers, staffing(MEAN_WAIT, 3.2, .1));
    cr_expect_float_eq(p.plan.base_factor, 4, 1e-12);
    arena_free(a);
}

Test(plan, what_cannot_be_met_is_not_found)
{
    struct arena *a = arena_new();
    struct planned p;

    plan_queue(80, "queue_s.mean <= 0.1", a, 0, &p); /* 64 agents at most */
    cr_expect_not(p.plan.recommended.found);
    cr_expect_str_eq(p.plan.nearest.trial.bottleneck, "agents");
    arena_free(a);
}
