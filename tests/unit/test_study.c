#include "ranked_text.h"

#include "study/shapley.h"

#include <math.h>
#include <stdio.h>

/* -------------------------------------------------------------------------------------- the shares */

static void expect_shares(int n, const double *value, const double *truth)
{
    double phi[SHAPLEY_EXACT_MAX], sum = 0;

    shapley_exact(n, value, phi);
    for (int i = 0; i < n; i++) {
        cr_expect_float_eq(phi[i], truth[i], 1e-12, "player %d of %d: %g, by hand %g", i, n, phi[i],
                           truth[i]);
        sum += phi[i];
    }
    cr_expect_float_eq(sum, value[(1 << n) - 1] - value[0], 1e-12, "shares add up to %g", sum);
}

Test(shapley, games_worked_by_hand)
{
    /* one player; two who add up; two of whom one is enough; gloves: one left (0), two right (1, 2) */
    expect_shares(1, (double[]){0, 5}, (double[]){5});
    expect_shares(2, (double[]){0, 1, 2, 3}, (double[]){1, 2});
    expect_shares(2, (double[]){0, 1, 1, 1}, (double[]){0.5, 0.5});
    expect_shares(3, (double[]){0, 0, 0, 1, 0, 1, 0, 1}, (double[]){2.0 / 3, 1.0 / 6, 1.0 / 6});
    expect_shares(3, (double[]){0, 0, 0, 0, 0, 0, 0, 1}, (double[]){1.0 / 3, 1.0 / 3, 1.0 / 3});
}

static double noisy_value(int n, uint32_t set)
{
    return sin(1 + 7.0 * set) + __builtin_popcount(set) * (double)n;
}

Test(shapley, shares_add_up_and_ask_for_no_order)
{
    for (int n = 1; n <= SHAPLEY_EXACT_MAX; n++) {
        double *value = calloc((size_t)1 << n, sizeof *value),
               *turned = calloc((size_t)1 << n, sizeof *turned);
        double phi[SHAPLEY_EXACT_MAX], again[SHAPLEY_EXACT_MAX], sum = 0;

        for (uint32_t set = 0; set < 1u << n; set++) {
            uint32_t mirror = 0;

            value[set] = noisy_value(n, set);
            for (int i = 0; i < n; i++)
                mirror |= (set >> i & 1) << (n - 1 - i);
            turned[mirror] = value[set];
        }
        shapley_exact(n, value, phi);
        shapley_exact(n, turned, again);
        for (int i = 0; i < n; i++) {
            sum += phi[i];
            cr_expect_float_eq(phi[i], again[n - 1 - i], 1e-9, "%d players, player %d", n, i);
        }
        cr_expect_float_eq(sum, value[(1 << n) - 1] - value[0], 1e-9, "%d players: %g", n, sum);
        free(value);
        free(turned);
    }
}

Test(shapley, one_who_changes_nothing_gets_nothing_and_equals_get_the_same)
{
    double value[8], phi[3];

    for (uint32_t set = 0; set < 8; set++) /* player 2 is a dummy, 0 and 1 are alike */
        value[set] = (double[]){0, 3, 3, 10}[set & 3];
    shapley_exact(3, value, phi);
    cr_expect_float_eq(phi[2], 0, 1e-12);
    cr_expect_float_eq(phi[0], phi[1], 1e-12);
}

Test(shapley, orders_are_permutations_each_also_backwards)
{
    enum { PLAYERS = 12, ORDERS = 2000 };
    int first[PLAYERS] = {0};

    for (int k = 0; k < ORDERS; k += 2) {
        int order[PLAYERS], back[PLAYERS], again[PLAYERS];
        uint32_t seen = 0;

        shapley_order(PLAYERS, 7, k, order);
        shapley_order(PLAYERS, 7, k + 1, back);
        shapley_order(PLAYERS, 7, k, again);
        for (int i = 0; i < PLAYERS; i++) {
            seen |= 1u << order[i];
            cr_expect_eq(back[i], order[PLAYERS - 1 - i]);
            cr_expect_eq(again[i], order[i]);
        }
        cr_expect_eq(seen, (1u << PLAYERS) - 1, "order %d is no permutation", k);
        first[order[0]]++;
        first[back[0]]++;
    }
    for (int i = 0; i < PLAYERS; i++) /* each is first once in twelve: 167 of 2,000, standard deviation 12 */
        cr_expect(first[i] > 115 && first[i] < 220, "player %d is first %d times", i, first[i]);
}

