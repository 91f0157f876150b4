#include "base/arena.h"
#include "base/json.h"
#include "base/law.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static int read_law(struct arena *a, const char *text, struct law *law, struct err *e)
{
    struct json *v = NULL;
    int rc;

    cr_assert_eq(json_parse(text, "t", &v, e), 0, "%s", e->text);
    rc = law_read(v, UNIT_S, "$.service", a, law, e);
    json_free(v);
    return rc;
}

Test(law, every_kind_knows_its_mean_and_variation)
{
    static const struct {
        const char *text;
        enum law_kind kind;
        double mean, cv, lo, hi;
    } cases[] = {
        {"\"2ms\"", LAW_CONSTANT, 0.002, 0, 0.002, 0.002},
        {"0.5", LAW_CONSTANT, 0.5, 0, 0.5, 0.5},
        {"{\"constant\": \"2ms\"}", LAW_CONSTANT, 0.002, 0, 0.002, 0.002},
        {"{\"exponential\": \"1ms\"}", LAW_EXPONENTIAL, 0.001, 1, 0, INFINITY},
        {"{\"uniform\": [\"1s\", \"3s\"]}", LAW_UNIFORM, 2, 0.28867513459481287, 1, 3},
        {"{\"lognormal\": {\"mean\": \"8ms\", \"cv\": 0.4}}", LAW_LOGNORMAL, 0.008, 0.4, 0, INFINITY},
        {"{\"gamma\": {\"cv\": 2, \"mean\": 1}}", LAW_GAMMA, 1, 2, 0, INFINITY},
        {"{\"pareto\": {\"mean\": \"1s\", \"alpha\": 3}}", LAW_PARETO, 1, 0.57735026918962573, 2.0 / 3,
         INFINITY},
        {"{\"pareto\": {\"mean\": \"1s\", \"alpha\": 1.5}}", LAW_PARETO, 1, INFINITY, 1.0 / 3, INFINITY},
        {"{\"empirical\": [3, 1, \"2s\"]}", LAW_EMPIRICAL, 2, 0.40824829046386302, 1, 3},
        {"{\"empirical\": [[0, \"1s\"], [1, 3]]}", LAW_EMPIRICAL, 2, 0.28867513459481287, 1, 3},
        {"{\"empirical\": [[0, 0], [0.5, 0], [1, 4]]}", LAW_EMPIRICAL, 1, 1.2909944487358056, 0, 4},
        {"{\"weibull\": {\"mean\": \"2s\", \"shape\": 1}}", LAW_WEIBULL, 2, 1, 0, INFINITY},
        {"{\"weibull\": {\"mean\": 1, \"shape\": 0.5}}", LAW_WEIBULL, 1, 2.2360679774997898, 0, INFINITY},
        {"{\"hyperexponential\": {\"share\": 0.9, \"fast\": \"1s\", \"slow\": \"11s\"}}",
         LAW_HYPEREXPONENTIAL, 2, 2.3452078799117149, 0, INFINITY},
    };
    struct arena *a = arena_new();

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = {0};
        struct law law;

        cr_assert_eq(read_law(a, cases[i].text, &law, &e), 0, "%s", e.text);
        cr_expect_eq(law.kind, cases[i].kind, "%s", cases[i].text);
        cr_expect_float_eq(law.mean, cases[i].mean, 1e-15, "%s", cases[i].text);
        cr_expect(law.cv == cases[i].cv || fabs(law.cv - cases[i].cv) < 1e-12, "%s: cv %.17g", cases[i].text,
                  law.cv);
        cr_expect_float_eq(law.lo, cases[i].lo, 1e-15, "%s", cases[i].text);
        cr_expect(law.hi == cases[i].hi, "%s: hi %g", cases[i].text, law.hi);
    }
    arena_free(a);
}

Test(law, empirical_values_are_sorted)
{
    struct arena *a = arena_new();
    struct err e = {0};
    struct law law;

    cr_assert_eq(read_law(a, "{\"empirical\": [3, 1, 2, 1]}", &law, &e), 0);
    cr_assert_eq(law.n, 4);
    cr_expect_eq(law.values[0], 1);
    cr_expect_eq(law.values[3], 3);
    arena_free(a);
}

Test(law, a_scaled_law_keeps_its_shape)
{
    static const char *const cases[] = {"{\"exponential\": 2}", "{\"gamma\": {\"mean\": 2, \"cv\": 0.5}}",
                                        "{\"hyperexponential\": {\"share\": 0.9, \"fast\": 1, \"slow\": 11}}",
                                        "{\"empirical\": [3, 1]}", "{\"uniform\": [1, 3]}", "2"};
    struct arena *a = arena_new();

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = {0};
        struct law law, scaled;

        cr_assert_eq(read_law(a, cases[i], &law, &e), 0, "%s", e.text);
        scaled = law_scaled(&law, 3, a);
        cr_expect_float_eq(scaled.mean, 6, 1e-12, "%s", cases[i]);
        cr_expect_float_eq(scaled.cv, law.cv, 1e-12, "%s", cases[i]);
        cr_expect_float_eq(scaled.lo, 3 * law.lo, 1e-12, "%s", cases[i]);
        cr_expect(law.n == 0 || (scaled.values[0] == 3 && law.values[0] == 1), "the law itself stays");
    }
    arena_free(a);
}

