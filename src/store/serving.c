#include "store/serving.h"

#include "base/arena.h"
#include "store/sql.h"

#include <string.h>

/* ------------------------------------------------------------ requests */

struct prompt { /* where a request's blocks stand in the common array */
    int64_t seq;
    size_t first, n;
};

static uint64_t hash_block(const char *part, int64_t block)
{
    uint64_t h = 0xcbf29ce484222325ULL ^ (uint64_t)block; /* FNV-1a over the part's name, then the number */

    for (; *part != '\0'; part++)
        h = (h ^ (unsigned char)*part) * 0x100000001b3ULL;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ULL;
    return h ^ (h >> 31);
}

/* All blocks of a trace in one array, and for each request that has some where they are, by seq. */
static int load_blocks(struct store *s, int64_t trace, struct arena *a, uint64_t **blocks,
                       struct prompt **prompts, size_t *prompts_n, struct err *err)
{
    sqlite3_stmt *st;
    size_t n = 0;
    int rc;

    *blocks = NULL;
    *prompts = NULL;
    *prompts_n = 0;
    TRY(sql_query(
        s, &st, err,
        "SELECT request, part, block FROM prompt_block WHERE trace_id = ? ORDER BY request, position", "i",
        trace));
    while ((rc = sql_step(s, st, err)) == 1) {
        int64_t seq = sqlite3_column_int64(st, 0);
        const char *part = (const char *)sqlite3_column_text(st, 1);

        *blocks = sql_grow(a, *blocks, n, sizeof **blocks);
        (*blocks)[n] = hash_block(part != NULL ? part : "", sqlite3_column_int64(st, 2));
        if (*prompts_n == 0 || (*prompts)[*prompts_n - 1].seq != seq) {
            *prompts = sql_grow(a, *prompts, *prompts_n, sizeof **prompts);
            (*prompts)[(*prompts_n)++] = (struct prompt){seq, n, 0};
        }
        (*prompts)[*prompts_n - 1].n++;
        n++;
    }
    sqlite3_finalize(st);
    return rc;
}

static const struct prompt *find_prompt(const struct prompt *prompts, size_t n, int64_t seq)
{
    size_t lo = 0, hi = n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (prompts[mid].seq < seq)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < n && prompts[lo].seq == seq ? &prompts[lo] : NULL;
}

static long count_of(sqlite3_stmt *st, int column)
{
    return sqlite3_column_type(st, column) == SQLITE_NULL ? -1 : (long)sqlite3_column_int64(st, column);
}

int request_load(struct store *s, int64_t trace, struct arena *a, struct request_row **rows, size_t *n,
                 struct err *err)
{
    struct prompt *prompts;
    size_t prompts_n;
    uint64_t *blocks;
    sqlite3_stmt *st;
    int rc;

    *rows = NULL;
    *n = 0;
    TRY(load_blocks(s, trace, a, &blocks, &prompts, &prompts_n, err));
    TRY(sql_query(s, &st, err,
                  "SELECT seq, arrival_s, input_tokens, output_tokens, class, session FROM request "
                  "WHERE trace_id = ? ORDER BY arrival_s, seq",
                  "i", trace));
    while ((rc = sql_step(s, st, err)) == 1) {
        const struct prompt *p = find_prompt(prompts, prompts_n, sqlite3_column_int64(st, 0));

        *rows = sql_grow(a, *rows, *n, sizeof **rows);
        (*rows)[(*n)++] = (struct request_row){.arrival_s = sql_real(st, 1),
                                               .input_tokens = count_of(st, 2),
                                               .output_tokens = count_of(st, 3),
                                               .class = sql_text(st, 4, a),
                                               .session = sql_text(st, 5, a),
                                               .blocks = p != NULL ? blocks + p->first : NULL,
                                               .blocks_n = p != NULL ? (long)p->n : 0};
    }
    sqlite3_finalize(st);
    return rc;
}

/* ------------------------------------------------------------ costs of operators */

int operator_cost_load(struct store *s, int64_t trace, struct arena *a, struct operator_cost **rows,
                       size_t *n, struct err *err)
{
    sqlite3_stmt *st;
    struct operator_cost last = {0};
    int64_t op = -1;
    int rc;

    *rows = NULL;
    *n = 0;
    TRY(sql_query(s, &st, err,
                  "SELECT o.id, o.hardware, o.model, o.devices, o.op, o.variant, c.tokens, c.batch, c.chunk, "
                  "c.context, c.bytes, c.time_s FROM cost_op o JOIN cost c ON c.cost_op_id = o.id "
                  "WHERE o.trace_id = ? ORDER BY o.id, c.seq",
                  "i", trace));
    while ((rc = sql_step(s, st, err)) == 1) {
        if (sqlite3_column_int64(st, 0) != op) { /* the names once for all rows of an operator */
            op = sqlite3_column_int64(st, 0);
            last = (struct operator_cost){.hardware = sql_text(st, 1, a),
                                          .model = sql_text(st, 2, a),
                                          .devices = sqlite3_column_int(st, 3),
                                          .op = sql_text(st, 4, a),
                                          .variant = sql_text(st, 5, a)};
        }
        last.tokens = sql_real(st, 6);
        last.batch = sql_real(st, 7);
        last.chunk = sql_real(st, 8);
        last.context = sql_real(st, 9);
        last.bytes = sql_real(st, 10);
        last.time_s = sql_real(st, 11);
        *rows = sql_grow(a, *rows, *n, sizeof **rows);
        (*rows)[(*n)++] = last;
    }
    sqlite3_finalize(st);
    return rc;
}
