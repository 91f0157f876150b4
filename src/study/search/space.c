#include "study/search/space.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------- making */

static bool sets_path(const struct optimization *o, const struct knob *k)
{
    JSON_EACH (e, o->edits)
        if (knob_sets(k, json_key(e)))
            return true;
    return false;
}

/* Depth first in ascending order of sets; every subset of a legal set is legal. */
static void list_legal(struct space *sp, opt_set set, int from, const opt_set *clash, opt_set *out)
{
    if (sp->legal_n == SPACE_SETS_MAX)
        return;
    out[sp->legal_n++] = set;
    for (int i = from; i < sp->st->n; i++)
        if ((clash[i] & set) == 0)
            list_legal(sp, set | (opt_set)1 << i, i + 1, clash, out);
}

static int by_set(const void *x, const void *y)
{
    opt_set a = *(const opt_set *)x, b = *(const opt_set *)y;

    return (a > b) - (a < b);
}

static void find_legal(struct space *sp, struct arena *a)
{
    opt_set clash[OPTS_MAX] = {0};
    opt_set *out = xcalloc(SPACE_SETS_MAX, sizeof *out);

    for (int i = 0; i < sp->st->n; i++)
        for (int k = 0; k < sp->st->n; k++)
            if (i != k && !optimizations_compatible(&sp->st->optimizations[i], &sp->st->optimizations[k]))
                clash[i] |= (opt_set)1 << k;
    list_legal(sp, 0, 0, clash, out);
    if (sp->legal_n < SPACE_SETS_MAX) {
        sp->legal = arena_array(a, sp->legal_n, sizeof *sp->legal);
        memcpy(sp->legal, out, sp->legal_n * sizeof *out);
        qsort(sp->legal, sp->legal_n, sizeof *sp->legal, by_set);
    }
    free(out);
}

int space_init(struct space *sp, const struct study *st, const char *slo, struct arena *a, struct err *err)
{
    static const char *const not_built[] = {"optimizations", "knobs", "constraints", "exec", "description"};
    struct candidate base;

    *sp = (struct space){.st = st};
    if (st->n > OPTS_MAX)
        return err_set(err, ERR_SCENARIO, "%s: $.optimizations: %d declared; at most %d can be searched",
                       st->file, st->n, OPTS_MAX);
    TRY(knobs_read(st->tree, st->file, a, &sp->knobs, &sp->knobs_n, err));
    if (st->n + sp->knobs_n == 0)
        return err_set(err, ERR_SCENARIO,
                       "%s: nothing to search: declare \"optimizations\" or \"knobs\" (docs/scenario.md)",
                       st->file);
    for (int k = 0; k < sp->knobs_n; k++)
        for (int i = 0; i < st->n; i++)
            if (sets_path(&st->optimizations[i], &sp->knobs[k]))
                sp->overrides[k] |= (opt_set)1 << i;
    find_legal(sp, a);
    sp->tree = json_copy(st->tree);
    base = space_base(sp);
    TRY(space_build(sp, &base, &sp->base, err));
    for (size_t i = 0; i < sizeof not_built / sizeof *not_built; i++)
        json_remove(sp->tree, not_built[i]);
    TRY(objective_read(sp->base, &sp->objective, err));
    TRY(constraints_read(sp->base, a, &sp->constraints, &sp->constraints_n, err));
    if (slo != NULL)
        TRY(constraints_parse(slo, "--slo", sp->base, a, &sp->constraints, &sp->constraints_n, err));
    return 0;
}

void space_fini(struct space *sp)
{
    scenario_free(sp->base);
    json_free(sp->tree);
    sp->base = NULL;
    sp->tree = NULL;
}

/* ---------------------------------------------------------- candidates */

struct candidate space_base(const struct space *sp)
{
    struct candidate c;

    memset(&c, 0, sizeof c);
    for (int i = 0; i < sp->knobs_n; i++)
        c.level[i] = sp->knobs[i].now >= 0 ? sp->knobs[i].now : KNOB_AS_IS;
    return c;
}

bool space_settle(const struct space *sp, struct candidate *c)
{
    for (int i = 0; i < sp->knobs_n; i++) {
        if (sp->overrides[i] & c->set)
            c->level[i] = KNOB_AS_IS;
        else if (c->level[i] != KNOB_AS_IS)
            c->level[i] = knob_round(&sp->knobs[i], c->level[i]) + 0.0; /* no minus zero */
        else if (sp->knobs[i].now >= 0)
            c->level[i] = sp->knobs[i].now;
    }
    if (sp->legal != NULL)
        return bsearch(&c->set, sp->legal, sp->legal_n, sizeof *sp->legal, by_set) != NULL;
    return set_is_legal(sp->st, c->set);
}

int space_dims(const struct space *sp)
{
    return sp->st->n + sp->knobs_n;
}

int space_values(const struct space *sp, int dim)
{
    return dim < sp->st->n ? 2 : sp->knobs[dim - sp->st->n].n;
}

double space_get(const struct space *sp, const struct candidate *c, int dim)
{
    return dim < sp->st->n ? (double)(c->set >> dim & 1) : c->level[dim - sp->st->n];
}

