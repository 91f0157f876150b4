/*
 * rag_path.c - retrieval-augmented generation as a path of the executor: twins of prompt, inference,
 * vector_db and llm_serving.
 */
#include "executor/rag.h"

#include "base/arena.h"

#include <math.h>
#include <string.h>

static const char *const models_of[RAG_STAGES] = {"prompt", "inference", "vector_db", "llm_serving"};

/* Sizes and choices; what they cost, find and weigh is measured. */
static const char *const switches[] = {"prompt.graph",
                                       "prompt.rounds",
                                       "prompt.until_solved",
                                       "prompt.passages",
                                       "prompt.hops",
                                       "prompt.*_tokens",
                                       "inference.tokens",
                                       "inference.max_batch",
                                       "inference.max_wait",
                                       "vector_db.index",
                                       "vector_db.vectors",
                                       "vector_db.dims",
                                       "vector_db.k",
                                       "vector_db.nlist",
                                       "vector_db.nprobe",
                                       "vector_db.m_links",
                                       "vector_db.ef",
                                       "vector_db.ef_construction",
                                       "llm_serving.policy",
                                       "llm_serving.max_batch",
                                       "llm_serving.max_tokens",
                                       "llm_serving.block_tokens",
                                       "llm_serving.kv_blocks",
                                       "llm_serving.watermark",
                                       "llm_serving.prefix_cache",
                                       "llm_serving.model*",
                                       "workload.clients.*",
                                       "workload.open.*",
                                       NULL};

static int stage_of(const struct scenario *s, const char *model)
{
    for (int i = 0; i < s->stages_n; i++)
        if (strcmp(s->stages[i].model->name, model) == 0)
            return i;
    return -1;
}

static bool matches(const struct scenario *s)
{
    if (s->stages_n != RAG_STAGES || s->pipelines_n != 1)
        return false;
    for (int i = 0; i < RAG_STAGES; i++)
        if (stage_of(s, models_of[i]) < 0)
            return false;
    return true;
}

/* ----------------------------------------------------------------------------------- what is refused */

static int check_ask(const struct scenario *s, const struct rag_plan *p, const char *where, struct err *err)
{
    const struct prompt_cfg *c = &p->ask;

    if (c->graph != GRAPH_ONCE && c->graph != GRAPH_EACH_ROUND)
        return err_set(err, ERR_SCENARIO,
                       "%s: %s.graph: the executor runs retrieve_once and retrieve_each_round", s->file,
                       where);
    if (c->hops < 1 || c->passages < 1)
        return err_set(
            err, ERR_SCENARIO,
            "%s: %s: the executor's questions need hops and passages of at least 1; found %ld and %ld",
            s->file, where, c->hops, c->passages);
    if (c->candidates > 0 || c->timeout > 0 || c->history_tokens > 0 || c->round_tokens.mean > 0)
        return err_set(err, ERR_SCENARIO,
                       "%s: %s: candidates, timeout, history_tokens and round_tokens have no twin in the "
                       "executor",
                       s->file, where);
    if (c->block_tokens > 0 && c->block_tokens != (double)p->gen.block_tokens)
        return err_set(
            err, ERR_SCENARIO,
            "%s: %s.block_tokens: %g; the engine's blocks hold %ld tokens, and it is they that are "
            "shared",
            s->file, where, c->block_tokens, p->gen.block_tokens);
    if (c->passage_tokens.mean < LEAST_PASSAGE_WORDS)
        return err_set(err, ERR_SCENARIO, "%s: %s.passage_tokens: %g; a passage has at least %d words",
                       s->file, where, c->passage_tokens.mean, LEAST_PASSAGE_WORDS);
    return 0;
}

static int check_search(const struct scenario *s, const struct rag_plan *p, const char *where,
                        struct err *err)
{
    enum { MOST_VECTORS = 1 << 19 };
    const struct vector_db_cfg *c = &p->search;

