/*
 * otlp.c - OpenTelemetry spans in OTLP JSON, with the GenAI attributes of language-model calls.
 *
 * Times are nanoseconds since 1970, as text or number (beyond 2^53, so read as
 * integers).  Every span becomes a span: its stage is the service, its
 * operator its name, its variant the model, its item the request (trace id).  A span with token counts
 * becomes a request too.  Attribute names changed over the years; all of these are known:
 *
 *   input tokens   gen_ai.usage.input_tokens, gen_ai.usage.prompt_tokens, llm.usage.prompt_tokens,
 *                  llm.token_count.prompt
 *   output tokens  gen_ai.usage.output_tokens, gen_ai.usage.completion_tokens, llm.usage.completion_tokens,
 *                  llm.token_count.completion
 *   model          gen_ai.request.model, gen_ai.response.model, llm.request.model, llm.model_name
 *   session        gen_ai.conversation.id, session.id
 *   seconds        gen_ai.latency.time_to_first_token, gen_ai.server.time_to_first_token,
 *                  gen_ai.latency.time_in_queue
 *
 * Prompts, answers and every other attribute stay out; --keep-text keeps prompts and answers.
 */
#include "store/import/documents.h"
#include "store/import/formats.h"
#include "store/trace.h"

#include "base/arena.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 200, TEXTS = 32 };

struct otlp {
    int64_t origin_ns;
    char service[NAME];
    /* the span at hand */
    char name[NAME], model[NAME], session[NAME];
    int64_t request; /* hash of the trace id; -1: none */
    int64_t start_ns, end_ns, input, output;
    double ttft_s, queue_s;
    int texts;
    struct {
        char name[120];
        char *text;
    } text[TEXTS];
    /* the attribute at hand */
    char key[120];
};

enum field { F_NONE, F_SERVICE, F_INPUT, F_OUTPUT, F_MODEL, F_SESSION, F_TTFT, F_QUEUE, F_TEXT, F_KNOWN };

static const struct {
    const char *key;
    enum field field;
} fields[] = {
    {"service.name", F_SERVICE},
    {"gen_ai.usage.input_tokens", F_INPUT},
    {"gen_ai.usage.prompt_tokens", F_INPUT},
    {"llm.usage.prompt_tokens", F_INPUT},
    {"llm.token_count.prompt", F_INPUT},
    {"gen_ai.usage.output_tokens", F_OUTPUT},
    {"gen_ai.usage.completion_tokens", F_OUTPUT},
    {"llm.usage.completion_tokens", F_OUTPUT},
    {"llm.token_count.completion", F_OUTPUT},
    {"gen_ai.request.model", F_MODEL},
    {"gen_ai.response.model", F_MODEL},
    {"llm.request.model", F_MODEL},
    {"llm.model_name", F_MODEL},
    {"gen_ai.conversation.id", F_SESSION},
    {"session.id", F_SESSION},
    {"gen_ai.latency.time_to_first_token", F_TTFT},
    {"gen_ai.server.time_to_first_token", F_TTFT},
    {"gen_ai.latency.time_in_queue", F_QUEUE},
    {"gen_ai.prompt", F_TEXT},
    {"gen_ai.completion", F_TEXT},
    {"gen_ai.input.messages", F_TEXT},
    {"gen_ai.output.messages", F_TEXT},
    {"gen_ai.system_instructions", F_TEXT},
    {"llm.prompts", F_TEXT},
    {"llm.completions", F_TEXT},
    {"llm.input_messages", F_TEXT},
    {"llm.output_messages", F_TEXT},
    {"input.value", F_TEXT},
    {"output.value", F_TEXT},
    {"gen_ai.system", F_KNOWN},
    {"gen_ai.provider.name", F_KNOWN},
    {"gen_ai.operation.name", F_KNOWN},
    {"gen_ai.request.max_tokens", F_KNOWN},
    {"gen_ai.request.temperature", F_KNOWN},
    {"gen_ai.request.top_p", F_KNOWN},
    {"gen_ai.request.n", F_KNOWN},
    {"gen_ai.request.id", F_KNOWN},
    {"gen_ai.response.id", F_KNOWN},
    {"gen_ai.response.finish_reasons", F_KNOWN},
    {"gen_ai.latency.e2e", F_KNOWN},
    {"gen_ai.latency.time_in_scheduler", F_KNOWN},
    {"gen_ai.latency.time_in_model_forward", F_KNOWN},
    {"gen_ai.latency.time_in_model_execute", F_KNOWN},
    {"gen_ai.latency.time_in_model_prefill", F_KNOWN},
    {"gen_ai.latency.time_in_model_decode", F_KNOWN},
    {"gen_ai.latency.time_in_model_inference", F_KNOWN},
};

