/* What a ranking says beside the gains: figures, owners, break-evens, ties and virtual speed-ups. */
#include "ranked_text.h"

#include <math.h>
#include <stdio.h>

static const double NEAR = 2e-3; /* windows of 10,000 pieces begin and end between two of them */

/* Questions of two hops; who asks takes no time of its own. `more`: members at the top. */
#define ASKING(workload, more)                                                                               \
    "{\"name\": \"asking\", \"unit\": \"request\", \"workload\": " workload ", " more                        \
    "\"resources\": {\"c\": {\"kind\": \"cores\", \"price\": \"1usd/h\"},"                                   \
    " \"g\": {\"kind\": \"gpus\", \"price\": \"3usd/h\"}}, \"stages\": ["                                    \
    "{\"name\": \"ask\", \"owner\": \"product\", \"model\": \"prompt\", \"params\": {"                       \
    "\"graph\": \"retrieve_each_round\", \"rounds\": 4, \"hops\": 2, \"passages\": 5,"                       \
    "\"evidence\": [[1, 0.3], [5, 0.6]], \"p_all\": 0.8, \"p_none\": 0.3, \"p_distract\": 0.2,"              \
    "\"prompt_tokens\": 100, \"output_tokens\": 20}, \"calls\": {\"retriever\": \"search\", \"llm\": "       \
    "\"gen\"}},"                                                                                             \
    "{\"name\": \"search\", \"owner\": \"search\", \"model\": \"station\", \"on\": {\"servers\": \"c\"},"    \
    " \"params\": {\"service\": \"5ms\"}},"                                                                  \
    "{\"name\": \"gen\", \"owner\": \"models\", \"model\": \"llm_serving\", \"on\": {\"gpu\": \"g\"},"       \
    " \"params\": {\"policy\": \"vllm\", \"max_batch\": 4, \"ops\": {\"prefill\": [[100, \"9ms\"], [1000, "  \
    "\"40ms\"]],"                                                                                            \
    " \"decode\": [[1, \"2ms\"], [4, \"3ms\"]]}}}],"                                                         \
    " \"optimizations\": [{\"name\": \"two-rounds\", \"set\": {\"ask.rounds\": 2}},"                         \
    " {\"name\": \"fast-search\", \"set\": {\"search.service\": \"4ms\"}}]}"
#define ONE_CLIENT "{\"clients\": {\"count\": 1, \"think\": \"0s\"}}"
#define ARRIVALS   "{\"open\": {\"arrivals\": {\"exponential\": \"1s\"}}}"
#define GUESSED    "\"assumed\": {\"stages.ask.params.p_distract\": \"a guess\"}, "

/* ----------------------------------------------------------------------------------------- gains */

Test(rank, who_takes_no_time_gains_nothing_alone)
{
    static const char *const texts[] = {ASKING(ARRIVALS, ""), ASKING(ONE_CLIENT, "")};

    for (size_t i = 0; i < 2; i++) {
        struct ranked_text x = ranked(texts[i], 1);

        cr_expect_eq(named(&x, "two-rounds")->local_gain.mean, 1, "%g",
                     named(&x, "two-rounds")->local_gain.mean);
        cr_expect(named(&x, "two-rounds")->end_to_end_gain.mean > 1.1);
        cr_expect_str_eq(x.r.gain_of, i == 0 ? "1 / mean latency" : "throughput");
        ranked_end(&x);
    }
}

/* --------------------------------------------------------------------------------------- figures */

#define PRICED(optimizations)                                                                                \
    "{\"name\": \"priced\", \"workload\": {\"closed\": {\"in_flight\": \"max\"}},"                           \
    " \"resources\": {\"p\": {\"kind\": \"cores\", \"price\": \"1usd/h\"},"                                  \
    " \"q\": {\"kind\": \"cores\", \"price\": \"2usd/h\", \"idle_w\": \"10W\", "                             \
    "\"active_w\": \"50W\"}},"                                                                               \
    " \"stages\": ["                                                                                         \
    "{\"name\": \"a\", \"owner\": \"left\", \"model\": \"operators\", \"on\": {\"cpu\": \"p\"}, "            \
    "\"params\": {\"ops\": [{\"name\": \"x\", \"cpu\": \"30ms\"}]}},"                                        \
    "{\"name\": \"b\", \"owner\": \"right\", \"model\": \"operators\", \"on\": {\"cpu\": \"q\"}, "           \
    "\"params\": {\"ops\": [{\"name\": \"x\", \"cpu\": \"40ms\"}]}}],"                                       \
    " \"optimizations\": [" optimizations "]}"
