#include "cli/load.h"

#include "calibrate/resolve.h"
#include "pipeline/validity.h"

#include <string.h>

/* Two that exclude each other would silently leave the last one standing. */
static int check_conflicts(const struct args *args, const struct loaded *l, struct err *err)
{
    for (int i = 0; i < args->given_n; i++)
        for (int k = i + 1; k < args->given_n; k++) {
            const struct option_value *x = &args->given[i], *y = &args->given[k];
            const struct optimization *a, *b;

            if (strcmp(x->name, "apply") != 0 || strcmp(y->name, "apply") != 0)
                continue;
            a = optimization_find(l->optimizations, l->optimizations_n, x->value);
            b = optimization_find(l->optimizations, l->optimizations_n, y->value);
            if (a != NULL && b != NULL && a != b && !optimizations_compatible(a, b))
                return err_set(err, ERR_USAGE,
                               "%s: --apply %s and --apply %s exclude each other, or set the same value "
                               "differently",
                               l->file, x->value, y->value);
        }
    return 0;
}

static int unknown_optimization(const struct loaded *l, const char *name, struct err *err)
{
    return err_set(err, ERR_USAGE, "%s: --apply %s: no such optimization; `foresight rank %s` lists them",
                   l->file, name, l->file);
}

/* Edits in the order given; --apply of a rewrite that --rules is still to find comes after them. */
static int apply_edits(const struct args *args, struct loaded *l, struct err *err)
{
    TRY(check_conflicts(args, l, err));
    for (int i = 0; i < args->given_n; i++) {
        const struct option_value *o = &args->given[i];

        if (strcmp(o->name, "apply") == 0) {
            const struct optimization *opt =
                optimization_find(l->optimizations, l->optimizations_n, o->value);

            if (opt != NULL)
                TRY(optimization_apply(l->tree, opt, err));
            else if (!args_has(args, "rules"))
                return unknown_optimization(l, o->value, err);
        } else if (strcmp(o->name, "set") == 0) {
            TRY(edit_set_text(l->tree, o->value, err));
        }
    }
    return 0;
}

int load_rules(struct loaded *l, struct err *err)
{
    TRY(rules_find(l->tree, l->file, &l->resolver, l->arena, &l->rules, err));
    TRY(rules_declare(l->tree, l->file, &l->resolver, &l->rules, err));
    return optimizations_read(l->tree, l->file, l->arena, &l->optimizations, &l->optimizations_n, err);
}

/* --rules: rewrites of the scenario as edited, and --apply of those. */
static int add_rules(const struct args *args, struct loaded *l, struct err *err)
{
    int declared = l->optimizations_n;

    if (!args_has(args, "rules"))
        return 0;
    TRY(load_rules(l, err));
    TRY(check_conflicts(args, l, err));
    for (int i = 0; i < args->given_n; i++) {
        const struct option_value *o = &args->given[i];
        const struct optimization *opt;

        if (strcmp(o->name, "apply") != 0)
            continue;
        opt = optimization_find(l->optimizations, l->optimizations_n, o->value);
        if (opt == NULL)
            return unknown_optimization(l, o->value, err);
        if (opt - l->optimizations >= declared)
            TRY(optimization_apply(l->tree, opt, err));
    }
    return 0;
}

static int load_discrepancies(struct loaded *l, struct err *err)
{
    TRY(resolve_discrepancy(&l->resolver, l->scenario, DISCREPANCY_PATH, &l->discrepancy.rate, err));
    TRY(resolve_discrepancy(&l->resolver, l->scenario, LATENCY_DISCREPANCY_PATH, &l->discrepancy.time, err));
    if (l->discrepancy.time == 0) /* nobody looked at latencies: as far off as rates */
        l->discrepancy.time = l->discrepancy.rate;
    return resolve_discrepancy(&l->resolver, l->scenario, GAIN_DISCREPANCY_PATH, &l->gain_discrepancy, err);
}

int load_scenario(const struct args *args, const char *path, struct loaded *l, struct err *err)
{
    struct scenario_options so = {.resolver = &l->resolver};
    int rc;

    *l = (struct loaded){.file = path, .arena = arena_new()};
    rc = json_read(path, &l->tree, err);
    if (rc == 0)
        rc = optimizations_read(l->tree, path, l->arena, &l->optimizations, &l->optimizations_n, err);
    if (rc == 0)
        rc = apply_edits(args, l, err);
    if (rc == 0)
        resolve_open(args->store, path, &l->resolver);
    if (rc == 0)
        rc = add_rules(args, l, err);
    if (rc == 0)
        rc = scenario_build(l->tree, path, &so, &l->scenario, err);
    if (rc == 0)
        rc = load_discrepancies(l, err);
    if (rc != 0)
        loaded_free(l);
    return rc;
}

int load_to_predict(const struct args *args, const char *path, struct loaded *l, struct err *err)
{
    int rc = load_scenario(args, path, l, err);

    if (rc != 0)
        return rc;
    rc = scenario_check_validity(l->scenario, args->extrapolate, err);
    if (rc != 0)
        loaded_free(l);
    return rc;
}

void loaded_free(struct loaded *l)
{
    scenario_free(l->scenario);
    rules_free(&l->rules);
    resolve_close(&l->resolver);
    json_free(l->tree);
    arena_free(l->arena);
    *l = (struct loaded){0};
}

struct simulate_options load_options(const struct args *args, struct progress *progress)
{
    return (struct simulate_options){.seed = args->seed,
                                     .replications = args->replications,
                                     .precision = args->precision,
                                     .confidence = args->confidence,
                                     .threads = args->threads,
                                     .max_events = (uint64_t)args->max_events,
                                     .max_bytes = (size_t)args->max_bytes,
                                     .max_wall_s = args->max_wall_s,
                                     .ties = args->ties,
                                     .progress = progress};
}
