/*
 * kinds.c - every kind of case, one file each; in the order in which docs/replay.md lists them.
 */
#include "study/replay.h"

/* clang-format off */
extern const struct replay_kind replay_cedar;
extern const struct replay_kind replay_dsi;
extern const struct replay_kind replay_epochs;
extern const struct replay_kind replay_fsdp;
extern const struct replay_kind replay_identities;
extern const struct replay_kind replay_loader_kineto;
extern const struct replay_kind replay_llm_closed;
extern const struct replay_kind replay_llm_prefix;
extern const struct replay_kind replay_llm_requests;
extern const struct replay_kind replay_megatron;
extern const struct replay_kind replay_recd;
extern const struct replay_kind replay_scaling;
extern const struct replay_kind replay_spark;
extern const struct replay_kind replay_storage_bench;
extern const struct replay_kind replay_storage_mlperf;
extern const struct replay_kind replay_training_scale;

const struct replay_kind *const replay_kinds[] = {
    &replay_cedar,
    &replay_dsi,
    &replay_epochs,
    &replay_fsdp,
    &replay_identities,
    &replay_loader_kineto,
    &replay_llm_closed,
    &replay_llm_prefix,
    &replay_llm_requests,
    &replay_megatron,
    &replay_recd,
    &replay_scaling,
    &replay_spark,
    &replay_storage_bench,
    &replay_storage_mlperf,
    &replay_training_scale,
    NULL,
};
/* clang-format on */