/* ------------------------------------------------------------------------------------- the ranking */

static const double NEAR = 2e-3; /* windows of 10,000 pieces begin and end between two of them */

static void expect_gain(const struct ranked_text *x, const char *name, double local, double whole,
                        const char *verdict)
{
    const struct ranked *r = named(x, name);

    cr_expect_float_eq(r->local_gain.mean, local, NEAR, "%s alone: %g, by hand %g", name, r->local_gain.mean,
                       local);
    cr_expect_float_eq(r->end_to_end_gain.mean, whole, NEAR, "%s: %g, by hand %g", name,
                       r->end_to_end_gain.mean, whole);
    cr_expect_str_eq(r->verdict, verdict, "%s: %s", name, r->verdict);
}

Test(rank, a_gain_in_a_stage_that_does_not_decide_is_none)
{
    struct ranked_text x = ranked(TWO_STAGES(A_15 ", " B_20), 1);

    expect_gain(&x, "a15", 2, 1, "no effect");
    expect_gain(&x, "b20", 2, 4.0 / 3, "helps");
    cr_expect_str_eq(x.r.list[0].opt->name, "b20", "the largest gain stands first");
    cr_expect_eq(x.r.best, 3);
    cr_expect_float_eq(x.r.best_gain.mean, 2, NEAR);
    cr_expect_str_eq(x.r.after_best, "b");
    cr_assert_eq(x.r.interactions_n, 1);
    cr_expect_float_eq(x.r.interactions[0].effect.mean, 1.5, NEAR, "%g", x.r.interactions[0].effect.mean);
    cr_expect_float_eq(named(&x, "a15")->share.mean, log(1.5) / 2 / log(2), NEAR);
    cr_expect_float_eq(named(&x, "b20")->share.mean, 1 - log(1.5) / 2 / log(2), NEAR);
    cr_expect_not_null(strstr(named(&x, "b20")->why, "the limit moves from b to a"), "%s",
                       named(&x, "b20")->why);
    cr_assert_eq(named(&x, "b20")->deltas_n, 1);
    cr_expect_float_eq(named(&x, "b20")->deltas[0].cpu_s, -0.02, 1e-5);
    ranked_end(&x);
}

/* b20 and b36 do not combine: together they are worth the better one, b20. */
Test(rank, what_does_not_combine_is_worth_its_best_legal_part)
{
    struct ranked_text x = ranked(TWO_STAGES(A_15 ", " B_20 ", " B_36), 1);
    double all = log(2), a = log(1.5) / 2, c = log(10.0 / 9) / 2, b = all - a - c;

    expect_gain(&x, "b36", 10.0 / 9, 10.0 / 9, "helps");
    cr_expect_eq(x.r.best, 3);
    cr_expect_float_eq(named(&x, "a15")->share.mean, a / all, NEAR, "%g, by hand %g",
                       named(&x, "a15")->share.mean, a / all);
    cr_expect_float_eq(named(&x, "b20")->share.mean, b / all, NEAR, "%g, by hand %g",
                       named(&x, "b20")->share.mean, b / all);
    cr_expect_float_eq(named(&x, "b36")->share.mean, c / all, NEAR, "%g, by hand %g",
                       named(&x, "b36")->share.mean, c / all);
    cr_expect_eq(x.r.interactions_n, 2, "an illegal pair has no interaction");
    ranked_end(&x);
}

static double sum_of_shares(const struct ranked_text *x)
{
    double sum = 0;

    for (int i = 0; i < x->r.n; i++)
        sum += x->r.list[i].share.mean;
    return sum;
}

