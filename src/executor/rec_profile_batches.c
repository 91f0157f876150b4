/*
 * rec_profile_batches.c - preprocessing and training alone, in every setting and several batch sizes.
 */
#include "executor/rec_profile.h"

#include "base/arena.h"

#include <stdlib.h>

/* dedup, fuse, filter first: every combination. */
enum { SETTINGS = 8, TRAIN_SETTINGS = 2 }; /* training sees only whether a batch is deduplicated */

static int filter_first_chain(const struct preprocess_cfg *p, int *chain)
{
    int n = 0;

    chain[n++] = PREP_FILTER;
    if (p->dedup)
        chain[n++] = PREP_DEDUP;
    chain[n++] = p->fuse ? PREP_FUSED_SPARSE : PREP_HASH;
    if (!p->fuse)
        chain[n++] = PREP_CROSS;
    chain[n++] = p->fuse ? PREP_FUSED_DENSE : PREP_CLIP;
    if (!p->fuse)
        chain[n++] = PREP_BUCKETIZE;
    return n;
}

/* The setup with preprocessing in one of the settings. */
static int choose(struct bench *b, int setting, struct err *err)
{
    struct rawlog logs = b->setup.logs;
    struct rec_plan p = b->setup.plan;

    p.prep.dedup = setting & 1;
    p.prep.fuse = setting & 2;
    p.prep.chain_n = setting & 4 ? filter_first_chain(&p.prep, p.prep.chain) : 0;
    TRY(setup_init(&b->setup, &p, err));
    b->setup.logs = logs;
    bench_switch(b, REC_PREP);
    bench_switch(b, REC_TRAIN);
    return 0;
}

/* What measures one order of the table: a reader at its file, a stripe, and the batch it becomes. */
struct chain {
    struct bench *b;
    struct storage_worker storage;
    struct prep_worker prep;
    struct train_worker train;
    struct stripe stripe;
    struct batch batch;
};

/*
 * One pass over the partition, slice by slice from the file to the trainer.  Everything runs, also what is
 * not measured: between two steps of a real run a slice's worth of rows is read, decoded and prepared, and
 * what that pushes out of the shared cache is part of what the step costs.
 */
static int pass(struct chain *c, bool training, struct err *err)
{
    struct batch *batch = &c->batch;

    for (long i = 0; i < c->b->setup.stripes; i++) {
        c->stripe.sequence = batch->sequence = (uint64_t)i;
        TRY(storage_worker_run(&c->storage, i, &c->stripe, err));
        prep_worker_run(&c->prep, &c->stripe, 0, batch);
        if (training)
            train_worker_run(&c->train, batch);
    }
    return 0;
}

static int measure(struct chain *c, int setting, int repeats, struct err *err)
{
    struct bench *b = c->b;
    bool training = setting < TRAIN_SETTINGS;
    int rc = choose(b, setting, err);

    prep_worker_init(&c->prep, &b->setup, b->spans[REC_PREP]);
    for (int i = 0; i <= repeats && rc == 0; i++) {
        b->spans[REC_PREP]->quiet = b->spans[REC_TRAIN]->quiet = i == 0; /* warms up */
        rc = pass(c, training, err);
    }
    for (long i = 0; i < b->setup.stripes && rc == 0; i++)
        prep_worker_hit(&c->prep, &c->batch, 1, (uint64_t)i);
    prep_worker_fini(&c->prep);
    return rc;
}

static int chain_init(struct chain *c, struct bench *b, struct err *err)
{
    const struct rec_plan *p = &b->setup.plan;
    bool direct = p->storage.direct;
    char path[4096];

    *c = (struct chain){.b = b};
    storage_worker_init(&c->storage, &b->setup, b->spans[REC_STORAGE]);
    train_worker_init(&c->train, &b->setup, b->spans[REC_TRAIN]);
    stripe_init(&c->stripe, &p->data, p->etl.stripe_rows);
    batch_init(&c->batch, &b->setup.shape, b->setup.slice_rows);
    bench_path(b, p->etl.order, p->etl.codec, path, sizeof path);
    return storage_worker_open(&c->storage, path, 0, &direct, err);
}

static void chain_fini(struct chain *c)
{
    batch_fini(&c->batch);
    stripe_fini(&c->stripe);
    storage_worker_fini(&c->storage);
    train_worker_fini(&c->train);
}

static int write_table(struct bench *b, struct err *err)
{
    const struct etl_cfg *c = &b->setup.plan.etl;
    bool direct = b->setup.plan.storage.direct;
    struct etl_worker w;
    char path[4096];
    double bytes;
    int rc;

    bench_path(b, c->order, c->codec, path, sizeof path);
    etl_worker_init(&w, &b->setup, b->spans[REC_ETL]);
    rc = etl_worker_run(&w, 0, path, &direct, &bytes, err);
    etl_worker_fini(&w);
    return rc;
}

static int one_order(struct bench *b, enum table_order order, int repeats, struct err *err)
{
    struct chain c;
    int rc;

    b->setup.plan.etl.order = order;
    TRY(write_table(b, err));
    rc = chain_init(&c, b, err);
    for (int setting = 0; setting < SETTINGS && rc == 0; setting++)
        rc = measure(&c, setting, repeats, err);
    chain_fini(&c);
    return rc;
}

/* The plan with this batch size, and stripes that become one batch each. */
static struct rec_plan one_slice_plan(const struct rec_plan *plan, long batch)
{
    struct rec_plan p = *plan;

    p.prep.batch = batch;
    p.etl.codec = CODEC_LZ4; /* the fastest way to the same columns */
    p.etl.stripe_rows /= preprocess_slices(&p.prep, &p.data, (double)p.etl.stripe_rows);
    if (p.etl.stripe_rows < 1)
        p.etl.stripe_rows = 1;
    p.data.rows = p.data.partition_rows = p.data.partition_rows / p.etl.stripe_rows * p.etl.stripe_rows;
    p.data.epochs = 1;
    p.storage.projection = false;
    return p;
}

int profile_batches(const struct rec_plan *plan, const struct exec_options *opt, struct span_log *log,
                    int repeats, struct err *err)
{
    static const long quarters[] = {2, 4, 8}; /* of the plan's batch */
    int rc = 0;

    for (size_t i = 0; i < sizeof quarters / sizeof *quarters && rc == 0; i++) {
        long batch = plan->prep.batch * quarters[i] / 4;
        struct rec_plan p = one_slice_plan(plan, batch > 0 ? batch : 1);
        struct setup setup;
        struct bench b = {.has_folder = false};

        rc = setup_init(&setup, &p, err);
        if (rc == 0)
            rc = bench_init(&b, &setup, opt, log, err);
        if (rc == 0)
            b.spans[REC_ETL]->quiet = b.spans[REC_STORAGE]->quiet = true;
        for (int order = 0; order < PROFILE_ORDERS && rc == 0; order++)
            rc = one_order(&b, order, repeats, err);
        bench_fini(&b);
    }
    return rc;
}
