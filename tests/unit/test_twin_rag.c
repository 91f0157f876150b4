/*
 * Spans of a retrieval path made from laws that we know: what calibrate() makes of them must be those laws,
 * and what it makes must be read by the models.
 */
#include "calibrate/calibrate.h"
#include "calibrate/resolve.h"
#include "models/inference.h"
#include "models/llm_serving.h"
#include "models/prompt.h"
#include "models/vector_index.h"
#include "pipeline/edit.h"
#include "store/trace.h"
#include "temp_store.h"

#include <gsl/gsl_errno.h>
#include <math.h>

enum { SPANS_MAX = 20000, LAYERS = 3 };
static const double in_place = 1.25; /* everything takes so much longer in an execution */

static struct store *store;
static struct scenario *scenario;
static struct json *tree;
static struct resolver resolver;
static char path[4000];
static struct span *spans;
static size_t spans_n;

static void begin(void)
{
    gsl_set_error_handler_off();
    temp_begin();
    store = temp_open(STORE_WRITE);
    snprintf(path, sizeof path, "%s/scenarios/local-rag.json", getenv("abs_srcdir"));
    OK(json_read(path, &tree, &err));
    resolve_open(temp_path, path, &resolver);
    OK(scenario_build(tree, path, &(struct scenario_options){.resolver = &resolver}, &scenario, &err));
    spans = xcalloc(SPANS_MAX, sizeof *spans);
}

static void end(void)
{
    free(spans);
    scenario_free(scenario);
    resolve_close(&resolver);
    json_free(tree);
    store_close(store);
    temp_end();
}

TestSuite(twin_rag, .init = begin, .fini = end);

static void push(const char *stage, const char *op, const char *variant, int64_t item, double seconds,
                 double items, double bytes_in)
{
    cr_assert(spans_n < SPANS_MAX);
    spans[spans_n++] = (struct span){.stage = stage,
                                     .op = op,
                                     .variant = variant,
                                     .item = item,
                                     .end_s = seconds,
                                     .cpu_s = seconds,
                                     .items = items,
                                     .bytes_in = bytes_in,
                                     .bytes_out = NAN};
}

static double batch_s(double tokens)
{
    return 1e-4 + 2e-6 * tokens;
}

static double layers_s(double tokens)
{
    return LAYERS * (1e-4 + 1e-5 * tokens);
}

static double prefill_s(double chunk, double context)
{
    return LAYERS * 1e-7 * chunk * (chunk / 2 + context);
}

/* Ten searches an effort: of those that an exact search finds, `kept` come. */
static void push_searches(const char *variant, double seconds, int kept)
{
    for (int i = 0; i < 10; i++) {
        push("search", "search", variant, i, i == 9 ? 10 * seconds : seconds, 3, NAN); /* one is disturbed */
        push("search", "recall", variant, i, 0, 3, 2);
        push("search", "evidence", variant, i, 0, i < kept ? 1 : 0, i < 8 ? 2 : 0);
    }
}

/* Half of the hops are always found in the first place, a quarter never, a quarter at 10. */
static void push_evidence(void)
{
    for (int hop = 0; hop < 80; hop++)
        for (int wording = 0; wording < 3; wording++)
            push("ask", "evidence", "", hop, 0, hop % 4 < 2 ? 1 : hop % 4 == 2 ? 0 : 10, NAN);
}

static void push_passes(double factor)
{
    for (double n = 1; n <= 512; n *= 2) {
        push("gen", "embedding", "", -1, factor * 1e-6 * n, n, NAN);
        push("gen", "layer", "", -1, factor * layers_s(n), n, NAN);
        for (double context = 0; context <= 256; context += 64)
            push("gen", "attention_prefill", "", -1, factor * prefill_s(n, context), n, context);
    }
    for (double n = 1; n <= 8; n *= 2) {
        push("gen", "lm_head", "", -1, factor * 1e-4 * n, n, NAN);
        push("gen", "schedule", "engine", -1, factor * (1e-5 + 1e-6 * n), n, NAN);
        if (factor == 1) /* alone the engine runs mixtures of sizes, which must not be counted */
            push("gen", "layer", "engine", -1, 1, n, NAN);
        for (double context = 1; context <= 400; context += 100)
            push("gen", "attention_decode", "", -1, factor * LAYERS * 1e-6 * n * context, n, context);
    }
}

static int64_t keep(const char *kind)
{
    struct trace_info info = {
        .name = "local-rag", .kind = kind, .scenario = scenario->name, .scenario_sha256 = scenario->sha256};
    int64_t id;

    OK(trace_create(store, &info, &id, &err));
    OK(trace_append(store, id, spans, spans_n, &err));
    spans_n = 0;
    return id;
}

