#include "executor/rag_loop.h"

#include "base/arena.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static long most_rounds(const struct rag_plan *p)
{
    return p->ask.graph == GRAPH_EACH_ROUND ? p->ask.rounds : 1;
}

struct rag_ask *rag_ask_new(const struct rag_plan *p)
{
    struct rag_ask *a = xcalloc(1, sizeof *a);

    a->context = xcalloc((size_t)p->most_context, sizeof *a->context);
    a->passage = xcalloc((size_t)(most_rounds(p) * p->ask.passages) + 1, sizeof *a->passage);
    a->query = xcalloc(QUESTION_WORDS_MAX, sizeof *a->query);
    a->vector = xcalloc((size_t)p->search.dims, sizeof *a->vector);
    a->neighbour = xcalloc((size_t)p->search.k, sizeof *a->neighbour);
    a->job.answer = xcalloc((size_t)p->most_context, sizeof *a->job.answer);
    return a;
}

void rag_ask_free(struct rag_ask *a)
{
    free(a->context);
    free(a->passage);
    free(a->query);
    free(a->vector);
    free(a->neighbour);
    free(a->job.answer);
    free(a);
}

static void add_word(struct rag_ask *a, const struct rag_plan *p, uint32_t hash)
{
    ASSERT(a->context_n < p->most_context);
    a->context[a->context_n++] = (uint32_t)(hash % (uint32_t)p->shape.vocab);
}

static void add_words(struct rag_ask *a, const struct rag_plan *p, const struct words *w)
{
    for (long i = 0; i < w->n; i++)
        add_word(a, p, w->hash[i]);
}

void rag_ask_begin(struct rag_ask *a, const struct rag_world *w, uint64_t stream, uint64_t number)
{
    const struct rag_plan *p = w->plan;
    long words = rag_length(p, &p->ask.prompt_tokens, number, RAG_LENGTH_PROMPT);

    a->number = number;
    a->question = library_question(w->library, stream, number, p->ask.hops);
    a->context_n = a->passages = a->round = a->found = 0;
    a->entity = a->question.start;
    a->first_s = a->tpot_s = NAN;
    for (long i = 0; i < lround(p->ask.system_tokens); i++)
        add_word(a, p, word_hash((const char *)&i, sizeof i));
    words = words < QUESTION_WORDS_MAX ? words : QUESTION_WORDS_MAX;
    library_query(w->library, stream, &a->question, a->question.start, -1, words, a->query);
    add_words(a, p, &(struct words){a->query, words});
}

void rag_ask_query(struct rag_ask *a, const struct rag_world *w, uint64_t stream)
{
    const struct rag_plan *p = w->plan;
    long n = rag_length(p, &p->embed.tokens, a->number, RAG_LENGTH_QUERY + RAG_LENGTHS * (uint64_t)a->round);

    a->query_n = n < QUESTION_WORDS_MAX ? n : QUESTION_WORDS_MAX;
    library_query(w->library, stream, &a->question, a->entity, a->round, a->query_n, a->query);
}

void rag_ask_retrieved(struct rag_ask *a, const struct rag_world *w)
{
    const struct rag_plan *p = w->plan;

    for (long i = 0; i < p->ask.passages && a->neighbour[i] >= 0; i++) {
        a->passage[a->passages++] = a->neighbour[i];
        add_words(a, p, &library_words(w->library)[a->neighbour[i]]);
    }
    a->entity = library_read(w->library, &a->question, a->passage, a->passages, &a->found);
}

void rag_ask_generate(struct rag_ask *a, const struct rag_plan *p)
{
    a->job.prompt = a->context;
    a->job.prompt_n = a->context_n;
    a->job.output_n =
        rag_length(p, &p->ask.output_tokens, a->number, RAG_LENGTH_ANSWER + RAG_LENGTHS * (uint64_t)a->round);
    a->job.caches = p->ask.block_tokens > 0;
}

bool rag_ask_answered(struct rag_ask *a, const struct rag_plan *p)
{
    const struct llm_job *j = &a->job;

    memcpy(a->context + a->context_n, j->answer, (size_t)j->output_n * sizeof *a->context);
    a->context_n += j->output_n;
    a->first_s = j->first_s;
    a->tpot_s = j->output_n > 1 ? (j->done_s - j->first_s) / (double)(j->output_n - 1) : NAN;
    a->round++;
    if (a->round >= most_rounds(p))
        return false;
    return !(p->ask.until_solved && a->question.hops > 0 && a->found >= a->question.hops);
}

bool rag_ask_is_right(const struct rag_ask *a)
{
    return a->found >= a->question.hops && a->entity == a->question.answer;
}
