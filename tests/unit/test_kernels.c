/*
 * The preprocessing and training kernels: whatever the order of operators, fusion or
 * deduplication, the same rows get the same numbers.
 */
#include "executor/rec_stages.h"

#include "small_plan.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static struct rec_plan plan;
static struct err err;
static char *folder;
static struct span_buf *spans;

static void begin(void)
{
    plan = small_plan();
    plan.data.rows = plan.data.partition_rows;
    folder = small_folder();
    spans = span_log_thread(NULL, "", 0);
}

static void end(void)
{
    span_buf_free(spans);
    small_remove(folder);
}

TestSuite(kernels, .init = begin, .fini = end);

static void make_setup(struct setup *s)
{
    cr_assert_eq(setup_init(s, &plan, &err), 0, "%s", err.text);
    cr_assert_eq(rawlog_open(&plan.data, folder, &s->logs, &err), 0, "%s", err.text);
}

/* One stripe of the table that this plan writes. */
static void load_stripe(const struct setup *s, long index, struct stripe *out)
{
    struct etl_worker etl;
    struct storage_worker storage;
    bool direct = true;
    char path[300];
    double bytes;

    snprintf(path, sizeof path, "%s/table", folder);
    etl_worker_init(&etl, s, spans);
    storage_worker_init(&storage, s, spans);
    cr_assert_eq(etl_worker_run(&etl, 0, path, &direct, &bytes, &err), 0, "%s", err.text);
    cr_assert_eq(storage_worker_open(&storage, path, 0, &direct, &err), 0, "%s", err.text);
    cr_assert_eq(storage_worker_run(&storage, index, out, &err), 0, "%s", err.text);
    etl_worker_fini(&etl);
    storage_worker_fini(&storage);
}

static void set_chain(const int *ops, int n)
{
    memcpy(plan.prep.chain, ops, (size_t)n * sizeof *ops);
    plan.prep.chain_n = n;
}

static struct batch make_batch(const struct stripe *stripe, long slice)
{
    struct setup s;
    struct prep_worker w;
    struct batch b;

    cr_assert_eq(setup_init(&s, &plan, &err), 0, "%s", err.text);
    prep_worker_init(&w, &s, spans);
    batch_init(&b, &s.shape, s.slice_rows);
    b.sequence = 0;
    prep_worker_run(&w, stripe, slice, &b);
    prep_worker_fini(&w);
    return b;
}

/* The session lists and crosses of a row, wherever the batch keeps them. */
static const uint32_t *session_list(const struct batch *b, long feature, long row)
{
    long unit = b->dedup ? (long)b->inverse[row] : row;

    return b->session_ids + (feature * b->units + unit) * plan.data.list_length;
}

static uint32_t cross_id(const struct batch *b, long cross, long row)
{
    return b->cross_ids[cross * b->units + (b->dedup ? (long)b->inverse[row] : row)];
}

static void expect_same_batch(const struct batch *a, const struct batch *b)
{
    size_t list = (size_t)plan.data.list_length * sizeof(uint32_t);
    size_t items = (size_t)(plan.data.used_item_features * a->rows) * list;

    cr_assert_eq(a->rows, b->rows);
    cr_assert_gt(a->rows, 0);
    cr_expect_eq(memcmp(a->item_ids, b->item_ids, items), 0);
    cr_expect_eq(
        memcmp(a->dense, b->dense, (size_t)(2 * a->rows * plan.data.dense_features) * sizeof *a->dense), 0);
    cr_expect_eq(memcmp(a->label, b->label, (size_t)a->rows * sizeof *a->label), 0);
    for (long row = 0; row < a->rows; row++) {
        for (long f = 0; f < plan.data.used_session_features; f++)
            cr_assert_eq(memcmp(session_list(a, f, row), session_list(b, f, row), list), 0);
        for (long c = 0; c < plan.prep.crosses; c++)
            cr_assert_eq(cross_id(a, c, row), cross_id(b, c, row));
    }
}

