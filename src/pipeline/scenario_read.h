/*
 * scenario_read.h - the inside of reading a scenario, shared by its parts and by nobody else.
 *
 *   scenario.c            the file as a whole
 *   scenario_tools.c      messages, quantities, lists of names
 *   scenario_resolve.c    calibrations and presets put into the tree
 *   scenario_stages.c     resources, stages, edges
 *   scenario_workload.c   workload, data set, horizon
 */
#ifndef PIPELINE_SCENARIO_READ_H
#define PIPELINE_SCENARIO_READ_H

#include "pipeline/scenario.h"

/* Everything that reading needs to know; `where` texts are JSON paths behind the file's name. */
struct reader {
    struct scenario *s;
    const struct scenario_options *opt;
    struct err *err;
};

/* scenario_tools.c; each returns the error's code */
int bad(const struct reader *r, const char *where, const char *what);
int check_keys(const struct reader *r, const struct json *obj, const char *where, const char *const *keys);
int load_params(const struct reader *r, const struct param *table, const struct json *obj, const char *where,
                void *cfg);
int read_quantity(struct reader *r, const struct json *v, enum unit unit, double min, double max,
                  const char *where, double *out);
int read_law(struct reader *r, const struct json *v, enum unit unit, const char *where, struct law *out);
void warn(struct scenario *s, const char *path, const char *text);
void append_name(struct scenario *s, const char ***list, int *n, const char *name); /* once */

/* "preset" first and "calibration" over it, for the stage or resource `target` ("stages.prep"). */
int resolve_references(const struct reader *r, const struct json *obj, const char *where, const char *target,
                       const char *model);

int read_resources(struct reader *r);
int read_stages(struct reader *r);
int read_edges(struct reader *r);
int read_workload(struct reader *r);
int read_horizon(struct reader *r);

#endif