Test(law, a_law_without_variation_is_a_constant)
{
    static const char *const cases[] = {"{\"exponential\": 0}", "{\"gamma\": {\"mean\": 1, \"cv\": 0}}",
                                        "{\"lognormal\": {\"mean\": 0, \"cv\": 2}}", "{\"uniform\": [2, 2]}"};
    struct arena *a = arena_new();

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = {0};
        struct law law;

        cr_assert_eq(read_law(a, cases[i], &law, &e), 0, "%s", e.text);
        cr_expect_eq(law.kind, LAW_CONSTANT, "%s", cases[i]);
        cr_expect_eq(law.lo, law.mean);
        cr_expect_eq(law.hi, law.mean);
    }
    arena_free(a);
}

Test(law, mistakes_name_the_path_and_the_remedy)
{
    static const char *const cases[][2] = {
        {"{\"exponentail\": 1}",
         "$.service.exponentail: no such law; did you mean \"exponential\"? (allowed: constant,"},
        {"{\"gamma\": {\"mean\": 1, \"cv\": 1}, \"x\": 1}", "$.service: found {\"gamma\": "},
        {"{}", "$.service: found {}; a law is an object with one key"},
        {"{\"uniform\": [3, 1]}", "$.service.uniform: found [3, 1]; the lowest"},
        {"{\"uniform\": [3]}", "$.service.uniform: found [3]; write [lowest"},
        {"{\"uniform\": [0, \"2 apples\"]}", "$.service.uniform[1]: \"2 apples\" is not a time"},
        {"{\"lognormal\": {\"mean\": 1}}", "$.service.lognormal.cv: missing"},
        {"{\"lognormal\": {\"mean\": 1, \"cv\": -1}}",
         "$.service.lognormal.cv: found -1; it must lie between 0 and 100"},
        {"{\"lognormal\": {\"mean\": 1, \"c\": 1}}",
         "$.service.lognormal.c: no such key; did you mean \"cv\"?"},
        {"{\"lognormal\": 1}", "$.service.lognormal: found 1; write {\"mean\""},
        {"{\"pareto\": {\"mean\": 1, \"alpha\": 1}}",
         "$.service.pareto.alpha: found 1; it must lie between 1.01"},
        {"{\"empirical\": []}", "$.service.empirical: found []; write a list"},
        {"{\"empirical\": [[0, 1], 2]}", "$.service.empirical[1]: found 2; write [probability, value]"},
        {"{\"empirical\": [[0, 1], [0.5, 2]]}",
         "$.service.empirical: found [[0, 1], [0.5, 2]]; quantiles begin"},
        {"{\"empirical\": [[0, 1], [0.5, 0.5], [1, 2]]}", "$.service.empirical[1]: found [0.5, 0.5]; prob"},
        {"{\"empirical\": [[0, 1], [1.5, 2]]}", "$.service.empirical[1][0]: found 1.5; it must lie between"},
        {"{\"weibull\": {\"mean\": 1, \"shape\": 0}}",
         "$.service.weibull.shape: found 0; it must lie between"},
        {"{\"hyperexponential\": {\"share\": 2, \"fast\": 1, \"slow\": 2}}",
         "$.service.hyperexponential.share: found 2; it must lie between"},
        {"{\"hyperexponential\": {\"share\": 0.5, \"fast\": 1}}", "$.service.hyperexponential.slow: missing"},
        {"{\"hyperexponential\": 3}", "$.service.hyperexponential: found 3; write {\"share\": .., \"fast\": "
                                      "\"200us\", \"slow\": \"200us\"}"},
        {"{\"empirical\": \"trace:t/op\"}", "$.service.empirical: \"trace:t/op\" must be resolved first"},
        {"{\"exponential\": \"-1ms\"}", "$.service.exponential: found \"-1ms\"; it must lie between"},
        {"true", "$.service: found true; write a quantity such as \"200us\""},
    };
    struct arena *a = arena_new();

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = {0};
        struct law law;

        cr_expect_eq(read_law(a, cases[i][0], &law, &e), ERR_SCENARIO, "%s", cases[i][0]);
        cr_expect_eq(strncmp(e.text, cases[i][1], strlen(cases[i][1])), 0, "%s -> %s", cases[i][0], e.text);
    }
    arena_free(a);
}
