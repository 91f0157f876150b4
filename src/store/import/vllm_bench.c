/*
 * vllm_bench.c - results of vLLM's serving benchmark, and the sweeps InferenceX keeps of them.
 *
 * One JSON document, or one a line.  The unit of a latency stands in its name:
 * median_ttft_ms is in milliseconds, median_ttft in SECONDS.  Detailed results
 * also list every request: input_lens, output_lens, ttfts (s) and itls (s
 * between tokens), from which its latency follows.  Texts are not kept.
 */
#include "store/import/documents.h"
#include "store/import/formats.h"
#include "store/import/sweep.h"

#include "base/arena.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REQUESTS_MAX = 1 << 21, NAMES_MAX = 64 };

struct series {
    double *v;
    size_t n, size;
};

struct bench {
    struct sweep sweep;
    struct series input, output, ttft, rest; /* rest: sum of the waits between tokens */
    char file[200], model[120], name[NAMES_MAX][32];
    int names;
    double concurrency, per_s, ttft_s, prompts, tokens;
};

static void push(struct series *s, double v)
{
    if (s->n == REQUESTS_MAX)
        return;
    if (s->n == s->size) {
        s->size = s->size == 0 ? 256 : 2 * s->size;
        s->v = xrealloc(s->v, s->size, sizeof *s->v);
    }
    s->v[s->n++] = v;
}

static void read_series(struct jread *j, struct series *s)
{
    if (jread_enter(j, '['))
        while (jread_element(j))
            push(s, jread_real(j));
}

/* A list of lists: the sum of each. */
static void read_sums(struct jread *j, struct series *s)
{
    if (!jread_enter(j, '['))
        return;
    while (jread_element(j)) {
        double sum = 0;

        if (jread_enter(j, '['))
            while (jread_element(j))
                sum += jread_real(j);
        push(s, sum);
    }
}

/* "median_ttft_ms" -> "ttft_p50_s", its scale in *scale; NULL when `key` is no latency. */
static const char *latency_name(struct bench *b, const char *key, double *scale)
{
    static const char *const what[] = {"ttft", "tpot", "itl", "e2el"}, *const ours[] = {"ttft", "tpot", "itl",
                                                                                        "latency"};
    const char *under = strchr(key, '_');
    char kind[12] = "";
    size_t n;

    if (under == NULL || b->names == NAMES_MAX)
        return NULL;
    if (strncmp(key, "median_", 7) == 0)
        strcpy(kind, "p50");
    else if (strncmp(key, "mean_", 5) == 0)
        strcpy(kind, "mean");
    else if (strncmp(key, "std_", 4) == 0)
        strcpy(kind, "sd");
    else if (key[0] == 'p' && isdigit((unsigned char)key[1]) && under - key < 10)
        snprintf(kind, sizeof kind, "%.*s", (int)(under - key), key);
    else
        return NULL;
    for (int i = 0; i < 4; i++) {
        n = strlen(what[i]);
        if (strncmp(under + 1, what[i], n) != 0)
            continue;
        *scale = strcmp(under + 1 + n, "_ms") == 0 ? 1e-3 : 1;
        if (under[1 + n] != '\0' && *scale == 1)
            return NULL;
        snprintf(b->name[b->names], sizeof b->name[0], "%s_%s_s", ours[i], kind);
        return b->name[b->names++];
    }
    return NULL;
}

static const struct {
    const char *key, *name;
    bool setting;
} numbers[] = {
    {"num_prompts", "requests", true},
    {"burstiness", "burstiness", true},
    {"max_concurrency", "concurrency", true},
    {"duration", "duration_s", false},
    {"completed", "completed", false},
    {"failed", "failed", false},
    {"total_input_tokens", "input_tokens_total", false},
    {"total_output_tokens", "output_tokens_total", false},
    {"request_throughput", "requests_per_s", false},
    {"request_goodput", "good_requests_per_s", false},
    {"request_goodput:", "good_requests_per_s", false},
    {"input_throughput", "input_tokens_per_s", false},
    {"output_throughput", "output_tokens_per_s", false},
    {"total_token_throughput", "tokens_per_s", false},
    {"max_output_tokens_per_s", "output_tokens_max_per_s", false},
    {"max_concurrent_requests", "concurrency_max", false},
};

static bool read_number(struct import *im, struct bench *b, struct jread *j, const char *key)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(numbers[i].key, key) == 0) {
            double v = jread_real(j);

            if (numbers[i].setting)
                import_setting_number(im, numbers[i].name, v);
            else
                import_figure(im, numbers[i].name, NAN, v);
            if (strcmp(key, "max_concurrency") == 0)
                b->concurrency = v;
            else if (strcmp(key, "request_throughput") == 0)
                b->per_s = v;
            else if (strcmp(key, "num_prompts") == 0)
                b->prompts = v;
            else if (strcmp(key, "total_input_tokens") == 0)
                b->tokens = v;
            return true;
        }
    return false;
}

static void read_text(struct import *im, struct jread *j, const char *name, char *copy, size_t size)
{
    const char *text = jread_scalar(j);

    if (text == NULL || strcmp(text, "null") == 0)
        return;
    snprintf(copy, size, "%s", text);
    import_setting(im, name, copy);
}

