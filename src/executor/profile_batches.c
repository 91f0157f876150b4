/*
 * profile_batches.c - preprocessing and training alone, in every setting and several batch sizes.
 */
#include "executor/profile.h"

#include "base/arena.h"

#include <math.h>
#include <stdlib.h>

/* dedup, fuse, filter first: every combination. */
enum { SETTINGS = 8 };

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
    struct exec_plan p = b->setup.plan;

    p.prep.dedup = setting & 1;
    p.prep.fuse = setting & 2;
    p.prep.chain_n = setting & 4 ? filter_first_chain(&p.prep, p.prep.chain) : 0;
    TRY(setup_init(&b->setup, &p, err));
    b->setup.logs = logs;
    bench_switch(b, EXEC_PREP);
    bench_switch(b, EXEC_TRAIN);
    return 0;
}

/* All slices of all stripes become batches; again and again over the same data, as an epoch would. */
static void prepare(struct bench *b, const struct stripe *stripes, struct batch *batches, int repeats)
{
    struct prep_worker w;
    long slices = b->setup.slices, n = b->setup.stripes * slices;

    prep_worker_init(&w, &b->setup, b->spans[EXEC_PREP]);
    for (long i = 0; i < (repeats + 1) * n; i++) {
        struct batch *out = &batches[i % n];

        w.spans->quiet = i < slices; /* the first stripe warms up */
        out->sequence = (uint64_t)(i % n);
        prep_worker_run(&w, &stripes[i / slices % b->setup.stripes], i % slices, out);
    }
    for (long i = 0; i < n; i++)
        prep_worker_hit(&w, batches, (uint64_t)n, (uint64_t)i);
    prep_worker_fini(&w);
}

static void train(struct bench *b, struct train_worker *w, const struct batch *batches, int repeats)
{
    long n = b->setup.stripes * b->setup.slices;

    for (long i = 0; i < (repeats + 1) * n; i++) {
        w->spans->quiet = i < n; /* until the tables and batches are where they are in a long run */
        train_worker_run(w, &batches[i % n]);
    }
}

static int one_order(struct bench *b, enum table_order order, struct stripe *stripes, int repeats,
                     struct err *err)
{
    long n = b->setup.stripes * b->setup.slices;
    struct batch *batches = xcalloc((size_t)n, sizeof *batches);
    struct train_worker w;
    int rc;

    b->setup.plan.etl.order = order;
    rc = bench_stripes(b, order, stripes, b->setup.stripes, err);
    for (long i = 0; i < n; i++)
        batch_init(&batches[i], &b->setup.shape, b->setup.slice_rows);
    train_worker_init(&w, &b->setup, b->spans[EXEC_TRAIN]);
    for (int setting = 0; setting < SETTINGS && rc == 0; setting++) {
        rc = choose(b, setting, err);
        if (rc != 0)
            break;
        prepare(b, stripes, batches, repeats);
        if (setting < 2) /* training sees only whether the batch is deduplicated */
            train(b, &w, batches, repeats);
    }
    train_worker_fini(&w);
    for (long i = 0; i < n; i++)
        batch_fini(&batches[i]);
    free(batches);
    return rc;
}

int profile_batches(struct bench *b, int repeats, struct err *err)
{
    static const long quarters[] = {2, 4, 6, 8}; /* of the plan's batch */
    const struct setup real = b->setup;
    struct stripe *stripes = xcalloc((size_t)real.stripes, sizeof *stripes);
    int rc = 0;

    for (long i = 0; i < real.stripes; i++)
        stripe_init(&stripes[i], &real.plan.data, real.plan.etl.stripe_rows);
    for (size_t i = 0; i < sizeof quarters / sizeof *quarters && rc == 0; i++)
        for (int order = 0; order < PROFILE_ORDERS && rc == 0; order++) {
            b->setup.plan = real.plan;
            b->setup.plan.prep.batch = fmax(1, (double)(real.plan.prep.batch * quarters[i] / 4));
            rc = choose(b, 0, err);
            if (rc == 0)
                rc = one_order(b, order, stripes, repeats, err);
        }
    for (long i = 0; i < real.stripes; i++)
        stripe_fini(&stripes[i]);
    free(stripes);
    b->setup = real;
    return rc;
}
