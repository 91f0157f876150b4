/*
 * kinds.c - every kind of case, one file each; in the order in which docs/replay.md lists them.
 */
#include "study/replay.h"

extern const struct replay_kind replay_fsdp, replay_identities, replay_megatron, replay_training_scale;
extern const struct replay_kind replay_spark, replay_epochs, replay_cedar, replay_scaling,
    replay_storage_mlperf;

const struct replay_kind *const replay_kinds[] = {
    &replay_identities, &replay_training_scale, &replay_fsdp,    &replay_megatron,       &replay_spark,
    &replay_epochs,     &replay_cedar,          &replay_scaling, &replay_storage_mlperf, NULL,
};
