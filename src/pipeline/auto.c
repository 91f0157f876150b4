#include "pipeline/auto.h"

#include "base/text.h"
#include "pipeline/bound.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum key { CACHE_AFTER, OFFLOAD, BATCH, PREFETCH, WORKERS, KEYS };
static const char *const key_names[KEYS] = {"cache_after", "offload", "batch", "prefetch", "workers"};

enum { MANY_WORKERS = 4096, CANDIDATES = 64 };
static const double WITHIN = 0.01; /* of the best is as good */

struct open_place {
    struct json *params;
    const char *stage;
    enum key key;
};

struct chooser {
    struct json *tree;
    const char *file;
    const struct scenario_options *opt;
    struct arena *a;
    struct open_place *places;
    int places_n;
    struct auto_choice *choices;
};

static bool is_auto(const struct json *v)
{
    return json_string(v) != NULL && strcmp(json_string(v), "auto") == 0;
}

/* --------------------------------------------------------- what is open */

static void find_in_stages(struct chooser *c, struct json *stages)
{
    for (size_t i = 0; i < json_size(stages); i++) {
        struct json *stage = json_at_mutable(stages, i), *params = json_get_mutable(stage, "params");

        for (int k = 0; params != NULL && json_type(params) == JSON_OBJECT && k < KEYS; k++) {
            struct open_place *more;

            if (!is_auto(json_get(params, key_names[k])))
                continue;
            more = arena_array(c->a, (size_t)c->places_n + 1, sizeof *more);
            if (c->places_n > 0)
                memcpy(more, c->places, (size_t)c->places_n * sizeof *more);
            more[c->places_n++] =
                (struct open_place){params, json_get_string(stage, "name", "?"), (enum key)k};
            c->places = more;
        }
    }
}

static void find_open(struct chooser *c)
{
    struct json *pipelines = json_get_mutable(c->tree, "pipelines");

    if (json_get(c->tree, "stages") != NULL && json_type(json_get(c->tree, "stages")) == JSON_ARRAY)
        find_in_stages(c, json_get_mutable(c->tree, "stages"));
    for (size_t i = 0; pipelines != NULL && json_type(pipelines) == JSON_ARRAY && i < json_size(pipelines);
         i++) {
        struct json *p = json_at_mutable(pipelines, i);

        if (json_type(p) == JSON_OBJECT && json_get(p, "stages") != NULL &&
            json_type(json_get(p, "stages")) == JSON_ARRAY)
            find_in_stages(c, json_get_mutable(p, "stages"));
    }
}

static void put(const struct open_place *p, double value)
{
    if (p->key == OFFLOAD)
        json_set_bool(p->params, key_names[p->key], value != 0);
    else
        json_set_number(p->params, key_names[p->key], value);
}

/* While others are chosen. */
static void put_neutral(const struct open_place *p)
{
    static const double neutral[KEYS] = {[BATCH] = 64, [PREFETCH] = 2, [WORKERS] = MANY_WORKERS};

    if (p->key == CACHE_AFTER)
        json_remove(p->params, key_names[p->key]);
    else
        put(p, neutral[p->key]);
}

/* ------------------------------------------------------------ measuring */

/* Throughput at best as the tree stands; 0 when it is not legal. */
static double measure(struct chooser *c, char *limit, size_t size, struct err *err)
{
    struct scenario *s;
    struct bound b;

    if (scenario_build(c->tree, c->file, c->opt, &s, err) != 0)
        return 0;
    bound_compute(s, s->arena, &b);
    snprintf(limit, size, "%s", b.bottleneck);
    scenario_free(s);
    return b.throughput_per_s;
}

/* Threads over the cores they are worth, when what the stage asks keeps more than the cores busy. */
static double thread_slowdown(struct chooser *c, const char *stage, double rate)
{
    struct scenario *s;
    struct err unused = {0};
    struct bound b;
    double slow = 1;

    if (scenario_build(c->tree, c->file, c->opt, &s, &unused) != 0)
        return 1;
    bound_compute(s, s->arena, &b);
    for (int i = 0; i < s->stages_n; i++) {
        int on = s->stages[i].on[ROLE_CPU];
        const struct resource *r = on >= 0 ? &s->resources[on] : NULL;
        double most = 0;

        if (strcmp(s->stages[i].name, stage) != 0 || r == NULL || r->speeds == NULL)
            continue;
        for (long k = 1; k <= r->count; k++)
            most = fmax(most, (double)k * r->speeds[k - 1]);
        if (rate * b.resource_demand[on] * most > (double)r->count / (double)r->threads_per_core)
            slow = (double)r->count / most;
    }
    scenario_free(s);
    return slow;
}

/* ------------------------------------------------------------- choosing */

static const char *rate_text(struct chooser *c, double rate)
{
    char buf[40];

    return arena_strdup(c->a, units_format(buf, sizeof buf, rate, UNIT_PER_S));
}

static const char *path_of(struct chooser *c, const struct open_place *p)
{
    return arena_printf(c->a, "stages.%s.params.%s", p->stage, key_names[p->key]);
}

