#include "pipeline/edit.h"

#include "scenario_text.h"

static struct json *tree_of(const char *text)
{
    struct json *tree = NULL;
    struct err err = {0};

    cr_assert_eq(json_parse(text, "t", &tree, &err), 0, "%s", err.text);
    return tree;
}

Test(edit, a_path_reaches_its_place)
{
    static const struct {
        const char *base, *set, *path, *value;
    } cases[] = {
        {SHARED_CORES, "load.workers=4", "stages.load.params.workers", "4"},
        {SHARED_CORES, "stages.load.params.workers=4", "load.workers", "4"},
        {SHARED_CORES, "resources.host.count=8", "resources.host.count", "8"},
        {SHARED_CORES, "load.ops[1].cpu=2ms", "load.ops[1].cpu", "\"2ms\""},
        {SHARED_CORES, "load.ops[1].cpu={\"exponential\": \"2ms\"}", "load.ops[1].cpu.exponential",
         "\"2ms\""},
        {SHARED_CORES, "load.ops[1].cpu.lognormal.cv=0.1", "load.ops[1].cpu",
         "{\"lognormal\": {\"mean\": \"0.6ms\", \"cv\": 0.1}}"},
        {SHARED_CORES, "workload.closed.in_flight=64", "workload.closed.in_flight", "64"},
        {SHARED_CORES, "stages.train.owner=ads", "stages.train.owner", "\"ads\""},
        {SHARED_CORES, "edges[0][2].buffer=1", "edges[0][2].buffer", "1"},
        {SHARED_CORES, "seed=9", "seed", "9"},
        {SHARED_CORES, "horizon={\"items\": 300}", "horizon.items", "300"},
        {SHARED_CORES, "load.in_order=true", "load.in_order", "true"},
        {DATASET, "prep.costs.hash.per_item=5ns", "prep.costs", "{\"hash\": {\"per_item\": \"5ns\"}}"},
        {DATASET, "prep.ops=[\"filter\", \"hash\"]", "prep.ops[1]", "\"hash\""},
        {DATASET, "workload.dataset.rows=1000", "workload.dataset.rows", "1000"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json *tree = tree_of(cases[i].base);
        struct err err = {0};
        char *got = NULL;

        cr_expect_eq(edit_set_text(tree, cases[i].set, &err), 0, "%s: %s", cases[i].set, err.text);
        if (edit_get(tree, cases[i].path) != NULL)
            got = json_compact(edit_get(tree, cases[i].path));
        cr_expect(got != NULL && strcmp(got, cases[i].value) == 0, "%s: %s is %s", cases[i].set,
                  cases[i].path, got ? got : "missing");
        free(got);
        json_free(tree);
    }
}

Test(edit, a_wrong_path_says_what_is_wrong)
{
    static const struct {
        const char *set, *says;
    } cases[] = {
        {"load.workers", "PATH=VALUE"},
        {"=4", "PATH=VALUE"},
        {"lod.workers=4", "did you mean \"load\""},
        {"stages.lod.params.workers=4", "did you mean \"load\""},
        {"stages=4", "name a stage"},
        {"stages[0].params.workers=4", "name a stage"},
        {"load=4", "names no value"},
        {"load.=4", "load."},
        {".x=4", ".x"},
        {"[0]=4", "not a path"},
        {"load.ops[9].cpu=1ms", "load.ops[9].cpu"},
        {"load.ops[9]=1", "[9]"},
        {"load.ops[x]=1", "load.ops[x]"},
        {"load.ops[-1]=1", "load.ops[-1]"},
        {"edges[0].buffer=4", "edges[0].buffer"},
        {"resources.hots.count=4", "did you mean \"host\""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json *tree = tree_of(SHARED_CORES);
        struct err err = {0};
        int rc = edit_set_text(tree, cases[i].set, &err);

        cr_expect(rc == ERR_USAGE || rc == ERR_SCENARIO, "%s: code %d", cases[i].set, rc);
        cr_expect_not_null(strstr(err.text, cases[i].says), "%s: \"%s\" does not say \"%s\"", cases[i].set,
                           err.text, cases[i].says);
        json_free(tree);
    }
}

Test(edit, values_that_do_not_fit_are_refused_when_the_scenario_is_built)
{
    static const struct {
        const char *set, *says;
    } cases[] = {
        {"load.wokers=4", "$.stages[0].params.wokers"},
        {"load.workers=many", "$.stages[0].params.workers"},
        {"resources.host.kind=core", "did you mean \"cores\""},
        {"load.ops=[]", "$.stages[0].params.ops"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json *tree = tree_of(SHARED_CORES);
        struct scenario *s = NULL;
        struct err err = {0};

        cr_expect_eq(edit_set_text(tree, cases[i].set, &err), 0, "%s", err.text);
        cr_expect_eq(scenario_build(tree, "edited.json", NULL, &s, &err), ERR_SCENARIO, "%s", cases[i].set);
        cr_expect_not_null(strstr(err.text, cases[i].says), "%s: \"%s\"", cases[i].set, err.text);
        json_free(tree);
    }
}

/* ---------------------------------------------------------------------------------- optimizations */

static const char OPTIMIZED[] =
    "{\"optimizations\": [\n"
    "  {\"name\": \"a\", \"set\": {\"load.workers\": 4, \"train.workers\": 2}},\n"
    "  {\"name\": \"b\", \"touches\": [\"load\"], \"excludes\": [\"c\"], \"set\": {\"load.batch\": 128}},\n"
    "  {\"name\": \"c\", \"set\": {\"load.prefetch\": 4}},\n"
    "  {\"name\": \"d\", \"set\": {\"load.workers\": 8}},\n"
    "  {\"name\": \"e\", \"set\": {\"stages.load.params.workers\": 4}},\n"
    "  {\"name\": \"f\", \"set\": {\"load.workers\": 4}},\n"
    "  {\"name\": \"g\", \"set\": {\"stages.load.params.workers\": 8}} ]}";

Test(optimization, they_are_read_with_what_they_touch)
{
    struct json *tree = tree_of(OPTIMIZED);
    struct arena *a = arena_new();
    struct optimization *o;
    struct err err = {0};
    int n;

    cr_assert_eq(optimizations_read(tree, "t", a, &o, &n, &err), 0, "%s", err.text);
    cr_assert_eq(n, 7);
    cr_expect_eq(o[0].touches_n, 2);
    cr_expect_str_eq(o[0].touches[0], "load");
    cr_expect_str_eq(o[0].touches[1], "train");
    cr_expect_str_eq(o[1].touches[0], "load");
    cr_expect_str_eq(o[4].touches[0], "load");
    cr_expect_eq(optimization_find(o, n, "c"), &o[2]);
    cr_expect_null(optimization_find(o, n, "x"));
    arena_free(a);
    json_free(tree);
}

Test(optimization, a_resource_s_change_touches_the_stages_on_it)
{
    static const char with[] =
        "\"optimizations\": [{\"name\": \"a\", \"set\": {\"resources.disk.read_bw\": \"1GB/s\"}},"
        " {\"name\": \"b\", \"set\": {\"resources.host.count\": 4}},"
        " {\"name\": \"c\", \"set\": {\"workload.closed.in_flight\": 64}}], \"name\":";
    char *text = text_replaced(SHARED_CORES, "\"name\":", with);
    struct json *tree = tree_of(text);
    struct arena *a = arena_new();
    struct optimization *o;
    struct err err = {0};
    int n;

    cr_assert_eq(optimizations_read(tree, "t", a, &o, &n, &err), 0, "%s", err.text);
    cr_expect_eq(o[0].touches_n, 1);
    cr_expect_str_eq(o[0].touches[0], "load");
    cr_expect_eq(o[1].touches_n, 2);
    cr_expect_eq(o[2].touches_n, 2);
    arena_free(a);
    json_free(tree);
    free(text);
}

Test(optimization, what_excludes_or_contradicts_does_not_combine)
{
    static const struct {
        int a, b;
        bool fit;
    } cases[] = {{0, 1, true},  {1, 2, false}, {0, 3, false}, {0, 5, true}, {0, 2, true},
                 {3, 5, false}, {4, 5, true},  {0, 4, true},  {0, 6, false}};
    struct json *tree = tree_of(OPTIMIZED);
    struct arena *a = arena_new();
    struct optimization *o;
    struct err err = {0};
    int n;

    cr_assert_eq(optimizations_read(tree, "t", a, &o, &n, &err), 0, "%s", err.text);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct optimization *x = &o[cases[i].a], *y = &o[cases[i].b];

        cr_expect_eq(optimizations_compatible(x, y), cases[i].fit, "%s and %s", x->name, y->name);
        cr_expect_eq(optimizations_compatible(y, x), cases[i].fit, "%s and %s", y->name, x->name);
    }
    arena_free(a);
    json_free(tree);
}

Test(optimization, applying_one_sets_all_its_values_and_says_which_one_failed)
{
    struct json *tree = tree_of(SHARED_CORES), *list = tree_of(OPTIMIZED);
    struct arena *a = arena_new();
    struct optimization *o;
    struct err err = {0};
    int n;

    cr_assert_eq(optimizations_read(list, "t", a, &o, &n, &err), 0, "%s", err.text);
    cr_expect_eq(optimization_apply(tree, &o[0], &err), 0, "%s", err.text);
    cr_expect_eq(json_number(edit_get(tree, "load.workers")), 4);
    cr_expect_eq(json_number(edit_get(tree, "train.workers")), 2);
    json_free(tree);
    tree = tree_of(MMC);
    cr_expect_neq(optimization_apply(tree, &o[0], &err), 0);
    cr_expect_not_null(strstr(err.text, "optimization \"a\""), "%s", err.text);
    arena_free(a);
    json_free(tree);
    json_free(list);
}
