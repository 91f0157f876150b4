#include "study/replay.h"

#include "base/text.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

TestSuite(replay, .init = begin, .fini = end);

static struct replay_figure figure(double measured, double predicted, double naive)
{
    return (struct replay_figure){.name = "x",
                                  .unit = "s",
                                  .measured = measured,
                                  .predicted = replay_estimate(predicted, 0.1, INFINITY),
                                  .naive = naive,
                                  .noise_frac = NAN};
}

static struct replay_case one_case(const char *name, struct replay_figure *figures, size_t n)
{
    return (struct replay_case){.name = name, .kind = "k", .figures = figures, .figures_n = n};
}

Test(replay, the_error_of_a_case_is_the_median_of_its_figures)
{
    struct replay_figure f[] = {figure(100, 101, 150), figure(100, 95, 150), figure(100, 130, 120)};
    struct replay_case c = one_case("a", f, 3);
    struct replay_result r;

    replay_score(&c, 1, arena, &r);
    cr_assert_float_eq(c.score.median_error, 0.05, 1e-12);
    cr_assert_float_eq(c.score.naive_error, 0.5, 1e-12);
    cr_assert_float_eq(c.score.skill, 0.9, 1e-12);
    cr_assert_float_eq(c.score.p90_error, 0.05 + 0.8 * 0.25, 1e-12);
    cr_assert_float_eq(f[1].error_frac, -0.05, 1e-12);
}

Test(replay, cases_count_equally_and_figures_make_the_p90)
{
    struct replay_figure few[] = {figure(100, 120, NAN)};
    struct replay_figure many[] = {figure(1, 1.01, NAN), figure(1, 1.01, NAN), figure(1, 1.01, NAN),
                                   figure(1, 1.01, NAN)};
    struct replay_figure none[] = {figure(1, 9, NAN)};
    struct replay_case c[] = {one_case("few", few, 1), one_case("many", many, 4), one_case("shown", none, 1)};
    struct replay_result r;

    c[2].why_not_counted = "an identity";
    replay_score(c, 3, arena, &r);
    cr_assert_eq(r.counted, 2);
    cr_assert_float_eq(r.summary.median_error, (0.20 + 0.01) / 2, 1e-12);
    cr_assert_eq(r.summary.figures, 5);
    cr_assert_float_eq(r.summary.p90_error, 0.01 + 0.6 * 0.19, 1e-9);
    cr_assert_not(r.gate);
}

Test(replay, a_case_without_skill_is_not_among_the_skilled)
{
    struct replay_figure good[] = {figure(1, 1.01, 2)}, useless[] = {figure(1, 1.5, 1.4)};
    struct replay_case c[] = {one_case("good", good, 1), one_case("useless", useless, 1)};
    struct replay_result r;

    replay_score(c, 2, arena, &r);
    cr_assert_eq(r.skilled, 1);
    cr_assert(c[1].score.skill < 0);
}

Test(replay, beyond_saturation_and_tails_are_told_apart)
{
    struct replay_figure f[] = {figure(1, 1.02, NAN), figure(1, 3, NAN), figure(1, 2, NAN)};
    struct replay_case c = one_case("a", f, 3);
    struct replay_result r;

    f[1].regime = REGIME_BEYOND;
    f[2].tail = true;
    replay_score(&c, 1, arena, &r);
    cr_assert_eq(c.score.figures, 1);
    cr_assert_float_eq(r.summary.median_error, 0.02, 1e-12);
    cr_assert_eq(r.apart[REGIME_BEYOND].figures, 1);
    cr_assert_float_eq(r.apart[REGIMES].median_error, 1, 1e-12);
}

Test(replay, coverage_is_the_share_of_measured_values_inside)
{
    struct replay_figure f[] = {figure(100, 110, NAN), figure(100, 130, NAN)};
    struct replay_case c = one_case("a", f, 2);
    struct replay_result r;

    replay_score(&c, 1, arena, &r);
    cr_assert(f[0].inside_interval && !f[1].inside_interval);
    cr_assert_float_eq(c.score.coverage, 0.5, 1e-12);
    cr_assert_float_eq(c.score.width, 2 * sinh(0.1 * 1.6448536), 1e-6);
}

