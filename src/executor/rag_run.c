/*
 * rag_run.c - the servers and the clients of a run.
 *
 * An ask belongs to one thread at a time: whoever has finished a step does what
 * lies between (the reader, the next prompt) and hands it to the next server.
 */
#include "base/arena.h"
#include "engine/rng.h"
#include "executor/rag_loop.h"
#include "executor/threads.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { THREADS = 4, CHECKED_SEARCHES = 128 };

/* Asks that wait for a server, first come first served. */
struct line {
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct rag_ask *first, **last;
    long n;
    bool closed;
};

/* A search whose recall is looked at when the run is over. */
struct checked {
    float *vector;
    long *neighbour;
};

struct rag_work {
    const struct rag_plan *p;
    const struct exec_options *opt;
    struct rag_world world;
    struct vector_index *index;
    struct llm_run *engine;
    struct span_buf *engine_spans;
    struct line embeds, searches;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    double *due; /* when asks are to begin, soonest first, from next_due on */
    long due_n, next_due, planned, started, done; /* planned: due or begun */
    struct rag_ask *spare, *all;                  /* idle ones; everyone, through `kept` */
    bool failed;
    struct err failure;
    struct exec_request *requests;
    uint64_t right, rounds;
    double origin_s, end_s;
    struct checked checked[CHECKED_SEARCHES];
    long checked_n; /* of the search thread */
    struct exec_stage stage[RAG_STAGES];
    pthread_barrier_t ready;
};

struct rag_thread {
    struct rag_work *w;
    enum rag_stage stage;
    struct span_buf *spans;
    void (*body)(struct rag_thread *t);
    double cpu_s;
};

static void answered(struct llm_job *job);

/* ------------------------------------------------------------------------------------------ lines */

static void line_init(struct line *l)
{
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->came, NULL);
    l->last = &l->first;
}

static void line_fini(struct line *l)
{
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->came);
}

static void line_put(struct line *l, struct rag_ask *a)
{
    a->next = NULL;
    a->queued_s = clock_wall_s();
    pthread_mutex_lock(&l->lock);
    *l->last = a;
    l->last = &a->next;
    l->n++;
    pthread_cond_signal(&l->came);
    pthread_mutex_unlock(&l->lock);
}

static void line_close(struct line *l)
{
    pthread_mutex_lock(&l->lock);
    l->closed = true;
    pthread_cond_broadcast(&l->came);
    pthread_mutex_unlock(&l->lock);
}

static struct timespec at_wall(double s)
{
    return (struct timespec){.tv_sec = (time_t)s, .tv_nsec = (long)((s - floor(s)) * 1e9)};
}

/* Up to `most` asks: as many as are there when `most` have come or the first has waited `wait_s`.  0: closed.
 */
static long line_take(struct line *l, struct rag_ask **to, long most, double wait_s)
{
    long n = 0;

    pthread_mutex_lock(&l->lock);
    while (!l->closed && l->n < most) {
        if (l->n == 0) {
            pthread_cond_wait(&l->came, &l->lock);
        } else {
            struct timespec until = at_wall(l->first->queued_s + wait_s);

            if (clock_wall_s() >= l->first->queued_s + wait_s ||
                pthread_cond_clockwait(&l->came, &l->lock, CLOCK_MONOTONIC, &until) != 0)
                break;
        }
    }
    for (; n < most && l->first != NULL; n++) {
        to[n] = l->first;
        l->first = l->first->next;
        l->n--;
    }
    if (l->first == NULL)
        l->last = &l->first;
    pthread_mutex_unlock(&l->lock);
    return n;
}

/* ------------------------------------------------------------------------------- begin and end of asks */

static void fail(struct rag_work *w, const struct err *err)
{
    pthread_mutex_lock(&w->lock);
    if (!w->failed)
        w->failure = *err;
    w->failed = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    line_close(&w->embeds);
    line_close(&w->searches);
    llm_run_close(w->engine);
}

static struct rag_ask *new_ask(struct rag_work *w)
{
    struct rag_ask *a = rag_ask_new(w->p);

