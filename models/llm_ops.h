/*
 * llm_ops.h - a cost from what somebody has measured.
 *
 * `ops` of a stage is one of
 *
 *   {"rows": [...]}                            a table as below, in the scenario itself
 *   {"prefill": [[tokens, time]...], "decode": [[batch, time]...]}     two curves, written in the scenario
 *   "trace:NAME", or a list of such names                              imported tables, read together
 *   "NAME" or "calibration:NAME"                                       a preset, or a fitted table:
 *         {"rows": [[op, tokens, batch, chunk, context, bytes, devices, time, variant]...]}, the last where needed
 *
 * Rows are understood by the name of their operator: those of LLMServingSim and Vidur profiles, of
 * aiconfigurator's kernels, and our own (llm_ops.c lists them).  A row for another number of devices than
 * the stage's `tp` is left out.  What tables of one accelerator do not hold, collectives, comes from the
 * link.
 */
#ifndef MODELS_LLM_OPS_H
#define MODELS_LLM_OPS_H

#include "models/llm_shape.h"

struct llm_measured {
    const struct json *ops;
    const struct llm_shape *shape;       /* NULL: not given; then only tables of the whole model will do */
    const struct llm_hardware *hardware; /* its links carry collectives the tables lack */
    struct llm_layout layout;
    long most_tokens, most_sequences;
    double straggler_s;                /* per token and layer */
    double cpu_step_s, cpu_sequence_s; /* out: what the tables say of the CPU between steps; else unchanged */
};

int llm_cost_measured(struct llm_measured *m, const struct model_env *env, struct llm_cost *out,
                      struct err *err);

#endif
