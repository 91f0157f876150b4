#include "executor/kernels/etl.h"

#include "base/arena.h"
#include "executor/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 1 << 20, VARINT_MAX = 10 };

struct order_key {
    uint64_t session, time_us;
    long row;
};

void etl_kernel_init(struct etl_kernel *k, const struct dataset_cfg *d, long capacity)
{
    size_t n = (size_t)capacity;

    *k = (struct etl_kernel){.d = d, .capacity = capacity, .slots_n = 64};
    while (k->slots_n < 2 * n)
        k->slots_n *= 2;
    k->chunk = memory_new(CHUNK);
    k->labels = memory_new(n * sizeof *k->labels);
    k->slots = memory_new(k->slots_n * sizeof *k->slots);
    k->keys = memory_new(n * sizeof *k->keys);
    k->keys_other = memory_new(n * sizeof *k->keys_other);
    row_table_init(&k->parsed, d, capacity);
    row_table_init(&k->ordered, d, capacity);
}

void etl_kernel_fini(struct etl_kernel *k)
{
    free(k->chunk);
    free(k->labels);
    free(k->slots);
    free(k->keys);
    free(k->keys_other);
    row_table_fini(&k->parsed);
    row_table_fini(&k->ordered);
}

/* ------------------------------------------------------------------ reading a log in chunks */

struct source {
    int fd;
    const char *path;
    unsigned char *chunk;
    size_t at, end; /* what of the chunk is still to be parsed */
    double bytes;
};

static int source_open(struct source *s, const char *path, unsigned char *chunk, struct err *err)
{
    *s = (struct source){.path = path, .chunk = chunk};
    s->fd = open(path, O_RDONLY | O_CLOEXEC);
    return s->fd < 0 ? err_io(err, "open", path) : 0;
}

/* Sees to it that `want` bytes are there, or all that the file still has. */
static int source_fill(struct source *s, size_t want, struct err *err)
{
    if (s->end - s->at >= want)
        return 0;
    memmove(s->chunk, s->chunk + s->at, s->end - s->at);
    s->end -= s->at;
    s->at = 0;
    while (s->end < CHUNK) {
        ssize_t n = read(s->fd, s->chunk + s->end, CHUNK - s->end);

        if (n < 0)
            return err_io(err, "read", s->path);
        if (n == 0)
            return 0;
        s->end += (size_t)n;
        s->bytes += (double)n;
    }
    return 0;
}

static int source_magic(struct source *s, const char *magic, struct err *err)
{
    TRY(source_fill(s, RAWLOG_MAGIC, err));
    if (s->end - s->at < RAWLOG_MAGIC || memcmp(s->chunk + s->at, magic, RAWLOG_MAGIC) != 0)
        return err_set(err, ERR_IO, "%s: not a raw log (it should begin with \"%.7s\")", s->path, magic);
    s->at += RAWLOG_MAGIC;
    return 0;
}

/* One varint; NULL when it runs over `end` or is longer than 64 bits need. */
static inline const unsigned char *varint(const unsigned char *p, const unsigned char *end, uint64_t *out)
{
    uint64_t v = 0;

    for (int shift = 0; shift < 7 * VARINT_MAX && p < end; shift += 7) {
        uint64_t b = *p++;

        v |= (b & 0x7f) << shift;
        if (b < 0x80) {
            *out = v;
            return p;
        }
    }
    return NULL;
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

static int parse_features(struct etl_kernel *k, struct source *s, uint64_t first_sample, struct err *err)
{
    struct row_table *t = &k->parsed;
    size_t longest = (3 + t->values) * VARINT_MAX + t->dense * sizeof(float);
    struct cursor c = {0, first_sample};

    if (longest > CHUNK)
        return err_set(err, ERR_SCENARIO, "a row of %zu values is longer than the parser's buffer",
                       t->values);
    TRY(source_magic(s, rawlog_features_magic, err));
    for (t->rows = 0; t->rows < k->capacity; t->rows++) {
        const unsigned char *p;

        TRY(source_fill(s, longest, err));
        if (s->at == s->end)
            break;
        p = parse_row(t, t->rows, &c, s->chunk + s->at, s->chunk + s->end);
        if (p == NULL)
            return err_set(err, ERR_IO, "%s: row %ld is cut off or malformed", s->path, t->rows);
        s->at = (size_t)(p - s->chunk);
    }
    TRY(source_fill(s, 1, err));
    if (t->rows < k->capacity || s->at < s->end)
        return err_set(err, ERR_IO, "%s: holds %s than the %ld rows expected", s->path,
                       t->rows < k->capacity ? "fewer" : "more", k->capacity);
    return 0;
}

static int parse_labels(struct etl_kernel *k, struct source *s, struct err *err)
{
    TRY(source_magic(s, rawlog_labels_magic, err));
    for (k->labels_n = 0; k->labels_n < k->capacity; k->labels_n++) {
        struct label_entry *l = &k->labels[k->labels_n];
        const unsigned char *p, *end;

        TRY(source_fill(s, VARINT_MAX + 1, err));
        end = s->chunk + s->end;
        if (s->at == s->end)
            break;
        p = varint(s->chunk + s->at, end, &l->sample);
        if (p == NULL || p == end || *p > 1)
            return err_set(err, ERR_IO, "%s: label %ld is cut off or malformed", s->path, k->labels_n);
        l->label = (float)*p++;
        s->at = (size_t)(p - s->chunk);
    }
    return 0;
}

int etl_parse(struct etl_kernel *k, const struct rawlog *logs, long partition, double *bytes, struct err *err)
{
    char path[4000];
    struct source s;
    int rc;

    rawlog_path(logs, partition, "features", path, sizeof path);
    TRY(source_open(&s, path, k->chunk, err));
    rc = parse_features(k, &s, (uint64_t)(partition * logs->partition_rows), err);
    close(s.fd);
    *bytes = s.bytes;
    TRY(rc);
    rawlog_path(logs, partition, "labels", path, sizeof path);
    TRY(source_open(&s, path, k->chunk, err));
    rc = parse_labels(k, &s, err);
    close(s.fd);
    *bytes += s.bytes;
    return rc;
}

/* ------------------------------------------------------------------------------------- join */

static inline uint64_t scatter(uint64_t x)
{
    x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
    return x ^ x >> 33;
}

static struct label_entry *slot_of(struct etl_kernel *k, uint64_t sample)
{
    size_t i = scatter(sample) & (k->slots_n - 1);

    while (k->slots[i].sample != sample && k->slots[i].sample != UINT64_MAX)
        i = (i + 1) & (k->slots_n - 1);
    return &k->slots[i];
}

int etl_join(struct etl_kernel *k, struct err *err)
{
    struct row_table *t = &k->parsed;

    memset(k->slots, 0xff, k->slots_n * sizeof *k->slots);
    for (long i = 0; i < k->labels_n; i++)
        *slot_of(k, k->labels[i].sample) = k->labels[i];
    for (long i = 0; i < t->rows; i++) {
        const struct label_entry *l = slot_of(k, t->sample[i]);

        if (l->sample == UINT64_MAX)
            return err_set(err, ERR_IO, "raw logs: sample %llu has no label",
                           (unsigned long long)t->sample[i]);
        t->label[i] = l->label;
    }
    return 0;
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
