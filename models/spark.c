/*
 * spark.c - an ETL job as Spark runs it: stages of tasks on the slots of executors (spark_sched.h).
 *
 * Every item is a job with the same stages.  A task reads its share of the stage's table bytes and shuffle
 * bytes from the disk (what other executors hold comes over the link), computes, and writes:
 *
 *   disk read    read_bytes / tasks * size  +  shuffle_read / tasks * size
 *   link         shuffle_read / tasks * size * (executors - 1) / executors
 *   core         cpu (drawn per task) * (1 - size_share + size_share * size) + [cold] * warm + overhead
 *   disk write   (shuffle_write + write_bytes) / tasks * size
 *
 * size is lognormal with mean 1: skew of the partitions.  With coalesce_bytes a stage that reads shuffles
 * gets ceil(shuffle_read / coalesce_bytes) tasks, at most as many as written (adaptive execution).  Slots are
 * not cores: tasks share the cores bound to `cpu` with whoever else is there.  Makespan bounds: all work on
 * the resources (the pipeline's bound) and the longest chain of stages.  Left out: spilling, locality waits.
 */
#include "models/spark_sched.h"

#include "base/text.h"
#include "models/server.h"

#include <math.h>
#include <string.h>

enum { STAGES_MAX = 64 };
enum { OP_READ, OP_SHUFFLE, OP_COMPUTE, OP_WRITE, OPS };

struct spark_stage_cfg {
    long tasks;
    struct law cpu;
    double read_bytes, shuffle_read, shuffle_write, write_bytes;
    const struct json *after;
};

struct spark_cfg {
    const struct json *stages;
    long executors, slots, max_executors, min_executors;
    int order;
    double overhead, warm, skew, size_share, fail_prob, coalesce_bytes, stage_delay;
    bool speculation;
    double speculation_quantile, speculation_multiplier, speculation_period, backlog, idle, start;
    /* filled by check() */
    struct spark_stage *list;
    struct spark_stage_cfg *each;
    int n;
};

#define T struct spark_cfg
static const struct param params[] = {
    JSONV(T, stages,
          "List of {name, tasks, cpu, read_bytes, shuffle_read, shuffle_write, write_bytes, after}"),
    INT(T, executors, "4", 1, 1e5, "Executors, unless they are allocated by demand"),
    INT(T, slots, "4", 1, 1024, "Tasks one executor works on at a time"),
    CHOICE(T, order, "fifo", spark_order_names, "Which job's stages get free slots first"),
    REAL(T, overhead, UNIT_S, "10ms", 0, 1e3, "Core time to launch a task and hear that it is done"),
    REAL(T, warm, UNIT_S, "1s", 0, 1e3, "Core time the first task of a stage on an executor takes longer"),
    REAL(T, skew, UNIT_NONE, "0", 0, 10, "Coefficient of variation of a task's share of its stage's bytes"),
    REAL(T, size_share, UNIT_FRAC, "1", 0, 1, "Share of the computing that grows with a task's bytes"),
    REAL(T, fail_prob, UNIT_FRAC, "0", 0, 0.9,
         "Probability that an attempt at a task fails and is made again"),
    REAL(T, coalesce_bytes, UNIT_BYTES, "0B", 0, 1e15,
         "Shuffle bytes a task should read; 0: tasks as written"),
    REAL(T, stage_delay, UNIT_S, "20ms", 0, 1e3, "From the end of a stage's parents to its first launch"),
    BOOL(T, speculation, "false", "Launch copies of tasks that take long"),
    REAL(T, speculation_quantile, UNIT_FRAC, "75%", 0, 1,
         "Share of a stage that must be done before copies are made"),
    REAL(T, speculation_multiplier, UNIT_NONE, "1.5", 1, 1e3,
         "Times the median that a task must take to be copied"),
    REAL(T, speculation_period, UNIT_S, "100ms", 1e-3, 1e3, "Between two looks for tasks to copy"),
    INT(T, max_executors, "0", 0, 1e5, "Executors allocated by demand at most; 0: no dynamic allocation"),
    INT(T, min_executors, "0", 0, 1e5, "Executors that stay when nothing is to be done"),
    REAL(T, backlog, UNIT_S, "1s", 1e-3, 1e5,
         "How long tasks wait before executors are asked for, then twice as many"),
    REAL(T, idle, UNIT_S, "60s", 1e-3, 1e6, "How long an executor is idle before it goes"),
    REAL(T, start, UNIT_S, "10s", 0, 1e5, "From asking for an executor to its first slot"),
    PARAMS_END};