    a->job.self = a;
    a->job.done = answered;
    a->run = w;
    pthread_mutex_lock(&w->lock);
    a->kept = w->all;
    w->all = a;
    pthread_mutex_unlock(&w->lock);
    return a;
}

/* An ask that is done lends its buffers to the next. */
static void begin(struct rag_work *w, double intended_s)
{
    struct rag_ask *a;
    long number;

    pthread_mutex_lock(&w->lock);
    number = w->started++;
    a = w->spare;
    w->spare = a != NULL ? a->next : NULL;
    pthread_mutex_unlock(&w->lock);
    if (a == NULL)
        a = new_ask(w);
    a->intended_s = intended_s;
    a->start_s = clock_wall_s();
    rag_ask_begin(a, &w->world, RAG_STREAM_RUN, (uint64_t)number);
    rag_ask_query(a, &w->world, RAG_STREAM_RUN);
    line_put(&w->embeds, a);
}

/* Adds a time to begin; the lock is held. */
static void add_due(struct rag_work *w, double due_s)
{
    long i = w->due_n++;

    for (; i > w->next_due && w->due[i - 1] > due_s; i--)
        w->due[i] = w->due[i - 1];
    w->due[i] = due_s;
    pthread_cond_broadcast(&w->changed);
}

static void note_request(struct rag_work *w, const struct rag_ask *a)
{
    w->requests[a->number] = (struct exec_request){.intended_s = a->intended_s - w->origin_s,
                                                   .start_s = a->start_s - w->origin_s,
                                                   .first_s = a->first_s - w->origin_s,
                                                   .end_s = a->end_s - w->origin_s};
    w->right += rag_ask_is_right(a);
    w->rounds += (uint64_t)a->round;
    w->stage[RAG_ASK].items_in++;
    w->stage[RAG_ASK].items_out++;
    w->done++;
    w->end_s = a->end_s;
}

static bool thinks(const struct rag_plan *p)
{
    return p->think.mean > 0;
}

/* A closed client asks again: at once, or when it has thought. */
static void end(struct rag_work *w, struct rag_ask *a)
{
    double think_s = 0;
    bool again, all;

    a->end_s = clock_wall_s();
    pthread_mutex_lock(&w->lock);
    note_request(w, a);
    all = w->done == w->p->requests;
    again = w->p->workload == WORKLOAD_CLIENTS && w->planned < w->p->requests;
    w->planned += again;
    if (again && thinks(w->p)) {
        struct rng r;

        rng_keyed(&r, w->p->seed, 0, rng_hash("executor.rag.think"), a->number, 0);
        think_s = law_draw(&w->p->think, &r);
        add_due(w, a->end_s + think_s);
        again = false;
    }
    a->next = w->spare;
    w->spare = a;
    if (all)
        pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    if (again)
        begin(w, a->end_s);
}

/* --------------------------------------------------------------------------------------- the servers */

static void count(struct exec_stage *s, const struct rag_ask *a, double now_s)
{
    s->items_in++;
    s->items_out++;
    s->wait_s += now_s - a->queued_s;
}

static void serve_embeds(struct rag_thread *t)
{
    struct rag_work *w = t->w;
    const struct rag_plan *p = w->p;
    long most = p->embed.max_batch, n;
    struct rag_ask **batch = xcalloc((size_t)most, sizeof *batch);
    struct words *text = xcalloc((size_t)most, sizeof *text);
    float *vectors = xcalloc((size_t)(most * p->search.dims), sizeof *vectors);

    while ((n = line_take(&w->embeds, batch, most, p->embed.max_wait)) > 0) {
        double tokens = 0;

        span_begin(t->spans);
        for (long i = 0; i < n; i++) {
            text[i] = (struct words){batch[i]->query, batch[i]->query_n};
            tokens += (double)batch[i]->query_n;
            count(&w->stage[RAG_EMBED], batch[i], t->spans->start_s);
        }
        encoder_run(w->world.encoder, text, n, vectors);
        span_end(t->spans, "batch", -1, tokens, NAN, NAN);
        for (long i = 0; i < n; i++) {
            memcpy(batch[i]->vector, vectors + i * p->search.dims, (size_t)p->search.dims * sizeof *vectors);
            line_put(&w->searches, batch[i]);
        }
    }
    free(batch);
    free(text);
    free(vectors);
}

