#include "study/validate_parts.h"

#include <string.h>

static opt_set one(int i)
{
    return (opt_set)1 << i;
}

/* ------------------------------------------------------------------ what can be turned */

static void leave_out(struct validating *v, const char *name, const char *why)
{
    v->out->left_out[v->out->left_out_n++] = (struct validate_left_out){name, why};
}

/* NULL: all it edits is executed. */
static const char *edit_without_twin(const struct validating *v, const struct optimization *o)
{
    const struct exec_path *path = exec_path_of(v->base);

    JSON_EACH (e, o->edits)
        if (!exec_path_reads(path, v->base, json_key(e)))
            return json_key(e);
    return NULL;
}

static void add_optimization(struct validating *v, struct optimization *list, const struct optimization *o)
{
    const char *edit = edit_without_twin(v, o);

    if (edit != NULL)
        leave_out(v, o->name, arena_printf(v->a, "%s is nothing that the executor reads", edit));
    else if (v->st.n == OPTS_MAX)
        leave_out(v, o->name, "there are too many");
    else
        list[v->st.n++] = *o;
}

/* The stages that a knob's paths belong to. */
static void knob_touches(struct validating *v, const struct knob *k, struct optimization *o)
{
    o->touches = arena_array(v->a, (size_t)v->base->stages_n, sizeof *o->touches);
    for (int i = 0; i < v->base->stages_n; i++)
        for (int p = 0; p < k->paths_n; p++) {
            const char *path = strncmp(k->paths[p], "stages.", 7) == 0 ? k->paths[p] + 7 : k->paths[p];
            size_t n = strcspn(path, ".");

            if (strlen(v->base->stages[i].name) != n || strncmp(v->base->stages[i].name, path, n) != 0)
                continue;
            o->touches[o->touches_n++] = v->base->stages[i].name;
            break;
        }
}

/* A knob at a level, as an optimization: sets of two levels of one knob are illegal by themselves. */
static void add_level(struct validating *v, struct optimization *list, const struct knob *k, int level)
{
    struct optimization o = {.about = k->about};
    struct json *set = json_push(v->edits, json_new_object());
    char shown[80];

    for (int p = 0; p < k->paths_n; p++)
        json_set(set, k->paths[p], knob_value(k, level));
    o.name = arena_printf(v->a, "%s=%s", k->name, knob_show(k, level, shown, sizeof shown));
    o.edits = set;
    knob_touches(v, k, &o);
    add_optimization(v, list, &o);
}

/* The neighbours of where the scenario stands; of a choice every other value. */
static void add_knob(struct validating *v, struct optimization *list, const struct knob *k)
{
    for (int level = 0; level < k->n; level++) {
        bool near = k->now < 0 ? level == 0 || level == k->n - 1 : level == k->now - 1 || level == k->now + 1;

        if (level != k->now && (near || k->kind == KNOB_CHOICE || k->kind == KNOB_SWITCH))
            add_level(v, list, k, level);
    }
}

static int find_switches(struct validating *v, struct err *err)
{
    const struct study *given = &v->st;
    struct optimization *list, *own;
    struct knob *knobs;
    int knobs_n, levels = 0, n = given->n;

    TRY(knobs_read(given->tree, given->file, v->a, &knobs, &knobs_n, err));
    for (int i = 0; i < knobs_n; i++)
        levels += knobs[i].n;
    list = arena_array(v->a, (size_t)(n + levels) + 1, sizeof *list);
    v->out->left_out = arena_array(v->a, (size_t)(n + levels) + 1, sizeof *v->out->left_out);
    own = arena_array(v->a, (size_t)n + 1, sizeof *own);
    if (n > 0)
        memcpy(own, given->optimizations, (size_t)n * sizeof *own);
    v->st.optimizations = list;
    v->st.n = 0;
    for (int i = 0; i < n; i++)
        add_optimization(v, list, &own[i]);
    for (int i = 0; i < knobs_n; i++)
        add_knob(v, list, &knobs[i]);
    return 0;
}

/* -------------------------------------------------------------------------- the variants */

static const char *set_name(const struct study *st, opt_set set, struct arena *a)
{
    const char *name = set == 0 ? "baseline" : "";

    for (int i = 0; i < st->n; i++)
        if (set >> i & 1)
            name = arena_printf(a, "%s%s%s", name, name[0] ? " & " : "", st->optimizations[i].name);
    return name;
}

static void add_variant(struct validating *v, opt_set set)
{
    struct validation *out = v->out;

    if (out->n >= v->opt->variants || !set_is_legal(&v->st, set))
        return;
    for (int i = 0; i < out->n; i++)
        if (out->variants[i].set == set)
            return;
    out->variants[out->n++] = (struct validate_variant){.set = set, .name = set_name(&v->st, set, v->a)};
}

/* The baseline, singles, the largest set that fits in declared order, then pairs. */
int validate_design(struct validating *v, struct err *err)
{
    opt_set all = 0;
    int n;

    TRY(find_switches(v, err));
    n = v->st.n;
    v->out->variants = arena_array(v->a, (size_t)v->opt->variants + 1, sizeof *v->out->variants);
    add_variant(v, 0);
    for (int i = 0; i < n; i++)
        add_variant(v, one(i));
    for (int i = 0; i < n; i++)
        if (set_is_legal(&v->st, all | one(i)))
            all |= one(i);
    add_variant(v, all);
    for (int step = 1; step < n; step++)
        for (int i = 0; i + step < n; i++)
            add_variant(v, one(i) | one(i + step));
    return 0;
}
