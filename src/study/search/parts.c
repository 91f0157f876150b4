#include "study/search/parts.h"

#include <stdlib.h>
#include <string.h>

enum { PARTS_MAX = 63, BUILDS_MAX = 4096 };

/* One way to edit one part. */
struct build {
    struct candidate key; /* the base with only those edits that matter to the part */
    struct scenario *s;   /* NULL: not legal */
    bool is_in_order;     /* stages and resources stand as in the base */
    struct err why;
};

struct table {
    struct build **slot; /* open addressing; cap is a power of two */
    size_t n, cap;
};

struct parts {
    const struct space *sp;
    struct candidate base;
    bool is_whole; /* "auto" stands somewhere */
    int n;         /* parts; the last one holds nothing, and its key is the edits that concern all */
    int *of_stage, *of_resource;
    opt_set opts[PARTS_MAX + 1];   /* optimizations that edit a part */
    uint64_t knobs[PARTS_MAX + 1]; /* knobs that do */
    struct table builds;
    struct scenario put_together;
    struct stage *stages;
    struct resource *resources;
    size_t built;
};

/* -------------------------------------------------------- what is bound */

static int root(int *up, int i)
{
    while (up[i] != i)
        i = up[i] = up[up[i]];
    return i;
}

/* Stages and resources that "on" binds are one part. */
static void find_parts(struct parts *p)
{
    const struct scenario *s = p->sp->base;
    int stages = s->stages_n, all = stages + s->resources_n;
    int *up = xcalloc((size_t)all, sizeof *up), *number = xcalloc((size_t)all, sizeof *number);

    for (int i = 0; i < all; i++)
        up[i] = i;
    for (int i = 0; i < stages; i++)
        for (enum role r = 0; r < ROLES; r++)
            if (s->stages[i].on[r] >= 0)
                up[root(up, i)] = root(up, stages + s->stages[i].on[r]);
    for (int i = 0; i < all; i++)
        if (root(up, i) == i)
            number[i] = p->n++;
    for (int i = 0; i < all; i++)
        *(i < stages ? &p->of_stage[i] : &p->of_resource[i - stages]) = number[root(up, i)];
    free(up);
    free(number);
}

/* ----------------------------------------------------- who edits what */

/* The part that a path changes; -1: more than one. */
static int part_of(const struct parts *p, const char *path)
{
    const struct scenario *s = p->sp->base;
    char name[EDIT_NAME];
    enum edit_target target = edit_target(path, name);

    for (int i = 0; target == EDIT_STAGE && i < s->stages_n; i++)
        if (strcmp(s->stages[i].name, name) == 0)
            return p->of_stage[i];
    for (int i = 0; target == EDIT_RESOURCE && i < s->resources_n; i++)
        if (strcmp(s->resources[i].name, name) == 0)
            return p->of_resource[i];
    return -1;
}

static void mark(struct parts *p, const char *path, opt_set opt, uint64_t knob)
{
    int part = part_of(p, path);

    for (int i = 0; i <= p->n; i++)
        if (part < 0 || part == i) {
            p->opts[i] |= opt;
            p->knobs[i] |= knob;
        }
}

static void find_edits(struct parts *p)
{
    const struct space *sp = p->sp;

    for (int i = 0; i < sp->st->n; i++)
        JSON_EACH (e, sp->st->optimizations[i].edits)
            mark(p, json_key(e), (opt_set)1 << i, 0);
    for (int i = 0; i < sp->knobs_n; i++)
        for (int k = 0; k < sp->knobs[i].paths_n; k++)
            mark(p, sp->knobs[i].paths[k], 0, (uint64_t)1 << i);
}

/* Whether "auto" may stand in a tree: in what the scenario has, or in what is set. */
static bool has_auto(const struct json *v)
{
    if (json_string(v) != NULL)
        return strcmp(json_string(v), "auto") == 0;
    JSON_EACH (c, v)
        if (has_auto(c))
            return true;
    return false;
}

static bool any_auto(const struct space *sp)
{
    bool found = has_auto(sp->tree);

    for (int i = 0; i < sp->st->n; i++)
        found = found || has_auto(sp->st->optimizations[i].edits);
    for (int i = 0; i < sp->knobs_n; i++)
        for (int k = 0; sp->knobs[i].kind == KNOB_GIVEN && k < sp->knobs[i].n; k++)
            found = found || has_auto(sp->knobs[i].given[k]);
    return found;
}

struct parts *parts_new(const struct space *sp)
{
    struct parts *p = xcalloc(1, sizeof *p);
    const struct scenario *s = sp->base;

