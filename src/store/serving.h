/*
 * serving.h - what importers kept of language models in service: requests, their prompts, costs of operators.
 *
 * Arrays and strings live in the arena the caller gives.  Unknown numbers are NAN, unknown counts -1.
 */
#ifndef STORE_SERVING_H
#define STORE_SERVING_H

#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

struct arena;

struct request_row {
    double arrival_s;
    long input_tokens, output_tokens; /* -1: unknown */
    const char *class, *session;      /* "": one only; none */
    const uint64_t *blocks;           /* of its prompt, equal content has equal numbers; NULL: unknown */
    long blocks_n;
};

/* In order of arrival; those without a time come first, in the order of the file. */
int request_load(struct store *s, int64_t trace_id, struct arena *a, struct request_row **rows, size_t *n,
                 struct err *err);

struct operator_cost {
    const char *hardware, *model, *op, *variant; /* "" if unknown */
    int devices;
    double tokens, batch, chunk, context, bytes, time_s;
};

int operator_cost_load(struct store *s, int64_t trace_id, struct arena *a, struct operator_cost **rows,
                       size_t *n, struct err *err);

#endif
