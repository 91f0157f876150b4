/*
 * load.h - from the command line to a scenario: read the file, apply --apply and --set, resolve references.
 */
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

#include "cli/args.h"
#include "pipeline/edit.h"
#include "pipeline/scenario.h"
#include "pipeline/uncertainty.h"
#include "study/rules.h"

struct loaded {
    const char *file;
    struct json *tree; /* edited, calibrations not yet applied */
    struct arena *arena;
    struct optimization *optimizations;
    int optimizations_n;
    struct resolver resolver;
    double gain_discrepancy; /* the same for ratios between variants */
    struct discrepancy discrepancy; /* of the calibrations used: errors on what their fits had not seen */
    struct scenario *scenario;
    struct rules_found rules; /* --rules, or load_rules() */
};

int load_scenario(const struct args *args, const char *path, struct loaded *out, struct err *err);
/* For commands that predict: what was calibrated is asked within its range, or --extrapolate is given. */
int load_to_predict(const struct args *args, const char *path, struct loaded *out, struct err *err);
/* Rewrites that the scenario admits, put beside its optimizations. */
int load_rules(struct loaded *l, struct err *err);
void loaded_free(struct loaded *l);

struct simulate_options load_options(const struct args *args, struct progress *progress);

#endif
