/*
 * recipe_spans.c - how long things take, from spans: laws of service times, costs per item and byte.
 *
 * A group is one (stage, op, variant); spans without a duration are left out.
 * Durations are wall times: a span that waited for others includes the wait, and
 * says more about the system than about the stage.  A recording whose later part
 * differs from the earlier one has no one law, and is said to be so.
 */
#include "calibrate/cost.h"
#include "calibrate/distribution.h"
#include "calibrate/drift.h"
#include "calibrate/law_rows.h"
#include "calibrate/recipes.h"
#include "calibrate/samples.h"
#include "store/view.h"

#include <math.h>
#include <string.h>

enum { S_STAGE, S_OP, S_VARIANT, S_WALL, S_CPU, S_ITEMS, S_BYTES, S_START, S_SEQ, S_COLUMNS };
enum { FEWEST_SPANS = 20 };

struct span_group {
    const char *stage, *op, *variant;
    size_t n;
    double *wall_s, *cpu_s, *items, *bytes, *start_s;
    int64_t first, last;
};

struct span_groups {
    struct span_group *g;
    size_t n;
};

static const char *span_named(const void *row, const char *name, char *room, size_t size)
{
    const struct span_group *g = row;

    (void)room;
    (void)size;
    return strcmp(name, "stage") == 0     ? g->stage
           : strcmp(name, "op") == 0      ? g->op
           : strcmp(name, "variant") == 0 ? g->variant
                                          : NULL;
}

static struct span_group *group_of(struct span_groups *all, const struct span_group *key, const char *where,
                                   struct span_group *near)
{
    if (near != NULL && strcmp(near->stage, key->stage) == 0 && strcmp(near->op, key->op) == 0 &&
        strcmp(near->variant, key->variant) == 0)
        return near;
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->g[i].stage, key->stage) == 0 && strcmp(all->g[i].op, key->op) == 0 &&
            strcmp(all->g[i].variant, key->variant) == 0)
            return &all->g[i];
    if (!samples_match(where, span_named, key))
        return NULL;
    all->g[all->n] = *key;
    return &all->g[all->n++];
}

static void make_room(struct span_group *g, struct arena *a)
{
    g->wall_s = arena_array(a, g->n, sizeof(double));
    g->cpu_s = arena_array(a, g->n, sizeof(double));
    g->items = arena_array(a, g->n, sizeof(double));
    g->bytes = arena_array(a, g->n, sizeof(double));
    g->start_s = arena_array(a, g->n, sizeof(double));
    g->n = 0;
}

static void add_span(struct span_group *g, const struct view_column *c, size_t i)
{
    g->wall_s[g->n] = c[S_WALL].real[i];
    g->cpu_s[g->n] = c[S_CPU].real[i];
    g->items[g->n] = c[S_ITEMS].real[i];
    g->bytes[g->n] = c[S_BYTES].real[i];
    g->start_s[g->n] = c[S_START].real[i];
    g->last = (int64_t)c[S_SEQ].real[i];
    if (g->n++ == 0)
        g->first = g->last;
}

static int load_groups(struct fitting *f, int64_t trace, struct span_groups *out, struct err *err)
{
    struct view_column c[S_COLUMNS] = {{.name = "stage"},    {.name = "op"},      {.name = "variant"},
                                       {.name = "wall_s"},   {.name = "cpu_s"},   {.name = "items"},
                                       {.name = "bytes_in"}, {.name = "start_s"}, {.name = "seq"}};
    struct span_group *near = NULL, **of;
    size_t rows;

    TRY(view_load(f->store, "spans", trace, c, S_COLUMNS, f->a, &rows, err));
    of = arena_array(f->a, rows + 1, sizeof *of);
    out->g = arena_array(f->a, rows + 1, sizeof *out->g);
    out->n = 0;
    for (size_t i = 0; i < rows; i++) {
        struct span_group key = {
            .stage = c[S_STAGE].text[i], .op = c[S_OP].text[i], .variant = c[S_VARIANT].text[i]};

        if (!(c[S_WALL].real[i] > 0))
            continue;
        near = group_of(out, &key, f->where, near);
        of[i] = near;
        if (near != NULL)
            near->n++;
    }
    for (size_t k = 0; k < out->n; k++)
        make_room(&out->g[k], f->a);
    for (size_t i = 0; i < rows; i++)
        if (of[i] != NULL)
            add_span(of[i], c, i);
    return 0;
}

static const char *group_name(const struct span_group *g, struct arena *a)
{
    return strcmp(g->stage, g->op) == 0 ? g->stage : arena_printf(a, "%s.%s", g->stage, g->op);
}