    if (c->index != INDEX_FLAT && c->index != INDEX_IVF && c->index != INDEX_HNSW)
        return err_set(err, ERR_SCENARIO, "%s: %s.index: the executor has flat, ivf and hnsw", s->file,
                       where);
    if (c->k < p->ask.passages || c->k > c->vectors)
        return err_set(err, ERR_SCENARIO, "%s: %s.k: %ld neighbours; a prompt takes %ld of %ld vectors",
                       s->file, where, c->k, p->ask.passages, c->vectors);
    if (c->vectors > MOST_VECTORS)
        return err_set(err, ERR_SCENARIO, "%s: %s.vectors: %ld; the executor makes %d at most", s->file,
                       where, c->vectors, MOST_VECTORS);
    if (c->index == INDEX_IVF && c->nlist > c->vectors)
        return err_set(err, ERR_SCENARIO, "%s: %s.nlist: %ld lists for %ld vectors", s->file, where, c->nlist,
                       c->vectors);
    if (c->operation != VECTORS_SEARCH || c->code != CODE_FLOAT32 ||
        c->shards * c->segments * c->replicas > 1 || c->filter_frac < 1 || c->cache_entries > 0 ||
        c->rescore > 0 || c->quantizer_ef > 0)
        return err_set(err, ERR_SCENARIO,
                       "%s: %s: the executor searches one shard of float32 vectors without filters, cache or "
                       "rescoring",
                       s->file, where);
    return 0;
}

static int check_bounded(const struct scenario *s, const struct law *law, const char *where, const char *name,
                         struct err *err)
{
    if (isfinite(law->hi))
        return 0;
    return err_set(err, ERR_SCENARIO,
                   "%s: %s.%s: the executor sets its memory up beforehand and needs a law with an end: a "
                   "constant, uniform or empirical one",
                   s->file, where, name);
}

/* ------------------------------------------------------------------------------------------ the plan */

/* The longest prompt there can be, with its answer; and the KV blocks to hold it. */
static int find_context(const struct scenario *s, struct rag_plan *p, const char *ask, const char *gen,
                        struct err *err)
{
    const struct prompt_cfg *c = &p->ask;
    long rounds = c->graph == GRAPH_EACH_ROUND ? c->rounds : 1, blocks;

    TRY(check_bounded(s, &c->prompt_tokens, ask, "prompt_tokens", err));
    TRY(check_bounded(s, &c->passage_tokens, ask, "passage_tokens", err));
    TRY(check_bounded(s, &c->output_tokens, ask, "output_tokens", err));
    p->most_context =
        lround(c->system_tokens + ceil(c->prompt_tokens.hi)) +
        rounds * lround((double)c->passages * ceil(c->passage_tokens.hi) + ceil(c->output_tokens.hi));
    blocks = (p->most_context + p->gen.block_tokens - 1) / p->gen.block_tokens;
    if (p->gen.kv_blocks < blocks)
        return err_set(
            err, ERR_SCENARIO,
            "%s: %s.kv_blocks: %ld; the longest prompt with its answer takes %ld tokens, %ld blocks", s->file,
            gen, p->gen.kv_blocks, p->most_context, blocks);
    return 0;
}

static int find_workload(const struct scenario *s, struct rag_plan *p, struct err *err)
{
    const struct workload *w = &s->workload;

    p->workload = w->kind;
    p->clients = w->kind == WORKLOAD_CLIENTS ? w->clients : 1;
    p->think = w->think;
    p->gaps = w->arrivals;
    if (s->horizon.kind != HORIZON_ITEMS)
        return err_set(
            err, ERR_SCENARIO,
            "%s: $.horizon: the executor needs to know how many questions to ask: {\"items\": 200}", s->file);
    p->requests = lround(s->horizon.items);
    if (w->kind == WORKLOAD_CLIENTS)
        return 0;
    if (w->kind == WORKLOAD_OPEN && w->streams_n == 1 && w->streams[0].process == NULL)
        return 0;
    return err_set(
        err, ERR_SCENARIO,
        "%s: $.workload: the executor has clients, or open arrivals with one law of the time between "
        "them",
        s->file);
}

/* Pools of cores get their processors in the order of the file. */
static void find_processors(const struct scenario *s, struct rag_plan *p)
{
    for (int i = 0; i < RAG_STAGES; i++) {
        const struct stage *st = &s->stages[p->at[i == RAG_ASK ? RAG_EMBED : i]];
        int pool = st->on[ROLE_CPU] >= 0 ? st->on[ROLE_CPU] : st->on[ROLE_GPU];

        for (int r = 0; r < pool; r++)
            p->processor[i] += s->resources[r].kind == RESOURCE_CORES ? s->resources[r].count : 0;
        p->processors[i] = s->resources[pool].count;
    }
}

