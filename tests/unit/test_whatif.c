#include "study/whatif.h"

#include "pipeline/simulate.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

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

TestSuite(changes, .init = begin, .fini = end);
TestSuite(whatif, .init = begin, .fini = end);

static struct json *parse(const char *text)
{
    struct json *v = NULL;

    cr_assert_eq(json_parse(text, "test", &v, &err), 0, "%s", err.text);
    return v;
}

/* ---------------------------------------------------------------- changes */

/* "~a.b +c" */
static const char *changes_of(const char *before, const char *after)
{
    struct json *b = parse(before), *a = parse(after);
    struct change *list;
    size_t n = changes_find(b, a, arena, &list);
    char *text = arena_strdup(arena, "");

    for (size_t i = 0; i < n; i++)
        text = arena_printf(arena, "%s%s%c%s", text, i ? " " : "", list[i].mark, list[i].path);
    json_free(b);
    json_free(a);
    return text;
}

Test(changes, values_new_and_gone)
{
    cr_expect_str_eq(changes_of("{\"a\": 1, \"b\": {\"c\": \"x\", \"d\": true}}",
                                "{\"a\": 2, \"b\": {\"c\": \"x\", \"e\": null}}"),
                     "~a -b.d +b.e");
}

Test(changes, nothing)
{
    cr_expect_str_eq(changes_of("{\"a\": [1, {\"b\": null}]}", "{\"a\": [1, {\"b\": null}]}"), "");
}

Test(changes, members_of_a_list_are_known_by_their_names)
{
    cr_expect_str_eq(changes_of("{\"stages\": [{\"name\": \"x\", \"n\": 1}, {\"name\": \"y\", \"n\": 2}]}",
                                "{\"stages\": [{\"name\": \"y\", \"n\": 3}, {\"name\": \"x\", \"n\": 1}]}"),
                     "~stages.y.n");
}

Test(changes, members_without_a_name_by_their_place)
{
    cr_expect_str_eq(changes_of("{\"a\": [1, 2]}", "{\"a\": [1, 3, 4]}"), "~a[1] +a[2]");
}

Test(changes, another_type_is_another_value)
{
    cr_expect_str_eq(changes_of("{\"a\": 1}", "{\"a\": {\"b\": 1}}"), "~a");
}

/* ----------------------------------------------------------------- what if */

static const char queue[] =
    "{\"name\": \"q\", \"unit\": \"request\", \"workload\": {\"open\": {\"arrivals\": {\"exponential\": 1}}},"
    " \"resources\": {\"pool\": {\"kind\": \"servers\", \"count\": 1, \"price\": \"2usd/h\"}},"
    " \"stages\": [{\"name\": \"desk\", \"model\": \"station\", \"on\": {\"servers\": \"pool\"},"
    " \"params\": {\"service\": {\"exponential\": %s}}}]}";

struct side {
    struct json *tree;
    struct scenario *s;
    struct outcome o;
};

static struct side simulate_queue(const char *service)
{
    struct simulate_options opt = {.replications = 6, .threads = 1};
    struct side x;
    int rc;

    x.tree = parse(arena_printf(arena, queue, service));
    rc = scenario_build(x.tree, "q.json", NULL, &x.s, &err);
    cr_assert_eq(rc, 0, "%s", err.text);
    rc = simulate(x.s, &opt, arena, &x.o, &err);
    cr_assert_eq(rc, 0, "%s", err.text);
    return x;
}

static const struct whatif_figure *figure_of(const struct whatif *w, const char *name)
{
    for (size_t i = 0; i < w->figures_n; i++)
        if (strcmp(w->figures[i].def->name, name) == 0)
            return &w->figures[i];
    return NULL;
}

static void drop(struct side *x)
{
    scenario_free(x->s);
    json_free(x->tree);
}

Test(whatif, shared_luck_makes_small_differences_show)
{
    struct side before = simulate_queue("0.8"), after = simulate_queue("0.796");
    const struct whatif_figure *f;
    struct whatif w;

    whatif_compare(before.tree, after.tree, &before.o, &after.o, arena, &w);
    f = figure_of(&w, "latency_s.mean");
    cr_assert_not_null(f);
    cr_expect_eq(f->verdict, VERDICT_BETTER);
    /* M/M/1: s / (1 - s), from 4 to 3.902; the tolerance is four standard errors of the pairs, seen once */
    cr_expect_float_eq(f->delta.mean, 1 / (1 / .796 - 1) - 4, .02, "%g", f->delta.mean);
    cr_expect_lt(f->delta.hi - f->delta.lo, (f->before.hi - f->before.lo) / 3,
                 "pairs say more than the sides");
    cr_expect_eq(figure_of(&w, "cost_usd_per_h")->verdict, VERDICT_SAME);
    cr_expect_null(figure_of(&w, "makespan_s"), "a steady run has none");
    cr_expect_null(figure_of(&w, "quality"), "nobody answers questions here");
    cr_expect_eq(w.changes_n, 1);
    drop(&before);
    drop(&after);
}

Test(whatif, the_same_scenario_differs_in_nothing)
{
    struct side x = simulate_queue("0.5"), y = simulate_queue("0.5");
    struct whatif w;

    whatif_compare(x.tree, y.tree, &x.o, &y.o, arena, &w);
    cr_expect(!whatif_differs(&w));
    for (size_t i = 0; i < w.figures_n; i++)
        cr_expect(w.figures[i].delta.mean == 0 && w.figures[i].delta.lo == 0, "%s", w.figures[i].def->name);
    drop(&x);
    drop(&y);
}

Test(whatif, figures_are_those_of_the_result_document)
{
    struct side x = simulate_queue("0.5");
    struct json *doc = outcome_json(&x.o);
    struct whatif w;

    cr_assert_eq(whatif_compare_runs(doc, doc, arena, &w, &err), 0, "%s", err.text);
    for (size_t i = 0; i < w.figures_n; i++) {
        struct estimate e;

        cr_expect(figure_estimate(w.figures[i].def, &x.o, 0, &e));
        cr_expect_float_eq(w.figures[i].before.mean, e.mean, 1e-12 * fabs(e.mean), "%s",
                           w.figures[i].def->name);
    }
    cr_expect_not_null(figure_of(&w, "latency_s.p99"));
    cr_expect_not_null(figure_of(&w, "cost_usd_per_1m_units"));
    json_free(doc);
    drop(&x);
}

Test(whatif, of_stored_runs_both_widths_count)
{
    struct json *a = parse("{\"command\": \"run\", \"metrics\": {\"throughput_per_s\": "
                           "{\"mean\": 10, \"lo\": 7, \"hi\": 13, \"n\": 3}}}"),
                *b = parse("{\"command\": \"run\", \"metrics\": {\"throughput_per_s\": "
                           "{\"mean\": 14, \"lo\": 10, \"hi\": 18, \"n\": 3}}}");
    struct whatif w;

    cr_assert_eq(whatif_compare_runs(a, b, arena, &w, &err), 0);
    cr_expect_float_eq(w.figures[0].delta.lo, -1, 1e-12); /* 4 -+ 5 */
    cr_expect_float_eq(w.figures[0].delta.hi, 9, 1e-12);
    cr_expect_eq(w.figures[0].verdict, VERDICT_SAME);
    json_free(b);
    b = parse("{\"command\": \"rank\"}");
    cr_expect_eq(whatif_compare_runs(a, b, arena, &w, &err), ERR_USAGE);
    cr_expect_not_null(strstr(err.text, "rank"));
    json_free(a);
    json_free(b);
}
