/*
 * rec_profile_cores.c - the four stages as work for cores_measure().
 */
#include "executor/rec_profile.h"

#include "base/arena.h"
#include "executor/cores.h"

#include <stdlib.h>

struct lane {
    struct bench *b;
    struct span_buf *unseen;
    struct etl_worker etl;
    struct storage_worker storage;
    struct prep_worker prep;
    struct train_worker train;
    struct stripe stripe;
    struct batch *batches;
};

static int etl_part(struct lane *l, struct err *err)
{
    double bytes;

    TRY(etl_parse(&l->etl.kernel, &l->b->setup.logs, 0, &bytes, err));
    TRY(etl_join(&l->etl.kernel, err));
    columnar_encode(l->etl.writer, etl_order(&l->etl.kernel, l->b->setup.plan.etl.order),
                    l->b->setup.plan.etl.order);
    columnar_compress(l->etl.writer, l->b->setup.plan.etl.codec);
    return 0;
}

static int storage_part(struct lane *l, struct err *err)
{
    double compressed, encoded, values;

    for (long i = 0; i < l->b->setup.stripes; i++) {
        TRY(columnar_decompress(l->storage.reader, &compressed, &encoded, err));
        TRY(columnar_decode(l->storage.reader, &l->stripe, &values, err));
    }
    return 0;
}

static int prep_part(struct lane *l, struct err *err)
{
    (void)err;
    for (long i = 0; i < l->b->setup.stripes * l->b->setup.slices; i++)
        prep_worker_run(&l->prep, &l->stripe, i % l->b->setup.slices, &l->batches[i % l->b->setup.slices]);
    return 0;
}

static int train_part(struct lane *l, struct err *err)
{
    (void)err;
    for (long i = 0; i < l->b->setup.stripes * l->b->setup.slices; i++)
        train_worker_run(&l->train, &l->batches[i % l->b->setup.slices]);
    return 0;
}

static int lane_init(void *ctx, void *lane, struct err *err)
{
    struct lane *l = lane;
    struct bench *b = ctx;
    const struct setup *s = &b->setup;
    bool direct = s->plan.storage.direct;
    char path[4096];
    double requests, bytes;

    l->b = b;
    l->unseen = span_log_thread(NULL, "", 0);
    etl_worker_init(&l->etl, s, l->unseen);
    storage_worker_init(&l->storage, s, l->unseen);
    prep_worker_init(&l->prep, s, l->unseen);
    train_worker_init(&l->train, s, l->unseen);
    stripe_init(&l->stripe, &s->plan.data, s->plan.etl.stripe_rows);
    l->batches = xcalloc((size_t)s->slices, sizeof *l->batches);
    for (long i = 0; i < s->slices; i++)
        batch_init(&l->batches[i], &s->shape, s->slice_rows);
    bench_path(l->b, s->plan.etl.order, s->plan.etl.codec, path, sizeof path);
    TRY(columnar_open(l->storage.reader, path, &direct, &requests, &bytes, err));
    TRY(columnar_read(l->storage.reader, 0, NULL, &requests, &bytes, err));
    TRY(storage_part(l, err));
    TRY(prep_part(l, err));
    return etl_part(l, err);
}

static void lane_fini(void *lane)
{
    struct lane *l = lane;

    etl_worker_fini(&l->etl);
    storage_worker_fini(&l->storage);
    prep_worker_fini(&l->prep);
    train_worker_fini(&l->train);
    stripe_fini(&l->stripe);
    for (long i = 0; i < l->b->setup.slices; i++)
        batch_fini(&l->batches[i]);
    free(l->batches);
    span_buf_free(l->unseen);
}

static int part(void *lane, int k, struct err *err)
{
    static int (*const parts[REC_STAGES])(struct lane *, struct err *) = {etl_part, storage_part, prep_part,
                                                                          train_part};

    return parts[k](lane, err);
}

int profile_cores(struct bench *b, int repeats, struct err *err)
{
    struct cores_work work = {.ctx = b,
                              .size = sizeof(struct lane),
                              .parts = REC_STAGES,
                              .open = lane_init,
                              .part = part,
                              .close = lane_fini};

    b->setup.plan.storage.projection = false;
    return cores_measure(&work, repeats, b->log, err);
}
