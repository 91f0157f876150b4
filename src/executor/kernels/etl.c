#include "executor/kernels/etl.h"

#include "base/arena.h"
#include "executor/kernels/logfile.h"
#include "executor/memory.h"

#include <stdlib.h>
#include <string.h>

struct order_key {
    uint64_t session, time_us;
    long row;
};

void etl_kernel_init(struct etl_kernel *k, const struct dataset_cfg *d, long capacity)
{
    size_t n = (size_t)capacity;

    *k = (struct etl_kernel){.d = d, .capacity = capacity};
    labels_init(&k->labels, capacity);
    k->keys = memory_new(n * sizeof *k->keys);
    k->keys_other = memory_new(n * sizeof *k->keys_other);
    row_table_init(&k->parsed, d, capacity);
    row_table_init(&k->ordered, d, capacity);
}

void etl_kernel_fini(struct etl_kernel *k)
{
    labels_fini(&k->labels);
    free(k->keys);
    free(k->keys_other);
    row_table_fini(&k->parsed);
    row_table_fini(&k->ordered);
}

/* ------------------------------------------------------------------------------------ parse */

struct cursor {
    uint64_t time_us, sample;
};

static const unsigned char *parse_row(struct row_table *t, long row, struct cursor *c, const unsigned char *p,
                                      const unsigned char *end)
{
    uint64_t step, jump, *sparse = t->sparse_rows + (size_t)row * t->values;
    size_t dense_bytes = t->dense * sizeof(float);

    if ((p = varint(p, end, &step)) == NULL || (p = varint(p, end, &t->session[row])) == NULL ||
        (p = varint(p, end, &jump)) == NULL)
        return NULL;
    t->time_us[row] = c->time_us += step;
    t->sample[row] = c->sample += jump >> 1 ^ -(jump & 1);
    for (size_t i = 0; i < t->values; i++)
        if ((p = varint(p, end, &sparse[i])) == NULL)
            return NULL;
    if ((size_t)(end - p) < dense_bytes)
        return NULL;
    memcpy(t->dense_rows + (size_t)row * t->dense, p, dense_bytes);
    return p + dense_bytes;
}

static int parse_features(struct etl_kernel *k, struct logfile *s, uint64_t first_sample, struct err *err)
{
    struct row_table *t = &k->parsed;
    size_t longest = (3 + t->values) * VARINT_MAX + t->dense * sizeof(float);
    struct cursor c = {0, first_sample};

    if (longest > LOGFILE_CHUNK)
        return err_set(err, ERR_SCENARIO, "a row of %zu values is longer than the parser's buffer",
                       t->values);
    TRY(logfile_magic(s, rawlog_features_magic, err));
    for (t->rows = 0; t->rows < k->capacity; t->rows++) {
        const unsigned char *p;

        TRY(logfile_fill(s, longest, err));
        if (s->at == s->end)
            break;
        p = parse_row(t, t->rows, &c, s->chunk + s->at, s->chunk + s->end);
        if (p == NULL)
            return err_set(err, ERR_IO, "%s: row %ld is cut off or malformed", s->path, t->rows);
        s->at = (size_t)(p - s->chunk);
    }
    TRY(logfile_fill(s, 1, err));
    if (t->rows < k->capacity || s->at < s->end)
        return err_set(err, ERR_IO, "%s: holds %s than the %ld rows expected", s->path,
                       t->rows < k->capacity ? "fewer" : "more", k->capacity);
    return 0;
}

int etl_parse(struct etl_kernel *k, const struct rawlog *logs, long partition, double *bytes, struct err *err)
{
    char path[4000];
    struct logfile s;
    int rc;

    rawlog_path(logs, partition, "features", path, sizeof path);
    TRY(logfile_open(&s, path, k->labels.chunk, err));
    rc = parse_features(k, &s, (uint64_t)(partition * logs->partition_rows), err);
    logfile_close(&s);
    *bytes = s.bytes;
    TRY(rc);
    return labels_parse(&k->labels, logs, partition, "labels", bytes, err);
}

int etl_join(struct etl_kernel *k, struct err *err)
{
    labels_index(&k->labels);
    return labels_join(&k->labels, k->parsed.sample, k->parsed.label, k->parsed.rows, err);
}

/* ------------------------------------------------------------------------------------ order */

static bool comes_before(const struct order_key *a, const struct order_key *b)
{
    return a->session != b->session ? a->session < b->session : a->time_us < b->time_us;
}

/* Merge sort between the two arrays of keys, bottom up; stable, no memory of its own. */
static const struct order_key *sort_keys(struct order_key *from, struct order_key *to, size_t n)
{
    for (size_t width = 1; width < n; width *= 2) {
        struct order_key *swap = from;

        for (size_t low = 0; low < n; low += 2 * width) {
            size_t mid = low + width < n ? low + width : n, high = low + 2 * width < n ? low + 2 * width : n;
            size_t a = low, b = mid;

            for (size_t i = low; i < high; i++)
                to[i] = b == high || (a < mid && !comes_before(&from[b], &from[a])) ? from[a++] : from[b++];
        }
        from = to;
        to = swap;
    }
    return from;
}

const struct row_table *etl_order(struct etl_kernel *k, enum table_order order)
{
    const struct row_table *in = &k->parsed;
    struct row_table *out = &k->ordered;
    const struct order_key *keys;

    if (order == ORDER_TIME)
        return in;
    for (long i = 0; i < in->rows; i++)
        k->keys[i] = (struct order_key){in->session[i], in->time_us[i], i};
    keys = sort_keys(k->keys, k->keys_other, (size_t)in->rows);
    out->rows = in->rows;
    for (size_t i = 0; i < (size_t)in->rows; i++) {
        size_t from = (size_t)keys[i].row;

        out->session[i] = in->session[from];
        out->time_us[i] = in->time_us[from];
        out->sample[i] = in->sample[from];
        out->label[i] = in->label[from];
        memcpy(out->dense_rows + i * in->dense, in->dense_rows + from * in->dense, in->dense * sizeof(float));
        memcpy(out->sparse_rows + i * in->values, in->sparse_rows + from * in->values,
               in->values * sizeof(uint64_t));
    }
    return out;
}
