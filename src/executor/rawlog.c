#include "executor/rawlog.h"

#include "base/arena.h"
#include "base/text.h"
#include "engine/rng.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char rawlog_features_magic[] = "FSRAWF1\n", rawlog_labels_magic[] = "FSRAWL1\n";

/*
 * Ranks with P(k) ~ k^-q, k = 1..n, by rejection from the integral of x^-q
 * (Hoermann and Derflinger 1996): no table, so any vocabulary will do.
 */
struct zipf {
    double q, h_low, h_high, n;
};

static double zipf_integral(double q, double x)
{
    return fabs(1 - q) < 1e-9 ? log(x) : (pow(x, 1 - q) - 1) / (1 - q);
}

static double zipf_inverse(double q, double y)
{
    return fabs(1 - q) < 1e-9 ? exp(y) : pow(1 + y * (1 - q), 1 / (1 - q));
}

static struct zipf zipf_make(double q, long n)
{
    return (struct zipf){.q = q,
                         .n = (double)n,
                         .h_low = zipf_integral(q, 1.5) - 1,
                         .h_high = zipf_integral(q, (double)n + 0.5)};
}

static uint64_t zipf_draw(const struct zipf *z, struct rng *r)
{
    for (;;) {
        double u = z->h_low + rng_uniform(r) * (z->h_high - z->h_low);
        double k = fmin(z->n, fmax(1, floor(zipf_inverse(z->q, u) + 0.5)));

        if (u >= zipf_integral(z->q, k + 0.5) - pow(k, -z->q))
            return (uint64_t)k;
    }
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
    x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ x >> 33;
}

/* One active session: what its next sample repeats. */
struct slot {
    uint64_t id;
    long left; /* samples still to come */
    uint64_t *ids;
};

struct maker {
    const struct dataset_cfg *d;
    struct rng rng;
    struct zipf zipf;
    struct slot *slots;
    uint64_t *slot_ids, *item_ids;
    size_t session_values, item_values;
    uint64_t sessions, samples, last_time_us;
    unsigned char *labels; /* of one partition, by row */
    uint64_t *label_order;
};

static void put_varint(FILE *f, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        putc_unlocked((int)(v & 0x7f) | 0x80, f);
    putc_unlocked((int)v, f);
}

/* Ids look like the hashes that production logs carry: popularity is in how often they occur, not in their
 * bits. */
static void draw_ids(struct maker *m, uint64_t *ids, size_t n, size_t first_value)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t feature = (first_value + i) / (size_t)m->d->list_length;

        ids[i] = mix(zipf_draw(&m->zipf, &m->rng) << 16 | (feature & 0xffff)) >> (64 - RAWLOG_ID_BITS);
    }
}

static void slot_begin(struct maker *m, struct slot *s, long samples)
{
    s->id = mix(++m->sessions) >> 24;
    s->left = samples;
    draw_ids(m, s->ids, m->session_values, 0);
}

static void maker_init(struct maker *m, const struct dataset_cfg *d)
{
    *m = (struct maker){.d = d, .zipf = zipf_make(d->zipf, d->vocabulary)};
    rng_stream(&m->rng, (uint64_t)d->seed, 0, "executor.rawlog");
    m->session_values = (size_t)(d->session_features * d->list_length);
    m->item_values = (size_t)(d->item_features * d->list_length);
    m->slots = xcalloc((size_t)d->active_sessions, sizeof *m->slots);
    m->slot_ids = xcalloc((size_t)d->active_sessions * m->session_values + 1, sizeof *m->slot_ids);
    m->item_ids = xcalloc(m->item_values + 1, sizeof *m->item_ids);
    m->labels = xcalloc((size_t)d->partition_rows, 1);
    m->label_order = xcalloc((size_t)d->partition_rows, sizeof *m->label_order);
    for (long i = 0; i < d->active_sessions; i++) {
        struct slot *s = &m->slots[i];

        /* The log is cut out of the middle of traffic: each session is somewhere in its life. */
        s->ids = m->slot_ids + (size_t)i * m->session_values;
        slot_begin(m, s, 1 + (long)(rng_next(&m->rng) % (uint64_t)d->session_samples));
    }
}

static void maker_fini(struct maker *m)
{
    free(m->slots);
    free(m->slot_ids);
    free(m->item_ids);
    free(m->labels);
    free(m->label_order);
}

