#include "executor/rec.h"

#include "base/arena.h"
#include "executor/memory.h"
#include "executor/rec_work.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---------------------------------------------------------------------------------- threads */

/* Whoever waits for something is told that it will not come. */
static void wake_all(void *ctx)
{
    struct run *r = ctx;

    for (int i = 0; i < REC_STAGES - 1; i++)
        queue_close(r->queues[i]);
    pool_close(&r->stripe_pool);
    pool_close(&r->batch_pool);
    counter_close(&r->files_done);
    counter_close(&r->stripes_done);
}

static void worker_init(struct worker *w, struct run *r, enum rec_stage_id stage, int index,
                        struct span_log *log)
{
    char variant[64];

    w->m = (struct member){.crew = &r->crew, .sum.name = r->setup.plan.stage_names[stage]};
    w->run = r;
    w->stage = stage;
    w->index = index;
    setup_variant(&r->setup, stage, variant, sizeof variant);
    w->spans = span_log_thread(log, r->setup.plan.stage_names[stage], index);
    if (log != NULL)
        w->spans->variant = span_log_keep(log, variant);
    switch (stage) {
    case REC_ETL:
        etl_worker_init(&w->u.etl, &r->setup, w->spans);
        break;
    case REC_STORAGE:
        storage_worker_init(&w->u.storage, &r->setup, w->spans);
        break;
    case REC_PREP:
        w->held = xcalloc((size_t)r->setup.slices, sizeof(struct delivery *));
        prep_worker_init(&w->u.prep, &r->setup, w->spans);
        break;
    default:
        train_worker_init(&w->u.train, &r->setup, w->spans);
    }
}

static void worker_fini(struct worker *w)
{
    switch (w->stage) {
    case REC_ETL:
        etl_worker_fini(&w->u.etl);
        break;
    case REC_STORAGE:
        storage_worker_fini(&w->u.storage);
        break;
    case REC_PREP:
        prep_worker_fini(&w->u.prep);
        break;
    default:
        train_worker_fini(&w->u.train);
    }
    free(w->held);
    span_buf_free(w->spans);
}

/* -------------------------------------------------------------------------- before and after */

static int make_files(struct run *r, struct err *err)
{
    snprintf(r->folder, sizeof r->folder, "%s/table-XXXXXX", r->opt->folder);
    if (mkdtemp(r->folder) == NULL)
        return err_io(err, "create a folder for the table", r->folder);
    r->files = xcalloc((size_t)r->setup.partitions, sizeof *r->files);
    for (long p = 0; p < r->setup.partitions; p++) {
        r->files[p].partition = p;
        snprintf(r->files[p].path, sizeof r->files[p].path, "%s/%05ld.table", r->folder, p);
    }
    return 0;
}

static void remove_files(struct run *r)
{
    for (long p = 0; p < r->setup.partitions; p++)
        unlink(r->files[p].path);
    rmdir(r->folder);
    free(r->files);
}

/* As many as can be in use at once, so that waiting for one never stops the item that everyone waits for. */
static void make_stores(struct run *r)
{
    const struct rec_plan *p = &r->setup.plan;
    size_t stripes = (size_t)(p->buffers[1] + 1 + p->storage.workers + p->prep.workers);
    size_t batches = (size_t)(p->buffers[2] + 2 + p->prep.workers * r->setup.slices);

    r->stripe_store_n = stripes;
    r->stripe_store = xcalloc(stripes, sizeof *r->stripe_store);
    pool_init(&r->stripe_pool, stripes);
    for (size_t i = 0; i < stripes; i++) {
        stripe_init(&r->stripe_store[i], &p->data, p->etl.stripe_rows);
        pool_put(&r->stripe_pool, &r->stripe_store[i]);
    }
    r->batch_store_n = p->prep.cache ? (size_t)r->batches : batches;
    r->batch_store = xcalloc(r->batch_store_n, sizeof *r->batch_store);
    pool_init(&r->batch_pool, r->batch_store_n);
    for (size_t i = 0; i < r->batch_store_n; i++) {
        batch_init(&r->batch_store[i], &r->setup.shape, r->setup.slice_rows);
        pool_put(&r->batch_pool, &r->batch_store[i]);
    }
}

static void run_init(struct run *r)
{
    const struct rec_plan *p = &r->setup.plan;
    size_t total;

    r->stripes = r->setup.partitions * r->setup.stripes;
    r->batches = r->stripes * r->setup.slices;
    r->all_stripes = r->stripes * p->data.epochs;
    r->read_stripes = p->prep.cache ? r->stripes : r->all_stripes;
    r->direct = true;
    total = (size_t)(r->batches * p->data.epochs);
    r->deliveries = xcalloc(total, sizeof *r->deliveries);
    r->out->losses = xcalloc(total, sizeof *r->out->losses);
    r->out->batch_latency_s = xcalloc(total, sizeof *r->out->batch_latency_s);
    for (int i = 0; i < REC_STAGES - 1; i++)
        r->queues[i] = queue_new((size_t)p->buffers[i], 0);
    crew_init(&r->crew, r->opt, rec_worker_run, wake_all, r);
    counter_init(&r->next_partition);
    counter_init(&r->next_file);
    counter_init(&r->next_stripe);
    counter_init(&r->files_done);
    counter_init(&r->stripes_done);
    make_stores(r);
}

