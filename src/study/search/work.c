#include "study/search/work.h"

#include "base/text.h"
#include "engine/replicate.h"
#include "study/search/ranks.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------- computing */

/* What is no number in one way or another is not known, in the store as here. */
static void copy_figures(const struct outcome *o, double *out)
{
    for (long r = 0; r < o->replications; r++)
        for (int i = 0; i < o->pipelines_n; i++)
            for (const struct figure_def *f = figures; f->name != NULL; f++) {
                double x = figure_value(f, o, r, i);

                *out++ = isfinite(x) ? x : NAN;
            }
}

int work_compute(const struct space *sp, const struct work_request *request, double *out, double *warmup)
{
    struct simulate_options opt = study_simulation(sp->st, 1);
    struct arena *a = arena_new();
    struct scenario *s = NULL;
    struct err why = {0};
    struct outcome o;
    int rc = space_build(sp, &request->c, &s, &why);

    opt.replications = request->n;
    opt.first = request->first;
    opt.warmup = request->warmup;
    opt.length = request->length;
    if (rc == 0)
        rc = simulate(s, &opt, a, &o, &why);
    if (rc ==
        ERR_PRECISION) /* one that does not settle is compared all the same: its interval says how well */
        rc = 0;
    if (rc == 0 && (o.replications != request->n || o.pipelines_n != sp->base->pipelines_n))
        rc = ERR_FAILED;
    if (rc == 0) {
        copy_figures(&o, out);
        *warmup = request->warmup > 0 ? request->warmup : o.warmup.discarded;
    }
    scenario_free(s);
    arena_free(a);
    return rc;
}

/* ------------------------------------------------------------ the store */

int work_open_log(const struct space *sp, const struct points_options *opt, int64_t *id, struct err *err)
{
    const struct simulate_options *l = &sp->st->limits;
    char resolved[65], options[300];
    char *tree = json_compact(sp->base->tree);
    uint64_t seed = sp->st->seed;

    text_sha256(tree, strlen(tree), resolved);
    free(tree);
    snprintf(options, sizeof options,
             "{\"first\": %ld, \"length\": %.17g, \"ties\": %llu, \"max_events\": %llu, \"max_bytes\": %zu, "
             "\"draw\": %lu, \"resolved\": \"%s\"}",
             opt->first, opt->length, (unsigned long long)l->ties, (unsigned long long)l->max_events,
             l->max_bytes, (unsigned long)sp->st->parameter_draw, resolved);
    TRY(search_log_open(opt->store, sp->base->name, sp->base->sha256, seed, PACKAGE_VERSION, options, id,
                        err));
    return opt->is_fresh ? search_log_clear(opt->store, *id, err) : 0;
}

static struct json *figures_json(const struct space *sp, const double *row)
{
    struct json *o = json_new_object();

    for (int i = 0; i < sp->base->pipelines_n; i++) {
        struct json *of = sp->base->pipelines_n == 1 ? o : json_set_object(o, sp->base->pipelines[i].name);

        for (const struct figure_def *f = figures; f->name != NULL; f++, row++)
            if (isfinite(*row))
                json_set_number(of, f->name, *row);
    }
    return o;
}

static int read_figures(const struct space *sp, const char *text, double *row, struct err *err)
{
    struct json *o = NULL;

    TRY(json_parse(text, "search_replication.figures", &o, err));
    for (int i = 0; i < sp->base->pipelines_n; i++) {
        const struct json *of = sp->base->pipelines_n == 1 ? o : json_get(o, sp->base->pipelines[i].name);

        for (const struct figure_def *f = figures; f->name != NULL; f++)
            *row++ = of != NULL ? json_get_number(of, f->name, NAN) : NAN;
    }
    json_free(o);
    return 0;
}

static char *key_of(const struct space *sp, const struct candidate *c)
{
    struct json *o = space_json(sp, c);
    char *text = json_compact(o);

    json_free(o);
    return text;
}

