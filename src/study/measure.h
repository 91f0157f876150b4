/*
 * measure.h - executions of a scenario, their spans kept in the store.
 */
#ifndef STUDY_MEASURE_H
#define STUDY_MEASURE_H

#include "executor/path.h"
#include "pipeline/outcome.h"
#include "store/store.h"

struct measure_options {
    const char *folder;
    enum exec_pin pin;
    bool spans;          /* record them; without, only totals are measured */
    struct store *store; /* where spans are kept; NULL: nowhere */
    struct progress *progress;
    int *
        retries; /* how many more disturbed runs may be made again, over all runs that share it; NULL: none */
};

struct measurement {
    double throughput_per_s, makespan_s;
    double disturbed_frac; /* processor time that others (programs, the hypervisor) took, over what there was;
                              NAN: unknown */
    double latency_s[LATENCY_FIGURES]; /* of its requests, from when they were intended; NAN: it has none */
    double lost_frac;                  /* of its requests */
    struct exec_outcome result;        /* without its requests */
    int64_t trace_id;                  /* 0: spans were not kept */
};

/* A run of which others took more than this share of the machine says little about the pipeline. */
#define DISTURBED_FRAC 0.04

/*
 * One execution.  A disturbed one (see above) is made again, twice at most, and the least disturbed one
 * counts: it is chosen by what the others did, never by its result.
 */
int measure_run(const struct scenario *s, const struct measure_options *opt, struct measurement *out,
                struct err *err);

/* Operators alone; *trace_id is the profile's trace. */
int measure_profile(const struct scenario *s, const struct measure_options *opt, int64_t *trace_id,
                    struct err *err);

/* What a measurement says of one stage, or (stage < 0) of the whole; NAN where it says nothing. */
enum measured_figure {
    MEASURED_THROUGHPUT,
    MEASURED_MAKESPAN,
    MEASURED_STALL, /* of the last stage's workers: their time without input */
    MEASURED_DISTURBED,
    MEASURED_P50,
    MEASURED_P95,
    MEASURED_QUALITY,
    MEASURED_SERVICE, /* of a stage, from here on: seconds inside operators per item it took in */
    MEASURED_WAIT,    /* of an item in the buffer in front */
    MEASURED_BUSY,    /* shares of its workers' time */
    MEASURED_BLOCKED,
    MEASURED_STARVED,
    MEASURED_CPU,  /* seconds per unit of the pipeline */
    MEASURED_DISK, /* bytes per unit of the pipeline */
    MEASURED_FIGURES
};
double measured_value(const struct measurement *m, enum measured_figure f, int stage);

/* Over n executions, with a Student interval. */
struct estimate measured_estimate(const struct measurement *m, long n, enum measured_figure f, int stage,
                                  double confidence);

/* n executions as an outcome document like that of `run`, with intervals over the executions. */
struct json *measurements_json(const struct scenario *s, const struct measurement *m, long n,
                               double confidence);

#endif
