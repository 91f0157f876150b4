/*
 * experiment.c - what a new label or feature costs: a full copy of the table, or a column beside it.
 *
 * Every item is an experiment on a table of `rows` rows: the label's log is joined to them (`backfill` of the
 * history), the result is written, `jobs` training jobs read it.  With R rows, B = backfill * R, C copies
 * (replication), row, label, key and log bytes per row:
 *
 *                full_copy                                  delta
 *   read         R row + B log                              B (key + log)
 *   core         R row (decode + encode) + B join           B (join + label encode)
 *   write        C R (row + label)                          C (B (label + [key aligned] key) + manifest)
 *   a job reads  R (used row + label)                       the same, and per standing delta its column
 *   its core     R used row decode                          + R merge per delta: by position, or by key
 *   kept         C R (row + label)                          C B (label + ..)
 *
 * Standing deltas: the experiment's own, and those promoted since the last compaction, on average half of
 * compact_every; compaction reads and writes the whole table once in compact_every promotions.  A snapshot's
 * manifest names every file.  per_month experiments a month are kept for `retention` months, so the footprint
 * is that of per_month * retention experiments: the duplicate-table problem.  Prices: of a terabyte-month, of
 * a thousand requests of file_bytes each.  Work runs in `tasks` pieces, `slots` at a time, on the disk and
 * the cores bound.  Left out: deletes, schema checks, concurrent compactions that conflict.
 */
#include "models/server.h"
#include "models/spark_sched.h"

#include <math.h>

enum layout { FULL_COPY, DELTA };
static const char *const layouts[] = {"full_copy", "delta", NULL};
enum align { BY_POSITION, BY_KEY };
static const char *const alignments[] = {"position", "key", NULL};

struct experiment_cfg {
    int layout, align;
    long slots, tasks, jobs, per_month, compact_every, replication;
    double rows, row_bytes, label_bytes, key_bytes, log_bytes, manifest_bytes, file_bytes;
    double backfill, used_frac, promoted_frac, retention;
    double decode_byte, encode_byte, join_row, merge_position, merge_key;
    double tb_month_usd, put_usd, get_usd;
    struct spark_stage stages[2]; /* filled by check(): build, read */
};

static const int first[] = {0};

#define T struct experiment_cfg
static const struct param params[] = {
    CHOICE(T, layout, "full_copy", layouts,
           "What an experiment writes: a copy of the table, or its column alone"),
    CHOICE(T, align, "position", alignments, "How a delta's rows find the table's: same order, or by key"),
    INT(T, slots, "16", 1, 1e6, "Pieces worked on at a time, of all experiments"),
    INT(T, tasks, "256", 1, 1e6, "Pieces of building and of reading one experiment's table"),
    INT(T, jobs, "3", 0, 1e6, "Training jobs that read one experiment"),
    INT(T, per_month, "60", 1, 1e9, "Experiments a month"),
    INT(T, compact_every, "8", 0, 1e6, "Promoted deltas after which the table is rewritten; 0: never"),
    INT(T, replication, "3", 1, 20, "Copies the storage keeps of every byte"),
    REAL(T, rows, UNIT_NONE, "1e9", 1, 1e15, "Rows of the table"),
    REAL(T, row_bytes, UNIT_BYTES, "2kB", 0, 1e9, "Stored bytes of a row"),
    REAL(T, label_bytes, UNIT_BYTES, "2B", 0, 1e6, "Stored bytes of the new column, per row"),
    REAL(T, key_bytes, UNIT_BYTES, "8B", 0, 1e4, "Stored bytes of a row's key"),
    REAL(T, log_bytes, UNIT_BYTES, "24B", 0, 1e6, "Bytes of the new label's log, per row"),
    REAL(T, manifest_bytes, UNIT_BYTES, "1kB", 0, 1e9, "Snapshot metadata per file"),
    REAL(T, file_bytes, UNIT_BYTES, "512MB", 1, 1e15, "Bytes of one file, which is one request"),
    REAL(T, backfill, UNIT_FRAC, "100%", 0, 1, "Share of the history that gets the new label"),
    REAL(T, used_frac, UNIT_FRAC, "30%", 0, 1, "Share of a row's bytes that a job reads"),
    REAL(T, promoted_frac, UNIT_FRAC, "5%", 0, 1, "Experiments that become part of the table"),
    REAL(T, retention, UNIT_NONE, "3", 0, 1e4, "Months an experiment is kept"),
    REAL(T, decode_byte, UNIT_S, "2ns", 0, 1, "Core time per stored byte read"),
    REAL(T, encode_byte, UNIT_S, "5ns", 0, 1, "Core time per stored byte written"),
    REAL(T, join_row, UNIT_S, "200ns", 0, 1, "Core time per row joined to its label"),
    REAL(T, merge_position, UNIT_S, "4ns", 0, 1, "Core time per row and delta, rows in the same order"),
    REAL(T, merge_key, UNIT_S, "120ns", 0, 1, "Core time per row and delta, found by key"),
    REAL(T, tb_month_usd, UNIT_USD, "23usd", 0, 1e6,
         "Price of a stored terabyte for a month, copies included"),
    REAL(T, put_usd, UNIT_USD, "0.005usd", 0, 1e6, "Price of a thousand writing requests"),
    REAL(T, get_usd, UNIT_USD, "0.0004usd", 0, 1e6, "Price of a thousand reading requests"),
    PARAMS_END};
