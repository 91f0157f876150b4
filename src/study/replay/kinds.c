/*
 * kinds.c - every kind of case, one file each; in the order in which docs/replay.md lists them.
 */
#include "study/replay.h"

extern const struct replay_kind replay_fsdp, replay_identities, replay_llm_closed, replay_llm_prefix,
    replay_llm_requests, replay_megatron, replay_spark, replay_training_scale;

const struct replay_kind *const replay_kinds[] = {
    &replay_identities, &replay_training_scale, &replay_fsdp,
    &replay_megatron,   &replay_spark,          &replay_llm_requests,
    &replay_llm_closed, &replay_llm_prefix,     NULL,
};
