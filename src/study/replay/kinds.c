/*
 * kinds.c - every kind of case, one file each; in the order in which docs/replay.md lists them.
 */
#include "study/replay.h"

/* clang-format off */
extern const struct replay_kind replay_agent;
extern const struct replay_kind replay_arrivals;
extern const struct replay_kind replay_cachew;
extern const struct replay_kind replay_cedar;
extern const struct replay_kind replay_dsi;
extern const struct replay_kind replay_epochs;
extern const struct replay_kind replay_frontier;
extern const struct replay_kind replay_fsdp;
extern const struct replay_kind replay_identities;
extern const struct replay_kind replay_llm_closed;
extern const struct replay_kind replay_llm_policies;
extern const struct replay_kind replay_llm_prefix;
extern const struct replay_kind replay_llm_requests;
extern const struct replay_kind replay_llm_sweep;
extern const struct replay_kind replay_loader_kineto;
extern const struct replay_kind replay_megatron;
extern const struct replay_kind replay_prompts;
extern const struct replay_kind replay_recd;
extern const struct replay_kind replay_scaling;
extern const struct replay_kind replay_scenario_case;
extern const struct replay_kind replay_spark;
extern const struct replay_kind replay_storage_bench;
extern const struct replay_kind replay_storage_mlperf;
extern const struct replay_kind replay_storage_workloads;
extern const struct replay_kind replay_training_scale;
extern const struct replay_kind replay_vectors;

const struct replay_kind *const replay_kinds[] = {
    &replay_agent,
    &replay_arrivals,
    &replay_cachew,
    &replay_cedar,
    &replay_dsi,
    &replay_epochs,
    &replay_frontier,
    &replay_fsdp,
    &replay_identities,
    &replay_llm_closed,
    &replay_llm_policies,
    &replay_llm_prefix,
    &replay_llm_requests,
    &replay_llm_sweep,
    &replay_loader_kineto,
    &replay_megatron,
    &replay_prompts,
    &replay_recd,
    &replay_scaling,
    &replay_scenario_case,
    &replay_spark,
    &replay_storage_bench,
    &replay_storage_mlperf,
    &replay_storage_workloads,
    &replay_training_scale,
    &replay_vectors,
    NULL,
};
/* clang-format on */