Test(kernels, order_fusion_and_dedup_do_not_change_a_batch)
{
    static const struct {
        bool dedup, fuse;
        int n, ops[PREP_CHAIN_MAX];
    } cases[] = {
        {false, false, 5, {PREP_FILTER, PREP_HASH, PREP_CROSS, PREP_CLIP, PREP_BUCKETIZE}},
        {false, false, 5, {PREP_HASH, PREP_BUCKETIZE, PREP_FILTER, PREP_CLIP, PREP_CROSS}},
        {false, true, 3, {PREP_FUSED_SPARSE, PREP_FUSED_DENSE, PREP_FILTER}},
        {false, true, 3, {PREP_FUSED_DENSE, PREP_FILTER, PREP_FUSED_SPARSE}},
        {true, false, 6, {PREP_DEDUP, PREP_HASH, PREP_CROSS, PREP_CLIP, PREP_BUCKETIZE, PREP_FILTER}},
        {true, false, 6, {PREP_FILTER, PREP_DEDUP, PREP_HASH, PREP_CROSS, PREP_CLIP, PREP_BUCKETIZE}},
        {true, false, 6, {PREP_DEDUP, PREP_HASH, PREP_FILTER, PREP_CROSS, PREP_CLIP, PREP_BUCKETIZE}},
        {true, true, 4, {PREP_DEDUP, PREP_FILTER, PREP_FUSED_SPARSE, PREP_FUSED_DENSE}},
    };
    struct setup s;
    struct stripe stripe;
    struct batch expected;

    make_setup(&s);
    stripe_init(&stripe, &plan.data, plan.etl.stripe_rows);
    load_stripe(&s, 1, &stripe);
    for (long slice = 0; slice < s.slices; slice++) {
        plan.prep.dedup = plan.prep.fuse = false;
        plan.prep.chain_n = 0;
        expected = make_batch(&stripe, slice);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct batch b;

            plan.prep.dedup = cases[i].dedup;
            plan.prep.fuse = cases[i].fuse;
            set_chain(cases[i].ops, cases[i].n);
            b = make_batch(&stripe, slice);
            cr_expect_eq(b.dedup, cases[i].dedup);
            expect_same_batch(&expected, &b);
            batch_fini(&b);
        }
        batch_fini(&expected);
    }
    stripe_fini(&stripe);
}

Test(kernels, a_chain_that_cannot_work_is_refused)
{
    static const struct {
        bool dedup;
        int n, ops[PREP_CHAIN_MAX];
    } cases[] = {
        {false, 5, {PREP_CROSS, PREP_HASH, PREP_CLIP, PREP_BUCKETIZE, PREP_FILTER}},
        {false, 4, {PREP_HASH, PREP_CROSS, PREP_CLIP, PREP_FILTER}},
        {false, 4, {PREP_HASH, PREP_CROSS, PREP_CLIP, PREP_BUCKETIZE}},
        {true, 6, {PREP_HASH, PREP_DEDUP, PREP_CROSS, PREP_CLIP, PREP_BUCKETIZE, PREP_FILTER}},
        {true, 5, {PREP_HASH, PREP_CROSS, PREP_CLIP, PREP_BUCKETIZE, PREP_FILTER}},
    };
    struct setup s;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        plan.prep.dedup = cases[i].dedup;
        set_chain(cases[i].ops, cases[i].n);
        cr_expect_eq(setup_init(&s, &plan, &err), ERR_SCENARIO, "case %zu", i);
    }
}