static void source_of(struct fitting *f, const char *path, int64_t trace, const struct span_group *g)
{
    fitting_source(f, path,
                   &(struct rows_used){trace, "spans",
                                       arena_printf(f->a, "stage=%s,op=%s%s%s", g->stage, g->op,
                                                    g->variant[0] != '\0' ? ",variant=" : "", g->variant),
                                       g->first, g->last, (long)g->n});
}

/* One group is the stage's service; of several, each is only told. */
int recipe_service_law(struct fitting *f, const struct fit_info *info, int64_t trace_id, bool *used,
                       struct err *err)
{
    struct span_groups all;
    size_t enough = 0;

    *used = false;
    TRY(load_groups(f, trace_id, &all, err));
    for (size_t i = 0; i < all.n; i++)
        enough += all.g[i].n >= FEWEST_SPANS;
    for (size_t i = 0; i < all.n; i++) {
        const struct span_group *g = &all.g[i];
        const char *name = group_name(g, f->a);
        const char *path = enough == 1 ? fitting_path(f, info->param)
                                       : arena_printf(f->a, "fits.%s.%s.%s", f->target, info->param, name);

        if (g->n < FEWEST_SPANS) {
            fitting_remark(f, "note", "%s: %zu spans; at least %d make a law", name, g->n, FEWEST_SPANS);
            continue;
        }
        TRY(law_rows(f, path, info->param, enough == 1, g->wall_s, g->n, INFINITY, "s", err));
        drift_check(f, name, g->start_s, g->wall_s, g->n);
        source_of(f, path, trace_id, g);
        *used = true;
    }
    return 0;
}

static bool counted(const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(v[i] >= 0))
            return false;
    return true;
}

static void cost_rows(struct fitting *f, const char *path, const struct cost_fit *c, bool items, bool bytes)
{
    const struct {
        const char *name;
        double value, stderr_;
        bool there;
    } term[] = {{"fixed", c->cost.fixed_s, c->fixed_stderr, true},
                {"per_item", c->cost.per_item_s, c->per_item_stderr, items},
                {"per_byte", c->cost.per_byte_s, c->per_byte_stderr, bytes},
                {"cv", c->cost.cv, c->cost.cv / sqrt(2.0 * (double)c->n), true}};

    for (size_t k = 0; k < sizeof term / sizeof *term; k++)
        if (term[k].there)
            fitting_row(f, &(struct calibration_row){.path = arena_printf(f->a, "%s.%s", path, term[k].name),
                                                     .value = term[k].value,
                                                     .stderr_ = term[k].stderr_,
                                                     .unit = k == 3 ? "" : "s",
                                                     .n = c->n,
                                                     .method = "robust regression",
                                                     .r2 = c->r2,
                                                     .holdout_error_frac = c->holdout_error_frac,
                                                     .valid_from = c->from,
                                                     .valid_to = c->to,
                                                     .valid_of = items ? "items" : "bytes"});
}

/* A model whose costs have an operator of that name takes it; else it is told under fits. */
static const char *cost_path(struct fitting *f, const struct fit_info *info, const struct span_group *g)
{
    const struct model *m = model_find(f->target);

    for (const struct op_info *o = m != NULL ? m->ops : NULL; o != NULL && o->name != NULL; o++)
        if (strcmp(o->name, g->op) == 0)
            return fitting_path(f, arena_printf(f->a, "%s.%s", info->param, g->op));
    return arena_printf(f->a, "fits.%s.%s.%s", f->target, info->param, group_name(g, f->a));
}

int recipe_item_cost(struct fitting *f, const struct fit_info *info, int64_t trace_id, bool *used,
                     struct err *err)
{
    struct span_groups all;

    *used = false;
    TRY(load_groups(f, trace_id, &all, err));
    for (size_t i = 0; i < all.n; i++) {
        const struct span_group *g = &all.g[i];
        bool items = counted(g->items, g->n), bytes = counted(g->bytes, g->n), cpu = counted(g->cpu_s, g->n);
        const char *path = cost_path(f, info, g);
        struct observation *o;
        struct cost_fit c;
        size_t n = 0;

        if (g->n < FEWEST_SPANS || (!items && !bytes))
            continue;
        o = arena_array(f->a, g->n, sizeof *o);
        for (size_t k = 0; k < g->n; k++) {
            double s = cpu ? g->cpu_s[k] : g->wall_s[k];

            if (s > 0)
                o[n++] = (struct observation){s, items ? g->items[k] : 0, bytes ? g->bytes[k] : 0};
        }
        if (n < FEWEST_SPANS)
            continue;
        if (fit_cost(o, n, items, bytes, &c, err) != 0)
            return err_at(err, "operator %s", group_name(g, f->a));
        cost_rows(f, path, &c, items, bytes);
        drift_check(f, group_name(g, f->a), g->start_s, g->wall_s, g->n);
        source_of(f, path, trace_id, g);
        *used = true;
    }
    return 0;
}
