/*
 * fit_target.h - `foresight fit MODEL --trace ...`: a model, kind of resource or the workload from imported traces.
 */
#ifndef CLI_FIT_TARGET_H
#define CLI_FIT_TARGET_H

#include "cli/args.h"

#include <stdbool.h>

/* Is the word the name of something that can be fitted, and no file? */
bool is_fit_target(const char *word);
int fit_target(const struct args *args, struct err *err);

#endif