/* "gen_ai.prompt.0.content" is the text "gen_ai.prompt". */
static enum field field_of(const char *key)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        size_t n = strlen(fields[i].key);

        if (strcmp(key, fields[i].key) == 0 ||
            (fields[i].field == F_TEXT && strncmp(key, fields[i].key, n) == 0 && key[n] == '.'))
            return fields[i].field;
    }
    return F_NONE;
}

static void copy(char *to, const char *text)
{
    snprintf(to, NAME, "%s", text != NULL ? text : "");
}

static void keep_text(struct import *im, struct otlp *o, const char *text)
{
    if (!import_options(im)->keep_text || text == NULL || o->texts == TEXTS)
        return;
    snprintf(o->text[o->texts].name, sizeof o->text[0].name, "%s", o->key);
    o->text[o->texts++].text = xstrdup(text);
}

/* The scalar inside {"stringValue": ..}, {"intValue": "12"} and so on. */
static int read_scalar(struct import *im, struct otlp *o, struct jread *j, struct err *err)
{
    enum field field = field_of(o->key);
    int64_t whole;
    const char *text;

    switch (field) {
    case F_INPUT:
    case F_OUTPUT:
        if (jread_int(j, &whole) && whole >= 0)
            *(field == F_INPUT ? &o->input : &o->output) = whole;
        break;
    case F_TTFT:
        o->ttft_s = jread_real(j);
        break;
    case F_QUEUE:
        o->queue_s = jread_real(j);
        break;
    case F_NONE:
        if (strncmp(o->key, "gen_ai.", 7) == 0 || strncmp(o->key, "llm.", 4) == 0)
            TRY(import_unknown(im, o->key, err));
        break;
    case F_KNOWN:
        break;
    default:
        text = jread_scalar(j);
        if (field == F_SERVICE)
            copy(o->service, text);
        else if (field == F_MODEL)
            copy(o->model, text);
        else if (field == F_SESSION)
            copy(o->session, text);
        else
            keep_text(im, o, text);
    }
    return 0;
}

static int read_attributes(struct import *im, struct otlp *o, struct jread *j, struct err *err)
{
    const char *key;

    if (!jread_enter(j, '['))
        return 0;
    while (jread_element(j)) {
        o->key[0] = '\0';
        if (!jread_enter(j, '{'))
            continue;
        while ((key = jread_member(j)) != NULL) {
            if (strcmp(key, "key") == 0) { /* stands before the value in everything that writes OTLP */
                const char *text = jread_string(j);

                snprintf(o->key, sizeof o->key, "%s", text != NULL ? text : "");
            } else if (strcmp(key, "value") == 0 && jread_enter(j, '{')) {
                while (jread_member(j) != NULL)
                    if (jread_peek(j) != '{' && jread_peek(j) != '[')
                        TRY(read_scalar(im, o, j, err));
            }
        }
    }
    return 0;
}

/* ----------------------------------------------------------------- storing */

static double seconds(struct import *im, struct otlp *o, int64_t ns)
{
    if (o->origin_ns == IMPORT_NONE)
        import_origin(im, o->origin_ns = ns);
    return (double)(ns - o->origin_ns) / 1e9;
}

static int store_span(struct import *im, struct otlp *o, struct err *err)
{
    struct span s = {.stage = import_word(im, o->service),
                     .op = import_word(im, o->name),
                     .variant = o->model,
                     .item = o->request,
                     .cpu_s = NAN,
                     .items = o->output == IMPORT_NONE ? NAN : (double)o->output,
                     .bytes_in = NAN,
                     .bytes_out = NAN};

    if (o->start_ns <= 0 || o->end_ns < o->start_ns)
        return import_bad(im, 0, "a span without start, or that ends before it starts", err);
    s.start_s = seconds(im, o, o->start_ns);
    s.end_s = s.start_s + (double)(o->end_ns - o->start_ns) / 1e9;
    TRY(import_span(im, &s, err));
    if (o->input != IMPORT_NONE || o->output != IMPORT_NONE) {
        struct import_request r = {
            s.start_s,  o->input,  o->output,          o->model, import_word(im, o->session),
            o->queue_s, o->ttft_s, s.end_s - s.start_s};

        TRY(import_request(im, &r, err));
        for (int i = 0; i < o->texts; i++)
            TRY(import_row(im, TABLE_KEPT_TEXT, err, (int64_t)0, o->text[i].name, o->text[i].text));
    }
    import_keep(im);
    return 0;
}