void space_put(const struct space *sp, struct candidate *c, int dim, double value)
{
    if (dim >= sp->st->n)
        c->level[dim - sp->st->n] = value;
    else if (value != 0)
        c->set |= (opt_set)1 << dim;
    else
        c->set &= ~((opt_set)1 << dim);
}

/* Levels that a knob's digit counts: one more where the scenario's own value is none of them. */
static size_t digit(const struct knob *k)
{
    return (size_t)k->n + (k->now < 0);
}

double space_size(const struct space *sp)
{
    double sum = 0;

    for (size_t s = 0; s < sp->legal_n && sp->legal != NULL; s++) {
        double n = 1;

        for (int i = 0; i < sp->knobs_n; i++)
            n *= sp->overrides[i] & sp->legal[s] ? 1 : (double)digit(&sp->knobs[i]);
        sum += n;
    }
    return sum;
}

size_t space_count(const struct space *sp)
{
    size_t n = sp->legal_n;

    if (sp->legal == NULL)
        return 0;
    for (int i = 0; i < sp->knobs_n; i++)
        if (__builtin_mul_overflow(n, digit(&sp->knobs[i]), &n))
            return 0;
    return n;
}

bool space_at(const struct space *sp, size_t number, struct candidate *out)
{
    memset(out, 0, sizeof *out);
    out->set = sp->legal[number % sp->legal_n];
    number /= sp->legal_n;
    for (int i = 0; i < sp->knobs_n; i++) {
        size_t n = digit(&sp->knobs[i]), at = number % n;

        number /= n;
        out->level[i] = at < (size_t)sp->knobs[i].n ? (double)at : KNOB_AS_IS;
        if (sp->overrides[i] & out->set) { /* of all its levels, none matters */
            out->level[i] = KNOB_AS_IS;
            if (at != 0)
                return false;
        }
    }
    return true;
}

/* ------------------------------------------------------------ building */

static bool is_turned(const struct space *sp, const struct candidate *c, int knob)
{
    return c->level[knob] != KNOB_AS_IS && c->level[knob] != sp->knobs[knob].now;
}

int space_tree(const struct space *sp, const struct candidate *c, struct json **out, struct err *err)
{
    struct json *tree = json_copy(sp->tree);
    int rc = 0;

    for (int i = 0; rc == 0 && i < sp->st->n; i++)
        if (c->set >> i & 1)
            rc = optimization_apply(tree, &sp->st->optimizations[i], err);
    for (int i = 0; rc == 0 && i < sp->knobs_n; i++)
        if (is_turned(sp, c, i))
            rc = knob_apply(tree, &sp->knobs[i], c->level[i], err);
    if (rc != 0)
        json_free(tree);
    *out = rc == 0 ? tree : NULL;
    return rc;
}

int space_build(const struct space *sp, const struct candidate *c, struct scenario **out, struct err *err)
{
    struct scenario_options so = {.resolver = sp->st->resolver, .parameter_draw = sp->st->parameter_draw};
    struct json *tree;
    int rc;

    TRY(space_tree(sp, c, &tree, err));
    rc = scenario_build(tree, sp->st->file, &so, out, err);
    json_free(tree);
    return rc;
}

void space_write(const struct space *sp, const struct candidate *c, struct json *out)
{
    struct json *apply = json_set_array(out, "apply"), *set = json_set_object(out, "set");

    for (int i = 0; i < sp->st->n; i++)
        if (c->set >> i & 1)
            json_push(apply, json_new_string(sp->st->optimizations[i].name));
    for (int i = 0; i < sp->knobs_n; i++)
        for (int p = 0; is_turned(sp, c, i) && p < sp->knobs[i].paths_n; p++)
            json_set(set, sp->knobs[i].paths[p], knob_value(&sp->knobs[i], c->level[i]));
}

struct json *space_json(const struct space *sp, const struct candidate *c)
{
    struct json *o = json_new_object();

    space_write(sp, c, o);
    return o;
}

int space_changes(const struct space *sp, const struct candidate *c)
{
    int n = __builtin_popcountll(c->set);

    for (int i = 0; i < sp->knobs_n; i++)
        n += is_turned(sp, c, i);
    return n;
}

/* ------------------------------------------------------------ identity */

/* FNV-1a over eight bytes at a time, mixed at the end. */
uint64_t candidate_hash(const struct candidate *c)
{
    uint64_t words[sizeof *c / sizeof(uint64_t)], h = 0xcbf29ce484222325u;

    memcpy(words, c, sizeof *c);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        h = (h ^ words[i]) * 0x100000001b3u;
    h ^= h >> 32;
    return h * 0x9e3779b97f4a7c15u;
}

int candidate_compare(const struct candidate *x, const struct candidate *y)
{
    if (x->set != y->set)
        return x->set < y->set ? -1 : 1;
    for (int i = 0; i < KNOBS_MAX; i++)
        if (x->level[i] != y->level[i])
            return x->level[i] < y->level[i] ? -1 : 1;
    return 0;
}
