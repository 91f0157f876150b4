#include "executor/rec_profile.h"

#include "base/arena.h"
#include "executor/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------ bench */

int bench_init(struct bench *b, const struct setup *setup, const struct exec_options *opt,
               struct span_log *log, struct err *err)
{
    *b = (struct bench){.setup = *setup, .opt = opt, .log = log};
    TRY(rawlog_open(&setup->plan.data, opt->folder, &b->setup.logs, err));
    TRY(rawlog_warm(&b->setup.logs, err));
    for (int i = 0; i < REC_STAGES; i++)
        if (setup->plan.stage_names[i] != NULL)
            b->spans[i] = span_log_thread(log, setup->plan.stage_names[i], 0);
    snprintf(b->folder, sizeof b->folder, "%s/profile-XXXXXX", opt->folder);
    b->has_folder = mkdtemp(b->folder) != NULL;
    return b->has_folder ? 0 : err_io(err, "create a folder for the tables", b->folder);
}

void bench_path(const struct bench *b, enum table_order order, enum codec codec, char *buf, size_t size)
{
    snprintf(buf, size, "%s/%s-%s.table", b->folder, table_order_names[order], codec_names[codec]);
}

void bench_fini(struct bench *b)
{
    char path[4096];

    if (!b->has_folder)
        return;
    for (int order = 0; order < PROFILE_ORDERS; order++)
        for (int codec = 0; codec < CODECS; codec++) {
            bench_path(b, order, codec, path, sizeof path);
            unlink(path);
        }
    rmdir(b->folder);
}

void bench_switch(struct bench *b, enum rec_stage_id stage)
{
    char variant[64];

    setup_variant(&b->setup, stage, variant, sizeof variant);
    b->spans[stage]->variant = span_log_keep(b->log, variant);
}

/* -------------------------------------------------------------------------- etl and storage */

static void measure_used_ratio(struct bench *b, struct etl_worker *w)
{
    struct etl_cfg *c = &b->setup.plan.etl;
    char variant[64];
    double encoded, compressed;

    snprintf(variant, sizeof variant, "%s/%s/used", codec_names[c->codec], table_order_names[c->order]);
    w->spans->variant = span_log_keep(b->log, variant);
    span_begin(w->spans);
    compressed = columnar_compress_used(w->writer, c->codec, &b->setup.uses, &encoded);
    span_end(w->spans, etl_op_names[ETL_COMPRESS_NONE + c->codec], 0, NAN, encoded, compressed);
}

int profile_etl(struct bench *b, int repeats, struct err *err)
{
    struct etl_cfg *c = &b->setup.plan.etl;
    struct etl_worker w;
    int rc = 0;

    etl_worker_init(&w, &b->setup, b->spans[REC_ETL]);
    for (int i = 0; i < (repeats + 1) * PROFILE_ORDERS * CODECS && rc == 0; i++) {
        bool direct = b->setup.plan.storage.direct;
        char path[4096];
        double bytes;

        c->order = i % PROFILE_ORDERS;
        c->codec = i / PROFILE_ORDERS % CODECS;
        bench_switch(b, REC_ETL);
        w.spans->quiet = i < PROFILE_ORDERS * CODECS; /* the first round of everything warms up */
        bench_path(b, c->order, c->codec, path, sizeof path);
        rc = etl_worker_run(&w, 0, path, &direct, &bytes, err);
        if (rc == 0)
            measure_used_ratio(b, &w);
    }
    w.spans->quiet = false;
    etl_worker_fini(&w);
    return rc;
}

static int read_table(struct bench *b, struct storage_worker *w, struct stripe *stripe, struct err *err)
{
    const struct etl_cfg *c = &b->setup.plan.etl;
    bool direct = b->setup.plan.storage.direct;
    char path[4096];

    bench_switch(b, REC_STORAGE);
    bench_path(b, c->order, c->codec, path, sizeof path);
    TRY(storage_worker_open(w, path, 0, &direct, err));
    for (long i = 0; i < b->setup.stripes; i++)
        TRY(storage_worker_run(w, i, stripe, err));
    return 0;
}

int profile_storage(struct bench *b, int repeats, struct err *err)
{
    struct setup *s = &b->setup;
    struct storage_worker w;
    struct stripe stripe;
    int rc = 0, kinds = PROFILE_ORDERS * CODECS * 2;

    storage_worker_init(&w, s, b->spans[REC_STORAGE]);
    stripe_init(&stripe, &s->plan.data, s->plan.etl.stripe_rows);
    for (int i = 0; i < (repeats + 1) * kinds && rc == 0; i++) {
        s->plan.storage.projection = i % 2;
        s->plan.etl.order = i / 2 % PROFILE_ORDERS;
        s->plan.etl.codec = i / (2 * PROFILE_ORDERS) % CODECS;
        w.spans->quiet = i < kinds;
        rc = read_table(b, &w, &stripe, err);
    }
    w.spans->quiet = false;
    stripe_fini(&stripe);
    storage_worker_fini(&w);
    return rc;
}