#undef T

static const char *const roles[] = {"cpu", "disk", NULL};
enum { OP_BUILD, OP_READ, OP_WRITE, OP_JOB };
static const struct op_info ops[] = {{"build", "rows", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {"read", NULL, "bytes", COUNT_DEFAULT, COUNT_BYTES_IN},
                                     {"write", NULL, "bytes", COUNT_DEFAULT, COUNT_BYTES_OUT},
                                     {"job", "rows", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {NULL, NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT}};

/* Bytes and core seconds of one of the two parts of an experiment. */
struct part {
    double read, cpu_s, write;
};

static double table_bytes(const struct experiment_cfg *c)
{
    return c->rows * (c->row_bytes + c->label_bytes);
}

static double delta_row_bytes(const struct experiment_cfg *c)
{
    return c->label_bytes + (c->align == BY_KEY ? c->key_bytes : 0);
}

static double manifest(const struct experiment_cfg *c)
{
    return c->manifest_bytes * ceil(table_bytes(c) / c->file_bytes);
}

/* Bytes an experiment leaves behind, one copy of them. */
static double kept_bytes(const struct experiment_cfg *c)
{
    return manifest(c) +
           (c->layout == FULL_COPY ? table_bytes(c) : c->backfill * c->rows * delta_row_bytes(c));
}

static struct part build(const struct experiment_cfg *c)
{
    double b = c->backfill * c->rows, rewritten = 0;
    struct part p;

    if (c->layout == FULL_COPY)
        p = (struct part){.read = c->rows * c->row_bytes + b * c->log_bytes,
                          .cpu_s =
                              c->rows * c->row_bytes * (c->decode_byte + c->encode_byte) + b * c->join_row};
    else {
        p = (struct part){.read = b * (c->key_bytes + c->log_bytes),
                          .cpu_s = b * (c->join_row + delta_row_bytes(c) * c->encode_byte)};
        rewritten = c->compact_every > 0 ? c->promoted_frac / (double)c->compact_every * table_bytes(c) : 0;
    }
    p.read += rewritten;
    p.cpu_s += rewritten * (c->decode_byte + c->encode_byte);
    p.write = (double)c->replication * (kept_bytes(c) + rewritten);
    return p;
}

static double standing_deltas(const struct experiment_cfg *c)
{
    double promoted = c->promoted_frac * (double)c->per_month * c->retention;

    if (c->layout == FULL_COPY)
        return 0;
    return 1 + (c->compact_every > 0 ? fmin(promoted, (double)c->compact_every) / 2 : promoted);
}

static struct part training_jobs(const struct experiment_cfg *c)
{
    double used = c->used_frac * c->row_bytes, deltas = standing_deltas(c);
    double merge = c->align == BY_KEY ? c->merge_key : c->merge_position;
    double column = c->layout == FULL_COPY ? c->label_bytes : deltas * delta_row_bytes(c);

    return (struct part){.read = (double)c->jobs * c->rows * (used + column),
                         .cpu_s =
                             (double)c->jobs * c->rows * ((used + column) * c->decode_byte + deltas * merge)};
}

static int check(void *cfg, const struct model_env *env, struct err *err)
{
    struct experiment_cfg *c = cfg;

    (void)env;
    (void)err;
    c->stages[0] = (struct spark_stage){.name = "build", .tasks = c->tasks};
    c->stages[1] = (struct spark_stage){.name = "read", .tasks = c->tasks, .parents = first, .parents_n = 1};
    return 0;
}

static void shape(const void *cfg, struct shape *out)
{
    *out = (struct shape){.workers = 0,
                          .prefetch = -1,
                          .queue_limit = -1,
                          .parallel = (double)((const struct experiment_cfg *)cfg)->slots};
}

static void demand(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave)
{
    const struct experiment_cfg *c = cfg;
    struct part b = build(c), j = training_jobs(c);

    (void)luck;
    demand_add(out, ROLE_DISK_READ, OP_READ, in->count * (b.read + j.read), 0);
    demand_add(out, ROLE_CPU, OP_BUILD, in->count * b.cpu_s, 0);
    demand_add(out, ROLE_CPU, OP_JOB, in->count * j.cpu_s, 0);
    demand_add(out, ROLE_DISK_WRITE, OP_WRITE, in->count * b.write, 0);
    leave->rows = c->rows;
    leave->bytes = kept_bytes(c);
}

/* ------------------------------------------------------------------- state */

struct state {
    const struct experiment_cfg *cfg;
    struct host *host;
    struct spark_sched *sched;
    double build_s, read_s, experiments; /* since measuring began */
};

struct step {
    struct state *state;
    struct spark_task *task;
    int next;
};

static void next_step(struct sim *sim, void *self, uint64_t arg)
{
    struct step *p = self;
    const struct experiment_cfg *c = p->state->cfg;
    bool builds = p->task->stage->def == &c->stages[0];
    struct part part = builds ? build(c) : training_jobs(c);
    struct host *h = p->state->host;
    double n = (double)c->tasks;

    (void)sim;
    (void)arg;
    switch (p->next++) {
    case 0:
        host_use(h, ROLE_DISK_READ, OP_READ, part.read / n, ceil(part.read / n / c->file_bytes), next_step, p,
                 0);
        return;
    case 1:
        host_use(h, ROLE_CPU, builds ? OP_BUILD : OP_JOB, part.cpu_s / n, 0, next_step, p, 0);
        return;
    case 2:
        host_use(h, ROLE_DISK_WRITE, OP_WRITE, part.write / n, ceil(part.write / n / c->file_bytes),
                 next_step, p, 0);
        return;
    default:
        spark_task_done(p->task);
    }
}

static void begin_task(void *ctx, struct spark_task *t)
{
    struct state *s = ctx;
    struct step *p = ARENA_NEW(s->host->sim->arena, struct step);

    *p = (struct step){.state = s, .task = t};
    sim_after(s->host->sim, 0, next_step, p, 0);
}

static void *open(const void *cfg, struct host *h)
{
    struct state *s = ARENA_NEW(h->sim->arena, struct state);
    struct spark_policy p = {.codes = 0};

    s->cfg = cfg;
    s->host = h;
    s->sched = spark_sched_new(h->sim, &p, begin_task, s, h->luck.stage);
    spark_executor_add(s->sched, s->cfg->slots, false);
    return s;
}

static double requests_usd(const struct experiment_cfg *c)
{
    struct part b = build(c), j = training_jobs(c);

    return (ceil((b.read + j.read) / c->file_bytes) * c->get_usd +
            ceil(b.write / c->file_bytes) * c->put_usd) /
           1000;
}

/* Of keeping what one experiment wrote for as long as it is kept. */
static double storage_usd(const struct experiment_cfg *c)
{
    return (double)c->replication * kept_bytes(c) * 1e-12 * c->tb_month_usd * c->retention;
}

static void experiment_done(struct sim *sim, void *self, uint64_t arg)
{
    struct state *s = self;
    struct visit *v = (struct visit *)(uintptr_t)arg;
    struct spark_job_run *j = v->own;

    (void)sim;
    s->experiments++;
    s->build_s += j->stages[0].ended_s - j->arrived_s;
    s->read_s += j->stages[1].ended_s - j->stages[0].ended_s;
    v->it.bytes = kept_bytes(s->cfg);
    v->it.usd += storage_usd(s->cfg) + requests_usd(s->cfg);
    host_leave(s->host, v);
}

static void arrive(void *state, struct visit *v)
{
    struct state *s = state;

    v->own = spark_submit(s->sched, s->cfg->stages, s->cfg->jobs > 0 ? 2 : 1, v->it.key, experiment_done, s,
                          (uint64_t)(uintptr_t)v);
}

static void begin_measuring(void *state)
{
    struct state *s = state;

    s->experiments = s->build_s = s->read_s = 0;
}

static int report(const void *state, struct figure *out, int room)
{
    const struct state *s = state;
    const struct experiment_cfg *c = s->cfg;
    double n = fmax(1, s->experiments), live = (double)c->per_month * c->retention;
    double kept = (double)c->replication * kept_bytes(c), stored = kept * 1e-12 * c->tb_month_usd;
    double table = (double)c->replication * table_bytes(c);
    double news = (double)c->replication * c->backfill * c->rows * c->label_bytes;
    const struct figure all[] = {
        {"build_s", s->build_s / n},
        {"jobs_s", s->read_s / n},
        {"written_bytes_per_experiment", build(c).write},
        {"footprint_bytes", table + live * kept},
        {"footprint_duplicate_frac", live * fmax(0, kept - news) / (table + live * kept)},
        {"storage_usd_per_experiment", storage_usd(c)},
        {"requests_usd_per_experiment", requests_usd(c)},
        {"storage_usd_per_month", (table * 1e-12 * c->tb_month_usd) + live * stored},
    };
    int k = 0;

    for (; k < room && k < (int)(sizeof all / sizeof *all); k++)
        out[k] = all[k];
    return k;
}

static const struct server server = {
    .open = open, .arrive = arrive, .begin_measuring = begin_measuring, .report = report};

const struct model experiment_model = {
    .name = "experiment",
    .title = "Label or feature experiment",
    .about =
        "Adds a column to a table, by copying the table or by a delta merged on read, and has jobs read it.",
    .cfg_size = sizeof(struct experiment_cfg),
    .params = params,
    .roles = roles,
    .ops = ops,
    .check = check,
    .shape = shape,
    .demand = demand,
    .server = &server,
};