static int check_resources(const struct scenario *s, const struct rag_plan *p, struct err *err)
{
    for (int i = RAG_EMBED; i < RAG_STAGES; i++) {
        const struct stage *st = &s->stages[p->at[i]];
        int pool = st->on[ROLE_CPU] >= 0 ? st->on[ROLE_CPU] : st->on[ROLE_GPU];

        if (pool < 0 || s->resources[pool].kind != RESOURCE_CORES)
            return err_set(err, ERR_SCENARIO, "%s: %s.on: the executor runs this stage on cores", s->file,
                           st->path);
    }
    if (p->embed.threads != 1 || p->embed.replicas != 1 || p->embed.task != INFERENCE_EMBED)
        return err_set(err, ERR_SCENARIO,
                       "%s: %s.params: the executor embeds with one replica of one thread: \"threads\": 1",
                       s->file, s->stages[p->at[RAG_EMBED]].path);
    return 0;
}

static int read_shape(const struct scenario *s, struct rag_plan *p, const char *where, struct arena *a,
                      struct err *err)
{
    if (json_type(p->gen.model) != JSON_OBJECT)
        return err_set(
            err, ERR_SCENARIO,
            "%s: %s.model: the executor needs the shape of a small language model: {\"layers\": 3, "
            "\"hidden\": 128, ...}",
            s->file, where);
    if (param_load(llm_shape_params, p->gen.model, where, a, &p->shape, err) != 0)
        return err_at(err, "%s", s->file);
    if (!p->shape.tied_embeddings)
        return err_set(err, ERR_SCENARIO,
                       "%s: %s.model.tied_embeddings: the executor's head is the embedding; say true",
                       s->file, where);
    return llm_run_check(&p->gen, &p->shape, arena_printf(a, "%s: %s", s->file, where), err);
}

static int plan(const struct scenario *s, const void *cfg, struct arena *a, const void **out, struct err *err)
{
    struct rag_plan *p = arena_array(a, 1, sizeof *p);
    const char *where[RAG_STAGES];

    (void)cfg;
    *p = (struct rag_plan){.seed = s->seed};
    for (int i = 0; i < RAG_STAGES; i++) {
        p->at[i] = stage_of(s, models_of[i]);
        p->names[i] = s->stages[p->at[i]].name;
        where[i] = arena_printf(a, "%s.params", s->stages[p->at[i]].path);
    }
    p->ask = *(const struct prompt_cfg *)s->stages[p->at[RAG_ASK]].cfg;
    p->embed = *(const struct inference_cfg *)s->stages[p->at[RAG_EMBED]].cfg;
    p->search = *(const struct vector_db_cfg *)s->stages[p->at[RAG_SEARCH]].cfg;
    p->gen = *(const struct llm_serving_cfg *)s->stages[p->at[RAG_GEN]].cfg;
    TRY(check_resources(s, p, err));
    TRY(read_shape(s, p, where[RAG_GEN], a, err));
    TRY(check_ask(s, p, where[RAG_ASK], err));
    TRY(check_search(s, p, where[RAG_SEARCH], err));
    TRY(find_context(s, p, where[RAG_ASK], where[RAG_GEN], err));
    TRY(find_workload(s, p, err));
    find_processors(s, p);
    *out = p;
    return 0;
}

static int run(const void *plan_, const struct exec_options *opt, struct span_log *log,
               struct exec_outcome *out, struct err *err)
{
    return rag_run(plan_, opt, log, out, err);
}

static int profile(const void *plan_, const struct exec_options *opt, struct span_log *log, struct err *err)
{
    return rag_profile(plan_, opt, log, err);
}

const struct exec_path rag_path = {
    .name = "retrieval",
    .about = "questions in a prompt loop that calls an embedder, a vector index and a language model",
    .example = "scenarios/local-rag.json",
    .switches = switches,
    .matches = matches,
    .plan = plan,
    .run = run,
    .profile = profile,
};
