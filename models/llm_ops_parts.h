/*
 * llm_ops_parts.h - rows of an operator table on their way to a cost.  Internal to llm_ops.c, which reads
 * them, and llm_ops_cost.c, which adds them up.
 */
#ifndef MODELS_LLM_OPS_PARTS_H
#define MODELS_LLM_OPS_PARTS_H

#include "models/llm_ops.h"

/* What an operator's time depends on. */
enum kind {
    IGNORED,
    PER_LAYER,    /* by tokens, once or more in each layer */
    ONCE,         /* by tokens, once in an iteration */
    PER_SEQUENCE, /* by sequences, once in an iteration */
    PREFILL,      /* by chunk and context, in each layer */
    DECODE,       /* by batch and context, in each layer */
    MIXED,        /* decodes beside a chunk, in each layer */
    UNEVEN,       /* decodes of unequal contexts: by chunk and batch, in each layer */
    REDUCE,       /* by bytes, twice in each layer */
    CPU,          /* by sequences, between iterations */
    GEMM,         /* by tokens and shape: stands for every product of that shape */
    WHOLE_PREFILL,
    WHOLE_DECODE,
};

/* An operator we know; the table is in llm_ops.c. */
struct llm_known {
    const char *name;
    enum kind kind;
    double times; /* in a layer, or in an iteration */
};
enum { LLM_KNOWN = 51 };
extern const struct llm_known llm_known[LLM_KNOWN];

enum { PRODUCTS = 5, LM_HEAD = 4 };

struct product { /* of a layer (the last: the LM head), per accelerator; its table is that of the nearest
                    shape */
    double n, k, distance, scale;
    struct llm_curve curve;
};

struct reading {
    struct llm_measured *m;
    struct arena *a;
    struct llm_curve op[LLM_KNOWN];
    struct product product[PRODUCTS];
    struct llm_curve reduce;
    struct llm_grid prefill, decode;
    struct llm_grid *mixed;
    double *mixed_chunk;
    int mixed_n, used;
    struct uneven *uneven;
    int uneven_n;
};

/* llm_uneven.c: what the longest context adds to attention, from rows that measured it. */
void llm_uneven_add(struct reading *r, const struct cost_row *row);
void llm_uneven_curves(struct reading *r, double layers, struct llm_cost *out);

double llm_row_variant(const char *variant, const char *key); /* "n=4096" in "k=1,n=4096"; NAN: not there */

/* Seconds for every number of tokens and of sequences, grids for attention; errors name `where`. */
int llm_ops_add_up(struct reading *r, struct llm_cost *out, const char *where, struct err *err);

#endif
