#include "models/dataset.h"

#include "engine/rng.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * The formulas of models/dataset.h against the process they describe: A slots, each a sequence of sessions of
 * S rows at a random phase; the next row of the log belongs to a slot at random; a row repeats the session
 * features of the one before it in its session with probability d.
 */

static struct dataset_cfg base(void)
{
    struct arena *a = arena_new();
    struct dataset_cfg d;
    struct err err = {0};

    cr_assert_eq(param_load(dataset_params, NULL, "$", a, &d, &err), 0, "%s", err.text);
    arena_free(a);
    return d;
}

/* ------------------------------------------------------------------------------- the process itself */

struct row {
    long session, group; /* a session's number says nothing about when it began */
    long place;
};

static long new_session(struct rng *r)
{
    return (long)(rng_next(r) >> 2);
}

static int by_session(const void *x, const void *y)
{
    const struct row *a = x, *b = y;

    if (a->session != b->session)
        return a->session < b->session ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

static void write_partition(const struct dataset_cfg *d, struct rng *r, struct row *rows)
{
    struct slot {
        long left, session, group;
    } *slots = calloc((size_t)d->active_sessions, sizeof *slots);
    long groups = 0;

    for (long i = 0; i < d->active_sessions; i++)
        slots[i] =
            (struct slot){1 + (long)rng_below(r, (uint64_t)d->session_samples), new_session(r), groups++};
    for (long i = 0; i < d->partition_rows; i++) {
        struct slot *s = &slots[rng_below(r, (uint64_t)d->active_sessions)];

        rows[i] = (struct row){s->session, s->group, i};
        if (--s->left == 0)
            *s = (struct slot){d->session_samples, new_session(r), groups++};
        else if (rng_uniform(r) > d->repeat_prob)
            s->group = groups++;
    }
    free(slots);
}

static int by_number(const void *x, const void *y)
{
    long a = *(const long *)x, b = *(const long *)y;

    return (a > b) - (a < b);
}

static double distinct(long *x, long n)
{
    double count = 0;

    qsort(x, (size_t)n, sizeof *x, by_number);
    for (long i = 0; i < n; i++)
        count += i == 0 || x[i] != x[i - 1];
    return count;
}

struct counted {
    double sessions, groups;
};

/* Mean counts over the slices of `n` rows of many partitions.  They begin anywhere: where sessions are
 * equally long, slices that begin with one would otherwise all do so. */
static struct counted count(const struct dataset_cfg *d, enum table_order order, long n, double kept,
                            int partitions)
{
    struct row *rows = calloc((size_t)d->partition_rows, sizeof *rows);
    long *sessions = calloc((size_t)n, sizeof *sessions), *groups = calloc((size_t)n, sizeof *groups);
    struct counted mean = {0};
    double slices = 0;

    for (int p = 0; p < partitions; p++) {
        struct rng r;

        rng_stream(&r, 1, (uint32_t)p, "log");
        write_partition(d, &r, rows);
        if (order == ORDER_SESSION)
            qsort(rows, (size_t)d->partition_rows, sizeof *rows, by_session);
        for (long from = (long)rng_below(&r, (uint64_t)n); from + n <= d->partition_rows; from += n) {
            long k = 0;

            for (long i = 0; i < n; i++) {
                sessions[i] = rows[from + i].session;
                if (rng_uniform(&r) < kept)
                    groups[k++] = rows[from + i].group;
            }
            mean.sessions += distinct(sessions, n);
            mean.groups += distinct(groups, k);
            slices++;
        }
    }
    free(rows);
    free(sessions);
    free(groups);
    return (struct counted){mean.sessions / slices, mean.groups / slices};
}

static const struct setting {
    long active, samples, partition, rows;
    double repeat, kept;
} settings[] = {
    {500, 16, 8192, 256, 0.9, 1},  {500, 16, 8192, 427, 0.9, 0.6},   {500, 16, 8192, 4096, 0.9, 0.6},
    {50, 16, 8192, 512, 0.9, 0.3}, {1, 16, 4096, 64, 0.9, 1},        {1, 40, 4000, 400, 0.95, 0.5},
    {2000, 8, 8192, 1024, 0.5, 1}, {100, 100, 8192, 256, 0.99, 0.6}, {20, 3, 4096, 64, 0.7, 0.8},
    {300, 1, 4096, 128, 0.9, 0.6}, {64, 16, 4096, 512, 0, 0.6},      {64, 16, 4096, 512, 1, 0.6},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static struct dataset_cfg dataset_of(const struct setting *x)
{
    struct dataset_cfg d = base();

    d.active_sessions = x->active;
    d.session_samples = x->samples;
    d.partition_rows = x->partition;
    d.repeat_prob = x->repeat;
    return d;
}

Test(dataset, distinct_groups_are_those_of_the_simulated_log)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting *x = &settings[i];
        struct dataset_cfg d = dataset_of(x);

        for (int order = ORDER_TIME; order <= ORDER_SESSION; order++) {
            double got = dataset_distinct_groups(&d, (enum table_order)order, (double)x->rows, x->kept);
            struct counted c = count(&d, (enum table_order)order, x->rows, x->kept, 60);

            cr_expect(fabs(got / c.groups - 1) < 0.03,
                      "%s order, A %ld, S %ld, d %g, kept %g, %ld rows: formula %g, log %g",
                      table_order_names[order], x->active, x->samples, x->repeat, x->kept, x->rows, got,
                      c.groups);
        }
    }
}