/* ------------------------------------------------------------------------------------- disk */

static int disk_once(const char *path, bool writing, bool direct, unsigned char *data, size_t n,
                     struct err *err)
{
    int flags = (writing ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY) | O_CLOEXEC | (direct ? O_DIRECT : 0);
    int fd = open(path, flags, 0666);
    ssize_t k;

    if (fd < 0)
        return err_io(err, "open", path);
    k = writing ? pwrite(fd, data, n, 0) : pread(fd, data, n, 0);
    close(fd);
    if (k == (ssize_t)n)
        return 0;
    if (k >= 0)
        errno = writing ? ENOSPC : EIO;
    return err_io(err, writing ? "write" : "read", path);
}

/* Whole requests of the sizes that tables and stripes have, past the page cache where that is possible. */
int profile_disk(struct bench *b, int repeats, struct err *err)
{
    enum { SMALLEST = 256 << 10, SIZES = 7 };
    struct span_buf *spans = span_log_thread(b->log, "disk", 0);
    size_t largest = (size_t)SMALLEST << (SIZES - 1);
    unsigned char *data = memory_new(largest);
    bool direct = b->setup.plan.storage.direct;
    struct err ignored = {0};
    char path[4096];
    int rc = 0;

    snprintf(path, sizeof path, "%s/disk", b->folder);
    for (size_t i = 0; i < largest; i++)
        data[i] = (unsigned char)(i * 2654435761u >> 13);
    if (direct && disk_once(path, true, true, data, SMALLEST, &ignored) != 0)
        direct = false;
    spans->variant = direct ? "direct" : "buffered";
    for (int i = 0; i < repeats * SIZES && rc == 0; i++) {
        size_t n = (size_t)SMALLEST << (i % SIZES);

        span_begin(spans);
        rc = disk_once(path, true, direct, data, n, err);
        span_end(spans, "disk_write", i, 1, (double)n, (double)n);
        if (rc != 0)
            break;
        span_begin(spans);
        rc = disk_once(path, false, direct, data, n, err);
        span_end(spans, "disk_read", i, 1, (double)n, (double)n);
    }
    unlink(path);
    free(data);
    return rc;
}

/* -------------------------------------------------------------------------------- everything */

bool rec_scaled_plan(const struct rec_plan *plan, long halves, struct rec_plan *out)
{
    long stripes = plan->data.partition_rows / plan->etl.stripe_rows;

    *out = *plan;
    out->etl.stripe_rows = plan->etl.stripe_rows * halves / 2;
    out->data.partition_rows = out->data.rows = stripes * out->etl.stripe_rows;
    out->data.epochs = 1;
    return out->etl.stripe_rows > 0 && plan->etl.stripe_rows * halves % 2 == 0;
}

static int profile_size(const struct rec_plan *plan, const struct exec_options *opt, struct span_log *log,
                        bool real, struct err *err)
{
    struct setup setup;
    struct bench b;
    int rc;

    TRY(setup_init(&setup, plan, err));
    rc = bench_init(&b, &setup, opt, log, err);
    if (rc == 0)
        rc = profile_etl(&b, 2, err);
    if (rc == 0)
        rc = profile_storage(&b, 2, err);
    if (rc == 0 && real)
        rc = profile_disk(&b, 6, err);
    if (rc == 0 && real)
        rc = profile_cores(&b, 3, err);
    bench_fini(&b);
    return rc;
}

int rec_profile(const struct rec_plan *plan, const struct exec_options *opt, struct span_log *log,
                struct err *err)
{
    static const long halves[] = {1, 2, 3};
    enum { SIZES = sizeof halves / sizeof *halves, REAL = 2 };
    int rc = 0;

    span_log_start(log);
    progress_begin(opt->progress, "profile", SIZES);
    for (int i = 0; i < SIZES && rc == 0; i++) {
        struct rec_plan scaled;

        progress_step(opt->progress, i, NULL);
        if (rec_scaled_plan(plan, halves[i], &scaled))
            rc = profile_size(&scaled, opt, log, halves[i] == REAL, err);
    }
    if (rc == 0)
        rc = profile_batches(plan, opt, log, 2, err);
    progress_end(opt->progress);
    return rc;
}
