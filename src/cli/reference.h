/*
 * reference.h - the models' parameter tables as text and JSON: one source for every reference page.
 */
#ifndef CLI_REFERENCE_H
#define CLI_REFERENCE_H

#include "base/json.h"
#include "models/model.h"

struct json *reference_model_json(const struct model *m);
void reference_print_model(const struct model *m);
void reference_print_param(const struct model *m, const struct param *p);

#endif
