#include "base/table.h"

#include "base/arena.h"
#include "base/json.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static const double tokens[] = {1, 10, 1000}, context[] = {0, 99};
static const double values[] = {1, 2, 10, 20, 1000, 2000};

static struct table power_law(struct arena *a)
{
    struct table t = {
        .axes_n = 2,
        .axis = {{"tokens", SCALE_LOG, 3, tokens, NULL}, {"context", SCALE_LOG1P, 2, context, NULL}},
        .scale = SCALE_LOG,
        .value = values,
        .error_frac = 0.02};

    table_prepare(&t, a);
    return t;
}

Test(table, a_power_law_between_knots_is_exact)
{
    struct arena *a = arena_new();
    struct table t = power_law(a);

    for (double n = 1; n <= 1000; n *= 1.7)
        for (double c = 0; c <= 99; c += 9) {
            struct table_value v = table_eval(&t, (double[]){n, c});
            double truth = n * pow(2, log1p(c) / log(100));

            cr_expect(!v.outside && fabs(v.value / truth - 1) < 1e-12, "%g %g: %g, %g", n, c, v.value, truth);
        }
    arena_free(a);
}

Test(table, outside_is_said_and_the_nearest_edge_given)
{
    struct arena *a = arena_new();
    struct table t = power_law(a);
    const double at[][2] = {{0.5, 0}, {2000, 0}, {10, -1}, {10, 100}, {NAN, 0}};
    const double edge[] = {1, 1000, 10, 20, 1};

    for (size_t i = 0; i < 5; i++) {
        struct table_value v = table_eval(&t, at[i]);

        cr_expect(v.outside, "%zu", i);
        cr_expect_float_eq(v.value, edge[i], 1e-9, "%zu: %g", i, v.value);
    }
    cr_expect(!table_eval(&t, (double[]){1000 * (1 + 1e-12), 99}).outside, "what printing does to a knot");
    arena_free(a);
}

Test(table, a_cell_with_an_unsupported_corner_is_outside_its_edges_are_not)
{
    static const bool supported[] = {true, true, true, true, true, false};
    struct arena *a = arena_new();
    struct table t = power_law(a);

    t.supported = supported;
    cr_expect(table_eval(&t, (double[]){100, 50}).outside);
    cr_expect(!table_eval(&t, (double[]){100, 0}).outside);
    cr_expect(!table_eval(&t, (double[]){10, 50}).outside);
    cr_expect(table_eval(&t, (double[]){1000, 99}).outside);
    arena_free(a);
}

Test(table, an_axis_with_one_knot_is_a_condition)
{
    struct arena *a = arena_new();
    struct table t = {.axes_n = 1, .axis = {{"tp", SCALE_LINEAR, 1, tokens + 1, NULL}}, .value = values};

    table_prepare(&t, a);
    cr_expect(!table_eval(&t, (double[]){10}).outside);
    cr_expect(table_eval(&t, (double[]){11}).outside);
    cr_expect_eq(table_eval(&t, (double[]){11}).value, 1);
    arena_free(a);
}

Test(table, what_is_written_is_read_again)
{
    static const bool supported[] = {true, true, true, true, true, false};
    struct arena *a = arena_new();
    struct table t = power_law(a), back;
    struct json *v;
    struct err err = {0};

    t.supported = supported;
    v = table_json(&t);
    cr_assert_eq(table_read(v, UNIT_S, "$.ops.mlp", a, &back, &err), 0, "%s", err.text);
    cr_expect_str_eq(back.axis[1].name, "context");
    cr_expect_eq(back.error_frac, 0.02);
    for (double n = 0.5; n <= 2000; n *= 3) {
        struct table_value x = table_eval(&t, (double[]){n, 7}), y = table_eval(&back, (double[]){n, 7});

        cr_expect(x.value == y.value && x.outside == y.outside, "%g", n);
    }
    json_free(v);
    arena_free(a);
}

Test(table, what_cannot_be_a_table_is_an_error_that_names_the_place)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"[]", "$.t: found"},
        {"{\"values\": [1]}", "$.t.axes: missing"},
        {"{\"axes\": [], \"values\": [1]}", "$.t.axes: found"},
        {"{\"axes\": [{\"at\": [1, 1]}], \"values\": [1, 2]}", "$.t.axes[0].at[1]: found 1 after 1"},
        {"{\"axes\": [{\"at\": [1, 2], \"scale\": \"ln\"}], \"values\": [1, 2]}", "$.t.axes[0].scale"},
        {"{\"axes\": [{\"at\": [0, 2], \"scale\": \"log\"}], \"values\": [1, 2]}", "$.t.axes[0].at[0]"},
        {"{\"axes\": [{\"at\": [1, 2]}], \"values\": [1]}", "found 1 values; the axes have 2 nodes"},
        {"{\"axes\": [{\"at\": [1, 2]}], \"values\": [0, 1], \"scale\": \"log\"}", "$.t.values[0]"},
        {"{\"axes\": [{\"at\": [1, 2]}], \"values\": [1, 1], \"unsupported\": [2]}", "$.t.unsupported[0]"},
        {"{\"axes\": [{\"at\": [1, 2]}], \"valeus\": [1, 1]}", "$.t.valeus: no such key"},
    };
    struct arena *a = arena_new();

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json *v = NULL;
        struct table t;
        struct err err = {0};

        cr_assert_eq(json_parse(cases[i].text, "t", &v, &err), 0);
        cr_expect_eq(table_read(v, UNIT_NONE, "$.t", a, &t, &err), ERR_SCENARIO, "%s", cases[i].text);
        cr_expect_not_null(strstr(err.text, cases[i].says), "%s: %s", cases[i].text, err.text);
        json_free(v);
    }
    arena_free(a);
}
