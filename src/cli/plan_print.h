/*
 * plan_print.h - a plan as a person reads it: the answer in a sentence, then what stands around it.
 */
#ifndef CLI_PLAN_PRINT_H
#define CLI_PLAN_PRINT_H

#include "study/plan.h"

void print_plan(const struct plan *p, const char *scenario);

#endif
