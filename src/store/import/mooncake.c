/*
 * mooncake.c - Mooncake request traces, one JSON object a line.
 *
 * timestamp is in milliseconds from the start; hash_ids names the prefix
 * blocks of 512 tokens that the prompt consists of, equal ids being reusable.
 */
#include "store/import/formats.h"
#include "store/import/jread.h"
#include "store/import/sink.h"
#include "store/import/when.h"

#include "base/arena.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS_MAX = 1 << 20 };

struct ids {
    int64_t *v;
    size_t n, size;
    bool bad;
};

static void add(struct ids *ids, int64_t id)
{
    if (ids->n == BLOCKS_MAX)
        return;
    if (ids->n == ids->size) {
        ids->size = ids->size == 0 ? 64 : 2 * ids->size;
        ids->v = xrealloc(ids->v, ids->size, sizeof *ids->v);
    }
    ids->v[ids->n++] = id;
}

static int sniff(const struct import_head *h)
{
    const char *end = strchr(h->text, '\n');
    const char *ids = strstr(h->text, "\"hash_ids\"");

    if (h->text[0] != '{' || ids == NULL || strstr(h->text, "\"input_length\"") == NULL || (end && ids > end))
        return 0;
    ids += strcspn(ids, "[{");
    return *ids == '[' ? 90 : 0; /* RAGPulse has an object there */
}

static int read_line(struct import *im, struct jread *j, struct import_request *r, struct ids *ids,
                     struct err *err)
{
    const char *key;
    int64_t id;

    ids->n = 0;
    ids->bad = false;
    if (!jread_enter(j, '{'))
        return 0;
    while ((key = jread_member(j)) != NULL) {
        if (strcmp(key, "timestamp") == 0) {
            r->arrival_s = jread_real(j) / 1e3;
        } else if (strcmp(key, "input_length") == 0) {
            jread_int(j, &r->input_tokens);
        } else if (strcmp(key, "output_length") == 0) {
            jread_int(j, &r->output_tokens);
        } else if (strcmp(key, "hash_ids") == 0 && jread_enter(j, '[')) {
            while (jread_element(j))
                if (jread_id(j, &id))
                    add(ids, id);
                else
                    ids->bad = true;
        } else if (strcmp(key, "hash_ids") != 0) {
            TRY(import_unknown(im, key, err));
        }
    }
    return 0;
}

static int store_line(struct import *im, struct jread *j, const struct import_request *r,
                      const struct ids *ids, struct when_order *order, struct err *err)
{
    if (!jread_finished(j))
        return import_bad(im, jread_column(j), jread_bad(j), err);
    if (!(r->arrival_s >= 0) || r->input_tokens < 0 || r->output_tokens < 0)
        return import_bad(im, 0, "without timestamp, input_length or output_length", err);
    if (ids->bad)
        return import_bad(im, 0, "a hash id that is no integer", err);
    when_order_add(order, r->arrival_s);
    TRY(import_request(im, r, err));
    for (size_t i = 0; i < ids->n; i++)
        TRY(import_prompt_block(im, "", ids->v[i], err));
    import_keep(im);
    return 0;
}

static int lines(struct import *im, struct jread *j, struct ids *ids, struct err *err)
{
    struct when_order order = WHEN_ORDER;
    char *line;
    size_t n;
    int rc;

    while ((rc = import_line(im, &line, &n, err)) > 0) {
        struct import_request r = {.arrival_s = NAN,
                                   .input_tokens = -1,
                                   .output_tokens = -1,
                                   .queue_s = NAN,
                                   .ttft_s = NAN,
                                   .latency_s = NAN};

        jread_text(j, line, n, 1);
        TRY(read_line(im, j, &r, ids, err));
        TRY(store_line(im, j, &r, ids, &order, err));
    }
    when_order_report(&order, im);
    return rc;
}

static int run(struct import *im, struct err *err)
{
    struct jread *j = jread_new();
    struct ids ids = {0};
    int rc = lines(im, j, &ids, err);

    free(ids.v);
    jread_free(j);
    return rc;
}

const struct importer mooncake_importer = {
    .name = "mooncake",
    .help = "Mooncake trace (JSON lines): arrivals, token counts, prefix block hashes",
    .units = "timestamp in ms; hash_ids stand for blocks of 512 tokens",
    .sniff = sniff,
    .run = run,
};
