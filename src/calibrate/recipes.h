/*
 * recipes.h - how rows of the store become samples of a method.
 *
 * A model says which parameter can be fitted from which view by which recipe
 * (struct fit_info in models/model.h); the recipe here knows the view: which of
 * its rows belong together, which column is the size of the work, what makes a
 * recording doubtful.
 *
 *   recipe                view             what comes out
 *   operator table        operator_costs   a table of few knots per operator
 *   collective            operator_costs   latency and bandwidth of a link; a table of few knots
 *   roofline              operator_costs   peak, bandwidth and filling size from matrix products
 *   service law           spans            mean and spread of the time a stage holds a server
 *   item cost             spans            fixed, per item and per byte
 *   arrivals              requests         rate and burstiness
 *   token lengths         requests         laws of prompt and output length
 *   concurrency curve     measurements     service time, contention and servers from a sweep
 *   recall curve          measurements     recall against search effort
 *   task law              spark_task       overhead, rates, spread and skew of tasks
 *   storage runs          measurements     bandwidth, operations a second and latency
 */
#ifndef CALIBRATE_RECIPES_H
#define CALIBRATE_RECIPES_H

#include "calibrate/fitting.h"

/* *used: whether the trace held anything for it. */
typedef int recipe_fn(struct fitting *f, const struct fit_info *info, int64_t trace_id, bool *used,
                      struct err *err);

struct recipe {
    const char *name, *view;
    recipe_fn *run;
};

extern const struct recipe recipes[]; /* name == NULL at the end */
const struct recipe *recipe_find(const char *name);

recipe_fn recipe_operator_table, recipe_collective, recipe_roofline, recipe_service_law, recipe_item_cost,
    recipe_arrivals, recipe_token_lengths, recipe_concurrency_curve, recipe_recall_curve, recipe_task_law,
    recipe_storage_runs;

#endif