Test(rank, where_nothing_is_gained_nothing_is_shared)
{
    struct ranked_text x = ranked(TWO_STAGES(A_15 ", " B_50), 1);

    expect_gain(&x, "b50", 0.8, 0.8, "hurts");
    for (int i = 0; i < x.r.n; i++)
        cr_expect_eq(x.r.list[i].share.mean, 0, "%s: %g", x.r.list[i].opt->name, x.r.list[i].share.mean);
    cr_expect_eq(x.r.best, 0, "doing nothing is best");
    cr_expect_float_eq(x.r.best_gain.mean, 1, 1e-9);
    ranked_end(&x);
    x = ranked(TWO_STAGES(A_15), 1);
    cr_expect_eq(sum_of_shares(&x), 0);
    ranked_end(&x);
}

Test(rank, many_are_ranked_by_sampled_orders)
{
    char text[4000];
    struct ranked_text x;
    size_t n = (size_t)snprintf(text, sizeof text, "%s", TWO_STAGES(B_20 ", " B_36));

    n -= 2; /* behind the last optimization */
    for (int i = 0; i < 10; i++)
        n += (size_t)snprintf(text + n, sizeof text - n,
                              ", {\"name\": \"n%d\", \"set\": {\"a.ops[0].cpu\": \"%dms\"}}", i, 20 + i);
    snprintf(text + n, sizeof text - n, "]}");
    x = ranked(text, 2);
    cr_assert_eq(x.r.n, 12);
    cr_expect_float_eq(sum_of_shares(&x), 1, 1e-9, "%g", sum_of_shares(&x));
    expect_gain(&x, "b20", 2, 4.0 / 3, "helps");
    expect_gain(&x, "n0", 1.5, 1, "no effect");
    cr_expect(named(&x, "b20")->share.mean > named(&x, "b36")->share.mean);
    cr_expect(named(&x, "n9")->share.mean < 0.1 && named(&x, "n9")->share.mean > -0.05, "%g",
              named(&x, "n9")->share.mean);
    ranked_end(&x);
}

Test(rank, more_of_a_resource_is_a_gain_of_the_stages_on_it)
{
    struct ranked_text x = ranked(
        TWO_STAGES("{\"name\": \"two-cores\", \"set\": {\"resources.q.count\": 2, \"b.workers\": 2}}"), 1);

    expect_gain(&x, "two-cores", 2, 4.0 / 3, "helps");
    ranked_end(&x);
}

Test(rank, the_document_is_the_same_for_any_number_of_threads)
{
    char *texts[2];

    for (int i = 0; i < 2; i++) {
        struct ranked_text x = ranked(TWO_STAGES(A_15 ", " B_20 ", " B_36), i + 1);
        struct json *doc = ranking_json(&x.st, &x.r);
        const struct json *first = json_at(json_get(doc, "optimizations"), 0);

        cr_expect_str_eq(json_get_string(doc, "command", ""), "rank");
        cr_expect_str_eq(json_get_string(first, "name", ""), "b20");
        cr_expect_str_eq(json_string(json_at(json_get(first, "owners"), 0)), "right");
        cr_expect_float_eq(json_get_number(json_get(first, "end_to_end_gain"), "mean", 0), 4.0 / 3, NEAR);
        texts[i] = json_text(doc);
        json_free(doc);
        ranked_end(&x);
    }
    cr_expect_str_eq(texts[0], texts[1]);
    free(texts[0]);
    free(texts[1]);
}

Test(rank, nothing_to_rank_is_an_error)
{
    struct study st = {.file = "two.json", .seed = 1, .replications = 2, .confidence = 0.95};
    struct arena *a = arena_new();
    struct rank_options opt = {0};
    struct ranking r;
    struct err err = {0};

    cr_expect_eq(rank_scenario(&st, &opt, a, &r, &err), ERR_SCENARIO);
    cr_expect_not_null(strstr(err.text, "two.json: $.optimizations"), "%s", err.text);
    arena_free(a);
}
