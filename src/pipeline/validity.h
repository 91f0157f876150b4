/*
 * validity.h - is the scenario asked about sizes at which its parameters were measured?
 *
 * A calibrated row may say for which sizes it holds.  Known here are
 *
 *     items, bytes   of one run of the operator whose cost it is: what the mean item brings there
 *     concurrency    clients of the stage's pipeline, or units in flight
 *
 * Tables of operators know their own edges and are asked by the models that read them.
 */
#ifndef PIPELINE_VALIDITY_H
#define PIPELINE_VALIDITY_H

#include "pipeline/scenario.h"

/*
 * ERR_SCENARIO names the first parameter that is asked for more than it was measured for, or for less; with
 * `extrapolate` each becomes a warning of the scenario.
 */
int scenario_check_validity(struct scenario *s, bool extrapolate, struct err *err);

#endif
