#include "executor/crew.h"
#include "executor/etl_path.h"

#include "base/arena.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct table_file {
    long partition;
    char table[4096], label[4096];
};

struct etl_job {
    struct etl_setup setup;
    const struct exec_options *opt;
    char folder[3900];
    struct table_file *files;
    struct queue *queues[ETL_STAGES - 1]; /* tables, labelled tables */
    struct counter next_partition, next_label, next_read, files_done;
    struct crew crew;
    bool direct; /* under the crew's lock */
};

struct worker {
    struct member m;
    struct etl_job *job;
    enum etl_stage_id stage;
    struct span_buf *spans;
    struct stripe stripe; /* of readers */
    union {
        struct etl_worker table;
        struct label_worker label;
        struct job_worker read;
    } u;
};

static void note_buffered(struct etl_job *j, bool direct)
{
    pthread_mutex_lock(&j->crew.lock);
    j->direct = j->direct && direct;
    pthread_mutex_unlock(&j->crew.lock);
}

/* --------------------------------------------------------------------------------- the stages */

static int make_tables(struct worker *w, struct err *err)
{
    struct etl_job *j = w->job;
    long p;

    while ((p = counter_add(&j->next_partition)) < j->setup.tables.partitions) {
        bool direct = j->setup.tables.plan.storage.direct;
        double bytes;

        TRY(etl_worker_run(&w->u.table, p, j->files[p].table, &direct, &bytes, err));
        note_buffered(j, direct);
        w->m.sum.items_in++;
        w->m.sum.bytes_out += bytes;
        w->m.sum.disk_bytes += bytes;
        if (!member_give(&w->m, j->queues[0], (uint64_t)p, &j->files[p]))
            return 0;
    }
    return 0;
}

static int make_labels(struct worker *w, struct err *err)
{
    struct etl_job *j = w->job;

    while (counter_add(&j->next_label) < j->setup.tables.partitions) {
        bool direct = j->setup.tables.plan.storage.direct;
        struct table_file *f = member_take(&w->m, j->queues[0]);
        double bytes;

        if (f == NULL)
            return 0;
        TRY(label_worker_run(&w->u.label, f->partition, f->table, f->label, &direct, &bytes, err));
        note_buffered(j, direct);
        w->m.sum.bytes_out += bytes;
        w->m.sum.disk_bytes += bytes;
        if (!member_give(&w->m, j->queues[1], (uint64_t)f->partition, f))
            return 0;
    }
    return 0;
}

static int read_file(struct worker *w, const struct table_file *f, long number, struct err *err)
{
    struct etl_job *j = w->job;
    bool direct = j->setup.tables.plan.storage.direct, copy = j->setup.plan->label.layout == LABEL_FULL_COPY;

    TRY(job_worker_open(&w->u.read, copy ? f->label : f->table, copy ? NULL : f->label, number, &direct,
                        err));
    note_buffered(j, direct);
    for (long i = 0; i < j->setup.tables.stripes; i++) {
        w->stripe.sequence = (uint64_t)(number * j->setup.tables.stripes + i);
        TRY(job_worker_run(&w->u.read, i, &w->stripe, err));
        w->m.sum.items_out++;
    }
    return 0;
}

/* Files are numbered through all epochs; those of the first come from the labelling. */
static int read_jobs(struct worker *w, struct err *err)
{
    struct etl_job *j = w->job;
    long n, partitions = j->setup.tables.partitions, all = partitions * j->setup.tables.plan.data.epochs;

    while ((n = counter_add(&j->next_read)) < all) {
        const struct table_file *f = &j->files[n % partitions];
        long number = n;

        if (n < partitions) {
            f = member_take(&w->m, j->queues[1]);
            if (f == NULL)
                return 0;
            number = f->partition;
            counter_add(&j->files_done);
        } else if (!member_wait(&w->m, &j->files_done, n % partitions + 1)) {
            return 0;
        } else {
            w->m.sum.items_in++;
        }
        TRY(read_file(w, f, number, err));
    }
    return 0;
}