#define TWO_CORES "{\"name\": \"two-cores\", \"set\": {\"resources.q.count\": 2, \"b.workers\": 2}}"

/* A second core for b at 2 usd/h: 25/s become 33.3/s, 3 usd/h become 5. */
Test(rank, whoever_asks_for_more_pays_for_it)
{
    struct ranked_text x = ranked(PRICED(TWO_CORES), 1);
    const struct ranked *r = named(&x, "two-cores");
    double before = 3.0 / 3600 / 25 * 1e6, after = 5.0 / 3600 / (100.0 / 3) * 1e6;

    cr_expect_float_eq(r->figure[RANK_THROUGHPUT].gain.mean, 4.0 / 3, NEAR);
    cr_expect_float_eq(r->figure[RANK_COST].delta.mean, 2, 1e-9, "%g", r->figure[RANK_COST].delta.mean);
    cr_expect_float_eq(r->figure[RANK_COST_PER_1M].delta.mean, after - before, NEAR * before);
    cr_expect_float_eq(r->figure[RANK_COST_PER_1M].gain.mean, before / after, NEAR, "less is better");
    cr_expect_float_eq(r->figure[RANK_POWER].delta.mean, 2 * (10 + 40 * 2.0 / 3) - 50, 0.2);
    cr_expect(!r->figure[RANK_QUALITY].known && !r->figure[RANK_LATENCY_P95].known);
    cr_assert_eq(x.r.owners_n, 2);
    cr_expect_str_eq(r->owners[0].owner, "left");
    cr_expect_float_eq(r->owners[0].part[PART_USD_PER_H].mean, 0, 1e-9);
    cr_expect_float_eq(r->owners[1].part[PART_USD_PER_H].mean, 2, 1e-9);
    cr_expect_float_eq(r->owners[0].part[PART_BUSY].mean, 1 - 0.75, NEAR, "a works all the time now");
    cr_expect_float_eq(r->owners[1].part[PART_BUSY].mean, 4.0 / 3 - 1, NEAR, "of two cores");
    ranked_end(&x);
}

Test(rank, parts_of_the_owners_add_up_to_the_bill)
{
    struct ranked_text x = ranked(ASKING(ONE_CLIENT, ""), 2);

    for (int i = 0; i < x.r.n; i++) {
        double sum = 0;

        for (int k = 0; k < x.r.owners_n; k++)
            sum += x.r.list[i].owners[k].part[PART_USD_PER_H].mean;
        cr_expect_float_eq(sum, x.r.list[i].figure[RANK_COST].delta.mean, 1e-9, "%s: %g",
                           x.r.list[i].opt->name, sum);
    }
    ranked_end(&x);
}

/* --------------------------------------------------------------------------------------- what is alike */

Test(rank, what_leaves_a_figure_as_it_is_cannot_be_told_apart)
{
    struct ranked_text x = ranked(TWO_STAGES(A_15 ", " B_20), 1);

    cr_assert_eq(x.r.alike_n, 1, "%d groups", x.r.alike_n);
    cr_expect_str_eq(x.r.alike[0].figure, "throughput_per_s");
    cr_assert_eq(x.r.alike[0].n, 2);
    cr_expect(strcmp(x.r.alike[0].names[0], "b20") != 0 && strcmp(x.r.alike[0].names[1], "b20") != 0);
    ranked_end(&x);
}

/* ----------------------------------------------------------------------------------- break-evens */

Test(rank, quality_that_rests_on_a_guess_makes_a_break_even)
{
    struct ranked_text x = ranked(ASKING(ONE_CLIENT, GUESSED), 1);
    const struct ranked *r = named(&x, "two-rounds");
    double q0 = x.r.before[RANK_QUALITY].delta.mean, c0 = x.r.before[RANK_COST_PER_1M].delta.mean;
    double c1 = c0 + r->figure[RANK_COST_PER_1M].delta.mean;

    cr_expect_str_eq(r->verdict, "assumed: break-even");
    cr_expect(r->figure[RANK_QUALITY].delta.hi < 0, "fewer rounds find less");
    cr_expect_float_eq(r->break_even.quality.mean, q0 * (c1 / c0 - 1), 0.005, "%g, by hand %g",
                       r->break_even.quality.mean, q0 * (c1 / c0 - 1));
    cr_expect_not_null(strstr(r->break_even.text, "pays unless quality falls by more than"), "%s",
                       r->break_even.text);
    cr_assert_eq(x.r.assumed_n, 1);
    cr_expect_str_eq(x.r.assumed[0], "stages.ask.params.p_distract");
    cr_expect_str_eq(named(&x, "fast-search")->verdict, "helps", "its quality does not move: %s",
                     named(&x, "fast-search")->verdict);
    ranked_end(&x);
}