static void push_profile(void)
{
    for (int repeat = 0; repeat < 4; repeat++)
        for (double tokens = 20; tokens <= 160; tokens += 20)
            push("embed", "batch", "", -1, batch_s(tokens), tokens, NAN);
    push_searches("flat/1", 2e-3, 8);
    push_searches("ivf/8", 2e-4, 4);
    push_searches("ivf/16", 4e-4, 6);
    push_evidence();
    push_passes(1);
}

static void push_execution(void)
{
    for (int i = 0; i < 50; i++) {
        push("embed", "batch", "", -1, in_place * batch_s(40), 40, NAN);
        push("search", "search", "", i, in_place * 2e-3, 3, NAN);
        push(TRACE_REQUESTS, "request", "", i, 0.1, 1, NAN);
    }
    push_passes(in_place);
}

/* The scenario with what calibrate() has found. */
static struct scenario *calibrated(struct arena *a, struct calibration *c)
{
    struct calibrate_input in = {.scenario = scenario,
                                 .tree = tree,
                                 .resolver = &resolver,
                                 .name = "local-rag",
                                 .store = store,
                                 .runs_n = 1};
    struct scenario *s;
    int64_t run;

    push_profile();
    in.profile = keep("profile");
    push_execution();
    run = keep("exec");
    in.runs = &run;
    OK(calibrate(&in, a, c, &err));
    OK(calibration_keep(&in, c, &err));
    OK(scenario_build(tree, path, &(struct scenario_options){.resolver = &resolver}, &s, &err));
    return s;
}

static const void *cfg_of(const struct scenario *s, const char *stage)
{
    return scenario_stage(s, stage)->cfg;
}

Test(twin_rag, what_was_measured_is_what_the_models_read)
{
    struct arena *a = arena_new();
    struct calibration c;
    struct scenario *s = calibrated(a, &c);
    const struct inference_cfg *embed = cfg_of(s, "embed");
    struct vector_db_cfg search = *(const struct vector_db_cfg *)cfg_of(s, "search");
    const struct prompt_cfg *ask = cfg_of(s, "ask");

    cr_expect_float_eq(embed->fixed + 100 * embed->per_token, in_place * batch_s(100), 1e-6);
    cr_expect_float_eq(vector_search_work(&search, 65536, 1).cpu_s, in_place * 2e-3, 1e-5);
    cr_expect_float_eq(vector_recall(&search), 1, 1e-9);
    cr_expect_float_eq(curve_at(&ask->evidence_curve, 3), 0.5, 1e-9);
    cr_expect_float_eq(curve_at(&ask->evidence_curve, 16), 0.75, 1e-9);
    cr_expect_float_eq(ask->icc_search, 0.99, 1e-9, "wordings that always agree");
    scenario_free(s);
    arena_free(a);
}

/* 16 lists are scanned as it stands; what another index takes was measured alone, and is scaled alike. */
Test(twin_rag, another_index_has_its_own_time_and_recall)
{
    struct arena *a = arena_new();
    struct calibration c;
    struct scenario *s;
    struct vector_db_cfg search;

    scenario_free(calibrated(a, &c));
    OK(edit_set_text(tree, "stages.search.params.index=ivf", &err));
    OK(scenario_build(tree, path, &(struct scenario_options){.resolver = &resolver}, &s, &err));
    search = *(const struct vector_db_cfg *)cfg_of(s, "search");
    cr_expect_float_eq(vector_search_work(&search, 65536, 1).cpu_s, in_place * 4e-4, 1e-5);
    cr_expect_float_eq(vector_recall(&search), 6.0 / 8, 1e-9);
    scenario_free(s);
    arena_free(a);
}

/* An iteration of 64 tokens of a prompt that has 64 already, beside 4 that decode at 101. */
Test(twin_rag, an_iteration_costs_what_its_operators_took_in_place)
{
    struct arena *a = arena_new();
    struct calibration c;
    struct scenario *s = calibrated(a, &c);
    const struct llm_serving_cfg *gen = cfg_of(s, "gen");
    struct llm_chunk chunk = {64, 64};
    struct llm_batch b = {.chunk = &chunk,
                          .chunks = 1,
                          .tokens = 64,
                          .finished = 0,
                          .decodes = 4,
                          .decode_tokens = 4,
                          .context = 101,
                          .longest = 101};
    bool outside = false;
    double wanted = in_place * (layers_s(68) + 68e-6 + prefill_s(64, 64) + LAYERS * 1e-6 * 4 * 101 + 4e-4);

    cr_expect_float_eq(llm_cost_step(&gen->cost, &b, &outside), wanted, 0.01 * wanted);
    cr_expect(!outside);
    cr_expect_float_eq(gen->cpu_step, in_place * 1e-5, 1e-9);
    cr_expect_float_eq(gen->cpu_sequence, in_place * 1e-6, 1e-9);
    scenario_free(s);
    arena_free(a);
}
