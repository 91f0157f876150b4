#include "study/plan_parts.h"

#include "pipeline/edit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMBINATIONS = 1000, MOST_SERVERS = 1 << 16 };

static const double GROWS = 10;     /* times the traffic that the default ranges must have room for */
static const double THINNED = 1.15; /* between values, where there would be too many */

/* ------------------------------------------------------ from the command line */

static int not_a_knob(const char *text, struct err *err)
{
    return err_set(
        err, ERR_USAGE,
        "--knob %s: write PATH=LO..HI (whole numbers, 1,000 at most) or PATH=VALUE,VALUE,.., as in "
        "resources.pool.count=1..16",
        text);
}

static bool read_range(const char *text, long *lo, long *hi)
{
    char *end;

    *lo = strtol(text, &end, 10);
    if (end == text || strncmp(end, "..", 2) != 0)
        return false;
    text = end + 2;
    *hi = strtol(text, &end, 10);
    return end != text && *end == '\0' && *hi >= *lo && *hi - *lo < KNOB_VALUES_MAX;
}

/* One value as --set reads it: JSON, or else text. */
static struct json *value_of(const char *text)
{
    struct json *v = NULL;
    struct err none = {0};

    return json_parse(text, "value", &v, &none) == 0 ? v : json_new_string(text);
}

static void add_knob(struct json *list, const char *path, struct json *values)
{
    struct json *o = json_push(list, json_new_object());

    json_set_string(o, "name", path);
    json_set_string(o, "path", path);
    json_set(o, "values", values);
}

static struct json *whole_numbers(long lo, long hi, double thinned)
{
    struct json *values = json_new_array();

    for (long v = lo; v <= hi; v = thinned > 1 ? (long)fmax((double)v + 1, (double)v * thinned) : v + 1)
        json_push(values, json_new_number((double)v));
    return values;
}

static int given_knob(struct planner *p, const char *text, struct json *list, struct err *err)
{
    const char *equals = strchr(text, '=');
    char *path, *values, *one, *rest;
    struct json *v;
    long lo, hi;

    if (equals == NULL || equals == text || equals[1] == '\0')
        return not_a_knob(text, err);
    path = arena_printf(p->a, "%.*s", (int)(equals - text), text);
    if (read_range(equals + 1, &lo, &hi)) {
        add_knob(list, path, whole_numbers(lo, hi, 1));
        return 0;
    }
    if (strstr(equals, "..") != NULL)
        return not_a_knob(text, err);
    v = json_new_array();
    values = arena_strdup(p->a, equals + 1);
    for (one = strtok_r(values, ",", &rest); one != NULL; one = strtok_r(NULL, ",", &rest))
        json_push(v, value_of(one));
    add_knob(list, path, v);
    return 0;
}

/* ------------------------------------------------------- counts of resources */

static bool is_countable(const struct resource *r)
{
    return r->kind != RESOURCE_DISK && r->kind != RESOURCE_LINK && r->billing != BILLING_OWNED;
}

/* Whether so many of one resource, with plenty of all others, are not ruled out at GROWS times the traffic.
 */
static int suffices(struct planner *p, const struct scenario *s, int resource, long count, bool *enough,
                    struct err *err)
{
    struct tester t = p->out->tester;
    struct json *tree = json_copy(p->out->tree);
    struct trial trial;
    int rc = 0;

    for (int i = 0; rc == 0 && i < s->resources_n; i++)
        if (is_countable(&s->resources[i]))
            rc = edit_set(
                tree, arena_printf(p->a, "resources.%s.count", s->resources[i].name),
                json_new_number(i == resource ? (double)count : 64.0 * (double)s->resources[i].count), err);
    t.bound_only = true;
    if (rc == 0)
        rc = trial_run(&t, tree, GROWS * p->out->base_factor, p->a, &trial, err);
    *enough = rc == 0 && trial.verdict != TRIAL_FAILS;
    json_free(tree);
    return rc;
}

/* Half as many again as the bound asks for at GROWS times the traffic, and a few. */
static int most_needed(struct planner *p, const struct scenario *s, int resource, long *most, struct err *err)
{
    long now = s->resources[resource].count, count = 1;
    bool enough = false;

    *most = 4 * now;
    for (; !enough && count < MOST_SERVERS; count *= 2) {
        TRY(suffices(p, s, resource, count, &enough, err));
        if (enough)
            *most = (long)fmax((double)(2 * now), 1.5 * (double)count + 4);
    }
    return 0;
}