/* A unit that an earlier search finished. */
static int look_up(struct points *p, struct work_unit *u, struct err *err)
{
    char *key = key_of(p->sp, &u->point->c);
    struct arena *a = arena_new();
    struct search_row *rows;
    size_t n = 0;
    int rc = search_log_find(p->opt->store, p->log_id, key, u->first, u->n, a, &rows, &n, err);

    if (rc == 0 && n == (size_t)u->n) {
        u->figures = xcalloc((size_t)u->n * p->row, sizeof *u->figures);
        for (size_t i = 0; rc == 0 && i < n; i++)
            rc = read_figures(p->sp, rows[i].figures, u->figures + i * p->row, err);
        u->warmup = rows[0].warmup;
        u->is_done = rc == 0;
        p->found += rc == 0 ? u->n : 0;
    }
    arena_free(a);
    free(key);
    return rc;
}

static int keep(struct points *p, const struct work_unit *u, struct err *err)
{
    char *key = key_of(p->sp, &u->point->c);
    struct search_row *rows = xcalloc((size_t)u->n, sizeof *rows);
    int rc;

    for (long i = 0; i < u->n; i++) {
        struct json *o = figures_json(p->sp, u->figures + (size_t)i * p->row);

        rows[i] = (struct search_row){u->first + i, u->warmup, json_compact(o)};
        json_free(o);
    }
    rc = search_log_keep(p->opt->store, p->log_id, key, rows, (size_t)u->n, err);
    for (long i = 0; i < u->n; i++)
        free((char *)(size_t)rows[i].figures);
    free(rows);
    free(key);
    return rc;
}

/* ------------------------------------------------------------- running */

struct job {
    struct points *p;
    struct work_unit **todo;
    pthread_mutex_t lock; /* of the store and of `done` */
    long done;
};

static bool is_interrupted(const struct points *p)
{
    return p->opt->stop != NULL && *p->opt->stop;
}

static void show(struct job *job)
{
    const struct points *p = job->p;
    char value[40] = "none yet", detail[120];

    if (p->incumbent != NULL)
        units_format(value, sizeof value, fabs(p->incumbent->mean.mean), p->sp->objective.figure.def->unit);
    snprintf(detail, sizeof detail, "best %s, %zu simulated, %zu pruned", value, p->simulated, p->pruned);
    progress_step(p->opt->progress, (double)job->done, detail);
}

/* What a thread or another process computed; any thread may call it. */
static int finish(void *ctx, size_t i, struct err *err)
{
    struct job *job = ctx;
    struct work_unit *u = job->todo[i];
    int rc = 0;

    pthread_mutex_lock(&job->lock);
    u->is_done = true;
    job->done += u->n;
    if (u->code == 0 && job->p->opt->store != NULL)
        rc = keep(job->p, u, err);
    show(job);
    pthread_mutex_unlock(&job->lock);
    return rc;
}

static struct work_request request_of(const struct job *job, const struct work_unit *u)
{
    return (struct work_request){u->point->c, u->first, u->n, u->warmup, job->p->opt->length};
}

static int compute(void *ctx, uint32_t i, struct err *err)
{
    struct job *job = ctx;
    struct work_unit *u = job->todo[i];
    struct work_request request = request_of(job, u);

    if (is_interrupted(job->p))
        return err_set(err, ERR_CAP, "interrupted");
    u->figures = xcalloc((size_t)u->n * job->p->row, sizeof *u->figures);
    u->code = work_compute(job->p->sp, &request, u->figures, &u->warmup);
    return finish(job, i, err);
}

static int run_all(struct job *job, size_t n, struct err *err)
{
    struct ranks_job remote = {.ctx = job, .n = n, .row = job->p->row, .units = job->todo, .finish = finish};

    if (ranks_count() == 1)
        return replicate_run(0, (uint32_t)n, job->p->sp->st->threads, compute, job, err);
    remote.compute = compute;
    remote.length = job->p->opt->length;
    remote.threads = job->p->sp->st->threads;
    remote.stop = job->p->opt->stop;
    return ranks_run(&remote, err);
}

int work_run(struct points *p, struct work_unit *units, size_t n, struct err *err)
{
    struct job job = {.p = p, .todo = xcalloc(n + 1, sizeof *job.todo), .lock = PTHREAD_MUTEX_INITIALIZER};
    size_t todo = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (p->opt->store != NULL)
            rc = look_up(p, &units[i], err);
        if (!units[i].is_done)
            job.todo[todo++] = &units[i];
    }
    job.done = p->replications;
    for (size_t i = 0; i < todo; i++)
        job.done -= job.todo[i]->n;
    if (rc == 0 && todo > 0)
        rc = run_all(&job, todo, err);
    free(job.todo);
    return rc;
}