/* The fewest that do not limit, by bisection: more never makes the bound worse. */
static int choose_workers(struct chooser *c, const struct open_place *p, const char **reason, struct err *err)
{
    char limit[80] = "", fewer_limit[80] = "";
    double best = measure(c, limit, sizeof limit, err), fewer_rate;
    long low = 0, high = MANY_WORKERS, workers;
    double slow;

    if (best == 0)
        return err->code;
    while (high - low > 1) {
        long half = (low + high) / 2;

        put(p, (double)half);
        if (measure(c, fewer_limit, sizeof fewer_limit, err) >= best * (1 - WITHIN))
            high = half;
        else
            low = half;
    }
    put(p, (double)high);
    slow = thread_slowdown(c, p->stage, best);
    workers = (long)ceil((double)high * slow * (1 - 1e-9));
    put(p, fmax(1, (double)high - 1));
    fewer_rate = measure(c, fewer_limit, sizeof fewer_limit, err);
    put(p, (double)workers);
    *reason = arena_printf(
        c->a, slow > 1 ? "auto: %ld; of threads with a core each %ld would do (then \"%s\" limits at %s, with "
                         "fewer \"%s\" does at %s), and threads here share cores"
                       : "auto: %ld; with %ld \"%s\" limits at %s, with fewer \"%s\" does at %s",
        workers, high, limit, rate_text(c, best), fewer_limit, rate_text(c, fewer_rate));
    return 0;
}

/* Candidates in the order from small to large; each is put in place by `at`. */
static int candidates(const struct open_place *p, const char **names)
{
    const struct json *ops = json_get(p->params, "ops");
    int n = 0;

    names[n++] = NULL; /* nothing is kept */
    names[n++] = "source";
    JSON_EACH (op, ops)
        if (n < CANDIDATES && json_get_string(op, "name", NULL) != NULL)
            names[n++] = json_get_string(op, "name", NULL);
    return n;
}

static const char *put_candidate(struct chooser *c, const struct open_place *p, int k, const char **names)
{
    if (p->key == BATCH) {
        put(p, 8 << k);
        return arena_printf(c->a, "%d", 8 << k);
    }
    if (p->key == OFFLOAD) {
        put(p, k);
        return k ? "true" : "false";
    }
    if (names[k] == NULL)
        json_remove(p->params, key_names[p->key]);
    else
        json_set_string(p->params, key_names[p->key], names[k]);
    return names[k] == NULL ? "nothing" : names[k];
}

static int choose_among(struct chooser *c, const struct open_place *p, const char **reason, struct err *err)
{
    const char *names[CANDIDATES], *chosen = NULL;
    int n = p->key == BATCH ? 8 : p->key == OFFLOAD ? 2 : candidates(p, names), best_k = -1;
    double best = 0, rate[CANDIDATES];
    char limit[80] = "";
    struct err first = {0};

    for (int k = 0; k < n; k++) {
        struct err one = {0};

        put_candidate(c, p, k, names);
        rate[k] = measure(c, limit, sizeof limit, &one);
        if (k == 0)
            first = one;
        best = fmax(best, rate[k]);
    }
    for (int k = n - 1; k >= 0; k--)
        if (best > 0 && rate[k] >= best * (1 - WITHIN))
            best_k = k;
    if (best_k < 0) {
        *err = first;
        return err->code;
    }
    chosen = put_candidate(c, p, best_k, names);
    measure(c, limit, sizeof limit, err);
    *reason = arena_printf(
        c->a, "auto: %s; of %d choices none is better than %s by more than 1 %%; \"%s\" then limits", chosen,
        n, rate_text(c, rate[best_k]), limit);
    return 0;
}

static int choose(struct chooser *c, const struct open_place *p, struct auto_choice *out, struct err *err)
{
    out->path = path_of(c, p);
    if (p->key == PREFETCH) {
        put(p, 2);
        out->reason = "auto: 2; one batch in work and one waiting keep worker and consumer apart";
        return 0;
    }
    return p->key == WORKERS ? choose_workers(c, p, &out->reason, err)
                             : choose_among(c, p, &out->reason, err);
}

int auto_choose(const struct json *tree, const char *file, const struct scenario_options *opt,
                struct arena *a, struct json **out, struct auto_choice **choices, int *n, struct err *err)
{
    struct chooser c = {.file = file, .opt = opt, .a = a};
    int rc = 0;

    *out = NULL;
    *n = 0;
    c.tree = json_copy(tree);
    find_open(&c);
    if (c.places_n == 0) {
        json_free(c.tree);
        return 0;
    }
    for (int i = 0; i < c.places_n; i++)
        put_neutral(&c.places[i]);
    *choices = arena_array(a, (size_t)c.places_n, sizeof **choices);
    for (int k = 0; k < KEYS; k++)
        for (int i = 0; rc == 0 && i < c.places_n; i++)
            if (c.places[i].key == (enum key)k)
                rc = choose(&c, &c.places[i], &(*choices)[(*n)++], err);
    if (rc != 0) {
        json_free(c.tree);
        return rc;
    }
    *out = c.tree;
    return 0;
}
