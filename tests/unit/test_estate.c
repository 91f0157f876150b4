/* Several pipelines ranked as one estate: weights, money, and what is not simulated when there is too much.
 */
#include "ranked_text.h"

#include <math.h>
#include <stdio.h>

static const double NEAR = 2e-3;

/* ------------------------------------------------------------------------------------- the whole */

/* Two pipelines of one stage each, 10 ms and 20 ms, on cores of their own at 1 and 3 usd/h. */
#define PIPELINE(name, resource, cpu)                                                                        \
    "{\"name\": \"" name "\", \"horizon\": \"steady\", \"workload\": {\"closed\": {\"in_flight\": 2}},"      \
    " \"stages\": [{\"name\": \"" name "-work\", \"model\": \"operators\", \"on\": {\"cpu\": \"" resource    \
    "\"}, \"params\": {\"ops\": [{\"name\": \"x\", \"cpu\": \"" cpu "\"}]}}]}"
#define ESTATE(prices, more, optimizations)                                                                  \
    "{\"name\": \"estate\", " more " \"resources\": {" prices "}, \"pipelines\": [" PIPELINE(                \
        "left", "p", "10ms") ", " PIPELINE("right", "q", "20ms") "],"                                        \
                                                                 " \"optimizations\": [" optimizations "]}"
#define PRICES                                                                                               \
    "\"p\": {\"kind\": \"cores\", \"price\": \"1usd/h\"}, \"q\": {\"kind\": \"cores\", \"price\": "          \
    "\"3usd/h\"}"
#define FREE "\"p\": {\"kind\": \"cores\"}, \"q\": {\"kind\": \"cores\"}"
#define LEFT_5                                                                                               \
    "{\"name\": \"left-5\", \"set\": {\"left-work.ops[0].cpu\": \"5ms\"}, "                                  \
    "\"effort\": {\"usd\": 1000, \"confidence\": 0.5}}"
#define BIG_Q                                                                                                \
    "{\"name\": \"big-q\", \"set\": {\"right-work.ops[0].cpu\": \"15ms\", \"resources.q.price\": "           \
    "\"5usd/h\"}}"

Test(estate, pipelines_weigh_what_they_cost)
{
    struct ranked_text x =
        ranked(ESTATE(PRICES, "\"objective\": {\"whole\": \"spend\"},", LEFT_5 ", " BIG_Q), 1);
    const struct ranked *r = named(&x, "left-5");

    cr_assert_not_null(x.r.whole);
    cr_expect_float_eq(x.r.whole->weight[0], 0.25, 1e-9, "%g", x.r.whole->weight[0]);
    cr_expect_float_eq(r->pipelines[0].gain.mean, 2, NEAR, "%g", r->pipelines[0].gain.mean);
    cr_expect_float_eq(r->pipelines[1].gain.mean, 1, NEAR);
    cr_expect_float_eq(r->end_to_end_gain.mean, pow(2, 0.25), NEAR, "%g", r->end_to_end_gain.mean);
    cr_expect_float_eq(r->local_gain.mean, 2, NEAR, "alone it is all of its pipeline: %g",
                       r->local_gain.mean);
    cr_expect_not_null(strstr(r->why, "of left"), "%s", r->why);
    ranked_end(&x);
}

Test(estate, weights_may_be_given)
{
    struct ranked_text x =
        ranked(ESTATE(FREE, "\"objective\": {\"whole\": {\"left\": 3, \"right\": 1}},", LEFT_5), 1);

    cr_expect_float_eq(named(&x, "left-5")->end_to_end_gain.mean, pow(2, 0.75), NEAR);
    cr_expect(!named(&x, "left-5")->money.known, "nothing has a price");
    ranked_end(&x);
}

/* C0 - C1 / g of 730 hours; a thousand dollars, half as sure, over that. */
Test(estate, worth_is_what_the_same_work_would_cost_less)
{
    struct ranked_text x =
        ranked(ESTATE(PRICES, "\"objective\": {\"whole\": \"spend\"},", LEFT_5 ", " BIG_Q), 1);
    const struct rank_money *left = &named(&x, "left-5")->money, *big = &named(&x, "big-q")->money;
    double worth = 730 * (4 - 4 / pow(2, 0.25));

    cr_expect_float_eq(left->cash_usd_per_month.mean, 0, 1e-9);
    cr_expect_float_eq(left->worth_usd_per_month.mean, worth, 0.01 * worth, "%g, by hand %g",
                       left->worth_usd_per_month.mean, worth);
    cr_expect(left->has_payback && !big->has_payback);
    cr_expect_float_eq(left->payback_months, 1000 / (0.5 * worth), 0.05);
    cr_expect_float_eq(big->cash_usd_per_month.mean, 1460, 1e-6);
    cr_expect_float_eq(big->worth_usd_per_month.mean, 730 * (4 - 6 / pow(4.0 / 3, 0.75)), 15);
    ranked_end(&x);
}

Test(estate, what_the_whole_is_must_make_sense)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {ESTATE(FREE, "\"objective\": {\"whole\": {\"lefd\": 1}},", LEFT_5), "did you mean \"left\"?"},
        {ESTATE(FREE, "\"objective\": {\"whole\": \"spend\"},", LEFT_5), "needs resources with prices"},
        {ESTATE(FREE, "\"objective\": {\"whole\": {\"left\": 0}},", LEFT_5), "all weights are 0"},
        {ESTATE(FREE, "\"objective\": {\"whole\": {\"left\": -1}},", LEFT_5), "a weight of 0 or more"},
        {ESTATE(FREE, "\"objective\": {\"whole\": 7},", LEFT_5), "a weight for each pipeline"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ranked_text x;
        struct err err = {0};

        cr_expect_neq(ranked_try(cases[i].text, 1, &x, &err), 0);
        cr_expect_not_null(strstr(err.text, cases[i].says), "%s", err.text);
        ranked_end(&x);
    }
}

