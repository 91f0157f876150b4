/*
 * simulated.h - one replication of a simulation as a trace in the store, to be looked at.
 *
 * Replication 0 is run once more and watched: what each worker did with each piece, how long each visit held
 * a server or stayed in a stage with state.  The trace is of kind "simulated", in the time of the simulation
 * (seconds since its start; a steady one is watched when it has warmed up), and its operators bear the names
 * of the stages' models.  `trace export --format chrome` draws it; no fit takes it for a measurement.
 *
 * What began and did not end is not in it, nor what came after SIMULATED_SPANS: the note says so.
 */
#ifndef STUDY_SIMULATED_H
#define STUDY_SIMULATED_H

#include "pipeline/simulate.h"
#include "store/store.h"

enum { SIMULATED_SPANS = 200000 };

struct simulated {
    int64_t trace_id;
    size_t spans;
    uint64_t left_out; /* ended after the last one kept */
};

/* *o is what simulate() made of *s with *opt. */
int keep_simulated(const struct scenario *s, const struct simulate_options *opt, const struct outcome *o,
                   struct store *store, const char *name, struct simulated *out, struct err *err);

#endif
