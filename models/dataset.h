/*
 * dataset.h - the shape of a session-structured interaction log.
 *
 * A recommendation data set is written by sessions: a user opens the app, looks
 * at `session_samples` things, and leaves.  Every look is one row (a sample).
 * Its sparse features fall into two groups.  Session features (the user's
 * history) stay the same from one sample of the session to the next with
 * probability `repeat_prob`, all together; item features are drawn afresh.
 * In time order the rows of `active_sessions` concurrent sessions interleave;
 * an ETL job may cluster them by session within one partition.
 *
 * The same numbers drive the executor's generator and the models' formulas, so
 * the two can be compared: the executor writes such data, the models only
 * predict how many distinct values a batch of it holds.
 */
#ifndef MODELS_DATASET_H
#define MODELS_DATASET_H

#include "base/param.h"

struct dataset_cfg {
    long rows;             /* samples in the log: one epoch */
    long partition_rows;   /* rows of one log partition, the unit of ETL work */
    long session_samples;  /* S: every session has exactly this many */
    double repeat_prob;    /* d */
    long active_sessions;  /* A: sessions open at any moment; the next row belongs to one of them at random */
    long session_features; /* sparse features that repeat within a session */
    long item_features;    /* sparse features drawn afresh for every sample */
    long used_session_features,
        used_item_features; /* what the training job reads: the first so many of each */
    long list_length;       /* values in every sparse feature of a row */
    long dense_features;    /* all are used */
    long vocabulary;        /* distinct raw ids of one sparse feature */
    double zipf;            /* exponent of the ids' popularity */
    double positive_frac;   /* rows with label 1 */
    double keep_frac;       /* rows that survive the job's filter (down-sampled negatives) */
    long epochs;
    long seed;
};

extern const struct param dataset_params[];

/* Relations between the parameters; fills err and returns ERR_SCENARIO when one does not hold. */
int dataset_check(const struct dataset_cfg *d, const char *where, struct err *err);

enum table_order { ORDER_TIME, ORDER_SESSION };
extern const char *const table_order_names[]; /* "time", "session" */

/*
 * Expected number of different sessions among `rows` consecutive rows of a
 * partition.  In time order each of the A slots receives m ~ Binomial(rows, 1/A)
 * rows, and touches 1 + (m - 1)/S sessions when m > 0.  Clustered, rows of one
 * session are adjacent with run length partition_rows / sessions(partition).
 */
double dataset_sessions(const struct dataset_cfg *d, enum table_order order, double rows);

/*
 * Expected number of distinct session-feature groups among `rows` consecutive
 * rows, of which a fraction `kept` (at random) has survived a filter: a group
 * counts when at least one of its rows in the slice was kept.  In time order the
 * rows of a slot are cut out of sessions of S rows at a random phase; clustered,
 * a slice has its share of the partition's groups, and one more for a group that
 * its edge cuts in two.  With S rows a session and kept = 1 this is RecD's factor
 * S / (1 + (S-1)(1-d)).
 */
double dataset_distinct_groups(const struct dataset_cfg *d, enum table_order order, double rows, double kept);

/* Values (of every feature's list) in one row: all features, or only those the job uses. */
double dataset_session_values(const struct dataset_cfg *d, bool used_only);
double dataset_item_values(const struct dataset_cfg *d, bool used_only);

/* Bytes of one decoded row: 8 per sparse value, 4 per dense feature, 4 label, 8 session, 8 time, 8 sample id.
 */
double dataset_row_bytes(const struct dataset_cfg *d, bool used_only);

#endif