/* Labels lean on the row's first item id, so that there is something to learn. */
static unsigned char draw_label(struct maker *m, const struct slot *s)
{
    uint64_t first = m->item_values > 0 ? m->item_ids[0] : s->ids[0];
    double p = m->d->positive_frac * (mix(first) & 1 ? 1.5 : 0.5);

    return rng_uniform(&m->rng) < p;
}

static void write_row(struct maker *m, FILE *f, long row, uint64_t *last_sample)
{
    struct slot *s = &m->slots[rng_next(&m->rng) % (uint64_t)m->d->active_sessions];
    uint64_t step_us = 1 + (uint64_t)(100 * rng_exponential(&m->rng)), sample = m->samples++;
    int64_t jump = (int64_t)(sample - *last_sample);

    if (s->left == 0)
        slot_begin(m, s, m->d->session_samples);
    else if (rng_uniform(&m->rng) >= m->d->repeat_prob)
        draw_ids(m, s->ids, m->session_values, 0);
    s->left--;
    draw_ids(m, m->item_ids, m->item_values, m->session_values);
    *last_sample = sample;
    put_varint(f, step_us);
    put_varint(f, s->id);
    put_varint(f, (uint64_t)jump << 1 ^ (uint64_t)(jump >> 63));
    for (size_t i = 0; i < m->session_values; i++)
        put_varint(f, s->ids[i]);
    for (size_t i = 0; i < m->item_values; i++)
        put_varint(f, m->item_ids[i]);
    for (long i = 0; i < m->d->dense_features; i++) {
        float x = (float)floor(exp(1.5 + 1.2 * rng_normal(&m->rng))); /* counts: how often, how many */

        fwrite(&x, sizeof x, 1, f);
    }
    m->labels[row] = draw_label(m, s);
}

static void write_labels(struct maker *m, FILE *f, uint64_t first_sample)
{
    uint64_t n = (uint64_t)m->d->partition_rows;

    for (uint64_t i = 0; i < n; i++)
        m->label_order[i] = i;
    for (uint64_t i = n - 1; i > 0; i--) {
        uint64_t k = rng_next(&m->rng) % (i + 1), t = m->label_order[i];

        m->label_order[i] = m->label_order[k];
        m->label_order[k] = t;
    }
    for (uint64_t i = 0; i < n; i++) {
        put_varint(f, first_sample + m->label_order[i]);
        putc_unlocked(m->labels[m->label_order[i]], f);
    }
}

static FILE *create(const struct rawlog *r, long partition, const char *kind, const char *magic, char *path,
                    size_t size)
{
    FILE *f;

    rawlog_path(r, partition, kind, path, size);
    f = fopen(path, "wb");
    if (f != NULL)
        fwrite(magic, 1, RAWLOG_MAGIC, f);
    return f;
}

static int finish(FILE *f, const char *path, struct err *err)
{
    bool bad = ferror(f) != 0;

    if (fclose(f) != 0 || bad)
        return err_io(err, "write", path);
    return 0;
}

static int write_partition(struct maker *m, const struct rawlog *r, long partition, struct err *err)
{
    char path[4000];
    uint64_t first_sample = m->samples, last_sample = m->samples;
    FILE *f = create(r, partition, "features", rawlog_features_magic, path, sizeof path);

    if (f == NULL)
        return err_io(err, "create", path);
    for (long row = 0; row < m->d->partition_rows; row++)
        write_row(m, f, row, &last_sample);
    TRY(finish(f, path, err));
    f = create(r, partition, "labels", rawlog_labels_magic, path, sizeof path);
    if (f == NULL)
        return err_io(err, "create", path);
    write_labels(m, f, first_sample);
    return finish(f, path, err);
}

void rawlog_path(const struct rawlog *r, long partition, const char *kind, char *buf, size_t size)
{
    snprintf(buf, size, "%s/%05ld.%s", r->folder, partition, kind);
}

/* What the logs depend on, and nothing else: which features a job uses does not change them. */
static void describe(const struct dataset_cfg *d, char *buf, size_t size)
{
    snprintf(buf, size,
             "rawlog 1 rows %ld partition %ld session %ld repeat %.17g active %ld features %ld %ld list %ld "
             "dense %ld "
             "vocabulary %ld zipf %.17g positive %.17g seed %ld\n",
             d->rows, d->partition_rows, d->session_samples, d->repeat_prob, d->active_sessions,
             d->session_features, d->item_features, d->list_length, d->dense_features, d->vocabulary, d->zipf,
             d->positive_frac, d->seed);
}

