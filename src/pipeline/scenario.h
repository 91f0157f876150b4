/*
 * scenario.h - a scenario file, read, checked and turned into typed structs.
 *
 * A scenario has two lives.  As a JSON tree it can be edited: --set, an
 * optimization, a calibration are all edits on the tree (edit.h).  Built from
 * the tree it is a constant struct that the bound, the simulation and the
 * executor read.  Everything a scenario points to lives in its arena and goes
 * with scenario_free().
 *
 * The pipeline floor never opens the store: a `struct resolver` handed in
 * answers "calibration" and "preset" references with parameter rows.
 */
#ifndef PIPELINE_SCENARIO_H
#define PIPELINE_SCENARIO_H

#include "models/model.h"
#include "models/server.h"

/*
 * One calibrated parameter: what an edit sets, how sure the fit was, where it holds.
 *
 * Parameters fitted together err together.  The k-th draw of a row is
 *
 *     value * exp(min(stderr / value, 1) * sum_j load[j] z(k, factor[j])),    sum_j load[j]^2 = 1
 *
 * with factors that rows share; a row without loads has a factor of its own.
 */
struct param_row {
    const char *path; /* "stages.prep.params.costs.hash.per_item" */
    double value, stderr_;
    const char *json; /* the value as JSON text, where it is no number; NULL */
    const double *load;
    const char *const *factor; /* names */
    int loads_n;
    double valid_from, valid_to; /* of the size named; NAN: unknown */
    const char *valid_of;        /* "items", "bytes", "concurrency"; NULL or "" */
};

/* A calibrated parameter and the sizes for which it was measured. */
struct validity {
    const char *owner; /* "stages.prep", "resources.disk", "workload" */
    const char *path;
    const char *of;
    double from, to;
    const char *calibration;
};

/* A request as it was recorded; unknown counts are -1, unknown times NAN. */
struct recorded_request {
    double arrival_s;
    long input_tokens, output_tokens;
    const char *class, *session; /* "": one only; none */
    const uint64_t *blocks;      /* of its prompt: equal content, equal number; NULL: unknown */
    long blocks_n;
};

struct resolver {
    void *ctx;
    /* Rows of a named calibration or preset, in `a`.  *n = 0 and success: there is none of that name. */
    int (*calibration)(void *ctx, const char *name, struct arena *a, struct param_row **rows, size_t *n,
                       struct err *err);
    int (*preset)(void *ctx, const char *name, struct arena *a, struct param_row **rows, size_t *n,
                  struct err *err);
    /* The name of a preset like `name`, for a message; NULL: there is none like it. */
    const char *(*nearest_preset)(void *ctx, const char *name, struct arena *a);
    /* As those of struct lookup, for models; NULL: references resolve to nothing. */
    int (*costs)(void *ctx, const char *ref, struct arena *a, struct cost_row **rows, size_t *n,
                 struct err *err);
    int (*document)(void *ctx, const char *name, struct arena *a, const struct json **out, struct err *err);
    /* The requests of "trace:NAME", in order of arrival. */
    int (*requests)(void *ctx, const char *ref, struct arena *a, struct recorded_request **rows, size_t *n,
                    struct err *err);
    /* Of "trace:TRACE/OP": how long its runs took, in seconds, rising; 1,000 at most. */
    int (*values)(void *ctx, const char *ref, struct arena *a, double **values, size_t *n, struct err *err);
};

enum resource_kind { RESOURCE_SERVERS, RESOURCE_CORES, RESOURCE_GPUS, RESOURCE_DISK, RESOURCE_LINK };
extern const char *const resource_kind_names[];

/* Who pays how: by the hour that is used, by the hour whether used or not, or long ago. */
enum billing { BILLING_COMMITTED, BILLING_ELASTIC, BILLING_OWNED };
extern const char *const billing_names[];

/* Each of the servers works for a time, is repaired, and works again. */
struct failures {
    struct law mtbf, repair;
};

/* Every `every` seconds, for the first time at `first`, `servers` of them are away for `lasts`. */
struct maintenance {
    double every, lasts, first;
    long servers;
};

/* Every `period` as many servers are ordered as keep the load seen in it at `target`; they come after
 * `delay`.  With a schedule there are so many in each period, one entry after the other, over and over: ordered
 * in time, whatever the load. */
struct autoscale {
    double period, delay, target;
    long min, max;
    const struct json *schedule_json; /* only while it is read */
    const long *schedule;             /* NULL: none */
    long schedule_n;
};

