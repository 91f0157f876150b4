#include "models/spark_app.h"

#include "engine/rng.h"

#include <criterion/criterion.h>
#include <math.h>

static struct arena *arena;

static void begin(void)
{
    arena = arena_new();
}

static void end(void)
{
    arena_free(arena);
}

TestSuite(spark, .init = begin, .fini = end);

/* One job of one stage of equal tasks on `executors` executors of `slots`. */
static struct spark_app one_stage(long tasks, double work_s, int executors, long slots)
{
    struct spark_stage *stage = arena_array(arena, 1, sizeof *stage);
    struct spark_app_executor *e = arena_array(arena, (size_t)executors, sizeof *e);
    struct spark_app_job *job = arena_array(arena, 1, sizeof *job);
    double *work = arena_array(arena, 1, sizeof *work);

    *stage = (struct spark_stage){.name = "map", .tasks = tasks};
    *work = work_s;
    *job = (struct spark_app_job){.n = 1};
    for (int i = 0; i < executors; i++)
        e[i] = (struct spark_app_executor){.to_s = INFINITY, .slots = slots};
    return (struct spark_app){.stages = stage,
                              .work_s = work,
                              .stages_n = 1,
                              .jobs = job,
                              .jobs_n = 1,
                              .executors = e,
                              .executors_n = executors};
}

static double makespan(const struct spark_app *app)
{
    struct spark_app_result r;

    spark_app_run(app, 1, 0, arena, &r);
    return r.makespan_s;
}

Test(spark, equal_tasks_run_in_whole_waves)
{
    struct spark_app app = one_stage(17, 2, 2, 4);

    cr_expect_float_eq(makespan(&app), 6, 1e-9); /* 17 tasks on 8 slots: three waves of 2 s */
    app.policy.stage_delay_s = 0.5;
    app.law.overhead_s = 0.1;
    cr_expect_float_eq(makespan(&app), 0.5 + 3 * 2.1, 1e-9);
}

Test(spark, the_first_task_of_an_executor_is_cold)
{
    struct spark_app app = one_stage(8, 1, 2, 2);
    struct spark_app_result r;

    app.law.warm_s = 3;
    spark_app_run(&app, 1, 0, arena, &r);
    cr_expect_float_eq(r.makespan_s, 5, 1e-9); /* a wave of 4 s, then one of 1 s */
    cr_expect_eq(r.cold, 4);
    app.law.warm_s = 0;
    app.law.warm_factor = 1;
    cr_expect_float_eq(makespan(&app), 3, 1e-9);
}

Test(spark, the_last_task_has_the_executor_for_itself)
{
    struct spark_app app = one_stage(5, 1, 1, 4);

    app.law.contention = 1; /* four busy slots: half speed each */
    cr_expect_float_eq(makespan(&app), 2 + 1, 1e-9);
}

Test(spark, size_makes_the_straggler)
{
    static const double size[] = {3, 1. / 3, 1. / 3, 1. / 3};
    static const double *sizes[] = {size};
    struct spark_app app = one_stage(4, 1, 1, 4);
    double fixed_s = 0.5;

    app.size = sizes;
    app.law.size_share = 1;
    cr_expect_float_eq(makespan(&app), 3, 1e-9);
    app.fixed_s = &fixed_s; /* half of the work does not depend on the input */
    cr_expect_float_eq(makespan(&app), 2, 1e-9);
}

/* 0 and 1 read tables, 2 joins them. */
static struct spark_app join(int order)
{
    static const int both[] = {0, 1};
    static const struct spark_stage stages[] = {
        {.name = "left", .tasks = 4},
        {.name = "right", .tasks = 4},
        {.name = "join", .tasks = 2, .parents = both, .parents_n = 2}};
    static const double work_s[] = {1, 1, 1};
    struct spark_app app = one_stage(1, 1, 1, 4);

    app.stages = stages;
    app.work_s = work_s;
    app.stages_n = 3;
    ((struct spark_app_job *)app.jobs)->n = 3;
    app.policy.order = order;
    return app;
}

