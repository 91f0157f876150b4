/*
 * rag_run.c - a run: what is set up before the clock starts, the threads, and what came of it.
 */
#include "base/arena.h"
#include "engine/rng.h"
#include "executor/rag_work.h"
#include "executor/threads.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

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
           : rag_thinks(p)              ? law_draw(&p->think, &r)
                                        : 0;
}

/* When the first of each client, or all open arrivals, are to begin, from the start of the clock. */
static void plan_arrivals(struct rag_work *w)
{
    long n = w->p->workload == WORKLOAD_OPEN ? w->p->requests : w->p->clients;
    double last_s = 0;

    n = w->planned = n < w->p->requests ? n : w->p->requests;
    for (long i = 0; i < n; i++)
        rag_add_due(w, last_s = first_due(w->p, i, last_s));
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
        struct rag_ask *a = rag_new_ask(w);

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
    static void (*const bodies[THREADS])(struct rag_thread *) = {rag_serve_clients, rag_serve_embeds,
                                                                 rag_serve_searches, rag_serve_tokens};
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