static void clear_span(struct otlp *o)
{
    o->name[0] = o->model[0] = o->session[0] = '\0';
    o->start_ns = o->end_ns = 0;
    o->request = -1;
    o->input = o->output = IMPORT_NONE;
    o->ttft_s = o->queue_s = NAN;
    while (o->texts > 0)
        free(o->text[--o->texts].text);
}

/* Spans of one request share it.  FNV-1a, folded to 53 bits: exact as a double too. */
static int64_t hash_id(const char *id)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    if (id == NULL || id[0] == '\0')
        return -1;
    for (; *id != '\0'; id++)
        h = (h ^ (unsigned char)*id) * UINT64_C(0x100000001b3);
    return (int64_t)((h ^ h >> 53) & ((UINT64_C(1) << 53) - 1));
}

static int read_span(struct import *im, struct otlp *o, struct jread *j, struct err *err)
{
    const char *key;

    clear_span(o);
    import_at(im, jread_line(j));
    if (!jread_enter(j, '{'))
        return import_bad(im, jread_column(j), "a span that is no object", err);
    while ((key = jread_member(j)) != NULL) {
        if (strcmp(key, "name") == 0)
            copy(o->name, jread_scalar(j));
        else if (strcmp(key, "traceId") == 0 || strcmp(key, "trace_id") == 0)
            o->request = hash_id(jread_scalar(j));
        else if (strcmp(key, "startTimeUnixNano") == 0 || strcmp(key, "start_time_unix_nano") == 0)
            jread_int(j, &o->start_ns);
        else if (strcmp(key, "endTimeUnixNano") == 0 || strcmp(key, "end_time_unix_nano") == 0)
            jread_int(j, &o->end_ns);
        else if (strcmp(key, "attributes") == 0)
            TRY(read_attributes(im, o, j, err));
    }
    return jread_bad(j) == NULL ? store_span(im, o, err) : 0;
}

static int read_scope(struct import *im, struct otlp *o, struct jread *j, struct err *err)
{
    const char *key;

    if (!jread_enter(j, '{'))
        return 0;
    while ((key = jread_member(j)) != NULL)
        if (strcmp(key, "spans") == 0 && jread_enter(j, '['))
            while (jread_element(j))
                TRY(read_span(im, o, j, err));
    return 0;
}

static int read_resource(struct import *im, struct otlp *o, struct jread *j, struct err *err)
{
    const char *key;

    o->service[0] = '\0';
    if (!jread_enter(j, '{'))
        return 0;
    while ((key = jread_member(j)) != NULL) {
        if (strcmp(key, "resource") == 0 && jread_enter(j, '{')) {
            while ((key = jread_member(j)) != NULL)
                if (strcmp(key, "attributes") == 0)
                    TRY(read_attributes(im, o, j, err));
        } else if ((strcmp(key, "scopeSpans") == 0 || strcmp(key, "scope_spans") == 0 ||
                    strcmp(key, "instrumentationLibrarySpans") == 0) &&
                   jread_enter(j, '[')) {
            while (jread_element(j))
                TRY(read_scope(im, o, j, err));
        }
    }
    return 0;
}

static int document(struct import *im, struct jread *j, void *ctx, struct err *err)
{
    const char *key;

    if (!jread_enter(j, '{'))
        return 0;
    while ((key = jread_member(j)) != NULL)
        if ((strcmp(key, "resourceSpans") == 0 || strcmp(key, "resource_spans") == 0) && jread_enter(j, '['))
            while (jread_element(j))
                TRY(read_resource(im, ctx, j, err));
    return 0;
}

static int run(struct import *im, struct err *err)
{
    struct otlp *o = xcalloc(1, sizeof *o);
    int rc;

    o->origin_ns = IMPORT_NONE;
    rc = import_documents(im, document, o, err);
    clear_span(o);
    free(o);
    return rc;
}

static int sniff(const struct import_head *h)
{
    return strstr(h->text, "\"resourceSpans\"") != NULL || strstr(h->text, "\"resource_spans\"") != NULL ? 95
                                                                                                         : 0;
}

const struct importer otlp_importer = {
    .name = "otlp",
    .help = "OpenTelemetry spans (OTLP JSON) with GenAI attributes, old and new names",
    .units = "times in ns since 1970, latencies in s",
    .sniff = sniff,
    .run = run,
};