static int run_worker(void *worker, struct err *err)
{
    static int (*const bodies[ETL_STAGES])(struct worker *, struct err *) = {make_tables, make_labels,
                                                                             read_jobs};
    struct worker *w = worker;

    return bodies[w->stage](w, err);
}

static void wake_all(void *ctx)
{
    struct etl_job *j = ctx;

    for (int i = 0; i < ETL_STAGES - 1; i++)
        queue_close(j->queues[i]);
    counter_close(&j->files_done);
}

/* -------------------------------------------------------------------------- before and after */

static void worker_init(struct worker *w, struct etl_job *j, enum etl_stage_id stage, int index,
                        struct span_log *log)
{
    const struct etl_setup *s = &j->setup;
    char variant[64];

    *w =
        (struct worker){.m = {.crew = &j->crew, .sum.name = s->plan->names[stage]}, .job = j, .stage = stage};
    w->spans = span_log_thread(log, s->plan->names[stage], index);
    etl_variant(s, stage, variant, sizeof variant);
    if (log != NULL)
        w->spans->variant = span_log_keep(log, variant);
    switch (stage) {
    case ETL_STAGE_TABLE:
        etl_worker_init(&w->u.table, &s->tables, w->spans);
        break;
    case ETL_STAGE_LABEL:
        label_worker_init(&w->u.label, s, w->spans);
        break;
    default:
        job_worker_init(&w->u.read, s, w->spans);
        stripe_init(&w->stripe, &s->tables.plan.data, s->tables.plan.etl.stripe_rows);
    }
}

static void worker_fini(struct worker *w)
{
    switch (w->stage) {
    case ETL_STAGE_TABLE:
        etl_worker_fini(&w->u.table);
        break;
    case ETL_STAGE_LABEL:
        label_worker_fini(&w->u.label);
        break;
    default:
        job_worker_fini(&w->u.read);
        stripe_fini(&w->stripe);
    }
    span_buf_free(w->spans);
}

static int make_files(struct etl_job *j, struct err *err)
{
    const char *kind = j->setup.plan->label.layout == LABEL_FULL_COPY ? "copy" : "delta";

    snprintf(j->folder, sizeof j->folder, "%s/table-XXXXXX", j->opt->folder);
    if (mkdtemp(j->folder) == NULL)
        return err_io(err, "create a folder for the table", j->folder);
    j->files = xcalloc((size_t)j->setup.tables.partitions, sizeof *j->files);
    for (long p = 0; p < j->setup.tables.partitions; p++) {
        struct table_file *f = &j->files[p];

        f->partition = p;
        snprintf(f->table, sizeof f->table, "%s/%05ld.table", j->folder, p);
        snprintf(f->label, sizeof f->label, "%s/%05ld.%s", j->folder, p, kind);
    }
    return 0;
}

static void remove_files(struct etl_job *j)
{
    for (long p = 0; p < j->setup.tables.partitions; p++) {
        unlink(j->files[p].table);
        unlink(j->files[p].label);
    }
    rmdir(j->folder);
    free(j->files);
}

static void job_init(struct etl_job *j)
{
    struct counter *counters[] = {&j->next_partition, &j->next_label, &j->next_read, &j->files_done};

    for (int i = 0; i < ETL_STAGES - 1; i++)
        j->queues[i] = queue_new((size_t)j->setup.plan->buffers[i], 0);
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
        counter_init(counters[i]);
    crew_init(&j->crew, j->opt, run_worker, wake_all, j);
    j->direct = true;
}

static void job_fini(struct etl_job *j)
{
    struct counter *counters[] = {&j->next_partition, &j->next_label, &j->next_read, &j->files_done};

    for (int i = 0; i < ETL_STAGES - 1; i++)
        queue_free(j->queues[i]);
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
        counter_fini(counters[i]);
    crew_fini(&j->crew);
}

