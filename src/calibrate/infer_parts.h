/*
 * infer_parts.h - what the kinds of inference share, and nobody else uses.
 */
#ifndef CALIBRATE_INFER_PARTS_H
#define CALIBRATE_INFER_PARTS_H

#include "base/arena.h"
#include "calibrate/infer.h"
#include "store/view.h"

#include <stddef.h>

struct infer_source {
    struct store *store;
    struct arena *arena;
    int64_t trace;
    const char *name; /* of the trace */
    int64_t costs;    /* a trace of operator costs given beside it; 0: none */
    const char *costs_name;
};

int infer_steps(const struct infer_source *src, struct inferred *out, struct err *err);
int infer_calls(const struct infer_source *src, struct inferred *out, struct err *err);

/* An empty scenario with the parts every one has; `unit` is what is counted. */
struct json *infer_scenario(const struct infer_source *src, const char *unit, const char *description);
/* Lists a value that the recording does not show. */
void infer_assume(struct json *tree, const char *path, const char *reason);
struct json *infer_resource(struct json *tree, const char *name, const char *kind, double count);
/* Appends a stage; `role` is bound to `resource` (NULL: nothing).  Returns its params. */
struct json *infer_stage(struct json *tree, const char *name, const char *model, const char *role,
                         const char *resource);
/* Appends an optimization that sets one value. */
void infer_optimization(struct json *tree, const char *name, const char *about, const char *touches,
                        const char *path, struct json *value);

/* The law of a duration: constant when it does not vary, else lognormal with the sample's mean and cv. */
struct json *infer_law(const double *x, size_t n);
/* The mean rate of things that took x seconds each, with its Student interval turned over. */
struct estimate infer_rate(const double *x, size_t n);

#endif
