/*
 * Search and questions: FAISS against brute force, the reader against the chain, and the loop as a whole.
 */
#include "executor/rag_loop.h"
#include "models/answer.h"

#include "small_plan.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PASSAGES = 1500, DIMS = 32, K = 5, QUERIES = 40 };

static struct err err;

static struct rag_plan small_rag(void)
{
    const struct law words = {.kind = LAW_CONSTANT, .mean = 20, .lo = 20, .hi = 20};
    const struct law answer = {.kind = LAW_UNIFORM, .mean = 4, .lo = 2, .hi = 6};

    return (struct rag_plan){
        .ask = {.graph = GRAPH_EACH_ROUND,
                .rounds = 3,
                .hops = 2,
                .passages = 2,
                .until_solved = true,
                .passage_tokens = words,
                .prompt_tokens = {.kind = LAW_CONSTANT, .mean = 9, .lo = 9, .hi = 9},
                .output_tokens = answer,
                .system_tokens = 5},
        .embed = {.max_batch = 3,
                  .threads = 1,
                  .replicas = 1,
                  .tokens = {.kind = LAW_CONSTANT, .mean = 7, .lo = 7, .hi = 7}},
        .search = {.index = INDEX_FLAT,
                   .vectors = PASSAGES,
                   .dims = DIMS,
                   .k = K,
                   .nlist = 16,
                   .nprobe = 4,
                   .m_links = 8,
                   .ef = 16,
                   .ef_construction = 40},
        .gen = {.policy = LLM_VLLM, .max_batch = 4, .max_tokens = 256, .block_tokens = 8, .kv_blocks = 128},
        .shape = {.layers = 1,
                  .hidden = 16,
                  .heads = 2,
                  .kv_heads = 1,
                  .head_dim = 8,
                  .ffn = 16,
                  .vocab = 101,
                  .tied_embeddings = true},
        .names = {"ask", "embed", "search", "gen"},
        .at = {0, 1, 2, 3},
        .processors = {1, 1, 1, 1},
        .workload = WORKLOAD_CLIENTS,
        .clients = 3,
        .requests = 40,
        .most_context = 5 + 9 + 3 * (2 * 20 + 6),
        .seed = 7,
    };
}

/* small_folder() makes one a process. */
static const char *fresh_folder(char to[32])
{
    strcpy(to, "retrieval-test-XXXXXX");
    return mkdtemp(to);
}

static float *random_vectors(long n)
{
    float *v = calloc((size_t)(n * DIMS), sizeof *v);

    srand(5);
    for (long i = 0; i < n; i++) {
        double square = 0;

        for (long k = 0; k < DIMS; k++) {
            v[i * DIMS + k] = (float)rand() / (float)RAND_MAX - 0.5f;
            square += (double)v[i * DIMS + k] * (double)v[i * DIMS + k];
        }
        for (long k = 0; k < DIMS; k++)
            v[i * DIMS + k] /= (float)sqrt(square);
    }
    return v;
}

/* The k best by looking at every one. */
static void brute_force(const float *v, const float *q, long *best)
{
    float score[K];

    for (int i = 0; i < K; i++) {
        best[i] = -1;
        score[i] = -INFINITY;
    }
    for (long i = 0; i < PASSAGES; i++) {
        float s = 0;
        int at = K;

        for (long k = 0; k < DIMS; k++)
            s += v[i * DIMS + k] * q[k];
        while (at > 0 && score[at - 1] < s)
            at--;
        for (int j = K - 1; j > at; j--) {
            score[j] = score[j - 1];
            best[j] = best[j - 1];
        }
        if (at < K) {
            score[at] = s;
            best[at] = i;
        }
    }
}

static bool can_search(void)
{
    struct err none = {0};

    return index_available(&none) == 0;
}

static double recall_at(struct vector_index *x, long effort, const float *v)
{
    long hits = 0, got[K], exact[K];

    index_effort(x, effort);
    for (long i = 0; i < QUERIES; i++) {
        float q[DIMS];

        for (long k = 0; k < DIMS; k++) /* between two vectors */
            q[k] = v[i * DIMS + k] + v[(i + QUERIES) * DIMS + k];
        cr_assert_eq(index_search(x, q, K, got, &err), 0, "%s", err.text);
        brute_force(v, q, exact);
        hits += rag_hits(got, exact, K);
    }
    return (double)hits / (QUERIES * K);
}

static struct vector_index *built(int kind, const float *v)
{
    struct index_settings s = {.kind = kind, .dims = DIMS, .nlist = 16, .m_links = 8, .ef_construction = 40};
    struct vector_index *x;

    cr_assert_eq(index_build(&s, v, PASSAGES, &x, &err), 0, "%s", err.text);
    return x;
}

