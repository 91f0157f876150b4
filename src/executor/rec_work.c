#include "executor/rec_work.h"

static void note_buffered(struct run *r, bool direct)
{
    pthread_mutex_lock(&r->crew.lock);
    r->direct = r->direct && direct;
    pthread_mutex_unlock(&r->crew.lock);
}

/* -------------------------------------------------------------------------------------- ETL */

static int run_etl(struct worker *w, struct err *err)
{
    struct run *r = w->run;
    long p;

    while ((p = counter_add(&r->next_partition)) < r->setup.partitions) {
        bool direct = r->setup.plan.storage.direct;
        double bytes;

        TRY(etl_worker_run(&w->u.etl, p, r->files[p].path, &direct, &bytes, err));
        note_buffered(r, direct);
        w->m.sum.items_in++;
        w->m.sum.bytes_out += bytes;
        w->m.sum.disk_bytes += bytes;
        if (!member_give(&w->m, r->queues[0], (uint64_t)p, &r->files[p]))
            return 0;
    }
    return 0;
}

/* ---------------------------------------------------------------------------------- storage */

static int read_stripes(struct worker *w, long file, long partition, struct err *err)
{
    struct run *r = w->run;
    bool direct = r->setup.plan.storage.direct;

    TRY(storage_worker_open(&w->u.storage, r->files[partition].path, file, &direct, err));
    note_buffered(r, direct);
    for (long i = 0; i < r->setup.stripes; i++) {
        struct stripe *s = member_reserve(&w->m, &r->stripe_pool);

        if (s == NULL)
            return 0;
        s->sequence = (uint64_t)(file * r->setup.stripes + i);
        TRY(storage_worker_run(&w->u.storage, i, s, err));
        if (!member_give(&w->m, r->queues[1], s->sequence, s))
            return 0;
    }
    return 0;
}

/* Files are numbered through all epochs that read them; those of the first come from ETL. */
static int run_storage(struct worker *w, struct err *err)
{
    struct run *r = w->run;
    long n, partitions = r->setup.partitions;

    while ((n = counter_add(&r->next_file)) * r->setup.stripes < r->read_stripes) {
        long partition = n % partitions, file = n;

        if (n < partitions) {
            struct file *f = member_take(&w->m, r->queues[0]);

            if (f == NULL)
                return 0;
            file = partition = f->partition;
            counter_add(&r->files_done);
        } else if (!member_wait(&w->m, &r->files_done, partition + 1)) {
            return 0;
        }
        TRY(read_stripes(w, file, partition, err));
    }
    return 0;
}

/* ------------------------------------------------------------------------------- preprocess */

/*
 * Batches leave in order.  While an earlier stripe is still at another worker, finished batches
 * stay here and the worker goes on; `all` waits until every one has been handed over.
 */
static bool hand_over(struct worker *w, uint64_t mine_from, bool all)
{
    struct run *r = w->run;

    while (w->held_from < w->held_n) {
        struct delivery *d = w->held[w->held_from];
        uint64_t sequence = (uint64_t)(d - r->deliveries);
        enum queue_try t = queue_try_push(r->queues[2], sequence, mine_from, d);

        if (t == QUEUE_CLOSED)
            return false;
        if (t == QUEUE_EARLY && !all)
            return true;
        if (t == QUEUE_PUSHED)
            w->m.sum.items_out++;
        else if (!member_give(&w->m, r->queues[2], sequence, d))
            return false;
        w->held_from++;
    }
    w->held_from = w->held_n = 0;
    return true;
}

static void hold(struct worker *w, uint64_t sequence, struct batch *b, double born_s)
{
    struct delivery *d = &w->run->deliveries[sequence];

    *d = (struct delivery){b, born_s};
    w->held[w->held_n++] = d;
}

static struct batch *fresh_batch(struct worker *w, uint64_t sequence)
{
    struct run *r = w->run;
    struct batch *b =
        r->setup.plan.prep.cache ? &r->batch_store[sequence] : member_reserve(&w->m, &r->batch_pool);

    if (b != NULL) {
        b->sequence = sequence;
        b->kept = r->setup.plan.prep.cache;
    }
    return b;
}

static bool prepare_stripe(struct worker *w, struct stripe *s)
{
    struct run *r = w->run;
    uint64_t from = s->sequence * (uint64_t)r->setup.slices;

    s->taken_s = clock_wall_s();
    for (long i = 0; i < r->setup.slices; i++) {
        struct batch *b = fresh_batch(w, from + (uint64_t)i);

        if (b == NULL)
            return false;
        prep_worker_run(&w->u.prep, s, i, b);
        hold(w, b->sequence, b, s->taken_s);
        if (i + 1 < r->setup.slices && !hand_over(w, from, false))
            return false;
    }
    pool_put(&r->stripe_pool, s);
    return hand_over(w, from, true);
}

/* Stripe `n` counts through all epochs; the batches it became in the first are handed out once more. */
static bool replay_stripe(struct worker *w, long n)
{
    struct run *r = w->run;
    uint64_t from = (uint64_t)(n * r->setup.slices);

    if (!member_wait(&w->m, &r->stripes_done, r->stripes))
        return false;
    for (uint64_t i = from; i < from + (uint64_t)r->setup.slices; i++) {
        hold(w, i, prep_worker_hit(&w->u.prep, r->batch_store, (uint64_t)r->batches, i), clock_wall_s());
        if (!hand_over(w, from, i + 1 == from + (uint64_t)r->setup.slices))
            return false;
    }
    return true;
}

static int run_prep(struct worker *w, struct err *err)
{
    struct run *r = w->run;
    long n;

    (void)err;
    while ((n = counter_add(&r->next_stripe)) < r->all_stripes) {
        struct stripe *s;

        if (n >= r->read_stripes) {
            if (!replay_stripe(w, n))
                return 0;
            continue;
        }
        s = member_take(&w->m, r->queues[1]);
        if (s == NULL || !prepare_stripe(w, s))
            return 0;
        counter_add(&r->stripes_done);
    }
    w->m.sum.bytes_out = w->u.prep.batch_bytes;
    return 0;
}

/* --------------------------------------------------------------------------------- training */

static int run_train(struct worker *w, struct err *err)
{
    enum { STEPS_A_LINE = 32 };
    struct run *r = w->run;
    long total = r->all_stripes * r->setup.slices;

    (void)err;
    for (long i = 0; i < total; i++) {
        struct delivery *d = member_take(&w->m, r->queues[2]);

        if (d == NULL)
            return 0;
        r->out->losses[i] = train_worker_run(&w->u.train, d->batch);
        r->out->batch_latency_s[i] = clock_wall_s() - d->born_s;
        w->m.sum.items_out++;
        if (!d->batch->kept)
            pool_put(&r->batch_pool, d->batch);
        if (i % STEPS_A_LINE == 0)
            progress_step(r->opt->progress, (double)i, NULL);
    }
    return 0;
}

/* -------------------------------------------------------------------------------- anything */

int rec_worker_run(void *worker, struct err *err)
{
    struct worker *w = worker;
    static int (*const bodies[REC_STAGES])(struct worker *, struct err *) = {run_etl, run_storage, run_prep,
                                                                             run_train};

    return bodies[w->stage](w, err);
}
