/*
 * kernels/labels.h - a log of labels, parsed and joined to the rows it speaks of.
 *
 * The index is an open hash table of sample ids, filled once a partition.  A row
 * without a label is an error: a log speaks of all rows of its partition.
 */
#ifndef EXECUTOR_KERNELS_LABELS_H
#define EXECUTOR_KERNELS_LABELS_H

#include "executor/rawlog.h"

struct label_entry {
    uint64_t sample;
    float label;
};

struct labels {
    long capacity, n;
    unsigned char *chunk; /* of a log file */
    struct label_entry *entries;
    struct label_entry *slots; /* sample == UINT64_MAX: free */
    size_t slots_n;
};

void labels_init(struct labels *l, long capacity);
void labels_fini(struct labels *l);

/* The log `kind` ("labels") of a partition into l->entries; *bytes are added. */
int labels_parse(struct labels *l, const struct rawlog *logs, long partition, const char *kind, double *bytes,
                 struct err *err);

void labels_index(struct labels *l); /* of the entries */
/* labels[i] = the label of samples[i], for all rows. */
int labels_join(const struct labels *l, const uint64_t *samples, float *labels, long rows, struct err *err);

#endif