static int default_knobs(struct planner *p, struct json *list, struct err *err)
{
    struct scenario_options so = {.resolver = p->st->resolver};
    struct scenario *s;
    double combinations = 1;
    long *most;
    int rc = 0, n = 0;

    TRY(scenario_build(p->out->tree, p->st->file, &so, &s, err));
    most = arena_array(p->a, (size_t)s->resources_n + 1, sizeof *most);
    for (int i = 0; rc == 0 && i < s->resources_n && n < KNOBS_MAX; i++)
        if (is_countable(&s->resources[i])) {
            rc = most_needed(p, s, i, &most[i], err);
            combinations *= (double)most[i];
            n++;
        }
    for (int i = 0; rc == 0 && i < s->resources_n; i++)
        if (most[i] > 0)
            add_knob(list, arena_printf(p->a, "resources.%s.count", s->resources[i].name),
                     whole_numbers(1, most[i], n > 1 && combinations > COMBINATIONS * 64 ? THINNED : 1));
    if (rc == 0 && n == 0)
        rc = err_set(err, ERR_USAGE,
                     "%s: nothing to buy: no resource here has a count that is paid for; say what may change "
                     "with --knob PATH=LO..HI",
                     p->st->file);
    scenario_free(s);
    return rc;
}

/* ------------------------------------------------------------ what follows a knob */

static const char *last_name(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot != NULL ? dot + 1 : path;
}

static bool ends_in(const struct knob *k, const char *const *names)
{
    for (; *names != NULL; names++)
        for (int i = 0; i < k->paths_n; i++)
            if (strcmp(last_name(k->paths[i]), *names) == 0)
                return true;
    return false;
}

static bool sets_param(const struct knob *k, const char *stage, const char *param)
{
    char path[200];

    snprintf(path, sizeof path, "%s.%s", stage, param);
    return knob_sets(k, path);
}

static bool sets_count(const struct knob *k, const char *resource)
{
    char count[200];

    snprintf(count, sizeof count, "resources.%s.count", resource);
    return knob_sets(k, count);
}

/* Whichever of the two is a knob, if only one of them is. */
static void tie(struct planner *p, struct plan_space *space, const struct stage *st, const struct resource *r,
                double replicas)
{
    struct plan_knob *engines = NULL, *gpus = NULL;

    for (int k = 0; k < space->n; k++) {
        if (sets_param(space->knobs[k].knob, st->name, "replicas"))
            engines = &space->knobs[k];
        if (sets_count(space->knobs[k].knob, r->name))
            gpus = &space->knobs[k];
    }
    if (engines != NULL && gpus == NULL)
        engines->tie = (struct plan_tie){arena_printf(p->a, "resources.%s.count", r->name),
                                         (double)r->count / replicas, true};
    if (gpus != NULL && engines == NULL)
        gpus->tie = (struct plan_tie){arena_printf(p->a, "%s.replicas", st->name),
                                      replicas / (double)r->count, false};
}

/* Engines that are told how many they are, on accelerators that are told how many they are. */
static void tie_replicas(struct planner *p, const struct scenario *s, struct plan_space *space)
{
    for (int i = 0; i < s->stages_n; i++) {
        const struct stage *st = &s->stages[i];
        const struct param *param = param_find(st->model->params, "replicas");
        const struct resource *r = st->on[ROLE_GPU] >= 0 ? &s->resources[st->on[ROLE_GPU]] : NULL;
        char text[40];
        double replicas;

        if (param == NULL || r == NULL || r->kind != RESOURCE_GPUS)
            continue;
        replicas = strtod(param_show(param, st->cfg, text, sizeof text), NULL);
        if (replicas > 0)
            tie(p, space, st, r, replicas);
    }
}

double plan_number(const struct plan_knob *k, int level)
{
    return knob_number(k->knob, level);
}

static bool rises(const struct plan_knob *k)
{
    for (int i = 1; i < k->knob->n; i++)
        if (!(plan_number(k, i) > plan_number(k, i - 1)))
            return false;
    return isfinite(plan_number(k, 0));
}

double plan_size(const struct plan_space *s, const struct plan_setting *at)
{
    double sum = 0;

    for (int k = 0; k < s->n; k++)
        if (s->knobs[k].is_size)
            sum += plan_number(&s->knobs[k], at->at[k]);
    return sum;
}