#undef T

#define T struct spark_stage_cfg
static const struct param stage_params[] = {
    INT(T, tasks, "1", 1, 1e7, "Tasks of the stage"),
    LAW(T, cpu, UNIT_S, "1s", 0, 1e9, "Core time of one task"),
    REAL(T, read_bytes, UNIT_BYTES, "0B", 0, 1e18, "Table bytes the stage reads"),
    REAL(T, shuffle_read, UNIT_BYTES, "0B", 0, 1e18, "Bytes it reads from its parents' shuffles"),
    REAL(T, shuffle_write, UNIT_BYTES, "0B", 0, 1e18, "Bytes it leaves for its children"),
    REAL(T, write_bytes, UNIT_BYTES, "0B", 0, 1e18, "Table bytes it writes"),
    JSONV(T, after, "Names of the stages it waits for"),
    PARAMS_END};
#undef T

static const char *const roles[] = {"cpu", "disk", NULL};
static const struct op_info ops[] = {{"read", NULL, "bytes", COUNT_DEFAULT, COUNT_BYTES_IN},
                                     {"shuffle", NULL, "bytes", COUNT_DEFAULT, COUNT_BYTES_IN},
                                     {"compute", "tasks", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
                                     {"write", NULL, "bytes", COUNT_DEFAULT, COUNT_BYTES_OUT},
                                     {NULL, NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT}};

/* ------------------------------------------------------------------ reading */

static int read_parents(struct spark_cfg *c, int i, const char *where, struct arena *a, struct err *err)
{
    int *parents = arena_array(a, json_size(c->each[i].after) + 1, sizeof *parents);
    const char *names[STAGES_MAX];
    char brief[60];

    JSON_EACH (v, c->each[i].after) {
        int k = 0;

        for (; k < i; k++) {
            names[k] = c->list[k].name;
            if (json_string(v) != NULL && strcmp(json_string(v), names[k]) == 0)
                break;
        }
        if (k == i) {
            const char *near = json_string(v) != NULL ? text_nearest(json_string(v), names, (size_t)i) : NULL;

            return err_set(err, ERR_SCENARIO, "%s: no stage %s before \"%s\"%s%s%s", where,
                           json_brief(v, brief, sizeof brief), c->list[i].name,
                           near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        }
        parents[c->list[i].parents_n++] = k;
    }
    c->list[i].parents = parents;
    return 0;
}

static int read_stage(struct spark_cfg *c, int i, const struct json *v, const char *where, struct arena *a,
                      struct err *err)
{
    const char *name = json_get_string(v, "name", NULL);
    struct json *rest;
    int rc;

    if (json_type(v) != JSON_OBJECT || name == NULL)
        return err_set(err, ERR_SCENARIO,
                       "%s: a stage is an object with a name, such as {\"name\": \"join\", \"tasks\": 200}",
                       where);
    rest = json_copy(v);
    json_remove(rest, "name");
    rc = param_load(stage_params, rest, where, a, &c->each[i], err);
    json_free(rest);
    TRY(rc);
    c->each[i].after = json_get(v, "after"); /* of the scenario's tree, which stays */
    c->list[i] = (struct spark_stage){.name = arena_strdup(a, name), .tasks = c->each[i].tasks, .code = i};
    if (c->coalesce_bytes > 0 && c->each[i].shuffle_read > 0)
        c->list[i].tasks =
            (long)fmin((double)c->list[i].tasks, fmax(1, ceil(c->each[i].shuffle_read / c->coalesce_bytes)));
    return read_parents(c, i, arena_printf(a, "%s.after", where), a, err);
}

static int check(void *cfg, const struct model_env *env, struct err *err)
{
    struct spark_cfg *c = cfg;
    int i = 0;

    if (c->stages == NULL || json_type(c->stages) != JSON_ARRAY || json_size(c->stages) == 0 ||
        json_size(c->stages) > STAGES_MAX)
        return err_set(err, ERR_SCENARIO, "%s.stages: a list of 1 to %d stages is needed", env->where,
                       STAGES_MAX);
    if (c->min_executors > c->max_executors)
        return err_set(err, ERR_SCENARIO, "%s.min_executors: %ld is more than max_executors (%ld)",
                       env->where, c->min_executors, c->max_executors);
    c->n = (int)json_size(c->stages);
    c->list = arena_array(env->arena, (size_t)c->n, sizeof *c->list);
    c->each = arena_array(env->arena, (size_t)c->n, sizeof *c->each);
    JSON_EACH (v, c->stages) {
        TRY(read_stage(c, i, v, arena_printf(env->arena, "%s.stages[%d]", env->where, i), env->arena, err));
        i++;
    }
    return 0;
}

static double away(const struct spark_cfg *c)
{
    double n = (double)(c->max_executors > 0 ? c->max_executors : c->executors);

    return (n - 1) / n;
}

/* Core seconds of a stage's tasks: adaptive execution makes fewer of the same work. */
static double task_cpu_s(const struct spark_cfg *c, int i)
{
    return c->each[i].cpu.mean * (double)c->each[i].tasks / (double)c->list[i].tasks;
}

/* A whole job, for the bound: nothing cold, nothing made twice. */
static void demand(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave)
{
    const struct spark_cfg *c = cfg;
    double read = 0, net = 0, cpu = 0, write = 0;

    (void)luck;
    (void)leave;
    for (int i = 0; i < c->n; i++) {
        const struct spark_stage_cfg *s = &c->each[i];

        read += s->read_bytes + s->shuffle_read;
        net += s->shuffle_read * away(c);
        cpu += (double)c->list[i].tasks * (task_cpu_s(c, i) + c->overhead);
        write += s->shuffle_write + s->write_bytes;
    }
    demand_add(out, ROLE_DISK_READ, OP_READ, in->count * read, 0);
    demand_add(out, ROLE_NET, OP_SHUFFLE, in->count * net, 0);
    demand_add(out, ROLE_CPU, OP_COMPUTE, in->count * cpu, 0);
    demand_add(out, ROLE_DISK_WRITE, OP_WRITE, in->count * write, 0);
}

static void shape(const void *cfg, struct shape *out)
{
    const struct spark_cfg *c = cfg;
    double slots = (double)((c->max_executors > 0 ? c->max_executors : c->executors) * c->slots);

    *out = (struct shape){.workers = 0, .prefetch = -1, .queue_limit = -1, .parallel = slots};
}

/* ------------------------------------------------------------------- state */

struct state {
    const struct spark_cfg *cfg;
    struct host *host;
    struct spark_sched *sched;
    struct spark_usage before; /* when measuring began */
    double began_s;
    uint64_t jobs, failed, copies, jobs_in;
};

/* One task under way: which of its steps comes next. */
struct step {
    struct state *state;
    struct spark_task *task;
    double size;
    int next;
};

static double keyed(const struct state *s, const struct spark_task *t, uint64_t purpose,
                    const struct law *law, double cv)
{
    const struct luck *l = &s->host->luck;
    struct rng r;

    rng_keyed(&r, l->seed, l->replication, l->stage ^ purpose << 56, t->stage->job->key,
              (uint64_t)(t->stage - t->stage->job->stages) << 40 ^ (uint64_t)t->index << 8 ^
                  (uint64_t)t->attempt);
    if (law != NULL)
        return law_draw(law, &r);
    return cv > 0 ? rng_lognormal(&r, 1, cv) : 1;
}

static void next_step(struct sim *sim, void *self, uint64_t arg)
{
    struct step *p = self;
    struct spark_task *t = p->task;
    const struct spark_cfg *c = p->state->cfg;
    int i = (int)(t->stage->def - c->list);
    const struct spark_stage_cfg *s = &c->each[i];
    double share = p->size / (double)c->list[i].tasks;

    (void)sim;
    (void)arg;
    switch (p->next++) {
    case 0:
        host_use(p->state->host, ROLE_DISK_READ, OP_READ, (s->read_bytes + s->shuffle_read) * share, 1,
                 next_step, p, 0);
        return;
    case 1:
        if (s->shuffle_read > 0 && p->state->host->count[ROLE_NET] > 0) {
            host_use(p->state->host, ROLE_NET, OP_SHUFFLE, s->shuffle_read * share * away(c), 0, next_step, p,
                     0);
            return;
        }
        p->next++;
        /* fall through */
    case 2: {
        double drawn = keyed(p->state, t, 1, &s->cpu, 0) * (double)s->tasks / (double)c->list[i].tasks;

        p->next = 3;
        host_use(p->state->host, ROLE_CPU, OP_COMPUTE,
                 drawn * (1 - c->size_share + c->size_share * p->size) + c->overhead +
                     (t->cold ? c->warm : 0),
                 0, next_step, p, 0);
        return;
    }
    case 3:
        host_use(p->state->host, ROLE_DISK_WRITE, OP_WRITE, (s->shuffle_write + s->write_bytes) * share, 1,
                 next_step, p, 0);
        return;
    default:
        spark_task_done(t);
    }
}

/* Tasks of one stage have shares that add up to one only on average: sizes are independent draws. */
static void begin_task(void *ctx, struct spark_task *t)
{
    struct state *s = ctx;
    struct step *p = ARENA_NEW(s->host->sim->arena, struct step);

    *p = (struct step){.state = s, .task = t};
    p->size = keyed(s, t, 2, NULL, s->cfg->skew);
    sim_after(s->host->sim, 0, next_step, p, 0);
}

static void *open(const void *cfg, struct host *h)
{
    const struct spark_cfg *c = cfg;
    struct state *s = ARENA_NEW(h->sim->arena, struct state);
    struct spark_policy p = {.order = c->order,
                             .stage_delay_s = c->stage_delay,
                             .fail_prob = c->fail_prob,
                             .speculation = c->speculation,
                             .speculation_quantile = c->speculation_quantile,
                             .speculation_multiplier = c->speculation_multiplier,
                             .speculation_period_s = c->speculation_period,
                             .codes = c->n,
                             .min_executors = c->min_executors,
                             .max_executors = c->max_executors,
                             .slots = c->slots,
                             .backlog_s = c->backlog,
                             .idle_s = c->idle,
                             .start_s = c->start};

    s->cfg = c;
    s->host = h;
    s->sched = spark_sched_new(h->sim, &p, begin_task, s, h->luck.stage);
    for (long i = 0; i < c->executors && c->max_executors == 0; i++)
        spark_executor_add(s->sched, c->slots, false);
    return s;
}

static void job_done(struct sim *sim, void *self, uint64_t arg)
{
    struct state *s = self;
    struct visit *v = (struct visit *)(uintptr_t)arg;
    struct spark_job_run *j = v->own;

    (void)sim;
    s->jobs++;
    for (int i = 0; i < j->n; i++) {
        s->failed += (uint64_t)j->stages[i].failed;
        s->copies += (uint64_t)j->stages[i].copies;
    }
    host_leave(s->host, v);
}

static void arrive(void *state, struct visit *v)
{
    struct state *s = state;

    s->jobs_in++;
    v->own = spark_submit(s->sched, s->cfg->list, s->cfg->n, v->it.key, job_done, s, (uint64_t)(uintptr_t)v);
}

static void begin_measuring(void *state)
{
    struct state *s = state;

    s->before = spark_usage(s->sched);
    s->began_s = s->host->sim->now;
    s->jobs_in -= s->jobs;
    s->jobs = s->failed = s->copies = 0;
}

static int report(const void *state, struct figure *out, int room)
{
    const struct state *s = state;
    struct spark_usage u = spark_usage(s->sched);
    double slot_s = u.slot_s - s->before.slot_s, jobs = fmax(1, (double)s->jobs);
    const struct figure all[] = {
        {"slots_busy_frac", slot_s > 0 ? (u.busy_s - s->before.busy_s) / slot_s : 0},
        {"executors_mean", slot_s / (double)s->cfg->slots / fmax(1e-12, s->host->sim->now - s->began_s)},
        {"slot_hours_per_job", slot_s / 3600 / jobs},
        {"attempts_failed_per_job", (double)s->failed / jobs},
        {"copies_per_job", (double)s->copies / jobs},
    };
    int n = 0;

    for (; n < room && n < (int)(sizeof all / sizeof *all); n++)
        out[n] = all[n];
    return n;
}

static void assert_laws(const void *state)
{
    const struct state *s = state;

    ASSERT(s->jobs <= s->jobs_in);
}

static const struct server server = {.open = open,
                                     .arrive = arrive,
                                     .begin_measuring = begin_measuring,
                                     .report = report,
                                     .assert_laws = assert_laws};

const struct model spark_model = {
    .name = "spark",
    .title = "Spark job",
    .about = "Runs a graph of stages, cut into tasks, on the slots of executors, with shuffles between them.",
    .cfg_size = sizeof(struct spark_cfg),
    .params = params,
    .roles = roles,
    .ops = ops,
    .check = check,
    .shape = shape,
    .demand = demand,
    .server = &server,
};