/* Mean distinct groups per slice, found by dedup, beside the formula that the models use. */
static void compare_groups(enum table_order order, bool filter_first)
{
    static const int last[] = {PREP_DEDUP, PREP_HASH, PREP_CROSS, PREP_CLIP, PREP_BUCKETIZE, PREP_FILTER};
    static const int first[] = {PREP_FILTER, PREP_DEDUP, PREP_HASH, PREP_CROSS, PREP_CLIP, PREP_BUCKETIZE};
    struct setup s;
    struct stripe stripe;
    struct prep_worker w;
    struct batch b;
    double found = 0, kept = 0, expected;

    plan.etl.order = order;
    set_chain(filter_first ? first : last, 6);
    make_setup(&s);
    stripe_init(&stripe, &plan.data, plan.etl.stripe_rows);
    prep_worker_init(&w, &s, spans);
    batch_init(&b, &s.shape, s.slice_rows);
    for (long i = 0; i < s.stripes; i++) {
        load_stripe(&s, i, &stripe);
        for (long k = 0; k < s.slices; k++) {
            prep_worker_run(&w, &stripe, k, &b);
            found += (double)b.units;
            kept += (double)b.rows;
        }
    }
    expected = (double)(s.stripes * s.slices) *
               dataset_distinct_groups(&plan.data, order, (double)plan.etl.stripe_rows / (double)s.slices,
                                       plan.data.keep_frac);
    cr_expect_float_eq(found / expected, 1, 0.03, "%s order: %.0f groups in %.0f rows, expected %.0f",
                       table_order_names[order], found, kept, expected);
    cr_expect_float_eq(kept / (double)plan.data.rows / plan.data.keep_frac, 1, 0.02);
    prep_worker_fini(&w);
    batch_fini(&b);
    stripe_fini(&stripe);
}

Test(kernels, dedup_finds_as_many_groups_as_the_formula_says)
{
    plan.data.rows = plan.data.partition_rows = 32768;
    plan.data.session_samples = 16;
    plan.data.active_sessions = 1000;
    plan.etl.stripe_rows = 4096;
    plan.prep.batch = 256;
    plan.prep.dedup = true;
    compare_groups(ORDER_TIME, false);
    compare_groups(ORDER_SESSION, false);
    compare_groups(ORDER_TIME, true);
    compare_groups(ORDER_SESSION, true);
}

/* Losses of `steps` steps over the slices of one stripe. */
static void train(const struct setup *s, const struct stripe *stripe, int steps, double *losses)
{
    struct train_worker w;

    train_worker_init(&w, s, spans);
    for (int i = 0; i < steps; i++) {
        struct batch b = make_batch(stripe, i % s->slices);

        losses[i] = train_worker_run(&w, &b);
        batch_fini(&b);
    }
    train_worker_fini(&w);
}

Test(kernels, training_on_distinct_groups_is_training_on_rows)
{
    enum { STEPS = 60 };
    double plain[STEPS], dedup[STEPS];
    struct setup s;
    struct stripe stripe;

    plan.etl.order = ORDER_SESSION;
    make_setup(&s);
    stripe_init(&stripe, &plan.data, plan.etl.stripe_rows);
    load_stripe(&s, 0, &stripe);
    train(&s, &stripe, STEPS, plain);
    plan.prep.dedup = true;
    train(&s, &stripe, STEPS, dedup);
    cr_expect_eq(memcmp(&plain[0], &dedup[0], sizeof plain[0]), 0, "the first loss is equal bit for bit");
    for (int i = 0; i < STEPS; i++)
        cr_assert_float_eq(dedup[i] / plain[i], 1, 1e-5, "step %d: %.17g and %.17g", i, plain[i], dedup[i]);
    cr_expect_lt(plain[STEPS - 1], 0.95 * plain[0], "and it learns: %g -> %g", plain[0], plain[STEPS - 1]);
    stripe_fini(&stripe);
}

/* The gradient of every kind of weight at once: a small step lowers the loss by rate * |gradient|^2. */
Test(kernels, the_gradient_points_downhill_by_the_right_amount)
{
    const double rates[] = {1e-3, 2e-3};
    double first[2], drop[2];
    struct setup s;
    struct stripe stripe;

    make_setup(&s);
    stripe_init(&stripe, &plan.data, plan.etl.stripe_rows);
    load_stripe(&s, 0, &stripe);
    for (int i = 0; i < 2; i++) {
        struct batch b = make_batch(&stripe, 0);
        struct train_worker w;

        s.plan.train.learning_rate = rates[i];
        train_worker_init(&w, &s, spans);
        first[i] = train_worker_run(&w, &b);
        drop[i] = first[i] - train_worker_run(&w, &b);
        train_worker_fini(&w);
        batch_fini(&b);
    }
    cr_expect_eq(first[0], first[1]);
    cr_expect_gt(drop[0], 0);
    cr_expect_float_eq(drop[1] / drop[0], 2, 0.02, "first order in the rate: %g, %g", drop[0], drop[1]);
    stripe_fini(&stripe);
}