/* Every so often one is kept, so that all of the run is seen. */
static void keep_search(struct rag_work *w, const struct rag_ask *a)
{
    long every = 1 + w->p->requests / CHECKED_SEARCHES;
    struct checked *c = &w->checked[w->checked_n];

    if (w->checked_n == CHECKED_SEARCHES || w->stage[RAG_SEARCH].items_out % (uint64_t)every != 0)
        return;
    memcpy(c->vector, a->vector, (size_t)w->p->search.dims * sizeof *a->vector);
    memcpy(c->neighbour, a->neighbour, (size_t)w->p->search.k * sizeof *a->neighbour);
    w->checked_n++;
}

static void serve_searches(struct rag_thread *t)
{
    struct rag_work *w = t->w;
    struct rag_ask *a;
    struct err err = {0};

    while (line_take(&w->searches, &a, 1, 0) > 0) {
        int rc;

        span_begin(t->spans);
        count(&w->stage[RAG_SEARCH], a, t->spans->start_s);
        rc = index_search(w->index, a->vector, w->p->search.k, a->neighbour, &err);
        span_end(t->spans, "search", (int64_t)a->number, (double)w->p->search.k, NAN, NAN);
        if (rc != 0) {
            fail(w, &err);
            return;
        }
        keep_search(w, a);
        rag_ask_retrieved(a, &w->world);
        rag_ask_generate(a, w->p);
        llm_run_ask(w->engine, &a->job);
    }
}

static void answered(struct llm_job *job)
{
    struct rag_ask *a = job->self;
    struct rag_work *w = a->run;
    struct exec_stage *s = &w->stage[RAG_GEN];

    s->items_in++;
    s->items_out++;
    s->wait_s += job->scheduled_s - job->came_s;
    if (rag_ask_answered(a, w->p)) {
        rag_ask_query(a, &w->world, RAG_STREAM_RUN);
        line_put(&w->embeds, a);
    } else {
        end(w, a);
    }
}

static void serve_tokens(struct rag_thread *t)
{
    llm_run_serve(t->w->engine);
}

/* Begins what is due, when it is due; ends the run when all is done. */
static void serve_clients(struct rag_thread *t)
{
    struct rag_work *w = t->w;

    pthread_mutex_lock(&w->lock);
    while (w->done < w->p->requests && !w->failed) {
        double due_s = w->next_due < w->due_n ? w->due[w->next_due] : INFINITY;

        if (due_s <= clock_wall_s()) {
            w->next_due++;
            pthread_mutex_unlock(&w->lock);
            begin(w, due_s);
            pthread_mutex_lock(&w->lock);
        } else if (isinf(due_s)) {
            pthread_cond_wait(&w->changed, &w->lock);
        } else {
            struct timespec until = at_wall(due_s);

            pthread_cond_clockwait(&w->changed, &w->lock, CLOCK_MONOTONIC, &until);
        }
    }
    pthread_mutex_unlock(&w->lock);
    line_close(&w->embeds);
    line_close(&w->searches);
    llm_run_close(w->engine);
}

static void *thread_main(void *arg)
{
    struct rag_thread *t = arg;
    double before;

    threads_block_signals();
    rag_pin(t->w->p, t->w->opt, t->stage);
    pthread_barrier_wait(&t->w->ready);
    pthread_barrier_wait(&t->w->ready); /* the clock has started */
    before = clock_cpu_s();
    t->body(t);
    t->cpu_s = clock_cpu_s() - before;
    return NULL;
}

/* ------------------------------------------------------------------------------------ before and after */

static double first_due(const struct rag_plan *p, long i, double last_s)
{
    struct rng r;

    rng_keyed(&r, p->seed, 0, rng_hash("executor.rag.arrivals"), (uint64_t)i, 0);
    return p->workload == WORKLOAD_OPEN ? last_s + law_draw(&p->gaps, &r)
           : thinks(p)                  ? law_draw(&p->think, &r)
                                        : 0;
}

