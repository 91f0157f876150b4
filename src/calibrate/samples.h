/*
 * samples.h - rows of a trace, sorted into what was measured together.
 *
 * A measured operator is one (hardware, model, op, variant, devices); its rows
 * differ in the sizes of the work.  Sizes that do not vary, or that follow from
 * the others (tokens = batch x chunk), are conditions and no axes:
 *
 *     bytes known              bytes                              a collective
 *     chunk known              chunk, context, batch              prefill attention
 *     batch and context        batch, context                     decode attention
 *     batch alone              batch                              once per sequence
 *     tokens                   tokens                             linear layers
 *
 * Decodes beside a prefill (attention_mixed of LLMServingSim) count as chunk, batch and context of the decodes,
 * from the rows whose chunk had no context.
 *
 * A filter ("op=gemm,n=4096; op=all_reduce") is one or more alternatives with ;
 * between them, each a list of NAME=VALUE that must all hold; VALUE may contain
 * * and ?.  Names are columns (op, hardware, model, devices, variant) or
 * what stands as NAME=VALUE in the variant or among the settings.
 */
#ifndef CALIBRATE_SAMPLES_H
#define CALIBRATE_SAMPLES_H

#include "base/table.h"
#include "store/measurement.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

enum op_size { SIZE_TOKENS, SIZE_BATCH, SIZE_CHUNK, SIZE_CONTEXT, SIZE_BYTES, OP_SIZES };
extern const char *const op_size_names[OP_SIZES];

struct op_samples {
    const char *hardware, *model, *op, *variant;
    int devices;
    size_t n;
    double *size[OP_SIZES]; /* NAN where unknown */
    double *time_s;
    int64_t first, last; /* seq */
    int axes_n;
    enum op_size axis[TABLE_AXES];
};

/* What stands for a name in a row; NULL: nothing does. */
typedef const char *named_fn(const void *row, const char *name, char *room, size_t size);

/* ERR_USAGE when the filter is no list of NAME=VALUE. */
int samples_check_filter(const char *filter, struct err *err);
bool samples_match(const char *filter, named_fn *named, const void *row); /* filter NULL: everything */

/* The operators of a trace in the order in which they first appear. */
int samples_operators(struct store *s, int64_t trace_id, const char *filter, struct arena *a,
                      struct op_samples **out, size_t *n, struct err *err);

/* "op=gemm,devices=1,variant: n=4096,..." */
const char *samples_describe(const struct op_samples *g, struct arena *a);

/* Measurements that agree in all settings but those named (NULL-terminated); with `only`, in those named. */
struct measured_group {
    const char *key;   /* "db=Milvus,ef=100": the other settings, in the order of the file */
    const char *short_; /* of these, what not every group has */
    const struct measured_row **row;
    size_t n;
};

int samples_measured(struct store *s, int64_t trace_id, const char *subject, const char *filter,
                     const char *const *names, bool only, struct arena *a, struct measured_group **out, size_t *n,
                     struct err *err);

/* The value of KEY in "a=1,b=2", "" when absent; `room` holds it. */
const char *samples_variant(const char *variant, const char *key, char *room, size_t size);

#endif