    p->sp = sp;
    p->base = space_base(sp);
    p->of_stage = xcalloc((size_t)s->stages_n, sizeof *p->of_stage);
    p->of_resource = xcalloc((size_t)s->resources_n, sizeof *p->of_resource);
    p->stages = xcalloc((size_t)s->stages_n, sizeof *p->stages);
    p->resources = xcalloc((size_t)s->resources_n, sizeof *p->resources);
    find_parts(p);
    p->is_whole = p->n > PARTS_MAX || any_auto(sp);
    if (!p->is_whole)
        find_edits(p);
    return p;
}

/* -------------------------------------------------------------- builds */

static void forget_builds(struct table *t)
{
    for (size_t i = 0; i < t->cap; i++)
        if (t->slot[i] != NULL) {
            scenario_free(t->slot[i]->s);
            free(t->slot[i]);
        }
    free(t->slot);
    *t = (struct table){0};
}

void parts_free(struct parts *p)
{
    if (p == NULL)
        return;
    forget_builds(&p->builds);
    free(p->of_stage);
    free(p->of_resource);
    free(p->stages);
    free(p->resources);
    free(p);
}

static size_t place_of(const struct table *t, const struct candidate *key)
{
    size_t i = candidate_hash(key) & (t->cap - 1);

    while (t->slot[i] != NULL && memcmp(&t->slot[i]->key, key, sizeof *key) != 0)
        i = (i + 1) & (t->cap - 1);
    return i;
}

static void make_room(struct table *t)
{
    struct table grown = {.n = t->n, .cap = t->cap > 0 ? 2 * t->cap : 256};

    if (2 * t->n < t->cap)
        return;
    grown.slot = xcalloc(grown.cap, sizeof *grown.slot);
    for (size_t i = 0; i < t->cap; i++)
        if (t->slot[i] != NULL)
            grown.slot[place_of(&grown, &t->slot[i]->key)] = t->slot[i];
    free(t->slot);
    *t = grown;
}

static bool is_in_order(const struct scenario *s, const struct scenario *base)
{
    bool same = s->stages_n == base->stages_n && s->resources_n == base->resources_n;

    for (int i = 0; same && i < s->stages_n; i++)
        same = strcmp(s->stages[i].name, base->stages[i].name) == 0;
    for (int i = 0; same && i < s->resources_n; i++)
        same = strcmp(s->resources[i].name, base->resources[i].name) == 0;
    return same;
}

static struct build *find_build(struct parts *p, const struct candidate *key)
{
    struct build **at, *b;

    make_room(&p->builds);
    at = &p->builds.slot[place_of(&p->builds, key)];
    if (*at != NULL)
        return *at;
    b = *at = xcalloc(1, sizeof *b);
    b->key = *key;
    p->builds.n++;
    p->built++;
    if (space_build(p->sp, key, &b->s, &b->why) != 0)
        b->s = NULL;
    b->is_in_order = b->s != NULL && is_in_order(b->s, p->sp->base);
    return b;
}

/* The candidate without the edits that do not matter to a part. */
static struct candidate key_of(const struct parts *p, const struct candidate *c, int part)
{
    struct candidate key = p->base;

    key.set = c->set & p->opts[part];
    for (int i = 0; i < p->sp->knobs_n; i++)
        if (p->knobs[part] >> i & 1)
            key.level[i] = c->level[i];
    return key;
}

/* ------------------------------------------------------------- putting together */

static void take(struct parts *p, const struct scenario *from, int part)
{
    for (int i = 0; i < p->put_together.stages_n; i++)
        if (p->of_stage[i] == part)
            p->stages[i] = from->stages[i];
    for (int i = 0; i < p->put_together.resources_n; i++)
        if (p->of_resource[i] == part)
            p->resources[i] = from->resources[i];
}

static const struct scenario *whole(struct parts *p, const struct candidate *c, struct err *err)
{
    struct build *b;

    if (p->builds.n >= BUILDS_MAX)
        forget_builds(&p->builds);
    b = find_build(p, c);
    if (b->s == NULL)
        *err = b->why;
    return b->s;
}

const struct scenario *parts_scenario(struct parts *p, const struct candidate *c, struct err *err)
{
    if (p->is_whole)
        return whole(p, c, err);
    if (p->builds.n + (size_t)p->n >= BUILDS_MAX)
        forget_builds(&p->builds);
    for (int i = p->n; i >= 0; i--) {
        struct candidate key = key_of(p, c, i);
        const struct build *b = find_build(p, &key);

        if (b->s == NULL) {
            *err = b->why;
            return NULL;
        }
        if (!b->is_in_order)
            return whole(p, c, err);
        if (i == p->n) {
            p->put_together = *b->s;
            p->put_together.stages = p->stages;
            p->put_together.resources = p->resources;
        } else {
            take(p, b->s, i);
        }
    }
    return &p->put_together;
}

size_t parts_built(const struct parts *p)
{
    return p->built;
}
