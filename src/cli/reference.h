/*
 * reference.h - the models' parameter tables as text and JSON: one source for every reference page.
 */
#ifndef CLI_REFERENCE_H
#define CLI_REFERENCE_H

#include "base/json.h"
#include "models/fits.h"

/* What is no model but can be calibrated: workload, link, disk. */
void reference_print_target(const struct fit_target *t);
struct json *reference_target_json(const struct fit_target *t);
struct json *reference_model_json(const struct model *m);
void reference_print_model(const struct model *m);
void reference_print_param(const struct model *m, const struct param *p);

#endif
