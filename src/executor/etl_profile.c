/*
 * etl_profile.c - the operators of the ETL path alone: one partition in three sizes, every order and codec,
 * every way to add a label and to read it.
 */
#include "executor/cores.h"
#include "executor/etl_path.h"
#include "executor/rec_profile.h"

#include <stdlib.h>
#include <unistd.h>

/* A copy, a delta by position, a delta by key. */
enum { WAYS = 3, REPEATS = 2 };

struct label_bench {
    struct bench *b;
    struct etl_plan plan;
    struct etl_setup setup;
    struct span_buf *spans;
    struct label_worker label;
    struct job_worker read;
    struct stripe stripe;
};

static void choose(struct label_bench *l, int way)
{
    l->plan.label.layout = way == 0 ? LABEL_FULL_COPY : LABEL_DELTA;
    l->plan.label.align = way == 2 ? LABEL_BY_KEY : LABEL_BY_POSITION;
}

static void switch_variants(struct label_bench *l)
{
    char variant[64];

    l->setup.tables.plan.etl = l->b->setup.plan.etl;
    l->setup.tables.plan.storage = l->b->setup.plan.storage;
    etl_variant(&l->setup, ETL_STAGE_LABEL, variant, sizeof variant);
    l->spans->variant = span_log_keep(l->b->log, variant);
    etl_variant(&l->setup, ETL_STAGE_READ, variant, sizeof variant);
    l->b->spans[REC_STORAGE]->variant = span_log_keep(l->b->log, variant);
}

/* Adds the label to the table in its present order and codec, and reads what came of it. */
static int label_and_read(struct label_bench *l, struct err *err)
{
    const struct etl_cfg *c = &l->b->setup.plan.etl;
    bool direct = l->b->setup.plan.storage.direct, copy = l->plan.label.layout == LABEL_FULL_COPY;
    char table[4096], out[4096];
    double bytes;

    bench_path(l->b, c->order, c->codec, table, sizeof table);
    snprintf(out, sizeof out, "%s/label", l->b->folder);
    switch_variants(l);
    TRY(label_worker_run(&l->label, 0, table, out, &direct, &bytes, err));
    TRY(job_worker_open(&l->read, copy ? out : table, copy ? NULL : out, 0, &direct, err));
    for (long i = 0; i < l->b->setup.stripes; i++)
        TRY(job_worker_run(&l->read, i, &l->stripe, err));
    return 0;
}

static void label_bench_init(struct label_bench *l, struct bench *b, const struct etl_plan *plan)
{
    *l = (struct label_bench){.b = b, .plan = *plan};
    l->setup = (struct etl_setup){.tables = b->setup, .plan = &l->plan};
    l->plan.digest = false;
    l->spans = span_log_thread(b->log, plan->names[ETL_STAGE_LABEL], 0);
    label_worker_init(&l->label, &l->setup, l->spans);
    job_worker_init(&l->read, &l->setup, b->spans[REC_STORAGE]);
    stripe_init(&l->stripe, &b->setup.plan.data, b->setup.plan.etl.stripe_rows);
}

static void label_bench_fini(struct label_bench *l)
{
    char out[4096];

    snprintf(out, sizeof out, "%s/label", l->b->folder);
    unlink(out);
    label_worker_fini(&l->label);
    job_worker_fini(&l->read);
    stripe_fini(&l->stripe);
}

static int profile_labels(struct bench *b, const struct etl_plan *plan, struct err *err)
{
    enum { KINDS = WAYS * PROFILE_ORDERS * CODECS };
    struct label_bench l;
    int rc = 0;

    label_bench_init(&l, b, plan);
    for (int i = 0; i < (REPEATS + 1) * KINDS && rc == 0; i++) {
        choose(&l, i % WAYS);
        b->setup.plan.storage.projection = false;
        b->setup.plan.etl.order = i / WAYS % PROFILE_ORDERS;
        b->setup.plan.etl.codec = i / (WAYS * PROFILE_ORDERS) % CODECS;
        l.spans->quiet = b->spans[REC_STORAGE]->quiet =
            i < KINDS; /* the first round of everything warms up */
        rc = label_and_read(&l, err);
    }
    b->spans[REC_STORAGE]->quiet = false;
    label_bench_fini(&l);
    return rc;
}

/* ------------------------------------------------------------------------------------ cores */

struct lane {
    struct etl_setup setup;
    struct span_buf *unseen;
    struct etl_worker table;
    struct label_worker label;
    struct job_worker read;
    struct stripe stripe;
    char table_path[4096], label_path[4096];
};