Test(rank, a_value_of_quality_sets_the_terms)
{
    struct ranked_text x = ranked(ASKING(ONE_CLIENT, GUESSED "\"objective\": {\"quality_usd\": 0.001}, "), 1);
    const struct ranked *r = named(&x, "two-rounds");
    double by_hand = r->figure[RANK_COST_PER_1M].delta.mean / 1e6 / 0.001;

    cr_expect_float_eq(r->break_even.quality.mean, by_hand, 1e-9, "%g, by hand %g",
                       r->break_even.quality.mean, by_hand);
    cr_expect_not_null(strstr(r->break_even.text, "at 0.001 usd"), "%s", r->break_even.text);
    ranked_end(&x);
}

Test(rank, what_nobody_guessed_gets_a_verdict)
{
    struct ranked_text x =
        ranked(ASKING(ONE_CLIENT, "\"assumed\": {\"stages.gen.params.ops\": \"a roofline\"}, "), 1);

    cr_expect_str_eq(named(&x, "two-rounds")->verdict, "helps", "times are no quality");
    cr_expect_eq(x.r.assumed_n, 0);
    ranked_end(&x);
}

Test(rank, a_value_that_is_none_is_refused)
{
    static const char *const texts[] = {ASKING(ONE_CLIENT, "\"objective\": 3, "),
                                        ASKING(ONE_CLIENT, "\"objective\": {\"quality_usd\": -1}, ")};

    for (size_t i = 0; i < 2; i++) {
        struct ranked_text x;
        struct err err = {0};

        cr_expect_eq(ranked_try(texts[i], 1, &x, &err), ERR_SCENARIO);
        cr_expect_not_null(strstr(err.text, "two.json: $.objective"), "%s", err.text);
        ranked_end(&x);
    }
}

/* ------------------------------------------------------------------------------------- speed-ups */

static const struct speedup *curve(const struct ranked_text *x, const char *stage)
{
    const struct speedup *found = NULL;

    for (int i = 0; i < x->r.speedups_n; i++)
        if (strcmp(x->r.speedups[i].stage, stage) == 0)
            found = &x->r.speedups[i];
    cr_assert_not_null(found, "no curve of %s", stage);
    return found;
}

/* 40 ms beside 30 ms: gains end where the other one decides. */
Test(speedup, a_faster_stage_helps_until_another_decides)
{
    struct ranked_text x = ranked(TWO_STAGES(A_15), 2);
    const double b[SPEEDUP_POINTS] = {40.0 / 36, 40.0 / 30, 40.0 / 30};

    for (int k = 0; k < SPEEDUP_POINTS; k++) {
        cr_expect_float_eq(curve(&x, "b")->gain[k].mean, b[k], NEAR, "%g", curve(&x, "b")->gain[k].mean);
        cr_expect_float_eq(curve(&x, "a")->gain[k].mean, 1, NEAR, "%g", curve(&x, "a")->gain[k].mean);
    }
    cr_expect_str_eq(x.r.speedups[0].stage, "b", "the largest stands first");
    ranked_end(&x);
}

/* One client: nobody waits, so that the shares of the time that each stage is spared add up to all of it
 * (Amdahl). */
Test(speedup, of_one_client_the_times_add_up)
{
    struct ranked_text x = ranked(ASKING(ONE_CLIENT, ""), 2);

    for (int k = 0; k < SPEEDUP_POINTS; k++) {
        double sum = 0;

        for (int i = 0; i < x.r.speedups_n; i++)
            sum += (1 - 1 / x.r.speedups[i].gain[k].mean) / speedup_points[k];
        cr_expect_float_eq(sum, 1, 5e-3, "point %d: %g", k, sum);
        cr_expect_float_eq(curve(&x, "ask")->gain[k].mean, 1, NEAR);
        cr_expect(curve(&x, "gen")->gain[k].mean > curve(&x, "search")->gain[k].mean);
    }
    ranked_end(&x);
}