Test(retrieval, a_flat_index_is_brute_force)
{
    float *v = random_vectors(PASSAGES);
    struct vector_index *x;

    if (!can_search())
        cr_skip_test("built without FAISS");
    x = built(INDEX_FLAT, v);
    cr_expect_float_eq(recall_at(x, 1, v), 1, 1e-12);
    index_free(x);
    free(v);
}

Test(retrieval, an_ivf_index_that_scans_all_lists_misses_nothing)
{
    float *v = random_vectors(PASSAGES);
    struct vector_index *x;

    if (!can_search())
        cr_skip_test("built without FAISS");
    x = built(INDEX_IVF, v);
    cr_expect_lt(recall_at(x, 1, v), 0.9);
    cr_expect_float_eq(recall_at(x, 16, v), 1, 1e-12);
    index_free(x);
    free(v);
}

Test(retrieval, the_recall_of_a_graph_rises_with_effort_and_survives_the_disk)
{
    float *v = random_vectors(PASSAGES);
    struct index_settings s = {.kind = INDEX_HNSW, .dims = DIMS};
    char name[32], path[300];
    const char *folder = fresh_folder(name);
    double few, many;
    struct vector_index *x, *again;

    if (!can_search())
        cr_skip_test("built without FAISS");
    x = built(INDEX_HNSW, v);
    few = recall_at(x, K, v);
    many = recall_at(x, 200, v);
    cr_expect_lt(few, many);
    cr_expect_gt(many, 0.95);
    snprintf(path, sizeof path, "%s/graph", folder);
    cr_assert_eq(index_write(x, path, &err), 0, "%s", err.text);
    cr_assert_eq(index_read(&s, path, &again, &err), 0, "%s", err.text);
    cr_expect_float_eq(recall_at(again, 200, v), many, 1e-12);
    index_free(x);
    index_free(again);
    small_remove(folder);
    free(v);
}

Test(retrieval, what_faiss_cannot_do_is_an_error_and_no_crash)
{
    struct index_settings s = {.kind = INDEX_FLAT, .dims = DIMS};
    struct vector_index *x = NULL;

    cr_assert_neq(index_read(&s, "/nowhere/index", &x, &err), 0);
    cr_expect(strstr(err.text, "FAISS") != NULL, "%s", err.text);
}

/* ------------------------------------------------------------------------------------- questions */

static struct library *small_library(void)
{
    const struct law words = {.kind = LAW_UNIFORM, .mean = 20, .lo = 14, .hi = 26};

    return library_new(300, &words, 3);
}

/* The passages of the chain in any order, among others: the reader arrives; one missing, and it does not. */
Test(questions, the_reader_arrives_if_and_only_if_every_link_is_there)
{
    struct library *l = small_library();

    for (uint64_t n = 0; n < 50; n++) {
        struct question q = library_question(l, 1, n, 3);
        long chain[5], found, at = q.start;

        chain[1] = (q.start + 17) % 300; /* who is nobody's link here, or is, and does no harm */
        for (int i = 0; i < 3; i++) {
            struct question step = {.start = at, .hops = 1};

            chain[i == 0 ? 4 : i == 1 ? 0 : 2] = at;
            at = library_read(l, &step, &at, 1, &found);
            cr_assert_eq(found, 1);
        }
        chain[3] = (q.start + 40) % 300;
        cr_assert_eq(at, q.answer);
        cr_assert_eq(library_read(l, &q, chain, 5, &found), q.answer);
        cr_assert_eq(found, 3);
        chain[0] = chain[1] = chain[3] = q.start;
        library_read(l, &q, chain, 5, &found);
        cr_assert_lt(found, 3);
    }
    library_free(l);
}

Test(questions, texts_have_the_length_asked_for_and_the_seed_decides)
{
    struct library *a = small_library(), *b = small_library();

    for (long i = 0; i < library_size(a); i++) {
        uint32_t hash[64];

        cr_assert_str_eq(library_text(a, i), library_text(b, i));
        cr_assert_eq(text_words(library_text(a, i), hash, 64), library_words(a)[i].n);
        cr_assert(library_words(a)[i].n >= 14 && library_words(a)[i].n <= 26);
    }
    library_free(a);
    library_free(b);
}