static int read_member(struct import *im, struct bench *b, struct jread *j, const char *key, struct err *err)
{
    static const char *const unused[] = {"tokenizer_id", "good_completed", "generated_texts", "errors",
                                         "start_times",  "best_of",        "use_beam_search"};
    char text[120] = "";
    const char *name;
    double scale, v;

    if (strcmp(key, "input_lens") == 0) {
        read_series(j, &b->input);
    } else if (strcmp(key, "output_lens") == 0) {
        read_series(j, &b->output);
    } else if (strcmp(key, "ttfts") == 0) {
        read_series(j, &b->ttft);
    } else if (strcmp(key, "itls") == 0) {
        read_sums(j, &b->rest);
    } else if (strcmp(key, "file") == 0) {
        read_text(im, j, "file", b->file, sizeof b->file);
    } else if (strcmp(key, "model_id") == 0) {
        read_text(im, j, "model", b->model, sizeof b->model);
    } else if (strcmp(key, "backend") == 0 || strcmp(key, "endpoint_type") == 0) {
        read_text(im, j, "engine", text, sizeof text);
    } else if (strcmp(key, "date") == 0 || strcmp(key, "request_rate") == 0 || strcmp(key, "label") == 0) {
        read_text(im, j,
                  key[0] == 'd'   ? "date"
                  : key[0] == 'r' ? "request_rate_per_s"
                                  : "label",
                  text, sizeof text);
    } else if ((name = latency_name(b, key, &scale)) != NULL) {
        v = jread_real(j) * scale;
        import_figure(im, name, NAN, v);
        if (strcmp(name, "ttft_p50_s") == 0)
            b->ttft_s = v;
    } else if (!read_number(im, b, j, key)) {
        for (size_t i = 0; i < sizeof unused / sizeof *unused; i++)
            if (strcmp(key, unused[i]) == 0)
                return 0;
        return import_unknown(im, key, err);
    }
    return 0;
}

/* The file's name without its concurrency, or else the model and the prompt length. */
static void group_name(const struct bench *b, char *out, size_t size)
{
    const char *at = strstr(b->file, "_conc"), *end = at;

    if (at != NULL) {
        for (end = at + 5; isdigit((unsigned char)*end); end++)
            ;
        snprintf(out, size, "%.*s%s", (int)(at - b->file), b->file, strcmp(end, ".json") == 0 ? "" : end);
    } else {
        snprintf(out, size, "%s, %.0f input tokens", b->model, b->prompts > 0 ? b->tokens / b->prompts : 0);
    }
}

static int64_t tokens(const struct series *list, size_t i)
{
    return i < list->n && list->v[i] >= 0 && list->v[i] < 9e15 ? (int64_t)list->v[i] : IMPORT_NONE;
}

static int store_requests(struct import *im, const struct bench *b, struct err *err)
{
    for (size_t i = 0; i < b->input.n; i++) {
        struct import_request r = {.arrival_s = NAN,
                                   .input_tokens = tokens(&b->input, i),
                                   .output_tokens = tokens(&b->output, i),
                                   .class_ = b->model,
                                   .queue_s = NAN,
                                   .ttft_s = i < b->ttft.n ? b->ttft.v[i] : NAN,
                                   .latency_s = NAN};

        if (i < b->rest.n)
            r.latency_s = r.ttft_s + b->rest.v[i];
        TRY(import_request(im, &r, err));
    }
    return 0;
}

static int document(struct import *im, struct jread *j, void *ctx, struct err *err)
{
    struct bench *b = ctx;
    const char *key;
    char group[340];
    bool stored;

    b->input.n = b->output.n = b->ttft.n = b->rest.n = 0;
    b->file[0] = b->model[0] = '\0';
    b->names = 0;
    b->concurrency = b->per_s = b->ttft_s = b->prompts = b->tokens = NAN;
    import_measure(im, "serving");
    if (jread_enter(j, '{'))
        while ((key = jread_member(j)) != NULL) {
            char name[80];

            snprintf(name, sizeof name, "%s", key);
            TRY(read_member(im, b, j, name, err));
        }
    if (jread_bad(j) != NULL)
        return 0; /* the caller refuses the file */
    if (!(b->per_s >= 0))
        return import_bad(im, 0, "without request_throughput", err);
    TRY(import_measure_end(im, &stored, err));
    TRY(store_requests(im, b, err));
    group_name(b, group, sizeof group);
    sweep_add(&b->sweep, im, group, b->concurrency, b->per_s, b->ttft_s);
    import_keep(im);
    return 0;
}

static int run(struct import *im, struct err *err)
{
    struct bench *b = xcalloc(1, sizeof *b);
    int rc = import_documents(im, document, b, err);

    import_at(im, 0);
    sweep_end(&b->sweep, im, "median TTFT");
    free(b->input.v);
    free(b->output.v);
    free(b->ttft.v);
    free(b->rest.v);
    free(b);
    return rc;
}

static int sniff(const struct import_head *h)
{
    return h->text[strspn(h->text, " \t\r\n")] == '{' && strstr(h->text, "\"request_throughput\"") != NULL &&
                   strstr(h->text, "\"num_prompts\"") != NULL
               ? 90
               : 0;
}

const struct importer vllm_bench_importer = {
    .name = "vllm-bench",
    .help = "vLLM serving benchmark and InferenceX sweeps (JSON, JSON lines)",
    .units = "latencies in ms when the name ends in _ms, else in s; ttfts and itls in s",
    .sniff = sniff,
    .run = run,
};