/* The knob that counts whose next one costs most; without prices the first. */
static int choose_line(struct planner *p, struct err *err)
{
    struct plan_space *s = &p->out->space;
    struct tester t = p->out->tester;
    double dearest = -1;
    int line = -1;

    t.bound_only = true;
    for (int k = 0; k < s->n; k++) {
        double cost[2] = {0, 0}, each;

        for (int i = 0; s->knobs[k].counts && i < 2 && i < s->knobs[k].knob->n; i++) {
            struct plan_setting at = {{0}};
            struct json *tree;
            struct trial trial;
            int rc;

            at.at[k] = i * (s->knobs[k].knob->n - 1);
            TRY(plan_tree(s, &at, &tree, err));
            rc = trial_run(&t, tree, p->out->base_factor, p->a, &trial, err);
            json_free(tree);
            TRY(rc);
            cost[i] = trial.cost_usd_per_h;
        }
        each = (cost[1] - cost[0]) / fmax(1, s->knobs[k].knob->n - 1);
        if (s->knobs[k].counts && each > dearest) {
            dearest = each;
            line = k;
        }
    }
    s->line = line;
    return 0;
}

int plan_space_find(struct planner *p, struct err *err)
{
    static const char *const counting[] = {"count", "replicas", NULL}, *const sizes[] = {
                                                                           "count",     "replicas", "workers",
                                                                           "executors", "shards",   NULL};
    struct plan_space *s = &p->out->space;
    struct scenario_options so = {.resolver = p->st->resolver};
    const struct json *own = json_get(p->out->tree, "knobs");
    struct json *list = json_new_array();
    struct scenario *built = NULL;
    struct knob *knobs;
    int rc = 0;

    s->tree = p->out->tree;
    for (int i = 0; rc == 0 && i < p->opt->knobs_n; i++)
        rc = given_knob(p, p->opt->knobs[i], list, err);
    s->why = p->opt->knobs_n > 0 ? "as --knob says"
             : own != NULL && json_size(own) > 0
                 ? "the scenario's"
                 : "the scenario has none: how many there are of all that is paid for";
    if (rc == 0 && p->opt->knobs_n == 0 && (own == NULL || json_size(own) == 0))
        rc = default_knobs(p, list, err);
    if (rc == 0 && json_size(list) > 0)
        json_set(p->out->tree, "knobs", list);
    else
        json_free(list);
    TRY(rc);
    TRY(knobs_read(p->out->tree, p->st->file, p->a, &knobs, &s->n, err));
    s->knobs = arena_array(p->a, (size_t)s->n + 1, sizeof *s->knobs);
    for (int k = 0; k < s->n; k++) {
        s->knobs[k] = (struct plan_knob){.knob = &knobs[k], .is_size = ends_in(&knobs[k], sizes)};
        s->knobs[k].is_size = s->knobs[k].is_size && rises(&s->knobs[k]);
        s->knobs[k].counts = s->knobs[k].is_size && ends_in(&knobs[k], counting);
    }
    TRY(scenario_build(p->out->tree, p->st->file, &so, &built, err));
    tie_replicas(p, built, s);
    scenario_free(built);
    return choose_line(p, err);
}

/* ----------------------------------------------------------------- settings */

static double tied(const struct plan_tie *tie, double value)
{
    return fmax(1, tie->rounds_up ? ceil(value * tie->per - 1e-9) : floor(value * tie->per + 1e-9));
}

struct json *plan_set_json(const struct plan_space *space, const struct plan_setting *at)
{
    struct json *set = json_new_object();

    for (int k = 0; k < space->n; k++) {
        const struct plan_knob *knob = &space->knobs[k];

        for (int i = 0; i < knob->knob->paths_n; i++)
            json_set(set, knob->knob->paths[i], knob_value(knob->knob, at->at[k]));
        if (knob->tie.path != NULL)
            json_set_number(set, knob->tie.path, tied(&knob->tie, plan_number(knob, at->at[k])));
    }
    return set;
}

static int apply(const struct json *set, struct json *tree, struct err *err)
{
    JSON_EACH (v, set)
        TRY(edit_set(tree, json_key(v), json_copy(v), err));
    return 0;
}

static int tree_with(const struct plan_space *space, struct json *set, struct json **out, struct err *err)
{
    int rc;

    *out = json_copy(space->tree);
    rc = apply(set, *out, err);
    json_free(set);
    if (rc != 0) {
        json_free(*out);
        *out = NULL;
    }
    return rc;
}

int plan_tree(const struct plan_space *space, const struct plan_setting *at, struct json **out,
              struct err *err)
{
    return tree_with(space, plan_set_json(space, at), out, err);
}

int plan_tree_without(const struct plan_space *space, const struct plan_setting *at, int k, struct json **out,
                      struct err *err)
{
    const struct plan_knob *knob = &space->knobs[k];
    double left = plan_number(knob, at->at[k]) - 1;
    struct json *set = plan_set_json(space, at);

    for (int i = 0; i < knob->knob->paths_n; i++)
        json_set_number(set, knob->knob->paths[i], left);
    if (knob->tie.path != NULL)
        json_set_number(set, knob->tie.path, tied(&knob->tie, left));
    return tree_with(space, set, out, err);
}
