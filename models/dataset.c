#include "models/dataset.h"

#include <math.h>

#define T struct dataset_cfg
const struct param dataset_params[] = {
    INT(T, rows, "65536", 1, 1e12, "Samples in the log: one epoch"),
    INT(T, partition_rows, "8192", 1, 1e9, "Rows of one log partition, the unit of ETL work"),
    INT(T, session_samples, "16", 1, 1e5, "Samples of one session (S)"),
    REAL(T, repeat_prob, UNIT_FRAC, "0.9", 0, 1,
         "Chance that the session features repeat from one sample to the next (d)"),
    INT(T, active_sessions, "500", 1, 1e8, "Sessions open at any moment; their rows interleave"),
    INT(T, session_features, "24", 0, 10000, "Sparse features that repeat within a session"),
    INT(T, item_features, "16", 0, 10000, "Sparse features drawn afresh for every sample"),
    INT(T, used_session_features, "16", 0, 10000, "Session features the training job reads"),
    INT(T, used_item_features, "8", 0, 10000, "Item features the training job reads"),
    INT(T, list_length, "10", 1, 10000, "Values in one sparse feature of one row"),
    INT(T, dense_features, "32", 0, 10000, "Dense features of one row"),
    INT(T, vocabulary, "100000", 2, 1e9, "Distinct raw ids of one sparse feature"),
    REAL(T, zipf, UNIT_NONE, "1.05", 0, 4, "Exponent of the ids' popularity"),
    REAL(T, positive_frac, UNIT_FRAC, "0.2", 0, 1, "Rows with a positive label"),
    REAL(T, keep_frac, UNIT_FRAC, "0.6", 0.001, 1, "Rows that survive the job's filter"),
    INT(T, epochs, "1", 1, 1000, "Passes over the log"),
    INT(T, seed, "1", 0, 1e15, "Seed of the generator"),
    PARAMS_END};
#undef T

const char *const table_order_names[] = {"time", "session", NULL};

int dataset_check(const struct dataset_cfg *d, const char *where, struct err *err)
{
    if (d->rows % d->partition_rows != 0)
        return err_set(err, ERR_SCENARIO, "%s.partition_rows: %ld does not divide rows (%ld)", where,
                       d->partition_rows, d->rows);
    if (d->used_session_features > d->session_features)
        return err_set(err, ERR_SCENARIO,
                       "%s.used_session_features: %ld, but there are only %ld session_features", where,
                       d->used_session_features, d->session_features);
    if (d->used_item_features > d->item_features)
        return err_set(err, ERR_SCENARIO, "%s.used_item_features: %ld, but there are only %ld item_features",
                       where, d->used_item_features, d->item_features);
    if (d->session_features + d->item_features == 0)
        return err_set(err, ERR_SCENARIO,
                       "%s: session_features and item_features are both 0; a row needs a feature", where);
    return 0;
}

static double sessions_in_time_order(const struct dataset_cfg *d, double rows)
{
    double slots = (double)d->active_sessions, per_session = (double)d->session_samples;
    double touched = -expm1(rows * log1p(-1 / slots)); /* P(a slot gets a row) */

    if (slots <= 1)
        return 1 + (rows - 1) / per_session;
    return slots * (touched + (rows / slots - touched) / per_session);
}

double dataset_sessions(const struct dataset_cfg *d, enum table_order order, double rows)
{
    double partition = (double)d->partition_rows, run;

    if (rows <= 0)
        return 0;
    if (order == ORDER_TIME)
        return sessions_in_time_order(d, rows);
    run = partition / sessions_in_time_order(d, partition);
    return 1 + (rows - 1) / run;
}

/*
 * Distinct groups among the rows of one session that were kept, out of `length` consecutive ones.  A row
 * counts when it is kept and no earlier kept row of the stretch belongs to its group; q is the chance that
 * one more row back is of the same group and was dropped.  `sum`: of this over the lengths 1 .. length
 * instead.
 */
static double groups_in_stretch(double repeat, double kept, double length, bool sum)
{
    double q = repeat * (1 - kept), fresh = (1 - repeat) / (1 - q), tail = 1 - pow(q, length);

    if (sum)
        return kept *
               (fresh * length * (length + 1) / 2 + (1 - fresh) / (1 - q) * (length - q * tail / (1 - q)));
    return kept * (fresh * length + (1 - fresh) * tail / (1 - q));
}

/* The same for `rows` consecutive rows of one slot: sessions of S rows each, one after the other, at a random
 * phase. */
static double groups_in_slot(const struct dataset_cfg *d, double rows, double kept)
{
    double length = (double)d->session_samples, d_ = d->repeat_prob;
    double cut = fmax(0, fmin(length, rows) - 1); /* longest stretch at either end of the window */
    double ends = 2 / length * groups_in_stretch(d_, kept, cut, true);

    if (rows < 1)
        return rows * groups_in_stretch(d_, kept, 1, false);
    if (rows >= length)
        return ends + (rows - length + 1) / length * groups_in_stretch(d_, kept, length, false);
    return ends + (length - rows + 1) / length * groups_in_stretch(d_, kept, rows, false);
}

/* All slots together; each receives m ~ Binomial(rows, 1/A) of the rows.  Linear in m from S on, so few terms
 * count. */
static double groups_over_slots(const struct dataset_cfg *d, double rows, double kept)
{
    double slots = (double)d->active_sessions, length = (double)d->session_samples, p = 1 / slots,
           mean = rows * p;
    double slope, at_length, sum, spread = 10 * sqrt(mean) + 10;

    if (slots <= 1 || mean - spread > length)
        return slots * groups_in_slot(d, mean, kept);
    at_length = groups_in_slot(d, length, kept);
    slope = groups_in_slot(d, length + 1, kept) - at_length;
    sum = at_length + slope * (mean - length);
    for (double m = floor(fmax(0, mean - spread)); m < fmin(length, mean + spread) && m <= rows; m++) {
        double log_chance =
            lgamma(rows + 1) - lgamma(m + 1) - lgamma(rows - m + 1) + m * log(p) + (rows - m) * log1p(-p);

        sum += exp(log_chance) * (groups_in_slot(d, m, kept) - (at_length + slope * (m - length)));
    }
    return slots * sum;
}

double dataset_distinct_groups(const struct dataset_cfg *d, enum table_order order, double rows, double kept)
{
    double partition = (double)d->partition_rows, same, q, groups;

    if (rows * kept <= 0)
        return 0;
    if (order == ORDER_TIME)
        return groups_over_slots(d, rows, kept);
    /* A share of the partition's groups; those that lie across the slice's edge are counted on both sides. */
    same = d->repeat_prob * (1 - sessions_in_time_order(d, partition) / partition);
    q = same * (1 - kept);
    groups = rows / partition * groups_over_slots(d, partition, kept) +
             (1 - rows / partition) * same * kept * kept / ((1 - q) * (1 - q));
    return fmin(groups, rows * kept); /* a slice shorter than a group has no edge of its own */
}

double dataset_session_values(const struct dataset_cfg *d, bool used_only)
{
    return (double)((used_only ? d->used_session_features : d->session_features) * d->list_length);
}

double dataset_item_values(const struct dataset_cfg *d, bool used_only)
{
    return (double)((used_only ? d->used_item_features : d->item_features) * d->list_length);
}

double dataset_row_bytes(const struct dataset_cfg *d, bool used_only)
{
    double values = dataset_session_values(d, used_only) + dataset_item_values(d, used_only);

    return 8 * values + 4 * (double)d->dense_features + 28;
}