/* -------------------------------------------------------------------------------------- run */

static const char *cache_note(const struct etl_job *j)
{
    if (!j->setup.tables.plan.storage.direct)
        return "buffered as asked: the table was read from the page cache";
    return j->direct ? "O_DIRECT"
                     : "the file system refuses O_DIRECT: the table was read from the page cache";
}

static void add_worker(struct etl_result *out, struct worker *w)
{
    w->m.sum.busy_s = w->spans->busy_s;
    if (w->stage == ETL_STAGE_LABEL)
        w->m.sum.disk_bytes += w->u.label.read_bytes;
    if (w->stage == ETL_STAGE_READ) {
        w->m.sum.bytes_out = w->u.read.storage.decoded_bytes;
        w->m.sum.disk_bytes = w->u.read.storage.read_bytes + w->u.read.delta_bytes;
        out->digest += w->u.read.digest;
    }
    member_add(&out->stages[w->stage], &w->m);
    out->cpu_total_s += w->m.sum.cpu_s;
}

static void collect(struct etl_job *j, struct worker *workers, int n, double start_s, struct etl_result *out)
{
    const struct dataset_cfg *d = &j->setup.tables.plan.data;

    for (int i = 0; i < ETL_STAGES; i++) {
        out->stages[i].name = j->setup.plan->names[i];
        out->stages[i].wait_s = i == 0 ? NAN : queue_waited_s(j->queues[i - 1]);
    }
    for (int i = 0; i < n; i++) {
        add_worker(out, &workers[i]);
        out->makespan_s = fmax(out->makespan_s, workers[i].m.end_s - start_s);
    }
    out->rows = (double)(d->rows * d->epochs);
    out->table_bytes = out->stages[ETL_STAGE_TABLE].bytes_out;
    out->label_bytes = out->stages[ETL_STAGE_LABEL].bytes_out;
    out->read_bytes = out->stages[ETL_STAGE_READ].disk_bytes;
    out->cold = j->setup.tables.plan.storage.direct && j->direct;
    out->cache_note = cache_note(j);
}

static int run_workers(struct etl_job *j, struct span_log *log, struct etl_result *out, struct err *err)
{
    const struct rec_plan *p = &j->setup.tables.plan;
    const long counts[ETL_STAGES] = {p->etl.workers, j->setup.plan->label.workers, p->storage.workers};
    int n = 0, rc;
    struct worker *workers = xcalloc((size_t)(counts[0] + counts[1] + counts[2]), sizeof *workers);
    double start_s;

    for (int stage = 0; stage < ETL_STAGES; stage++)
        for (int i = 0; i < counts[stage]; i++)
            worker_init(&workers[n++], j, (enum etl_stage_id)stage, i, log);
    rc = crew_run(&j->crew, workers, sizeof *workers, n, log, &start_s, err);
    if (rc == 0)
        collect(j, workers, n, start_s, out);
    for (int i = 0; i < n; i++)
        worker_fini(&workers[i]);
    free(workers);
    return rc;
}

int etl_run(const struct etl_plan *plan, const struct exec_options *opt, struct span_log *log,
            struct etl_result *out, struct err *err)
{
    struct etl_job *j = xcalloc(1, sizeof *j);
    struct rawlog *logs = &j->setup.tables.logs;
    int rc;

    *out = (struct etl_result){0};
    j->opt = opt;
    rc = etl_setup_init(&j->setup, plan, err);
    if (rc == 0)
        rc = rawlog_open(&plan->tables.data, opt->folder, logs, err);
    if (rc == 0)
        rc = rawlog_relabel(&plan->tables.data, logs, err);
    if (rc == 0)
        rc = rawlog_warm(logs, err);
    if (rc == 0)
        rc = make_files(j, err);
    if (rc == 0) {
        job_init(j);
        rc = run_workers(j, opt->spans ? log : NULL, out, err);
        job_fini(j);
        remove_files(j);
    }
    free(j);
    return rc;
}