struct resource {
    const char *name;
    int kind; /* enum resource_kind */
    long count;
    double read_bw, write_bw, iops, latency, bandwidth, flow_cap;
    double contention; /* cores: what every further busy core costs the others (caches, memory) */
    double mem_bw;     /* cores: bytes per second of their memory bus; 0: it never limits */
    long threads_per_core;
    double smt_yield;
    const double *speeds;    /* count entries, or NULL: all 1 */
    double price;            /* USD per hour of the whole resource: price of one times count */
    double capacity, tb_month_usd; /* disks: bytes kept there; of a terabyte, a month */
    double read_usd, write_usd, read_tb_usd, write_tb_usd; /* disks: of 1,000 requests; of a terabyte */
    int billing;             /* enum billing */
    bool has_billing;        /* the scenario names it */
    double idle_w, active_w; /* watts of one, unused and in use */
    const struct json *failures_json, *maintenance_json, *autoscale_json; /* only while it is read */
    const struct failures *failures;                                      /* NULL: none, as the next two */
    const struct maintenance *maintenance;
    const struct autoscale *autoscale;
    bool is_held;     /* cores that a model with state takes one by one, first come first served */
    long queue_limit; /* servers: the smallest limit of the stages on it; -1 none */
};

/* Whether the number of its servers changes while the run lasts. */
bool resource_changes(const struct resource *r);

enum workload_kind { WORKLOAD_OPEN, WORKLOAD_CLOSED, WORKLOAD_CLIENTS, WORKLOAD_TRACE };

struct recording;
struct stream;

struct workload {
    enum workload_kind kind;
    struct law arrivals; /* open, trace: the time between arrivals; of all streams together only its mean */
    const struct stream *streams; /* open */
    int streams_n;
    const struct recording *recording; /* trace */
    double in_flight;                  /* closed: units in the pipeline at most; 0: as many as fit */
    long clients;
    struct law think;
    struct dataset_cfg *data;        /* NULL: none */
    const struct requests *requests; /* what the items ask for; there whenever the pipeline serves */
    const struct sessions *sessions; /* NULL: every request is one of its own */
};

/* Requests of the serving side: what a source draws for each. */
struct request_class {
    const char *name;
    double share; /* of the requests; the shares add up to 1 */
    struct law input_tokens, output_tokens, hops;
    long prefix_tokens; /* at the beginning of every prompt of the class, the same for all */
    double deadline_s;  /* after the request came; INFINITY: none */
    uint64_t luck;      /* whose prefix it is */
};

struct requests {
    int classes_n;
    struct request_class *classes;
    long block_tokens; /* of one prefix block */
};

struct sessions {
    struct law turns, think;
    bool grows; /* a later turn's prompt begins with all that was said before */
};

/* Arrivals that come as they were recorded, from time 0 on. */
struct recording {
    const struct recorded_request *rows;
    const int *classes;       /* of each row: index into requests.classes */
    const uint64_t *sessions; /* 0: none */
    size_t n;
    double rate_scale, span_s; /* a loop begins again after span_s of the recording's time */
    bool loop;
};

/* Arrivals whose rate changes: by the hour of a schedule, or by the states of a Markov chain. */
enum process_kind { PROCESS_SCHEDULE, PROCESS_MMPP };
struct process {
    enum process_kind kind;
    int n;
    const double *rate_per_s; /* of each period or state */
    const double *length_s;   /* of each period; mean stay in each state */
    double cv;                /* schedule: of the gaps at constant rate; 1: Poisson */
};

/* One of several arrival processes that come together. */
struct stream {
    struct law gaps;               /* between arrivals; with a process only its mean */
    const struct process *process; /* NULL: independent gaps */
    const char *class_name;        /* of its requests; NULL: drawn */
    int class;                     /* -1: drawn */
};

/* What a request must meet to count as goodput. */
enum { SLO_LATENCY, SLO_QUEUE, SLO_TTFT, SLO_TPOT, SLO_FIGURES };
struct slo {
    bool given;
    double per_request[SLO_FIGURES]; /* seconds; INFINITY: no limit */
};

enum horizon_kind { HORIZON_STEADY, HORIZON_ITEMS, HORIZON_TIME };

struct horizon {
    enum horizon_kind kind;
    double items; /* units */
    double time_s;
};

/* Where items go next: those whose luck in (0, 1) is below `upto` and not below that of the route before. */
struct route {
    int to; /* stage */
    double upto;
};

