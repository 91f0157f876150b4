/*
 * kinds.c - every kind of case, one file each; in the order in which docs/replay.md lists them.
 */
#include "study/replay.h"

extern const struct replay_kind replay_identities, replay_spark;

const struct replay_kind *const replay_kinds[] = {
    &replay_identities,
    &replay_spark,
    NULL,
};