/* When the first of each client, or all open arrivals, are to begin, from the start of the clock. */
static void plan_arrivals(struct rag_work *w)
{
    long n = w->p->workload == WORKLOAD_OPEN ? w->p->requests : w->p->clients;
    double last_s = 0;

    n = w->planned = n < w->p->requests ? n : w->p->requests;
    for (long i = 0; i < n; i++)
        add_due(w, last_s = first_due(w->p, i, last_s));
}

static void work_init(struct rag_work *w)
{
    const struct rag_plan *p = w->p;

    line_init(&w->embeds);
    line_init(&w->searches);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    pthread_barrier_init(&w->ready, NULL, THREADS + 1);
    w->due = xcalloc((size_t)p->requests + 1, sizeof *w->due);
    w->requests = xcalloc((size_t)p->requests, sizeof *w->requests);
    for (int i = 0; i < CHECKED_SEARCHES; i++) {
        w->checked[i].vector = xcalloc((size_t)p->search.dims, sizeof(float));
        w->checked[i].neighbour = xcalloc((size_t)p->search.k, sizeof(long));
    }
    for (long i = 0; i < p->clients; i++) { /* touched before the clock starts */
        struct rag_ask *a = new_ask(w);

        a->next = w->spare;
        w->spare = a;
    }
    plan_arrivals(w);
}

static void work_fini(struct rag_work *w)
{
    for (struct rag_ask *a = w->all, *next; a != NULL; a = next) {
        next = a->kept;
        rag_ask_free(a);
    }
    for (int i = 0; i < CHECKED_SEARCHES; i++) {
        free(w->checked[i].vector);
        free(w->checked[i].neighbour);
    }
    free(w->due);
    line_fini(&w->embeds);
    line_fini(&w->searches);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->changed);
    pthread_barrier_destroy(&w->ready);
}

/* Which share of the neighbours an exact search returns were returned. */
static int measure_recall(struct rag_work *w, double *recall, struct err *err)
{
    long k = w->p->search.k, *exact = xcalloc((size_t)k, sizeof *exact), hits = 0;
    struct vector_index *flat = NULL;
    int rc = rag_world_index(&w->world, INDEX_FLAT, &flat, err);

    for (long i = 0; i < w->checked_n && rc == 0; i++) {
        rc = index_search(flat, w->checked[i].vector, k, exact, err);
        hits += rag_hits(w->checked[i].neighbour, exact, k);
    }
    *recall = w->checked_n > 0 ? (double)hits / (double)(w->checked_n * k) : NAN;
    index_free(flat);
    free(exact);
    return rc;
}

static void collect_stages(struct rag_work *w, const struct rag_thread *t, struct exec_outcome *out)
{
    for (int i = 0; i < RAG_STAGES; i++) {
        w->stage[i].name = w->p->names[i];
        w->stage[i].workers = i == RAG_ASK ? w->p->clients : 1;
        w->stage[i].bytes_out = w->stage[i].disk_bytes = NAN;
        if (i == RAG_ASK) /* has no thread that works */
            w->stage[i].busy_s = w->stage[i].cpu_s = w->stage[i].wait_s = w->stage[i].starved_s =
                w->stage[i].blocked_s = NAN;
    }
    for (int i = 0; i < THREADS; i++) {
        out->cpu_total_s += t[i].cpu_s;
        if (t[i].stage == RAG_ASK)
            continue;
        w->stage[t[i].stage].busy_s = t[i].spans->busy_s;
        w->stage[t[i].stage].cpu_s = t[i].cpu_s;
        w->stage[t[i].stage].starved_s = fmax(0, out->makespan_s - t[i].spans->busy_s);
    }
    for (int i = 0; i < RAG_STAGES; i++)
        out->stages[w->p->at[i]] = w->stage[i];
    out->stages_n = RAG_STAGES;
}

