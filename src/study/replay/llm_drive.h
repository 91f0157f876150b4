/*
 * llm_drive.h - one LLM engine driven by requests that are known, without a pipeline around it.
 *
 * Open: requests come at their times.  Closed: `clients` of them are in the engine at any time; the next one
 * comes when one has left, and at_s is filled in.
 */
#ifndef STUDY_REPLAY_LLM_DRIVE_H
#define STUDY_REPLAY_LLM_DRIVE_H

#include "models/server.h"
#include "study/replay.h"

struct llm_driven {
    double at_s; /* ascending */
    long input, output;
    const uint64_t *blocks; /* NULL: nothing to reuse */
    long blocks_n, block_tokens;
    double queue_s, ttft_s, tpot_s, left_s; /* out */
    bool lost;
    struct request request;
    struct visit visit;
};

/* Settings as a stage's `params`; "trace:FILE" in `ops` names a recorded file of the case. */
int llm_configure(struct replay *r, const struct json *params, const char *where, void **cfg,
                  struct err *err);

/* Runs until all have left.  `figures` takes what the engine reports, up to `room`; returns how many. */
int llm_drive(const void *cfg, struct llm_driven *q, long n, long clients, long gpus, uint64_t seed,
              struct figure *figures, int room);

double llm_figure(const struct figure *f, int n, const char *name); /* NAN when it is not there */

#endif