Test(spark, a_join_waits_for_both_of_its_parents)
{
    struct spark_app app = join(SPARK_FIFO);
    struct spark_app_result r;

    spark_app_run(&app, 1, 0, arena, &r);
    cr_expect_float_eq(r.makespan_s, 3, 1e-9);
    cr_expect_float_eq(r.stage_s[0], 1, 1e-9);
    cr_expect_float_eq(r.stage_s[1], 2, 1e-9);
    cr_expect_float_eq(r.stage_s[2], 1, 1e-9);
    cr_expect_float_eq(r.busy_s, 10, 1e-9);
    cr_expect_float_eq(r.slot_s, 12, 1e-9);
}

Test(spark, fair_stages_share_the_slots)
{
    static const struct spark_stage stages[] = {{.name = "left", .tasks = 12},
                                                {.name = "right", .tasks = 12}};
    struct spark_app app = join(SPARK_FIFO);
    struct spark_app_result r;

    app.stages = stages;
    app.stages_n = 2;
    ((struct spark_app_job *)app.jobs)->n = 2;
    spark_app_run(&app, 1, 0, arena, &r);
    cr_expect_float_eq(r.stage_s[0], 3, 1e-9);
    cr_expect_float_eq(r.stage_s[1], 6, 1e-9);
    app.policy.order = SPARK_FAIR; /* left has the first wave to itself, then they share */
    spark_app_run(&app, 1, 0, arena, &r);
    cr_expect_float_eq(r.stage_s[0], 5, 1e-9);
    cr_expect_float_eq(r.stage_s[1], 6, 1e-9);
}

Test(spark, executors_come_and_go_as_told)
{
    struct spark_app app = one_stage(6, 1, 2, 2);
    struct spark_app_executor *e = (struct spark_app_executor *)app.executors;

    e[0].from_s = 5; /* nothing runs before */
    e[1].from_s = 6.5;
    cr_expect_float_eq(makespan(&app), 7.5, 1e-9); /* 2 at 5, 2 at 6, 2 at 6.5 */
    e[1].to_s = 6.9;                               /* what runs there ends there */
    cr_expect_float_eq(makespan(&app), 7.5, 1e-9);
    e[1].to_s = 6.2;
    e[1].from_s = 6.1;
    cr_expect_float_eq(makespan(&app), 7.1, 1e-9);
}

/* Graham: no schedule beats the bound, and list scheduling is within twice it. */
Test(spark, the_makespan_lies_within_its_bounds)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        static const int first[] = {0}, second[] = {1};
        struct spark_stage stages[3] = {{.name = "a"},
                                        {.name = "b", .parents = first, .parents_n = 1},
                                        {.name = "c", .parents = second, .parents_n = 1}};
        double work[3], longest[3], bound;
        struct spark_app app = one_stage(1, 1, 3, 2);
        struct rng r;

        rng_keyed(&r, seed, 0, 1, 2, 3);
        for (int i = 0; i < 3; i++) {
            stages[i].tasks = 1 + (long)rng_below(&r, 30);
            work[i] = longest[i] = 0.1 + rng_exponential(&r);
        }
        app.stages = stages;
        app.work_s = work;
        app.stages_n = 3;
        ((struct spark_app_job *)app.jobs)->n = 3;
        bound = spark_bound_s(stages, 3, work, longest, 6);
        cr_expect_geq(makespan(&app), bound * (1 - 1e-9), "seed %d", (int)seed);
        cr_expect_leq(makespan(&app), 2 * bound, "seed %d", (int)seed);
    }
}

Test(spark, failed_attempts_are_made_again)
{
    struct spark_app app = one_stage(4000, 1, 10, 4);
    struct spark_app_result r;

    app.policy.fail_prob = 0.2;
    spark_app_run(&app, 1, 0, arena, &r);
    cr_expect_float_eq((double)r.failed / (4000 + (double)r.failed), 0.2, 0.02); /* four sigma */
    cr_expect_gt(r.busy_s, 4000);
    cr_expect_float_eq(r.job_s[0], r.makespan_s, 1e-12);
}

