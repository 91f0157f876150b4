/*
 * scenario_read.h - the inside of reading a scenario, shared by its parts and by nobody else.
 *
 *   scenario.c            the file as a whole
 *   scenario_tools.c      messages, quantities, lists of names
 *   scenario_resolve.c    calibrations and presets put into the tree
 *   scenario_values.c     laws that stand in a recording
 *   scenario_resources.c  resources
 *   scenario_workload.c   workload, data set, horizon
 *   scenario_arrivals.c   open arrivals
 *   scenario_trace.c      recorded workloads
 *   scenario_requests.c   requests, sessions, service-level objectives
 *   scenario_pipelines.c  one pipeline or several
 *   scenario_stages.c     stages
 *   scenario_calls.c      which stage asks which
 *   scenario_edges.c      the order of flow
 */
#ifndef PIPELINE_SCENARIO_READ_H
#define PIPELINE_SCENARIO_READ_H

#include "pipeline/scenario.h"

/* A stage as the file has it, beside scenario.stages until their order is known. */
struct stage_text {
    const struct json *json;
    const char *path;  /* "$.stages[2]" */
    const char *where; /* "$.stages[2] (\"prep\")" */
    int pipeline;      /* in whose list it stands; -1: in the list of those that others call */
};

/* Everything that reading needs to know; `where` texts are JSON paths behind the file's name. */
struct reader {
    struct scenario *s;
    const struct scenario_options *opt;
    struct err *err;
    struct stage_text *texts; /* by stage */
    struct lookup lookup;     /* for models that refer to recordings and documents */
};

/* scenario_tools.c; each returns the error's code */
int bad(const struct reader *r, const char *where, const char *what);
int check_keys(const struct reader *r, const struct json *obj, const char *where, const char *const *keys);
int load_params(const struct reader *r, const struct param *table, const struct json *obj, const char *where,
                void *cfg);
int read_quantity(struct reader *r, const struct json *v, enum unit unit, double min, double max,
                  const char *where, double *out);
int read_law(struct reader *r, const struct json *v, enum unit unit, const char *where, struct law *out);
bool scenario_loses_items(const struct scenario *s,
                          int pipeline); /* some stage turns away whom it cannot take */
void warn(struct scenario *s, const char *path, const char *text);
void append_name(struct scenario *s, const char ***list, int *n, const char *name); /* once */

/* "preset" first and "calibration" over it, for `target` ("stages.prep"); what speaks of its `kind`
   ("models.preprocess", "kinds.disk") is for it too. */
int resolve_references(const struct reader *r, const struct json *obj, const char *where, const char *target,
                       const char *kind);

/* In the order in which they are called. */
int resolve_values(struct reader *r); /* in the tree */
int read_resources(struct reader *r);
int read_pipelines(struct reader *r); /* each with its workload and horizon */
int read_stages(struct reader *r);
int read_calls(struct reader *r);
int read_edges(struct reader *r); /* puts the stages in order */
/* v == NULL: no limits. */
int read_slo(struct reader *r, const struct json *v, const char *where, struct slo *slo);
void finish_pipelines(struct reader *r); /* what follows from all the rest */

/* The stage of that name, or an error that suggests one. */
int find_stage(const struct reader *r, const struct json *name, const char *where, int *out);

/* Of one pipeline; `where` is the JSON path of `v`. */
int read_workload(struct reader *r, const struct json *v, const char *where, struct workload *out);
int read_horizon(struct reader *r, const struct json *v, const char *where, const struct workload *w,
                 struct horizon *out);
int read_open(struct reader *r, const struct json *v, const char *where, struct workload *out);
int read_trace(struct reader *r, const struct json *v, const char *where, struct workload *out);
int find_stream_classes(struct reader *r, const char *where, struct workload *out);
int read_requests(struct reader *r, const struct json *v, const char *where, struct workload *out);
int read_sessions(struct reader *r, const struct json *v, const char *where, struct workload *out);
const struct requests *plain_requests(struct arena *a); /* of which nothing is said */

#endif
