/* plan finds what an exhaustive sweep finds; its pieces do what they say. */
#include "study/plan.h"

#include "calibrate/resolve.h"
#include "scenario_text.h"
#include "study/achieved.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

static struct arena *arena;
static struct err err;

static void begin(void)
{
    arena = arena_new();
}

static void end(void)
{
    arena_free(arena);
}

TestSuite(plan, .init = begin, .fini = end);
TestSuite(trial, .init = begin, .fini = end);
TestSuite(exported, .init = begin, .fini = end);

#define OK(expr) cr_assert_eq((expr), 0, "%s", err.text)

struct asked {
    struct json *tree;
    struct scenario *s;
    struct resolver resolver;
    struct constraint *limits;
    int limits_n;
    struct study st;
};

static struct asked ask(const char *file, const char *slo)
{
    struct asked q = {0};
    const char *path = arena_printf(arena, "%s/scenarios/%s", getenv("abs_srcdir"), file);
    struct scenario_options so;

    resolve_open("/nonexistent/store.db", path, &q.resolver);
    so = (struct scenario_options){.resolver = &q.resolver};
    OK(json_read(path, &q.tree, &err));
    OK(scenario_build(q.tree, path, &so, &q.s, &err));
    OK(constraints_parse(slo, "slo", q.s, arena, &q.limits, &q.limits_n, &err));
    q.st = (struct study){.tree = q.tree, .file = path, .seed = 1};
    return q;
}

static void drop(struct asked *q)
{
    resolve_close(&q->resolver);
    scenario_free(q->s);
    json_free(q->tree);
}

/* The first value of a sweep over all of them, from the lowest on, that meets the limits; -1: none. */
static int sweep(const struct asked *q, const struct plan *p)
{
    int first = -1;

    for (int i = 0; i < p->space.knobs[0].knob->n; i++) {
        struct plan_setting at = {{i}};
        struct json *tree;
        struct trial t;

        OK(plan_tree(&p->space, &at, &tree, &err));
        OK(trial_run(&p->tester, tree, p->base_factor, arena, &t, &err));
        json_free(tree);
        if (t.verdict == TRIAL_MEETS && first < 0)
            first = i;
    }
    (void)q;
    return first;
}

static void expect_as_swept(const char *file, const char *slo, const char *knob, double rate)
{
    struct asked q = ask(file, slo);
    struct plan_options opt = {.knobs = &knob, .knobs_n = 1, .search_only = true, .rate_per_s = rate};
    struct plan p;

    q.st.resolver = &q.resolver;
    OK(plan_scenario(&q.st, q.limits, q.limits_n, &opt, arena, &p, &err));
    cr_assert(p.recommended.found);
    cr_expect_eq(p.recommended.setting.at[0], sweep(&q, &p), "%s, %s", file, slo);
    cr_expect_leq(p.lower.setting.at[0], p.recommended.setting.at[0], "the bound is below");
    plan_fini(&p);
    drop(&q);
}

Test(plan, of_an_engine_is_the_smallest_of_a_sweep)
{
    expect_as_swept("llm-serving.json", "ttft_s.p99 <= 1s and tpot_s.p99 <= 100ms",
                    "resources.accelerators.count=2..4", 8);
}

Test(plan, of_a_loader_is_the_smallest_of_a_sweep)
{
    expect_as_swept("loader-sizing.json", "throughput_per_s >= 1700/s", "load.workers=13..17", 0);
    expect_as_swept("loader-sizing.json", "stall_frac <= 35%", "load.workers=15..20", 0);
}

Test(plan, replicas_follow_the_accelerators)
{
    struct asked q = ask("llm-serving.json", "ttft_s.p99 <= 1s");
    const char *knob = "resources.accelerators.count=3..3";
    struct plan_options opt = {.knobs = &knob, .knobs_n = 1, .search_only = true};
    struct json *set;
    struct plan p;

    q.st.resolver = &q.resolver;
    OK(plan_scenario(&q.st, q.limits, q.limits_n, &opt, arena, &p, &err));
    set = plan_set_json(&p.space, &p.recommended.setting);
    cr_expect_eq(json_get_number(set, "resources.accelerators.count", 0), 3);
    cr_expect_eq(json_get_number(set, "gen.replicas", 0), 3);
    json_free(set);
    plan_fini(&p);
    drop(&q);
}

Test(trial, the_bound_needs_no_simulation)
{
    struct scenario *s = text_scenario(MMC); /* 3.2 busy of 4 */
    struct constraint *limits = NULL;
    struct json *tree;
    struct tester t = {.file = "mmc.json"};
    struct trial out;

    OK(constraints_parse("latency_s.mean <= 10s", "slo", s, arena, &limits, &t.limits_n, &err));
    t.limits = limits;
    OK(json_parse(MMC, "mmc.json", &tree, &err));
    OK(trial_run(&t, tree, 1.3, arena, &out, &err)); /* 4.16 of 4 */
    cr_expect_eq(out.verdict, TRIAL_FAILS);
    cr_expect_not(out.is_simulated);
    cr_expect_not_null(strstr(out.why, "pool can do"));
    OK(trial_run(&t, tree, 1, arena, &out, &err));
    cr_expect_eq(out.verdict, TRIAL_MEETS);
    cr_expect_geq(out.replications, TRIAL_FIRST);
    json_free(tree);
    scenario_free(s);
}

Test(trial, what_lies_on_the_limit_is_too_close_to_call)
{
    struct scenario *s = text_scenario(MMC);
    struct constraint *limits = NULL;
    struct json *tree;
    struct tester t = {.file = "mmc.json"};
    struct trial out;
    const double mean = 3.2 * (1 + .7455408); /* M/M/4 at .8: Wq = .745541 service times */

    OK(constraints_parse(arena_printf(arena, "latency_s.mean <= %.9g", mean), "slo", s, arena, &limits,
                         &t.limits_n, &err));
    t.limits = limits;
    OK(json_parse(MMC, "mmc.json", &tree, &err));
    OK(trial_run(&t, tree, 1, arena, &out, &err));
    cr_expect_eq(out.verdict, TRIAL_CLOSE, "%g against %g", out.figure[0].mean, mean);
    json_free(tree);
    scenario_free(s);
}

Test(exported, names_are_data)
{
    struct asked q = ask("llm-serving.json", "ttft_s.p99 <= 1s");
    struct export_line *lines;
    struct json *params =
        json_get_mutable(json_at_mutable(json_get_mutable(q.s->tree, "stages"), 0), "params");
    int n;

    export_scenario(q.s, arena, &lines, &n);
    cr_assert_eq(n, 1);
    cr_expect_not_null(strstr(lines[0].text, "vllm serve llama-3-8b --tensor-parallel-size 1"));
    json_set_string(params, "model", "x; rm -rf /");
    export_scenario(q.s, arena, &lines, &n);
    cr_expect_not_null(strstr(lines[0].text, "vllm serve MODEL "), "%s", lines[0].text);
    drop(&q);
}