static int table_part(struct lane *l, struct err *err)
{
    const struct etl_cfg *c = &l->setup.tables.plan.etl;
    double bytes;

    TRY(etl_parse(&l->table.kernel, &l->setup.tables.logs, 0, &bytes, err));
    TRY(etl_join(&l->table.kernel, err));
    columnar_encode(l->table.writer, etl_order(&l->table.kernel, (enum table_order)c->order),
                    (enum table_order)c->order);
    columnar_compress(l->table.writer, (enum codec)c->codec);
    return 0;
}

static int label_part(struct lane *l, struct err *err)
{
    bool direct = l->setup.tables.plan.storage.direct;
    double bytes;

    return label_worker_run(&l->label, 0, l->table_path, l->label_path, &direct, &bytes, err);
}

static int read_part(struct lane *l, struct err *err)
{
    bool direct = l->setup.tables.plan.storage.direct, copy = l->setup.plan->label.layout == LABEL_FULL_COPY;

    TRY(job_worker_open(&l->read, copy ? l->label_path : l->table_path, copy ? NULL : l->label_path, 0,
                        &direct, err));
    for (long i = 0; i < l->setup.tables.stripes; i++)
        TRY(job_worker_run(&l->read, i, &l->stripe, err));
    return 0;
}

static int part(void *lane, int k, struct err *err)
{
    static int (*const parts[ETL_STAGES])(struct lane *, struct err *) = {table_part, label_part, read_part};

    return parts[k](lane, err);
}

static int lane_open(void *ctx, void *lane, struct err *err)
{
    const struct label_bench *from = ctx;
    const struct setup *s = &from->b->setup;
    struct lane *l = lane;

    l->setup = (struct etl_setup){.tables = *s, .plan = &from->plan};
    l->unseen = span_log_thread(NULL, "", 0);
    etl_worker_init(&l->table, &l->setup.tables, l->unseen);
    label_worker_init(&l->label, &l->setup, l->unseen);
    job_worker_init(&l->read, &l->setup, l->unseen);
    stripe_init(&l->stripe, &s->plan.data, s->plan.etl.stripe_rows);
    bench_path(from->b, (enum table_order)s->plan.etl.order, (enum codec)s->plan.etl.codec, l->table_path,
               sizeof l->table_path);
    snprintf(l->label_path, sizeof l->label_path, "%s/lane-%p", from->b->folder, lane);
    TRY(table_part(l, err));
    return label_part(l, err);
}

static void lane_close(void *lane)
{
    struct lane *l = lane;

    unlink(l->label_path);
    etl_worker_fini(&l->table);
    label_worker_fini(&l->label);
    job_worker_fini(&l->read);
    stripe_fini(&l->stripe);
    span_buf_free(l->unseen);
}

static int profile_lanes(struct bench *b, const struct etl_plan *plan, struct err *err)
{
    struct label_bench from = {.b = b, .plan = *plan};
    struct cores_work work = {.ctx = &from,
                              .size = sizeof(struct lane),
                              .parts = ETL_STAGES,
                              .open = lane_open,
                              .part = part,
                              .close = lane_close};

    b->setup.plan.etl = plan->tables.etl;
    b->setup.plan.storage = plan->tables.storage;
    return cores_measure(&work, 3, b->log, err);
}

/* ------------------------------------------------------------------------------------ whole */

static int profile_size(const struct etl_plan *plan, const struct rec_plan *tables,
                        const struct exec_options *opt, struct span_log *log, bool real, struct err *err)
{
    struct setup setup;
    struct bench b;
    int rc;

    TRY(setup_tables(&setup, tables, err));
    rc = bench_init(&b, &setup, opt, log, err);
    if (rc == 0)
        rc = rawlog_relabel(&tables->data, &b.setup.logs, err);
    if (rc == 0)
        rc = rawlog_warm(&b.setup.logs, err);
    if (rc == 0)
        rc = profile_etl(&b, REPEATS, err);
    if (rc == 0)
        rc = profile_storage(&b, REPEATS, err);
    if (rc == 0)
        rc = profile_labels(&b, plan, err);
    if (rc == 0 && real)
        rc = profile_disk(&b, 6, err);
    if (rc == 0 && real)
        rc = profile_lanes(&b, plan, err);
    bench_fini(&b);
    return rc;
}

int etl_profile(const struct etl_plan *plan, const struct exec_options *opt, struct span_log *log,
                struct err *err)
{
    static const long halves[] = {1, 2, 4}; /* stripes of twice the size are an optimization */
    enum { SIZES = sizeof halves / sizeof *halves, REAL = 2 };
    int rc = 0;

    span_log_start(log);
    progress_begin(opt->progress, "profile", SIZES);
    for (int i = 0; i < SIZES && rc == 0; i++) {
        struct rec_plan scaled;

        progress_step(opt->progress, i, NULL);
        if (rec_scaled_plan(&plan->tables, halves[i], &scaled))
            rc = profile_size(plan, &scaled, opt, log, halves[i] == REAL, err);
    }
    progress_end(opt->progress);
    return rc;
}
