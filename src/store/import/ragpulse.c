/*
 * ragpulse.c - RAGPulse: what each prompt of a RAG service is made of, and how long the pieces are.
 *
 * timestamp is a string of seconds; the file is not sorted by it.  The pieces'
 * lengths stand in files of their own ("passage_id", "token_length").
 */
#include "store/import/formats.h"
#include "store/import/jread.h"
#include "store/import/sink.h"
#include "store/import/when.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PIECES_MAX = 4096 };

struct pieces {
    struct {
        const char *part;
        int64_t id;
    } v[PIECES_MAX];
    size_t n;
};

static const char *const parts[] = {"sys_prompt", "passages", "history", "web_search", "user_input"};
enum { PARTS = sizeof parts / sizeof *parts };

/* "passages_ids" in requests and "passage_id" in its file are the part "passages". */
static const char *part_of(const char *key)
{
    for (int i = 0; i < PARTS; i++)
        if (strncmp(key, parts[i], strlen(parts[i]) - (i == 1)) == 0)
            return parts[i];
    return NULL;
}

static int sniff(const struct import_head *h)
{
    const char *ids = strstr(h->text, "\"hash_ids\"");

    if (h->text[0] != '{')
        return 0;
    if (ids != NULL && strstr(ids, "\"passages_ids\"") != NULL)
        return 95;
    return strstr(h->text, "_id\":") != NULL && strstr(h->text, "\"token_length\":") != NULL ? 85 : 0;
}

static int read_pieces(struct import *im, struct jread *j, struct pieces *p, struct err *err)
{
    const char *key, *part;
    int64_t id;

    if (!jread_enter(j, '{'))
        return 0;
    while ((key = jread_member(j)) != NULL) {
        part = part_of(key);
        if (part == NULL)
            TRY(import_unknown(im, key, err));
        if (part == NULL || !jread_enter(j, '['))
            continue;
        while (jread_element(j))
            if (jread_id(j, &id) && p->n < PIECES_MAX) {
                p->v[p->n].part = part;
                p->v[p->n++].id = id;
            }
    }
    return 0;
}

/* A line of either kind: a request, or the length of a piece. */
struct line {
    struct import_request r;
    char session[120];
    struct pieces pieces;
    const char *part;
    int64_t id, tokens;
};

static int read_line(struct import *im, struct jread *j, struct line *l, struct err *err)
{
    const char *key, *text;
    size_t n;

    while ((key = jread_member(j)) != NULL) {
        n = strlen(key);
        if (strcmp(key, "timestamp") == 0) {
            l->r.arrival_s = jread_real(j);
        } else if (strcmp(key, "input_length") == 0) {
            jread_int(j, &l->r.input_tokens);
        } else if (strcmp(key, "output_length") == 0) {
            jread_int(j, &l->r.output_tokens);
        } else if (strcmp(key, "token_length") == 0) {
            jread_int(j, &l->tokens);
        } else if (strcmp(key, "session_id") == 0) {
            text = jread_scalar(j);
            snprintf(l->session, sizeof l->session, "%s", text != NULL ? text : "");
        } else if (strcmp(key, "hash_ids") == 0) {
            TRY(read_pieces(im, j, &l->pieces, err));
        } else if (n > 3 && strcmp(key + n - 3, "_id") == 0 && part_of(key) != NULL) {
            l->part = part_of(key);
            jread_id(j, &l->id);
        } else {
            TRY(import_unknown(im, key, err));
        }
    }
    return 0;
}

static int store_line(struct import *im, struct jread *j, struct line *l, struct when_order *order,
                      struct err *err)
{
    if (!jread_finished(j))
        return import_bad(im, jread_column(j), jread_bad(j), err);
    if (l->part != NULL && l->id >= 0 && l->tokens >= 0) {
        TRY(import_row(im, TABLE_BLOCK_LENGTH, err, l->part, l->id, l->tokens));
        import_keep(im);
        return 0;
    }
    if (!isfinite(l->r.arrival_s) || l->r.input_tokens < 0 || l->r.output_tokens < 0)
        return import_bad(im, 0, "neither a request nor the length of a piece", err);
    l->r.session = import_word(im, l->session);
    when_order_add(order, l->r.arrival_s);
    TRY(import_request(im, &l->r, err));
    for (size_t i = 0; i < l->pieces.n; i++)
        TRY(import_prompt_block(im, l->pieces.v[i].part, l->pieces.v[i].id, err));
    import_keep(im);
    return 0;
}

static int lines(struct import *im, struct jread *j, struct line *l, struct err *err)
{
    struct when_order order = WHEN_ORDER;
    char *text;
    size_t n;
    int rc;

    while ((rc = import_line(im, &text, &n, err)) > 0) {
        l->r = (struct import_request){.arrival_s = NAN,
                                       .input_tokens = -1,
                                       .output_tokens = -1,
                                       .queue_s = NAN,
                                       .ttft_s = NAN,
                                       .latency_s = NAN};
        l->pieces.n = 0;
        l->session[0] = '\0';
        l->part = NULL;
        l->id = l->tokens = -1;
        jread_text(j, text, n, 1);
        if (jread_enter(j, '{'))
            TRY(read_line(im, j, l, err));
        TRY(store_line(im, j, l, &order, err));
    }
    when_order_report(&order, im);
    return rc;
}

static int run(struct import *im, struct err *err)
{
    struct jread *j = jread_new();
    struct line l;
    int rc = lines(im, j, &l, err);

    jread_free(j);
    return rc;
}

const struct importer ragpulse_importer = {
    .name = "ragpulse",
    .help = "RAGPulse (JSON lines): RAG requests with the pieces of their prompts; lengths of the pieces",
    .units = "timestamp is a string of seconds, unsorted; lengths in tokens",
    .sniff = sniff,
    .run = run,
};
