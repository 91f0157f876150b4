/*
 * llm_cost.h - how long one iteration of a language model takes.
 *
 *   t = linear(T) + sequence(S) + prefill attention + decode attention
 *
 *   T   tokens of the batch: every prefill token and, per decoding sequence, one (with speculation 1 + draft)
 *   S   sequences that get a token: one row of the LM head and of the sampler each
 *
 *   linear     everything that looks at one token at a time, all layers, collectives included; one value per
 *              number of tokens.  Where the table is fine enough to show the tiles of the kernels (knots at
 *              most 16 tokens and a quarter apart) a size costs what the next measured size costs: a tile is
 * worked on as a whole.  Wider gaps are joined by lines. prefill    P(chunk, context) for each chunk, the
 * kernel's fixed part counted once decode     D(batch, mean context) alone; in a mixed batch M(chunk, batch,
 * mean context), which is dearer: kernels that serve both do not split long contexts, and set out as
 * many blocks for each decode as the longest chunk needs.  A context that is
 * not split also ends last: so much for each token by which the longest exceeds the mean.  Decodes alone are
 * split while the batch leaves processors idle, and no more from some batch on: there is nothing to be
 * interpolated between, so a batch costs what the next measured one does.
 *
 *   gaps       kernels measured alone leave out the time between two of them
 *
 * A table knows its edges: beyond them the last line goes on and `outside` is set.  A roofline has no edges.
 * A "whole" table knows only two curves, a prompt's prefill by tokens and a decode step by batch size.
 *
 * Tables are built once, in the scenario's arena, and are never written again: threads share them.
 */
#ifndef MODELS_LLM_COST_H
#define MODELS_LLM_COST_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

struct llm_curve { /* y over ascending x */
    int n;
    double *x, *y;
};

struct llm_grid { /* a curve for each ascending x */
    int n;
    double *x;
    struct llm_curve *row;
};

struct llm_cost {
    bool is_whole;                        /* two curves, nothing else */
    struct llm_curve prompt, decode_step; /* whole: seconds by tokens of a prompt, by sequences */

    struct llm_curve linear, sequence; /* one value for each whole number from 0 */
    bool is_roofline;
    double prefill_pair_s,
        decode_token_s;              /* roofline: of a query with one token of context; of one token read */
    struct llm_grid prefill, decode; /* tables: chunk x context, batch x context */
    struct llm_grid *mixed;          /* one grid (batch x context) for each of mixed_chunk; NULL: as decode */
    double *mixed_chunk;
    int mixed_n;
    double attention_fixed_s;     /* of prefill: what the smallest chunk costs */
    double straggler_s;           /* mixed batches, where no table says more */
    struct llm_curve uneven;      /* of decodes alone, by batch: seconds a token beyond the mean */
    struct llm_grid uneven_mixed; /* the same beside a chunk, chunk x batch */
    double gaps_s;                /* between the kernels of an iteration, where the table holds each alone */
    double stages, hop_s;         /* pipeline parallelism: stages, and the way from one to the next */
};

struct llm_chunk {
    double tokens, context; /* new tokens, and those already there */
};

struct llm_batch {
    const struct llm_chunk *chunk;
    int chunks;
    double tokens;           /* of all chunks */
    double finished;         /* chunks that end their prompt: each gets a token */
    double decodes;          /* sequences that decode */
    double decode_tokens;    /* tokens they bring: padded for a captured graph, more with speculation */
    double context, longest; /* of those that decode: mean and greatest */
};

/* Seconds of one iteration; sets *outside when the table was left, leaves it alone otherwise. */
double llm_cost_step(const struct llm_cost *c, const struct llm_batch *b, bool *outside);

/* Pure decoding, for as long as the mean context stays below `until`: seconds(context) = at + slope * change.
 */
struct llm_line {
    double at_s, slope_s, until;
};
struct llm_line llm_cost_decode(const struct llm_cost *c, const struct llm_batch *b, bool *outside);

/* For bounds: the least that a token of a prompt, a token of an answer can cost; n: the largest batch. */
double llm_cost_least_prefill(const struct llm_cost *c, double tokens, double most_tokens, bool mixes);
double llm_cost_least_decode(const struct llm_cost *c, double context, double most, double most_tokens,
                             bool mixes);

static inline bool llm_cost_minds_longest(const struct llm_cost *c)
{
    return c->straggler_s > 0 || c->uneven.n > 0 || c->uneven_mixed.n > 0;
}

double llm_curve_at(const struct llm_curve *c, double x, bool *outside);
double llm_grid_at(const struct llm_grid *g, double x, double y, bool *outside);
void llm_curve_add(struct llm_curve *c, double x, double y,
                   struct arena *a); /* in any order; equal x: the mean */
struct llm_curve *llm_grid_row(struct llm_grid *g, double x, struct arena *a); /* found, or new */

#endif
