/*
 * rules_parts.h - what the files with rules share, and nobody else uses.
 *
 *   rules.c           looks at every stage, keeps what builds and takes hold, declares it
 *   rules_graph.c     operator graphs: reorder, fuse, cache, offload, prefetch, workers
 *   rules_table.c     columnar tables: projection, coalesced reads, stripes, order, codec, deltas
 *   rules_training.c  gangs of accelerators: recompute, overlap, checkpoint interval
 *   rules_serving.c   engines and indexes: batches, prefix cache, chunked prefill, replicas, quantization
 *   rules_capacity.c  resources: as many as the bound asks for
 */
#ifndef STUDY_RULES_PARTS_H
#define STUDY_RULES_PARTS_H

#include "pipeline/bound.h"
#include "study/rules.h"

struct rules_work {
    const struct json *tree;
    const char *file;
    struct scenario_options opt;
    const struct scenario *s;
    struct bound bound; /* of the objective */
    struct arena *a;
    struct rewrite *list;
    int n, room;
};

typedef void rule_fn(struct rules_work *w, const struct stage *st);

/* A rewrite of the stage that is legal so far; add edits with rewrite_set(). */
struct rewrite *rewrite_new(struct rules_work *w, const char *rule, const char *variant /* NULL: only one */,
                            const struct stage *st, const char *about, const char *why);
void rewrite_set(struct rules_work *w, struct rewrite *r, const char *path, struct json *value);
/* STAGE.KEY of the stage the rewrite looks at. */
void rewrite_set_own(struct rules_work *w, struct rewrite *r, const char *key, struct json *value);
void rewrite_touches(struct rules_work *w, struct rewrite *r, const char *stage);
/* The rule looked at the stage and has nothing to propose: why. */
void rewrite_refuse(struct rules_work *w, const char *rule, const struct stage *st, const char *why);

/* Parameters of a stage as they were read; the model must have them. */
bool stage_is(const struct stage *st, const char *model);
bool stage_bool(const struct stage *st, const char *key);
long stage_int(const struct stage *st, const char *key);
double stage_real(const struct stage *st, const char *key);
const char *stage_choice(const struct stage *st, const char *key);

bool cost_is_known(const struct cost *c); /* what nobody measured reads 0, and must not look free */

const struct dataset_cfg *stage_data(const struct rules_work *w, const struct stage *st); /* NULL: none */
/* The next stage of that model behind `st` in its pipeline; NULL. */
const struct stage *stage_behind(const struct rules_work *w, const struct stage *st, const char *model);

extern rule_fn *const rules_of_graphs[],
    *const rules_of_tables[], *const rules_of_training[], *const rules_of_serving[]; /* NULL at the end */
void rules_of_resources(struct rules_work *w);

#endif
