#include "executor/vision_work.h"

#include "base/arena.h"
#include "executor/pool.h"
#include "executor/queue.h"
#include "executor/threads.h"

#include <math.h>
#include <stdlib.h>

/* What the threads of a run share. */
struct vision_run {
    struct vision_setup setup;
    const struct exec_options *opt;
    long total; /* batches of all epochs */
    double *losses;
    struct queue *queue;
    struct pool batches, permits; /* permits: batches that may be in work or waiting for the trainer */
    struct image_batch *store;
    char *permit_store;
    size_t store_n, permits_n;
    struct counter ready, go, next;
    pthread_mutex_t lock; /* of failure */
    struct err failure;
    bool direct;
};

struct worker {
    struct vision_run *run;
    enum vision_stage stage;
    struct span_buf *spans;
    struct load_worker load;
    struct step_worker step;
    struct exec_stage sum;
    double end_s;
};

static void give_up(struct vision_run *r, const struct err *e)
{
    pthread_mutex_lock(&r->lock);
    if (r->failure.code == 0)
        r->failure = *e;
    pthread_mutex_unlock(&r->lock);
    queue_close(r->queue);
    pool_close(&r->batches);
    pool_close(&r->permits);
}

/* ------------------------------------------------------------------------------------ loading */

static void *reserve(struct worker *w, struct pool *p)
{
    double before = clock_wall_s();
    void *object = pool_get(p);

    w->sum.blocked_s += clock_wall_s() - before;
    return object;
}

/* A permit comes first, then the batch's number: whoever holds the next number can always go on. */
static int load_batches(struct worker *w, struct err *err)
{
    struct vision_run *r = w->run;

    for (;;) {
        void *permit = r->permits_n > 0 ? reserve(w, &r->permits) : r;
        struct image_batch *b = permit != NULL ? reserve(w, &r->batches) : NULL;
        double before;
        long n;

        if (b == NULL)
            return 0;
        n = counter_add(&r->next);
        if (n >= r->total) { /* others may still wait for one */
            pool_put(&r->batches, b);
            if (r->permits_n > 0)
                pool_put(&r->permits, permit);
            return 0;
        }
        TRY(load_worker_run(&w->load, (uint64_t)n, b, err));
        before = clock_wall_s();
        if (!queue_push(r->queue, (uint64_t)n, b))
            return 0;
        w->sum.blocked_s += clock_wall_s() - before;
        w->sum.items_in++;
        w->sum.items_out++;
    }
}

/* ------------------------------------------------------------------------------------ training */

static int train_batches(struct worker *w, struct err *err)
{
    enum { STEPS_A_LINE = 8 };
    struct vision_run *r = w->run;

    (void)err;
    for (long i = 0; i < r->total; i++) {
        double before = clock_wall_s();
        struct image_batch *b = queue_pop(r->queue);

        w->sum.starved_s += clock_wall_s() - before;
        if (b == NULL)
            return 0;
        if (r->permits_n > 0)
            pool_put(&r->permits, r->permit_store); /* any will do: they only count */
        r->losses[i] = step_worker_run(&w->step, b, r->setup.plan.load.batch);
        pool_put(&r->batches, b);
        w->sum.items_in++;
        w->sum.items_out++;
        if (i % STEPS_A_LINE == 0)
            progress_step(r->opt->progress, (double)i, NULL);
    }
    return 0;
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct err err = {0};
    double before;

    threads_block_signals();
    counter_add(&w->run->ready);
    (void)counter_wait(&w->run->go, 1);
    before = clock_cpu_s();
    if ((w->stage == VISION_LOAD ? load_batches(w, &err) : train_batches(w, &err)) != 0) {
        err_at(&err, "stage \"%s\"", w->run->setup.plan.stage_names[w->stage]);
        give_up(w->run, &err);
    }
    w->sum.cpu_s = clock_cpu_s() - before;
    w->end_s = clock_wall_s();
    return NULL;
}

/* ------------------------------------------------------------------------------------ before and after */

static void run_init(struct vision_run *r)
{
    const struct vision_plan *p = &r->setup.plan;

    r->total = r->setup.batches * p->epochs;
    r->queue = queue_new((size_t)p->buffer, 0);
    r->store_n = (size_t)(p->buffer + p->load.workers + 2);
    r->store = xcalloc(r->store_n, sizeof *r->store);
    pool_init(&r->batches, r->store_n);
    for (size_t i = 0; i < r->store_n; i++) {
        image_batch_init(&r->store[i], &p->load);
        pool_put(&r->batches, &r->store[i]);
    }
    r->permits_n = p->load.prefetch > 0 ? (size_t)(p->load.workers * p->load.prefetch) : 0;
    r->permit_store = xcalloc(1, 1);
    pool_init(&r->permits, r->permits_n + 1);
    for (size_t i = 0; i < r->permits_n; i++)
        pool_put(&r->permits, r->permit_store);
    pthread_mutex_init(&r->lock, NULL);
    counter_init(&r->ready);
    counter_init(&r->go);
    counter_init(&r->next);
}

static void run_fini(struct vision_run *r)
{
    queue_free(r->queue);
    for (size_t i = 0; i < r->store_n; i++)
        image_batch_fini(&r->store[i]);
    free(r->store);
    free(r->permit_store);
    pool_fini(&r->batches);
    pool_fini(&r->permits);
    counter_fini(&r->ready);
    counter_fini(&r->go);
    counter_fini(&r->next);
    pthread_mutex_destroy(&r->lock);
}