Test(replay, the_order_is_judged_inside_groups_beyond_a_tenth_and_beyond_noise)
{
    struct replay_figure f[] = {figure(100, 100, NAN), figure(105, 90, NAN), figure(200, 50, NAN),
                                figure(300, 10, NAN), figure(130, 400, NAN)};
    struct replay_case c = one_case("a", f, 5);
    struct replay_result r;

    f[0].group = f[1].group = f[2].group = f[4].group = "g";
    f[3].group = "another";
    f[4].noise_frac = 0.3;
    replay_score(&c, 1, arena, &r);
    /* 100:105 too close; 100:200, 105:200 wrong; 300 elsewhere; 130 differs by less than twice 39 from all
     * but 200, which is wrong too */
    cr_assert_eq(c.score.pairs, 2);
    cr_assert_float_eq(c.score.order, 0, 1e-12);
}

Test(replay, the_interval_of_few_degrees_of_freedom_is_wider)
{
    struct estimate known = replay_estimate(10, 0.1, INFINITY), guessed = replay_estimate(10, 0.1, 3);

    cr_assert_float_eq(known.pred_hi, 10 * exp(0.16448536), 1e-5);
    cr_assert_float_eq(guessed.pred_hi, 10 * exp(0.1 * 2.353363), 1e-5);
    cr_assert_float_eq(known.pred_lo * known.pred_hi, 100, 1e-9);
    cr_assert_not(replay_estimate(1, NAN, 3).has_pred);
}

/* --------------------------------------------------------------- case files */

static const char good_case[] =
    "{\"format\": \"foresight.replay\", \"case\": \"x\", \"title\": \"t\", \"kind\": \"identities\", "
    "\"source\": \"s\", \"regime\": \"below\", \"counted\": true, \"calibrates_from\": \"a\", "
    "\"predicts\": \"b\", \"naive\": \"n\", \"interval\": \"i\", \"assumptions\": [], "
    "\"params\": {\"law\": \"workers_to_feed\"}}";

static int read_text(const char *text, struct replay_case *out)
{
    char path[] = "/tmp/foresight-replay-XXXXXX";
    int fd = mkstemp(path), rc;

    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    memset(&err, 0, sizeof err);
    rc = replay_case_read(path, arena, out, &err);
    unlink(path);
    return rc;
}

Test(replay, a_case_file_is_read)
{
    struct replay_case c;

    cr_assert_eq(read_text(good_case, &c), 0, "%s", err.text);
    cr_assert_str_eq(c.name, "x");
    cr_assert_null(c.why_not_counted);
    replay_case_fini(&c);
}

Test(replay, a_faulty_case_file_is_refused_with_the_place)
{
    static const struct {
        const char *from, *to, *says;
    } faults[] = {{"\"title\"", "\"titel\"", "unknown key \"titel\"; did you mean \"title\""},
                  {"\"identities\"", "\"identity\"", "$.kind: unknown kind \"identity\""},
                  {"\"below\"", "\"under\"", "$.regime: found \"under\""},
                  {"\"counted\": true", "\"counted\": false", "$.why_not_counted: missing"},
                  {"\"assumptions\": []", "\"assumptions\": [{\"what\": \"w\"}]", "\"because\""},
                  {"\"source\": \"s\"", "\"source\": 3", "$.source: found 3; a text is needed"}};

    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const char *at = strstr(good_case, faults[i].from);
        struct text t = {0};
        struct replay_case c;

        text_add_n(&t, good_case, (size_t)(at - good_case));
        text_add(&t, faults[i].to);
        text_add(&t, at + strlen(faults[i].from));
        cr_assert_eq(read_text(t.s, &c), ERR_SCENARIO, "%s", faults[i].to);
        cr_assert_not_null(strstr(err.text, faults[i].says), "\"%s\" does not say \"%s\"", err.text,
                           faults[i].says);
        text_free(&t);
    }
}

Test(replay, a_case_whose_recordings_are_missing_is_skipped_and_says_so)
{
    struct replay_options opt = {.traces = "/nowhere"};
    struct replay_result r;
    struct replay_case c;
    const char *files[] = {"a.csv"};

    cr_assert_eq(read_text(good_case, &c), 0);
    c.files = files;
    c.files_n = 1;
    cr_assert_eq(replay_run(&c, 1, &opt, arena, &r, &err), 0);
    cr_assert_not_null(strstr(c.skipped, "no a.csv in /nowhere"));
    cr_assert_eq(r.counted, 0);
    replay_case_fini(&c);
}