Test(estate, too_many_pipelines_are_refused)
{
    static char text[20000];
    struct ranked_text x;
    struct err err = {0};
    size_t n = (size_t)snprintf(text, sizeof text,
                                "{\"name\": \"many\", \"resources\": {" FREE "}, \"pipelines\": [");

    for (int i = 0; i <= WHOLE_PIPELINES_MAX; i++)
        n += (size_t)snprintf(
            text + n, sizeof text - n,
            "%s{\"name\": \"l%d\", \"horizon\": \"steady\", \"workload\": {\"closed\": "
            "{\"in_flight\": 1}}, \"stages\": [{\"name\": \"s%d\", \"model\": \"operators\", "
            "\"on\": {\"cpu\": \"p\"}, \"params\": {\"ops\": [{\"name\": \"x\", \"cpu\": "
            "\"1ms\"}]}}]}",
            i > 0 ? ", " : "", i, i);
    snprintf(text + n, sizeof text - n,
             "], \"optimizations\": [{\"name\": \"o\", \"set\": {\"s0.workers\": 2}}]}");
    cr_expect_neq(ranked_try(text, 1, &x, &err), 0);
    cr_expect_not_null(strstr(err.text, "at most 32 can be ranked"), "%s", err.text);
    ranked_end(&x);
}

/* --------------------------------------------------------------------------- more than can be enumerated */

/* Ten that touch what nobody waits for, and two that help only together. */
static char *twelve(void)
{
    static char text[6000];
    size_t n = (size_t)snprintf(text, sizeof text, "%s",
                                "{\"name\": \"twelve\", \"workload\": {\"closed\": {\"in_flight\": \"max\"}},"
                                " \"resources\": {\"p\": {\"kind\": \"cores\"}, \"q\": {\"kind\": \"cores\"},"
                                " \"idle\": {\"kind\": \"cores\", \"count\": 64}}, \"stages\": [");

    n += (size_t)snprintf(text + n, sizeof text - n,
                          "{\"name\": \"a\", \"model\": \"operators\", \"on\": {\"cpu\": \"p\"}, \"params\": "
                          "{\"ops\": [{\"name\": \"x\", \"cpu\": \"40ms\"}]}},"
                          "{\"name\": \"b\", \"model\": \"operators\", \"on\": {\"cpu\": \"q\"}, \"params\": "
                          "{\"ops\": [{\"name\": \"x\", \"cpu\": \"30ms\"}]}}");
    for (int i = 0; i < 10; i++)
        n += (size_t)snprintf(text + n, sizeof text - n,
                              ", {\"name\": \"s%d\", \"model\": \"operators\", \"on\": {\"cpu\": \"idle\"}, "
                              "\"params\": {\"ops\": [{\"name\": \"x\", \"cpu\": \"1ms\"}]}}",
                              i);
    n +=
        (size_t)snprintf(text + n, sizeof text - n, "%s",
                         "], \"optimizations\": [{\"name\": \"a-20\", \"set\": {\"a.ops[0].cpu\": \"20ms\"}},"
                         " {\"name\": \"b-15\", \"set\": {\"b.ops[0].cpu\": \"15ms\"}}");
    for (int i = 0; i < 10; i++)
        n += (size_t)snprintf(text + n, sizeof text - n,
                              ", {\"name\": \"s%d-half\", \"set\": {\"s%d.ops[0].cpu\": \"0.5ms\"}}", i, i);
    snprintf(text + n, sizeof text - n, "]}");
    return text;
}

/* v(a) = ln 4/3, v(b) = 0, v(ab) = ln 2: half of each's marginal gains. */
Test(estate, twelve_share_as_the_closed_form_says)
{
    struct ranked_text x = ranked(twelve(), 2);
    double whole = log(2), a = (log(4.0 / 3) + whole) / 2, b = (whole - log(4.0 / 3)) / 2, sum = 0;

    cr_expect_float_eq(named(&x, "a-20")->share.mean, a / whole, 0.01, "%g", named(&x, "a-20")->share.mean);
    cr_expect_float_eq(named(&x, "b-15")->share.mean, b / whole, 0.01, "%g", named(&x, "b-15")->share.mean);
    for (int i = 0; i < x.r.n; i++)
        sum += x.r.list[i].share.mean;
    cr_expect_float_eq(sum, 1, 1e-9);
    cr_expect_float_eq(x.r.best_gain.mean, 2, NEAR);
    ranked_end(&x);
}

Test(estate, only_pairs_that_may_interact_are_simulated)
{
    struct ranked_text x = ranked(twelve(), 2);

    cr_expect_eq(x.r.screened_n, 12 * 11 / 2 - 1, "%ld left out", x.r.screened_n);
    cr_assert_geq(x.r.interactions_n, 1);
    cr_expect_float_eq(x.r.interactions[0].effect.mean, 1.5, NEAR, "together 2, apart 4/3 x 1: %g",
                       x.r.interactions[0].effect.mean);
    cr_expect_lt(x.r.sets, 40, "%ld sets", x.r.sets);
    ranked_end(&x);
}

Test(estate, a_ranking_is_the_same_whatever_the_threads)
{
    struct ranked_text x = ranked(twelve(), 1), y = ranked(twelve(), 2);
    struct json *a = ranking_json(&x.st, &x.r), *b = ranking_json(&y.st, &y.r);
    char *p = json_compact(a), *q = json_compact(b);

    cr_expect_str_eq(p, q);
    free(p);
    free(q);
    json_free(a);
    json_free(b);
    ranked_end(&x);
    ranked_end(&y);
}