static int worker_init(struct worker *w, struct vision_run *r, enum vision_stage stage, int index,
                       struct span_log *log, struct err *err)
{
    const struct vision_plan *p = &r->setup.plan;
    char variant[200];

    *w = (struct worker){.run = r, .stage = stage, .spans = span_log_thread(log, p->stage_names[stage], index)};
    vision_variant(&r->setup, stage, variant, sizeof variant);
    if (log != NULL)
        w->spans->variant = span_log_keep(log, variant);
    if (stage == VISION_LOAD)
        return load_worker_init(&w->load, &r->setup, w->spans, &r->direct, err);
    step_worker_init(&w->step, p, p->load.batch, w->spans);
    return 0;
}

static void worker_fini(struct worker *w)
{
    if (w->stage == VISION_LOAD)
        load_worker_fini(&w->load);
    else
        step_worker_fini(&w->step);
    span_buf_free(w->spans);
}

static const char *cache_note(const struct vision_run *r)
{
    if (!r->setup.plan.load.direct)
        return "buffered as asked: photographs were read from the page cache";
    return r->direct ? "O_DIRECT"
                     : "the file system refuses O_DIRECT: photographs were read from the page cache";
}

static void add_worker(struct exec_outcome *out, const struct worker *w)
{
    struct exec_stage *s = &out->stages[w->stage];

    s->workers++;
    s->busy_s += w->spans->busy_s;
    s->cpu_s += w->sum.cpu_s;
    s->starved_s += w->sum.starved_s;
    s->blocked_s += w->sum.blocked_s;
    s->items_in += w->sum.items_in;
    s->items_out += w->sum.items_out;
    s->disk_bytes += w->stage == VISION_LOAD ? w->load.read_bytes : 0;
    out->cpu_total_s += w->sum.cpu_s;
}

static void collect(const struct vision_run *r, const struct worker *workers, int n, double start_s,
                    struct exec_outcome *out)
{
    const struct vision_plan *p = &r->setup.plan;

    out->stages_n = VISION_STAGES;
    for (int i = 0; i < VISION_STAGES; i++)
        out->stages[i] = (struct exec_stage){.name = p->stage_names[i], .wait_s = NAN};
    for (int i = 0; i < n; i++)
        add_worker(out, &workers[i]);
    out->stages[VISION_TRAIN].wait_s = queue_waited_s(r->queue);
    out->stages[VISION_TRAIN].disk_bytes = NAN;
    out->makespan_s = workers[n - 1].end_s - start_s; /* the trainer's */
    out->units = (double)(p->load.images * p->epochs);
    out->throughput_per_s = out->units / out->makespan_s;
    out->cold = p->load.direct && r->direct;
    out->cache_note = cache_note(r);
    exec_figure_add(out, "data_bytes", "bytes", r->setup.set->bytes);
    exec_figure_add(out, "read_bytes", "bytes", out->stages[VISION_LOAD].disk_bytes);
    exec_figure_add(out, "first_loss", "", r->losses[0]);
    exec_figure_add(out, "last_loss", "", r->losses[r->total - 1]);
}

/* Starts the clock and everybody, waits for the end; the failure of a worker becomes ours. */
static int run_threads(struct vision_run *r, struct worker *workers, int n, struct span_log *log, double *start_s,
                       struct err *err)
{
    pthread_t *threads = xcalloc((size_t)n, sizeof *threads);
    int started, rc = threads_start(r->opt, worker_main, workers, sizeof *workers, n, threads, &started, err);

    if (rc != 0)
        give_up(r, err);
    else
        (void)counter_wait(&r->ready, n);
    span_log_start(log);
    *start_s = clock_wall_s();
    counter_set(&r->go, 1);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    if (rc == 0 && r->failure.code != 0) {
        *err = r->failure;
        rc = err->code;
    }
    return rc;
}

static int run_workers(struct vision_run *r, struct span_log *log, struct exec_outcome *out, struct err *err)
{
    int loaders = (int)r->setup.plan.load.workers, made = 0, rc = 0;
    struct worker *workers = xcalloc((size_t)loaders + 1, sizeof *workers);
    double start_s;

    for (; made <= loaders && rc == 0; made++)
        rc = worker_init(&workers[made], r, made < loaders ? VISION_LOAD : VISION_TRAIN, made < loaders ? made : 0,
                         log, err);
    if (rc == 0) {
        progress_begin(r->opt->progress, "execute", (double)r->total);
        rc = run_threads(r, workers, made, log, &start_s, err);
        progress_end(r->opt->progress);
    }
    if (rc == 0)
        collect(r, workers, made, start_s, out);
    for (int i = 0; i < made; i++)
        worker_fini(&workers[i]);
    free(workers);
    return rc;
}

int vision_run(const struct vision_plan *plan, const struct exec_options *opt, struct span_log *log,
               struct exec_outcome *out, double *losses, struct err *err)
{
    struct vision_run r = {.opt = opt, .direct = plan->load.direct};
    long total = plan->load.images / plan->load.batch * plan->epochs;
    struct jpegs set;
    int rc;

    *out = (struct exec_outcome){0};
    TRY(jpegs_open(&plan->load, plan->seed, opt->folder, &set, err));
    r.losses = losses != NULL ? losses : xcalloc((size_t)total, sizeof *losses);
    vision_setup_init(&r.setup, plan, &set);
    run_init(&r);
    rc = run_workers(&r, opt->spans ? log : NULL, out, err);
    run_fini(&r);
    vision_setup_fini(&r.setup);
    if (losses == NULL)
        free(r.losses);
    jpegs_close(&set);
    return rc;
}
