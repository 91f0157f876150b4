/*
 * outcome.h - what a run delivered: the same struct and the same JSON from the simulation and the executor.
 */
#ifndef PIPELINE_OUTCOME_H
#define PIPELINE_OUTCOME_H

#include "engine/sim.h"
#include "engine/stats.h"
#include "pipeline/bound.h"

/* What a stage takes: cores, GPUs or servers it keeps busy, bytes of disks, its part of the bill and of power. */
enum stage_part { PART_BUSY, PART_BYTES_PER_S, PART_USD_PER_H, PART_WATT, STAGE_PARTS };

struct outcome_stage {
    const char *name, *model, *owner;
    struct estimate throughput_per_s, wait_s, service_s, utilization, queue_mean, blocked, starved;
    int ops_n;
    const char **op_names;
    struct estimate *op_s_per_unit; /* seconds of work per unit */
    double cpu_s_per_unit, disk_bytes_per_unit;
    struct estimate lost; /* share of the units that came and found the queue full */
    /* Stages with state: what their model tells, by name, and how often they ask others. */
    int figures_n;
    const char **figure_names;
    struct estimate *figures;
    struct estimate calls_per_visit;
    const char **calls; /* names of the stages it asks */
    int calls_n;
    int pipeline; /* -1: others call it */
    double *part_rep[STAGE_PARTS]; /* what it takes of the whole, of each replication */
};

struct outcome_resource {
    const char *name, *kind;
    struct estimate utilization;
    double slowdown;       /* of work on cores by what shares them; 1: none */
    double bus_utilization; /* of the memory bus of cores; 0 without one */
    double cost_usd_per_h; /* in cash */
    const char *billing;   /* NULL: the scenario does not say */
    double idle_usd_per_h; /* what the unused part is worth */
    double power_w;
    double servers; /* mean number, where it changes; 0 elsewhere */
};

/* One team's part of the bill: resources are paid for by those who use them, in proportion. */
struct outcome_owner {
    const char *name;
    struct estimate cost_usd_per_h, power_w;
};

struct flow_line;

enum { LATENCY_MEAN, LATENCY_P50, LATENCY_P95, LATENCY_P99, LATENCY_FIGURES };

/* What one pipeline delivered. */
struct outcome_metrics {
    const char *name;
    bool terminating, has_latency, has_queue, has_ttft, has_tpot, has_goodput, has_quality;
    struct estimate throughput_per_s, makespan_s, stall;
    struct estimate latency_s[LATENCY_FIGURES], queue_s[LATENCY_FIGURES], ttft_s[LATENCY_FIGURES],
        tpot_s[LATENCY_FIGURES];
    struct estimate goodput_per_s, quality, failed, usd_per_unit;
    const char *quality_unit;
};

/* Steady runs: pieces left out of each replication's beginning, and measured after it. */
struct outcome_warmup {
    bool used, settled; /* not settled: MSER-5 would have dropped half of the run */
    double discarded, measured;
};

struct outcome {
    const char *command;
    const struct scenario *scenario;
    uint64_t seed;
    long replications;
    uint64_t events;
    double confidence;
    enum sim_cap cap;
    bool capped, terminating, has_latency, has_bound, has_cost;
    struct estimate throughput_per_s, makespan_s, latency_s[LATENCY_FIGURES], stall, cost_usd, cost_usd_per_h,
        cost_per_1m;
    struct outcome_warmup warmup;
    struct bound bound;
    int pipelines_n;
    struct outcome_metrics *pipelines, *metrics; /* all; the objective's, of which some stand above as well */
    bool has_billing, has_power;
    struct estimate idle_usd_per_h, power_w;
    int stages_n, resources_n, owners_n;
    struct outcome_owner *owners;
    struct outcome_stage *stages;
    struct outcome_resource *resources;
    /* Per replication, for paired comparisons; larger is better: throughput, or 1 / mean latency for open
     * arrivals. */
    double *objective_rep;
    struct flow_line **rep; /* [replication][pipeline], without series: figure.h reads them */
    double *cash_usd_per_h_rep, *power_w_rep; /* the same of cost and power; NULL where there is none */
};

/* The head of every result document: format, command, program, scenario; the caller frees it. */
struct json *result_document(const char *command, const struct scenario *s);

/* The result document of CLI.md; the caller frees it. */
struct json *outcome_json(const struct outcome *o);
struct json *estimate_json(const struct estimate *e);

#endif
