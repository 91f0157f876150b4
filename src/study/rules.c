#include "study/rules/rules_parts.h"

#include "pipeline/edit.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------- what rules call */

struct rewrite *rewrite_new(struct rules_work *w, const char *rule, const char *variant,
                            const struct stage *st, const char *about, const char *why)
{
    struct rewrite *r;

    if (w->n == w->room) {
        struct rewrite *more = arena_array(w->a, 2 * (size_t)w->room + 8, sizeof *more);

        if (w->n > 0)
            memcpy(more, w->list, (size_t)w->n * sizeof *more);
        w->list = more;
        w->room = 2 * w->room + 8;
    }
    r = &w->list[w->n++];
    *r = (struct rewrite){.rule = rule,
                          .name = arena_printf(w->a, "%s.%s", st->name, variant != NULL ? variant : rule),
                          .on = arena_strdup(w->a, st->name),
                          .about = about,
                          .why = why,
                          .legal = true,
                          .set = json_new_object(),
                          .touches = arena_array(w->a, (size_t)w->s->stages_n + 1, sizeof *r->touches)};
    rewrite_touches(w, r, st->name);
    return r;
}

void rewrite_set(struct rules_work *w, struct rewrite *r, const char *path, struct json *value)
{
    (void)w;
    json_set(r->set, path, value);
}

void rewrite_set_own(struct rules_work *w, struct rewrite *r, const char *key, struct json *value)
{
    rewrite_set(w, r, arena_printf(w->a, "%s.%s", r->on, key), value);
}

void rewrite_touches(struct rules_work *w, struct rewrite *r, const char *stage)
{
    for (int i = 0; i < r->touches_n; i++)
        if (strcmp(r->touches[i], stage) == 0)
            return;
    r->touches[r->touches_n++] = arena_strdup(w->a, stage);
}

/* Not legal after all. */
static void drop(struct rewrite *r, const char *why)
{
    json_free(r->set);
    r->set = NULL;
    r->legal = false;
    r->why = why;
}

void rewrite_refuse(struct rules_work *w, const char *rule, const struct stage *st, const char *why)
{
    drop(rewrite_new(w, rule, NULL, st, "", why), why);
}

bool stage_is(const struct stage *st, const char *model)
{
    return strcmp(st->model->name, model) == 0;
}

static const void *field(const struct stage *st, const char *key, enum param_type type)
{
    const struct param *p = param_find(st->model->params, key);

    ASSERT(p != NULL && p->type == type);
    return (const char *)st->cfg + p->offset;
}

bool stage_bool(const struct stage *st, const char *key)
{
    return *(const bool *)field(st, key, PARAM_BOOL);
}

long stage_int(const struct stage *st, const char *key)
{
    return *(const long *)field(st, key, PARAM_INT);
}

double stage_real(const struct stage *st, const char *key)
{
    return *(const double *)field(st, key, PARAM_REAL);
}

const char *stage_choice(const struct stage *st, const char *key)
{
    return param_find(st->model->params, key)->choices[*(const int *)field(st, key, PARAM_CHOICE)];
}

bool cost_is_known(const struct cost *c)
{
    return c->fixed_s + c->per_item_s + c->per_byte_s > 0;
}

const struct dataset_cfg *stage_data(const struct rules_work *w, const struct stage *st)
{
    return st->pipeline >= 0 ? w->s->pipelines[st->pipeline].workload.data : NULL;
}

const struct stage *stage_behind(const struct rules_work *w, const struct stage *st, const char *model)
{
    const struct stage *end = w->s->stages + w->s->stages_n;

    for (const struct stage *at = st + 1; at < end && at->pipeline == st->pipeline; at++)
        if (stage_is(at, model))
            return at;
    return NULL;
}

/* ------------------------------------------------ what must build and hold */

/* Whether the parameter reads differently now: presets and calibrations stand above the file. */
static bool takes_hold(const struct scenario *before, const struct scenario *after, const char *path)
{
    const char *key = strchr(path, '.');
    char *name = xstrdup(path), old[200], new[200];
    const struct stage *a, *b;
    const struct param *p;
    bool holds = true;

    name[strcspn(name, ".")] = '\0';
    a = scenario_stage(before, name);
    b = scenario_stage(after, name);
    free(name);
    if (a == NULL || b == NULL || key == NULL)
        return true; /* of a resource */
    p = param_find(a->model->params, key + 1);
    if (p != NULL && p->type != PARAM_JSON)
        holds = strcmp(param_show(p, a->cfg, old, sizeof old), param_show(p, b->cfg, new, sizeof new)) != 0;
    return holds;
}

static void check_one(struct rules_work *w, struct rewrite *r)
{
    struct json *tree = json_copy(w->tree);
    struct scenario *with = NULL;
    struct err err = {0};
    bool holds = false;
    int rc = 0;

    JSON_EACH (v, r->set)
        if (rc == 0)
            rc = edit_set(tree, json_key(v), json_copy(v), &err);
    if (rc == 0)
        rc = scenario_build(tree, w->file, &w->opt, &with, &err);
    JSON_EACH (v, r->set)
        holds = holds || (rc == 0 && takes_hold(w->s, with, json_key(v)));
    if (rc != 0)
        drop(r, arena_strdup(w->a, err.text));
    else if (!holds)
        drop(r, "a preset or calibration stands above what it would set");
    scenario_free(with);
    json_free(tree);
}

static void legal_first(struct rules_work *w, struct rules_found *out)
{
    out->list = arena_array(w->a, (size_t)w->n + 1, sizeof *out->list);
    for (int legal = 1; legal >= 0; legal--) {
        for (int i = 0; i < w->n; i++)
            if (w->list[i].legal == (legal == 1))
                out->list[out->n++] = w->list[i];
        if (legal == 1)
            out->legal = out->n;
    }
}

int rules_find(const struct json *tree, const char *file, const struct resolver *resolver, struct arena *a,
               struct rules_found *out, struct err *err)
{
    rule_fn *const *const sets[] = {rules_of_graphs, rules_of_tables, rules_of_training, rules_of_serving};
    struct rules_work w = {.tree = tree, .file = file, .opt = {.resolver = resolver}, .a = a};
    struct scenario *s;

    *out = (struct rules_found){0};
    TRY(scenario_build(tree, file, &w.opt, &s, err));
    w.s = s;
    bound_compute(s, s->arena, &w.bound);
    for (size_t k = 0; k < sizeof sets / sizeof *sets; k++)
        for (rule_fn *const *rule = sets[k]; *rule != NULL; rule++)
            for (int i = 0; i < s->stages_n; i++)
                (*rule)(&w, &s->stages[i]);
    rules_of_resources(&w);
    for (int i = 0; i < w.n; i++)
        if (w.list[i].legal)
            check_one(&w, &w.list[i]);
    legal_first(&w, out);
    scenario_free(s);
    return 0;
}

void rules_free(struct rules_found *r)
{
    for (int i = 0; i < r->n; i++)
        json_free(r->list[i].set);
    *r = (struct rules_found){0};
}