static void run_fini(struct run *r)
{
    for (int i = 0; i < REC_STAGES - 1; i++)
        queue_free(r->queues[i]);
    for (size_t i = 0; i < r->stripe_store_n; i++)
        stripe_fini(&r->stripe_store[i]);
    for (size_t i = 0; i < r->batch_store_n; i++)
        batch_fini(&r->batch_store[i]);
    free(r->stripe_store);
    free(r->batch_store);
    free(r->deliveries);
    pool_fini(&r->stripe_pool);
    pool_fini(&r->batch_pool);
    counter_fini(&r->next_partition);
    counter_fini(&r->next_file);
    counter_fini(&r->next_stripe);
    counter_fini(&r->files_done);
    counter_fini(&r->stripes_done);
    crew_fini(&r->crew);
}

static const char *cache_note(const struct run *r)
{
    if (!r->setup.plan.storage.direct)
        return "buffered as asked: the table was read from the page cache";
    return r->direct ? "O_DIRECT"
                     : "the file system refuses O_DIRECT: the table was read from the page cache";
}

static void add_worker(struct rec_result *out, struct worker *w)
{
    w->m.sum.busy_s = w->spans->busy_s;
    if (w->stage == REC_STORAGE) {
        w->m.sum.bytes_out = w->u.storage.decoded_bytes;
        w->m.sum.disk_bytes = w->u.storage.read_bytes;
        out->read_bytes += w->u.storage.read_bytes;
    }
    member_add(&out->stages[w->stage], &w->m);
    out->cpu_total_s += w->m.sum.cpu_s;
}

static void collect(struct run *r, struct worker *workers, int n, double start_s)
{
    struct rec_result *out = r->out;
    const struct dataset_cfg *d = &r->setup.plan.data;

    for (int i = 0; i < REC_STAGES; i++) {
        out->stages[i].name = r->setup.plan.stage_names[i];
        out->stages[i].wait_s = i == 0 ? NAN : queue_waited_s(r->queues[i - 1]);
    }
    for (int i = 0; i < n; i++)
        add_worker(out, &workers[i]);
    out->makespan_s = workers[n - 1].m.end_s - start_s; /* the trainer's */
    out->samples = (double)(d->rows * d->epochs);
    out->throughput_per_s = out->samples / out->makespan_s;
    out->raw_bytes = r->setup.logs.bytes;
    out->table_bytes = out->stages[REC_ETL].bytes_out;
    out->batches = (uint64_t)(r->batches * d->epochs);
    out->first_loss = out->last_loss = NAN;
    for (uint64_t i = 0; i < out->batches; i++)
        if (!isnan(out->losses[i])) {
            out->first_loss = isnan(out->first_loss) ? out->losses[i] : out->first_loss;
            out->last_loss = out->losses[i];
        }
    out->cold = r->setup.plan.storage.direct && r->direct;
    out->cache_note = cache_note(r);
}

static int run_workers(struct run *r, struct span_log *log, struct err *err)
{
    const struct rec_plan *p = &r->setup.plan;
    const long counts[REC_STAGES] = {p->etl.workers, p->storage.workers, p->prep.workers, 1};
    int n = 0, total = (int)(counts[0] + counts[1] + counts[2] + counts[3]), rc;
    struct worker *workers = xcalloc((size_t)total, sizeof *workers);
    double start_s;

    for (int stage = 0; stage < REC_STAGES; stage++)
        for (int i = 0; i < counts[stage]; i++)
            worker_init(&workers[n++], r, (enum rec_stage_id)stage, i, log);
    progress_begin(r->opt->progress, "execute", (double)(r->all_stripes * r->setup.slices));
    rc = crew_run(&r->crew, workers, sizeof *workers, n, log, &start_s, err);
    progress_end(r->opt->progress);
    if (rc == 0)
        collect(r, workers, n, start_s);
    for (int i = 0; i < n; i++)
        worker_fini(&workers[i]);
    free(workers);
    return rc;
}

int rec_run(const struct rec_plan *plan, const struct exec_options *opt, struct span_log *log,
            struct rec_result *out, struct err *err)
{
    struct run *r = xcalloc(1, sizeof *r);
    int rc;

    *out = (struct rec_result){0};
    r->opt = opt;
    r->out = out;
    rc = setup_init(&r->setup, plan, err);
    if (rc == 0)
        rc = rawlog_open(&plan->data, opt->folder, &r->setup.logs, err);
    if (rc == 0)
        rc = rawlog_warm(&r->setup.logs, err);
    if (rc == 0)
        rc = make_files(r, err);
    if (rc == 0) {
        run_init(r);
        rc = run_workers(r, opt->spans ? log : NULL, err);
        run_fini(r);
        remove_files(r);
    }
    if (rc != 0)
        rec_result_free(out);
    free(r);
    return rc;
}

void rec_result_free(struct rec_result *r)
{
    free(r->losses);
    free(r->batch_latency_s);
    r->losses = r->batch_latency_s = NULL;
}