Test(spark, copies_of_stragglers_shorten_the_end)
{
    static const struct spark_spread heavy = {.cv = 2};
    struct spark_app app = one_stage(200, 1, 25, 4);
    double alone = 0, copied = 0;
    long copies = 0;

    app.law.spread = &heavy;
    app.law.spread_n = 1;
    app.policy.speculation_quantile = 0.75;
    app.policy.speculation_multiplier = 1.5;
    app.policy.speculation_period_s = 0.1;
    for (uint32_t rep = 0; rep < 20; rep++) {
        struct spark_app_result r;

        app.policy.speculation = false;
        spark_app_run(&app, 7, rep, arena, &r);
        alone += r.makespan_s;
        app.policy.speculation = true;
        spark_app_run(&app, 7, rep, arena, &r);
        copied += r.job_s[0];
        copies += r.copies;
    }
    cr_expect_gt(copies, 0);
    cr_expect_lt(copied, 0.9 * alone, "%g against %g", copied / 20, alone / 20);
}

/* Tasks made by the law itself: it is found again. */
Test(spark, the_law_is_recovered_from_its_own_tasks)
{
    enum { STAGES = 12, TASKS = 60 };
    static struct spark_observation obs[STAGES * TASKS];
    double fixed[STAGES] = {0};
    struct spark_law law;
    struct rng r;

    rng_keyed(&r, 3, 0, 0, 0, 0);
    for (int i = 0; i < STAGES * TASKS; i++) {
        int stage = i / TASKS;
        double size = 0.5 + rng_uniform(&r), busy = rng_uniform(&r);
        bool cold = i % TASKS < 8;

        obs[i] = (struct spark_observation){
            .stage = stage, .executor = i % 4, .size = size, .busy = busy, .cold = cold};
        obs[i].took_s =
            (1 + stage) * (1 - 0.7 + 0.7 * size) * (1 + 0.6 * busy) * rng_lognormal(&r, 1, 0.1) + 2.0 * cold;
    }
    spark_law_fit(obs, STAGES * TASKS, STAGES, fixed, arena, &law);
    cr_expect_float_eq(law.size_share, 0.7, 0.11);
    cr_expect_float_eq(law.contention, 0.6, 0.11);
    cr_expect_float_eq(law.warm_s, 2, 0.3);
    cr_expect_eq(law.warm_factor, 0);
    cr_assert_eq(law.spread_n, STAGES);
    for (int i = 0; i < STAGES; i++)
        cr_expect_float_eq(law.spread[i].cv, 0.1, 0.05);
}

Test(spark, a_fixed_time_is_the_intercept_over_records)
{
    static const double records[] = {1e3, 1e5, 1e6}, task_s[] = {1.001, 1.1, 2};

    cr_expect_float_eq(spark_fixed_fit(records, task_s, 3), 1, 1e-9);
    cr_expect_eq(spark_fixed_fit(records, task_s, 1), 0);
}

Test(spark, matching_finds_the_work_behind_a_mean_time)
{
    struct spark_app app = one_stage(40, 0, 2, 4);
    double work, mean = 2;
    struct spark_app_result r;

    app.law.contention = 0.8;
    app.law.warm_s = 1;
    spark_app_match(&app, &work, &mean, 1, 2, arena);
    spark_app_run(&app, 1, 0, arena, &r);
    cr_expect_float_eq(r.task_s[0], 2, 0.02);
    cr_expect_lt(work, 2 / 1.5);
}

Test(spark, the_same_seed_gives_the_same_run)
{
    static const struct spark_spread some = {.cv = 0.5, .executor_cv = 0.2};
    struct spark_app app = one_stage(300, 1, 5, 4);
    struct spark_app_result a, b, c;

    app.law.spread = &some;
    app.law.spread_n = 1;
    spark_app_run(&app, 1, 3, arena, &a);
    spark_app_run(&app, 1, 3, arena, &b);
    spark_app_run(&app, 2, 3, arena, &c);
    cr_expect_eq(a.makespan_s, b.makespan_s);
    cr_expect_neq(a.makespan_s, c.makespan_s);
}
