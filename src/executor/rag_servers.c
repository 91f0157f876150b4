#include "executor/rag_work.h"

#include "base/arena.h"
#include "engine/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void answered(struct llm_job *job);

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

struct rag_ask *rag_new_ask(struct rag_work *w)
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
        a = rag_new_ask(w);
    a->intended_s = intended_s;
    a->start_s = clock_wall_s();
    rag_ask_begin(a, &w->world, RAG_STREAM_RUN, (uint64_t)number);
    rag_ask_query(a, &w->world, RAG_STREAM_RUN);
    line_put(&w->embeds, a);
}

/* Adds a time to begin; the lock is held. */
void rag_add_due(struct rag_work *w, double due_s)
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

bool rag_thinks(const struct rag_plan *p)
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
    if (again && rag_thinks(w->p)) {
        struct rng r;

        rng_keyed(&r, w->p->seed, 0, rng_hash("executor.rag.think"), a->number, 0);
        think_s = law_draw(&w->p->think, &r);
        rag_add_due(w, a->end_s + think_s);
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

void rag_serve_embeds(struct rag_thread *t)
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

void rag_serve_searches(struct rag_thread *t)
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

void rag_serve_tokens(struct rag_thread *t)
{
    llm_run_serve(t->w->engine);
}

/* Begins what is due, when it is due; ends the run when all is done. */
void rag_serve_clients(struct rag_thread *t)
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
            struct timespec until = line_time(due_s);

            pthread_cond_clockwait(&w->changed, &w->lock, CLOCK_MONOTONIC, &until);
        }
    }
    pthread_mutex_unlock(&w->lock);
    line_close(&w->embeds);
    line_close(&w->searches);
    llm_run_close(w->engine);
}
