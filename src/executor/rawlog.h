/*
 * rawlog.h - the raw interaction logs that ETL starts from, made from a seed.
 *
 * Per partition two files of binary records, as loggers write them: compact,
 * in the order things happened, each to be parsed:
 *
 *     PART.features   "FSRAWF1\n", then for every row, in time order:
 *         varint   microseconds since the row before
 *         varint   session id
 *         varint   zigzag(sample id - the sample id before)
 *         varint   session_features * list_length + item_features * list_length raw ids (6 bytes each,
 * mostly) float32  dense_features numbers PART.labels     "FSRAWL1\n", then for every sample, in the order
 * the feedback came in: varint   sample id byte     label
 *
 * Varints are LEB128.  Labels come in another order than the samples, so that
 * joining them is a real join.  How sessions interleave and repeat is said in
 * models/dataset.h.  The same config gives the same bytes.
 */
#ifndef EXECUTOR_RAWLOG_H
#define EXECUTOR_RAWLOG_H

#include "models/dataset.h"

#include <stdint.h>
#include <stdio.h>

enum { RAWLOG_MAGIC = 8, RAWLOG_ID_BITS = 42 };
extern const char rawlog_features_magic[RAWLOG_MAGIC + 1], rawlog_labels_magic[RAWLOG_MAGIC + 1];

struct rawlog {
    char folder[3500];
    long partitions, partition_rows;
    double bytes; /* of all files */
};

/*
 * Finds the logs of this data set below `folder`, or writes them there.  They are kept under a name that
 * hashes everything they depend on; half-written ones are made again.
 */
int rawlog_open(const struct dataset_cfg *d, const char *folder, struct rawlog *out, struct err *err);

/* Another label for every sample, as a later experiment logs it: PART.relabels beside each partition, in the
 * form of PART.labels. */
#define RAWLOG_RELABELS "relabels"
int rawlog_relabel(const struct dataset_cfg *d, const struct rawlog *r, struct err *err);

void rawlog_path(const struct rawlog *r, long partition, const char *kind, char *buf, size_t size);

/* Brings the logs into the page cache, so that parsing costs the same whenever they were written. */
int rawlog_warm(const struct rawlog *r, struct err *err);

#endif
