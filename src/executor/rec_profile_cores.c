/*
 * rec_profile_cores.c - what cores cost each other: the same work on one of them, and on several at once.
 *
 * Every thread runs the whole path over and over, each starting at another
 * stage, as in a real run, where different stages share the caches, the memory
 * and perhaps the hardware threads of a core.
 */
#include "executor/rec_profile.h"

#include "base/arena.h"
#include "executor/host.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_THREADS = 16 };

struct lane {
    struct bench *b;
    int index, threads, repeats;
    pthread_barrier_t *start;
    struct span_buf *spans, *unseen;
    struct etl_worker etl;
    struct storage_worker storage;
    struct prep_worker prep;
    struct train_worker train;
    struct stripe stripe;
    struct batch *batches;
    struct err err;
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

static int lane_init(struct lane *l, struct err *err)
{
    const struct setup *s = &l->b->setup;
    bool direct = s->plan.storage.direct;
    char path[4096];
    double requests, bytes;

    l->unseen = span_log_thread(NULL, "", l->index);
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

static void lane_fini(struct lane *l)
{
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

static void *lane_main(void *arg)
{
    static int (*const parts[REC_STAGES])(struct lane *, struct err *) = {etl_part, storage_part, prep_part,
                                                                          train_part};
    struct lane *l = arg;

    pthread_barrier_wait(l->start);
    for (int i = 0; i < l->repeats && l->err.code == 0; i++) {
        span_begin(l->spans);
        for (int k = 0; k < REC_STAGES && l->err.code == 0; k++)
            (void)parts[(k + l->index * REC_STAGES / l->threads) % REC_STAGES](l, &l->err);
        span_end(l->spans, "speed", i, 1, NAN, NAN);
    }
    return NULL;
}

static int run_lanes(struct lane *lanes, int n, int repeats, struct span_log *log, struct err *err)
{
    pthread_barrier_t start;
    pthread_t threads[MOST_THREADS];
    char variant[16];
    int started = 0;

    snprintf(variant, sizeof variant, "%d", n);
    pthread_barrier_init(&start, NULL, (unsigned)n);
    for (int i = 0; i < n; i++) {
        lanes[i].threads = n;
        lanes[i].repeats = repeats;
        lanes[i].start = &start;
        lanes[i].spans = span_log_thread(log, "cores", i);
        lanes[i].spans->variant = span_log_keep(log, variant);
    }
    /* The barrier counts on everybody: a thread that cannot be started is our own bug or a dying machine. */
    for (; started < n; started++)
        ASSERT(pthread_create(&threads[started], NULL, lane_main, &lanes[started]) == 0);
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&start);
    for (int i = 0; i < n; i++)
        if (lanes[i].err.code != 0) {
            *err = lanes[i].err;
            return err->code;
        }
    return 0;
}

int profile_cores(struct bench *b, int repeats, struct err *err)
{
    int usable = host_cores(), most = usable > MOST_THREADS ? MOST_THREADS : usable, made = 0, rc = 0;
    struct lane *lanes = xcalloc((size_t)most, sizeof *lanes);

    b->setup.plan.storage.projection = false;
    for (; made < most && rc == 0; made++) {
        lanes[made].b = b;
        lanes[made].index = made;
        rc = lane_init(&lanes[made], err);
    }
    for (int n = 1; n <= most && rc == 0; n = n < 4 ? n + 1 : 2 * n)
        rc = run_lanes(lanes, n, repeats, b->log, err);
    for (int i = 0; i < made; i++)
        lane_fini(&lanes[i]);
    free(lanes);
    return rc;
}