static int collect(struct rag_work *w, const struct rag_thread *t, struct exec_outcome *out, struct err *err)
{
    struct llm_counts c = llm_run_counts(w->engine);
    double n = (double)w->p->requests, recall;

    TRY(measure_recall(w, &recall, err));
    out->makespan_s = w->end_s - w->origin_s;
    out->units = n;
    out->throughput_per_s = n / out->makespan_s;
    collect_stages(w, t, out);
    out->requests = w->requests;
    out->requests_n = (size_t)w->p->requests;
    w->requests = NULL;
    out->quality_unit = "answer_accuracy";
    out->quality = (double)w->right / n;
    out->quality_n = out->requests_n;
    exec_figure_add(out, "recall", "", recall);
    exec_figure_add(out, "rounds_mean", "", (double)w->rounds / n);
    exec_figure_add(out, "iterations", "", (double)c.iterations);
    exec_figure_add(out, "answer_tokens_per_s", "1/s", (double)c.answer_tokens / out->makespan_s);
    exec_figure_add(out, "prefix_hit_frac", "",
                    c.prompt_tokens > 0 ? (double)c.cached_tokens / (double)c.prompt_tokens : 0);
    exec_figure_add(out, "preempted", "", (double)c.preempted);
    return 0;
}

/* OpenBLAS and FAISS make their work space on first use; that belongs before the clock starts. */
static int warm_up(struct rag_work *w, struct err *err)
{
    struct rag_ask *a = w->spare;

    rag_ask_begin(a, &w->world, RAG_STREAM_PROFILE, 0);
    rag_ask_query(a, &w->world, RAG_STREAM_PROFILE);
    encoder_run(w->world.encoder, &(struct words){a->query, a->query_n}, 1, a->vector);
    return index_search(w->index, a->vector, w->p->search.k, a->neighbour, err);
}

static int run_threads(struct rag_work *w, struct span_log *log, struct exec_outcome *out, struct err *err)
{
    static void (*const bodies[THREADS])(struct rag_thread *) = {serve_clients, serve_embeds, serve_searches,
                                                                 serve_tokens};
    struct rag_thread t[THREADS] = {{0}};
    pthread_t id[THREADS];
    int rc = 0;

    for (int i = 0; i < THREADS; i++) {
        t[i] = (struct rag_thread){.w = w, .stage = (enum rag_stage)i, .body = bodies[i]};
        t[i].spans = i == RAG_GEN ? w->engine_spans : span_log_thread(log, w->p->names[i], 0);
        /* The barrier counts on everybody: a thread that cannot be started is a dying machine. */
        ASSERT(pthread_create(&id[i], NULL, thread_main, &t[i]) == 0);
    }
    pthread_barrier_wait(&w->ready);
    span_log_start(log);
    w->origin_s = clock_wall_s();
    for (long i = 0; i < w->due_n; i++)
        w->due[i] += w->origin_s;
    pthread_barrier_wait(&w->ready);
    for (int i = 0; i < THREADS; i++)
        pthread_join(id[i], NULL);
    if (w->failed) {
        *err = w->failure;
        rc = err->code;
    }
    if (rc == 0)
        rc = collect(w, t, out, err);
    for (int i = 0; i < THREADS; i++)
        span_buf_free(t[i].spans);
    return rc;
}

int rag_run(const struct rag_plan *p, const struct exec_options *opt, struct span_log *log,
            struct exec_outcome *out, struct err *err)
{
    struct rag_work *w = xcalloc(1, sizeof *w);
    int rc;

    *out = (struct exec_outcome){0};
    log = opt->spans ? log : NULL;
    w->p = p;
    w->opt = opt;
    rc = rag_world_open(&w->world, p, opt->folder, err);
    if (rc == 0)
        rc = rag_world_index(&w->world, p->search.index, &w->index, err);
    if (rc == 0) {
        index_effort(w->index, lround(vector_effort(&p->search)));
        w->engine_spans = span_log_thread(log, p->names[RAG_GEN], 0);
        w->engine = llm_run_new(&p->gen, &p->shape, p->most_context, p->seed, w->engine_spans);
        work_init(w);
        rc = warm_up(w, err);
        if (rc == 0)
            rc = run_threads(w, log, out, err);
        work_fini(w);
        llm_run_free(w->engine);
    }
    index_free(w->index);
    rag_world_close(&w->world);
    free(w->requests);
    free(w);
    return rc;
}
