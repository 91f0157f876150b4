#include "executor/vision_work.h"

#include "base/arena.h"
#include "executor/crew.h"

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
    struct counter next;
    struct crew crew;
    bool direct;
};

struct worker {
    struct member m; /* first */
    struct vision_run *run;
    enum vision_stage stage;
    struct span_buf *spans;
    struct load_worker load;
    struct step_worker step;
};

static void wake_all(void *ctx)
{
    struct vision_run *r = ctx;

    queue_close(r->queue);
    pool_close(&r->batches);
    pool_close(&r->permits);
}

/* ------------------------------------------------------------------------------------ workers */

/* A permit comes first, then the batch's number: whoever holds the next number can always go on. */
static int load_batches(struct worker *w, struct err *err)
{
    struct vision_run *r = w->run;

    for (;;) {
        void *permit = r->permits_n > 0 ? member_reserve(&w->m, &r->permits) : r;
        struct image_batch *b = permit != NULL ? member_reserve(&w->m, &r->batches) : NULL;
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
        w->m.sum.items_in++;
        if (!member_give(&w->m, r->queue, (uint64_t)n, b))
            return 0;
    }
}

static int train_batches(struct worker *w, struct err *err)
{
    enum { STEPS_A_LINE = 8 };
    struct vision_run *r = w->run;

    (void)err;
    for (long i = 0; i < r->total; i++) {
        struct image_batch *b = member_take(&w->m, r->queue);

        if (b == NULL)
            return 0;
        if (r->permits_n > 0)
            pool_put(&r->permits, r->permit_store); /* any will do: they only count */
        r->losses[i] = step_worker_run(&w->step, b, r->setup.plan.load.batch);
        pool_put(&r->batches, b);
        w->m.sum.items_out++;
        if (i % STEPS_A_LINE == 0)
            progress_step(r->opt->progress, (double)i, NULL);
    }
    return 0;
}

static int worker_body(void *worker, struct err *err)
{
    struct worker *w = worker;
    int rc = w->stage == VISION_LOAD ? load_batches(w, err) : train_batches(w, err);

    w->m.sum.busy_s = w->spans->busy_s;
    w->m.sum.disk_bytes = w->stage == VISION_LOAD ? w->load.read_bytes : 0;
    return rc;
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
    counter_init(&r->next);
    crew_init(&r->crew, r->opt, worker_body, wake_all, r);
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
    counter_fini(&r->next);
    crew_fini(&r->crew);
}

static int worker_init(struct worker *w, struct vision_run *r, enum vision_stage stage, int index,
                       struct span_log *log, struct err *err)
{
    const struct vision_plan *p = &r->setup.plan;
    char variant[200];

    *w = (struct worker){.m = {.crew = &r->crew, .sum.name = p->stage_names[stage]},
                         .run = r,
                         .stage = stage,
                         .spans = span_log_thread(log, p->stage_names[stage], index)};
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

static void collect(const struct vision_run *r, const struct worker *workers, int n, double start_s,
                    struct exec_outcome *out)
{
    const struct vision_plan *p = &r->setup.plan;

    out->stages_n = VISION_STAGES;
    for (int i = 0; i < VISION_STAGES; i++)
        out->stages[i] = (struct exec_stage){.name = p->stage_names[i], .wait_s = NAN};
    for (int i = 0; i < n; i++) {
        member_add(&out->stages[workers[i].stage], &workers[i].m);
        out->cpu_total_s += workers[i].m.sum.cpu_s;
    }
    out->stages[VISION_TRAIN].wait_s = queue_waited_s(r->queue);
    out->stages[VISION_TRAIN].disk_bytes = NAN;
    out->makespan_s = workers[n - 1].m.end_s - start_s; /* the trainer's */
    out->units = (double)(p->load.images * p->epochs);
    out->throughput_per_s = out->units / out->makespan_s;
    out->cold = p->load.direct && r->direct;
    out->cache_note = cache_note(r);
    exec_figure_add(out, "data_bytes", "bytes", r->setup.set->bytes);
    exec_figure_add(out, "read_bytes", "bytes", out->stages[VISION_LOAD].disk_bytes);
    exec_figure_add(out, "first_loss", "", r->losses[0]);
    exec_figure_add(out, "last_loss", "", r->losses[r->total - 1]);
}

static int run_workers(struct vision_run *r, struct span_log *log, struct exec_outcome *out, struct err *err)
{
    int loaders = (int)r->setup.plan.load.workers, made = 0, rc = 0;
    struct worker *workers = xcalloc((size_t)loaders + 1, sizeof *workers);
    double start_s;

    for (; made <= loaders && rc == 0; made++)
        rc = worker_init(&workers[made], r, made < loaders ? VISION_LOAD : VISION_TRAIN,
                         made < loaders ? made : 0, log, err);
    if (rc == 0) {
        progress_begin(r->opt->progress, "execute", (double)r->total);
        rc = crew_run(&r->crew, workers, sizeof *workers, made, log, &start_s, err);
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