static int make_folder(const char *path, struct err *err)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return err_io(err, "create the folder", path);
    return 0;
}

static int measure(struct rawlog *r, struct err *err)
{
    static const char *const kinds[] = {"features", "labels"};
    char path[4000];
    struct stat st;

    r->bytes = 0;
    for (long p = 0; p < r->partitions; p++)
        for (int k = 0; k < 2; k++) {
            rawlog_path(r, p, kinds[k], path, sizeof path);
            if (stat(path, &st) != 0)
                return err_io(err, "find", path);
            r->bytes += (double)st.st_size;
        }
    return 0;
}

static int write_all(const struct dataset_cfg *d, const struct rawlog *r, struct err *err)
{
    struct maker m;
    int rc = 0;

    maker_init(&m, d);
    for (long p = 0; p < r->partitions && rc == 0; p++)
        rc = write_partition(&m, r, p, err);
    maker_fini(&m);
    return rc;
}

int rawlog_open(const struct dataset_cfg *d, const char *folder, struct rawlog *out, struct err *err)
{
    char text[800], hash[65], done[4000];
    struct err ignored = {0};

    describe(d, text, sizeof text);
    text_sha256(text, strlen(text), hash);
    *out = (struct rawlog){.partitions = d->rows / d->partition_rows, .partition_rows = d->partition_rows};
    if ((size_t)snprintf(out->folder, sizeof out->folder, "%s/raw-%.16s", folder, hash) >= sizeof out->folder)
        return err_set(err, ERR_IO, "%s: the name of the folder is too long", folder);
    snprintf(done, sizeof done, "%s/complete", out->folder);
    if (access(done, R_OK) == 0 && measure(out, &ignored) == 0)
        return 0;
    TRY(make_folder(folder, err));
    TRY(make_folder(out->folder, err));
    TRY(write_all(d, out, err));
    TRY(text_write_file(done, text, strlen(text), err)); /* last: a folder without it is made again */
    return measure(out, err);
}

/* Another label for every sample, drawn by itself and logged in an order of its own. */
static int write_relabels(const struct dataset_cfg *d, const struct rawlog *r, long partition,
                          struct err *err)
{
    uint64_t n = (uint64_t)d->partition_rows;
    struct maker m = {.d = d, .labels = xcalloc(n, 1), .label_order = xcalloc(n, sizeof *m.label_order)};
    char path[4000];
    FILE *f = create(r, partition, RAWLOG_RELABELS, rawlog_labels_magic, path, sizeof path);

    rng_keyed(&m.rng, (uint64_t)d->seed, 0, (uint64_t)partition, 0, rng_hash("executor.relabels"));
    for (uint64_t i = 0; i < n; i++)
        m.labels[i] = rng_uniform(&m.rng) < d->positive_frac;
    if (f != NULL)
        write_labels(&m, f, (uint64_t)partition * n);
    free(m.labels);
    free(m.label_order);
    return f != NULL ? finish(f, path, err) : err_io(err, "create", path);
}

int rawlog_relabel(const struct dataset_cfg *d, const struct rawlog *r, struct err *err)
{
    char done[4000];

    snprintf(done, sizeof done, "%s/relabelled", r->folder);
    if (access(done, R_OK) == 0)
        return 0;
    for (long p = 0; p < r->partitions; p++)
        TRY(write_relabels(d, r, p, err));
    return text_write_file(done, "", 0, err);
}

static int warm_file(const char *path, char *buf, size_t size, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 0;

    if (fd < 0)
        return err_io(err, "open", path);
    do
        n = read(fd, buf, size);
    while (n > 0);
    close(fd);
    return n < 0 ? err_io(err, "read", path) : 0;
}

int rawlog_warm(const struct rawlog *r, struct err *err)
{
    static const char *const kinds[] = {"features", "labels", RAWLOG_RELABELS};
    enum { CHUNK = 1 << 20 };
    char path[4000], *buf = xmalloc(CHUNK);
    int rc = 0;

    for (long p = 0; p < r->partitions && rc == 0; p++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds && rc == 0; k++) {
            rawlog_path(r, p, kinds[k], path, sizeof path);
            if (k < 2 || access(path, R_OK) == 0)
                rc = warm_file(path, buf, CHUNK, err);
        }
    free(buf);
    return rc;
}