struct stage {
    const char *name, *owner;
    const char *path; /* JSON path of its place in the file */
    const struct model *model;
    void *cfg;
    struct shape shape;
    int on[ROLES]; /* resource index, -1 unbound */
    int pipeline;  /* whose flow passes here; -1: other stages call it, nothing else comes */
    struct route *routes;
    int routes_n;                    /* 0: items leave the pipeline here */
    bool is_on_cycle;                /* an item may come by again */
    int calls[CALLEES_MAX], calls_n; /* stages it may ask, by callee role; -1 unbound */
    bool is_called;
    double in_capacity; /* items the buffer in front holds; < 0: unbounded */
    uint64_t luck;      /* hash of the name: whose draws these are */
    bool instant;       /* wants nothing: an infinitely fast neighbour (local gains) */
    double spared;      /* this share of its seconds, bytes and requests falls away; < 0: so much more */
};

/* One flow of items through the stages from `first` on; several share the resources. */
struct pipeline {
    const char *name, *unit;
    struct workload workload;
    struct horizon horizon;
    struct slo slo; /* its own, or the scenario's */
    int first, last,
        stages_n;  /* its stages stand together; items enter at `first` and leave last from `last` */
    bool is_chain; /* every item passes all of them, in order */
    bool is_objective;
    bool serves;                 /* its items carry requests */
    uint64_t luck, request_luck; /* of its items; luck 0: the only pipeline */
};

struct warning {
    const char *path, *text;
};

/* Limits of a run, from the scenario's defaults and the command line. */
struct scenario {
    struct arena *arena;
    struct json *tree; /* with calibrations applied; owned */
    const char *file, *name, *unit, *description;
    char sha256[65]; /* of the tree before calibrations, in canonical form */
    uint64_t seed;
    int pipelines_n, objective; /* how many; whose metrics are the scenario's */
    struct pipeline *pipelines;
    struct horizon horizon; /* those of the objective */
    struct workload workload;
    int resources_n, stages_n;
    struct resource *resources;
    struct stage *stages; /* pipeline by pipeline in the order of flow, then those that are only called */
    const char **calibrations; /* names that were applied */
    int calibrations_n;
    const char **recordings; /* traces whose requests are replayed */
    int recordings_n;
    const char **uncertain; /* calibrated operators and values with a standard error: names for
                               scenario_options.bump */
    int uncertain_n;
    struct validity *validity; /* of calibrated parameters */
    int validity_n;
    const char **assumed; /* JSON paths whose values nobody measured */
    int assumed_n;
    struct warning *warnings;
    int warnings_n;
};

struct scenario_options {
    const struct resolver *resolver; /* NULL: references resolve to nothing, and defaults stay */
    /* A draw of the calibrated parameters, for prediction intervals: 0 is the estimate itself, k > 0 the k-th
       draw value * exp(z * stderr / value), z normal and keyed by (seed, k, path). */
    uint32_t parameter_draw;
    const char *bump; /* one of scenario.uncertain: its values are raised by one standard error; NULL: none */
};

/* What the file's objects may hold: readers and the JSON schema share these; NULL-terminated. */
extern const char *const scenario_keys[], *const stage_keys[], *const pipeline_keys[];
extern const struct param resource_params[];

int scenario_build(const struct json *tree, const char *file, const struct scenario_options *opt,
                   struct scenario **out, struct err *err);
int scenario_load(const char *path, const struct scenario_options *opt, struct scenario **out,
                  struct err *err);
void scenario_free(struct scenario *s);

/*
 * What the named stages would do alone, for local gains: all others become infinitely fast, and the objective
 * is the pipeline that passes the first of them.
 */
void scenario_isolate(struct scenario *s, const char *const *stages, int n);
/* False when everything that the pipeline passes or asks is infinitely fast. */
bool pipeline_takes_time(const struct scenario *s, const struct pipeline *p);

/*
 * The objective's traffic, `factor` times as much: arrivals come so much faster (also those of a schedule or a
 * recording), clients are so many more.  A closed loop takes what it gets: its last stage consumes so much
 * faster, or of a job with an end, there is so much more to do for each item.
 */
void scenario_scale_traffic(struct scenario *s, double factor);
/* Units that come in a second on average; 0 where they come when they are asked for. */
double pipeline_rate_per_s(const struct pipeline *p);

const struct stage *scenario_stage(const struct scenario *s, const char *name); /* NULL if absent */
bool pipeline_has_latency(const struct pipeline *p);                            /* all but closed */
bool scenario_has_latency(const struct scenario *s);                            /* of the objective */

#endif
