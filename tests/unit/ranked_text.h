/*
 * ranked_text.h - a scenario in a string, ranked; and two stages of which one decides.
 */
#ifndef TESTS_RANKED_TEXT_H
#define TESTS_RANKED_TEXT_H

#include "scenario_text.h"
#include "study/rank.h"

/* Two stages of constant times on cores of their own: 30 ms, then 40 ms, which decides. */
#define TWO_STAGES(optimizations)                                                                            \
    "{\"name\": \"two\", \"workload\": {\"closed\": {\"in_flight\": \"max\"}},"                              \
    " \"resources\": {\"p\": {\"kind\": \"cores\"}, \"q\": {\"kind\": \"cores\"}}, \"stages\": ["            \
    "{\"name\": \"a\", \"owner\": \"left\", \"model\": \"operators\", \"on\": {\"cpu\": \"p\"}, "            \
    "\"params\": {\"ops\": [{\"name\": \"x\", \"cpu\": \"30ms\"}]}},"                                        \
    "{\"name\": \"b\", \"owner\": \"right\", \"model\": \"operators\", \"on\": {\"cpu\": \"q\"}, "           \
    "\"params\": {\"ops\": [{\"name\": \"x\", \"cpu\": \"40ms\"}]}}],"                                       \
    " \"optimizations\": [" optimizations "]}"
#define A_15 "{\"name\": \"a15\", \"set\": {\"a.ops[0].cpu\": \"15ms\"}}"
#define B_20 "{\"name\": \"b20\", \"set\": {\"b.ops[0].cpu\": \"20ms\"}}"
#define B_36 "{\"name\": \"b36\", \"excludes\": [\"b20\"], \"set\": {\"b.ops[0].cpu\": \"36ms\"}}"
#define B_50 "{\"name\": \"b50\", \"set\": {\"b.ops[0].cpu\": \"50ms\"}}"

struct ranked_text {
    struct json *tree;
    struct arena *a;
    struct study st;
    struct ranking r;
};

static int ranked_try(const char *text, int threads, struct ranked_text *x, struct err *err)
{
    struct optimization *list;
    struct rank_options opt = {0};

    *x = (struct ranked_text){.a = arena_new()};
    cr_assert_eq(json_parse(text, "two.json", &x->tree, err), 0, "%s", err->text);
    x->st = (struct study){.tree = x->tree,
                           .file = "two.json",
                           .seed = 1,
                           .replications = 3,
                           .threads = threads,
                           .confidence = 0.95};
    cr_assert_eq(optimizations_read(x->tree, "two.json", x->a, &list, &x->st.n, err), 0, "%s", err->text);
    x->st.optimizations = list;
    return rank_scenario(&x->st, &opt, x->a, &x->r, err);
}

static struct ranked_text ranked(const char *text, int threads)
{
    struct ranked_text x;
    struct err err = {0};

    cr_assert_eq(ranked_try(text, threads, &x, &err), 0, "%s", err.text);
    return x;
}

static void ranked_end(struct ranked_text *x)
{
    ranking_fini(&x->r);
    arena_free(x->a);
    json_free(x->tree);
}

__attribute__((unused)) static const struct ranked *named(const struct ranked_text *x, const char *name)
{
    const struct ranked *found = NULL;

    for (int i = 0; i < x->r.n; i++)
        if (strcmp(x->r.list[i].opt->name, name) == 0)
            found = &x->r.list[i];
    cr_assert_not_null(found, "%s is not ranked", name);
    return found;
}

#endif