Test(questions, texts_that_share_a_name_are_closer_than_others)
{
    struct library *l = small_library();
    struct encoder *e = encoder_new(64, 4, 3);
    double own = 0, other = 0;

    encoder_learn(e, library_words(l), library_size(l));
    for (uint64_t n = 0; n < 40; n++) {
        struct question q = library_question(l, 2, n, 1);
        uint32_t hash[8];
        float query[64], passage[64], far[64];

        library_query(l, 2, &q, q.start, 0, 8, hash);
        encoder_run(e, &(struct words){hash, 8}, 1, query);
        encoder_run(e, &library_words(l)[q.start], 1, passage);
        encoder_run(e, &library_words(l)[(q.start + 7) % 300], 1, far);
        for (int k = 0; k < 64; k++) {
            own += (double)(query[k] * passage[k]) / 40;
            other += (double)(query[k] * far[k]) / 40;
        }
    }
    cr_expect_gt(own, other + 0.2, "own %g, other %g", own, other);
    encoder_free(e);
    library_free(l);
}

/* --------------------------------------------------------------------------------------- the loop */

static void run_small(const struct rag_plan *p, struct exec_outcome *o)
{
    char name[32];
    const char *folder = fresh_folder(name);
    struct exec_options opt = {.folder = folder, .pin = PIN_NONE};

    cr_assert_eq(rag_run(p, &opt, NULL, o, &err), 0, "%s", err.text);
    small_remove(folder);
}

Test(retrieval, every_question_is_asked_once_and_the_answers_do_not_depend_on_the_engine)
{
    struct rag_plan p = small_rag();
    struct exec_outcome a, b;

    if (!can_search())
        cr_skip_test("built without FAISS");
    run_small(&p, &a);
    p.gen.policy = LLM_CHUNKED;
    p.gen.max_tokens = 32;
    p.gen.prefix_cache = true;
    p.ask.block_tokens = 8;
    p.clients = 5;
    run_small(&p, &b);
    cr_expect_eq(a.requests_n, 40);
    for (size_t i = 0; i < a.requests_n; i++)
        cr_expect(a.requests[i].intended_s <= a.requests[i].start_s &&
                  a.requests[i].start_s < a.requests[i].first_s &&
                  a.requests[i].first_s <= a.requests[i].end_s);
    cr_expect_eq(a.quality, b.quality);
    cr_expect_eq(a.stages[2].items_out, b.stages[2].items_out);
    exec_outcome_fini(&a);
    exec_outcome_fini(&b);
}

/* With an index that misses nothing and chances q of a hop, R rounds find all h with P(Binomial(R, q) >= h).
 */
Test(retrieval, rounds_find_what_the_closed_form_says)
{
    enum { ASKED = 400, ROUNDS = 3 };
    struct rag_plan p = small_rag();
    struct rag_world w;
    struct vector_index *x;
    char name[32];
    const char *folder = fresh_folder(name);
    long found = 0, searched = 0, solved = 0;
    double q, wanted;
    struct rag_ask *a;

    if (!can_search())
        cr_skip_test("built without FAISS");
    cr_assert_eq(rag_world_open(&w, &p, folder, &err), 0, "%s", err.text);
    cr_assert_eq(rag_world_index(&w, INDEX_FLAT, &x, &err), 0, "%s", err.text);
    a = rag_ask_new(&p);
    for (uint64_t n = 0; n < ASKED; n++) {
        rag_ask_begin(a, &w, 1, n);
        for (long r = 0; r < ROUNDS && a->found < 2; r++) {
            long before = a->found;

            a->round = r;
            rag_ask_query(a, &w, 1);
            encoder_run(w.encoder, &(struct words){a->query, a->query_n}, 1, a->vector);
            cr_assert_eq(index_search(x, a->vector, K, a->neighbour, &err), 0);
            rag_ask_retrieved(a, &w);
            searched++;
            found += a->found > before;
        }
        solved += rag_ask_is_right(a);
    }
    q = (double)found / (double)searched;
    wanted = answer_solved(q, 0, 2, ROUNDS);
    cr_expect(q > 0.2 && q < 0.95, "q %g: the noise of the vectors is not what it was", q);
    /* 4 standard errors of a share, and as much again for searches of one question that are alike. */
    cr_expect_float_eq((double)solved / ASKED, wanted, 8 * sqrt(wanted * (1 - wanted) / ASKED));
    rag_ask_free(a);
    index_free(x);
    rag_world_close(&w);
    small_remove(folder);
}

/* Open arrivals that come faster than they are served: latency counts from when they were to come. */
Test(retrieval, open_arrivals_keep_their_intended_start)
{
    struct rag_plan p = small_rag();
    struct exec_outcome o;

    if (!can_search())
        cr_skip_test("built without FAISS");
    p.workload = WORKLOAD_OPEN;
    p.clients = 1;
    p.gaps = (struct law){.kind = LAW_CONSTANT, .mean = 2e-4, .lo = 2e-4, .hi = 2e-4};
    run_small(&p, &o);
    for (size_t i = 0; i < o.requests_n; i++)
        cr_expect_float_eq(o.requests[i].intended_s, 2e-4 * (double)(i + 1), 1e-6);
    exec_outcome_fini(&o);
}