Test(dataset, sessions_are_those_of_the_simulated_log)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting *x = &settings[i];
        struct dataset_cfg d = dataset_of(x);

        for (int order = ORDER_TIME; order <= ORDER_SESSION; order++) {
            double got = dataset_sessions(&d, (enum table_order)order, (double)x->rows);
            struct counted c = count(&d, (enum table_order)order, x->rows, 1, 60);

            cr_expect(fabs(got / c.sessions - 1) < 0.03,
                      "%s order, A %ld, S %ld, %ld rows: formula %g, log %g", table_order_names[order],
                      x->active, x->samples, x->rows, got, c.sessions);
        }
    }
}

/* ---------------------------------------------------------------------------------- closed forms */

/* RecD: a session of S rows holds 1 + (S - 1)(1 - d) distinct groups. */
static double recd_groups(double s, double d)
{
    return 1 + (s - 1) * (1 - d);
}

Test(dataset, a_whole_session_more_brings_recd_s_number_of_groups)
{
    static const double repeats[] = {0, 0.3, 0.9, 0.99, 1};
    static const long lengths[] = {1, 2, 16, 100};

    for (size_t i = 0; i < sizeof repeats / sizeof *repeats; i++)
        for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
            struct dataset_cfg d = base();
            double s = (double)lengths[k], truth, more, factor;

            d.active_sessions = 1; /* one session at a time: a batch holds whole ones, but for its two ends */
            d.session_samples = lengths[k];
            d.repeat_prob = repeats[i];
            d.partition_rows = 1000 * lengths[k];
            truth = recd_groups(s, d.repeat_prob);
            more = dataset_distinct_groups(&d, ORDER_TIME, 11 * s, 1) -
                   dataset_distinct_groups(&d, ORDER_TIME, 10 * s, 1);
            cr_expect_float_eq(more, truth, 1e-9 * truth, "S %g, d %g: %g, RecD %g", s, d.repeat_prob, more,
                               truth);
            factor = 1e6 * s / dataset_distinct_groups(&d, ORDER_TIME, 1e6 * s, 1);
            cr_expect_float_eq(factor, s / truth, 1e-4 * factor, "S %g, d %g: factor %g, RecD %g", s,
                               d.repeat_prob, factor, s / truth);
            factor = 1000 * s / dataset_distinct_groups(&d, ORDER_SESSION, 1000 * s, 1);
            cr_expect_float_eq(factor, s / truth, 2e-3 * factor, "clustered, S %g, d %g: factor %g, RecD %g",
                               s, d.repeat_prob, factor, s / truth);
        }
}

Test(dataset, counts_grow_with_the_rows_and_stay_below_them)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        struct dataset_cfg d = dataset_of(&settings[i]);

        for (int order = ORDER_TIME; order <= ORDER_SESSION; order++) {
            double sessions = 0, groups = 0;

            for (double rows = 1; rows <= (double)d.partition_rows; rows = ceil(rows * 1.5)) {
                double s = dataset_sessions(&d, (enum table_order)order, rows);
                double g = dataset_distinct_groups(&d, (enum table_order)order, rows, settings[i].kept);

                cr_expect(s >= sessions * (1 - 1e-9) && s <= rows * (1 + 1e-9),
                          "setting %zu, %g rows: %g sessions after %g", i, rows, s, sessions);
                cr_expect(g >= groups * (1 - 1e-9) && g <= rows * settings[i].kept * (1 + 1e-9),
                          "setting %zu, %s, %g rows: %g groups after %g", i, table_order_names[order], rows,
                          g, groups);
                sessions = s;
                groups = g;
            }
        }
    }
}

Test(dataset, clustering_brings_a_batch_fewer_distinct_groups)
{
    struct dataset_cfg d = base();

    for (double rows = 64; rows <= 4096; rows *= 2) {
        double plain = dataset_distinct_groups(&d, ORDER_TIME, rows, 0.6);
        double clustered = dataset_distinct_groups(&d, ORDER_SESSION, rows, 0.6);

        cr_expect(clustered < plain, "%g rows: %g clustered, %g in time order", rows, clustered, plain);
    }
}

Test(dataset, relations_between_parameters_are_checked)
{
    static const struct {
        long rows, partition, session, item, used_session, used_item;
        const char *says;
    } cases[] = {
        {1000, 300, 24, 16, 16, 8, "300 does not divide rows (1000)"},
        {1000, 100, 4, 16, 5, 8, "used_session_features: 5"},
        {1000, 100, 4, 16, 4, 17, "used_item_features: 17"},
        {1000, 100, 0, 0, 0, 0, "needs a feature"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dataset_cfg d = base();
        struct err err = {0};

        d.rows = cases[i].rows;
        d.partition_rows = cases[i].partition;
        d.session_features = cases[i].session;
        d.item_features = cases[i].item;
        d.used_session_features = cases[i].used_session;
        d.used_item_features = cases[i].used_item;
        cr_expect_eq(dataset_check(&d, "$.workload.dataset", &err), ERR_SCENARIO);
        cr_expect_not_null(strstr(err.text, "$.workload.dataset"), "%s", err.text);
        cr_expect_not_null(strstr(err.text, cases[i].says), "%s", err.text);
    }
}

Test(dataset, a_row_weighs_what_its_columns_weigh)
{
    struct dataset_cfg d = base();

    cr_expect_eq(dataset_session_values(&d, false), 240);
    cr_expect_eq(dataset_item_values(&d, false), 160);
    cr_expect_eq(dataset_session_values(&d, true), 160);
    cr_expect_eq(dataset_item_values(&d, true), 80);
    cr_expect_eq(dataset_row_bytes(&d, false), 8 * 400 + 4 * 32 + 28);
    cr_expect_eq(dataset_row_bytes(&d, true), 8 * 240 + 4 * 32 + 28);
}
