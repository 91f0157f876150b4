#include "executor/columnar.h"

#include "base/text.h"
#include "executor/kernels/etl.h"
#include "small_plan.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>

enum { STRIPE = 200 }; /* 512 rows: the last stripe is shorter */

static struct dataset_cfg d;
static struct err err;
static char *folder, path[256];
static struct rawlog logs;
static struct etl_kernel kernel;
static struct columnar_writer *writer;
static struct columnar_reader *reader;
static struct stripe stripe;
static double table_bytes;

static void begin(void)
{
    double bytes;

    d = small_plan().data;
    d.rows = d.partition_rows;
    folder = small_folder();
    snprintf(path, sizeof path, "%s/a.table", folder);
    cr_assert_eq(rawlog_open(&d, folder, &logs, &err), 0, "%s", err.text);
    etl_kernel_init(&kernel, &d, d.partition_rows);
    cr_assert_eq(etl_parse(&kernel, &logs, 0, &bytes, &err), 0);
    cr_assert_eq(etl_join(&kernel, &err), 0);
    writer = columnar_writer_new(&d, d.partition_rows, STRIPE);
    reader = columnar_reader_new(&d, d.partition_rows, STRIPE);
    stripe_init(&stripe, &d, STRIPE);
}

static void end(void)
{
    columnar_writer_free(writer);
    columnar_reader_free(reader);
    stripe_fini(&stripe);
    etl_kernel_fini(&kernel);
    small_remove(folder);
}

TestSuite(columnar, .init = begin, .fini = end);

static const struct row_table *write_table(enum table_order order, enum codec codec)
{
    const struct row_table *t = etl_order(&kernel, order);
    bool direct = true;

    columnar_encode(writer, t, order);
    columnar_compress(writer, codec);
    cr_assert_eq(columnar_write(writer, path, &direct, &table_bytes, &err), 0, "%s", err.text);
    return t;
}

static int open_table(void)
{
    double requests, bytes;
    bool direct = true;

    return columnar_open(reader, path, &direct, &requests, &bytes, &err);
}

static int read_stripe(long i, const struct columnar_uses *uses, double *bytes)
{
    double requests, compressed, encoded, values;
    int rc = columnar_read(reader, i, uses, &requests, bytes, &err);

    rc = rc == 0 ? columnar_decompress(reader, &compressed, &encoded, &err) : rc;
    return rc == 0 ? columnar_decode(reader, &stripe, &values, &err) : rc;
}

static void expect_rows(const struct row_table *t, long from, const struct columnar_uses *uses)
{
    size_t list = (size_t)d.list_length;

    for (long i = 0; i < stripe.rows; i++) {
        size_t row = (size_t)(from + i);
        const uint64_t *ids = t->sparse_rows + row * t->values;

        cr_assert_eq(stripe.session[i], t->session[row]);
        cr_assert_eq(stripe.time_us[i], t->time_us[row]);
        cr_assert_eq(stripe.sample[i], t->sample[row]);
        cr_assert_eq(stripe.label[i], t->label[row]);
        for (long f = 0; f < d.dense_features; f++)
            cr_assert_eq(stripe_dense(&stripe, f)[i], t->dense_rows[row * t->dense + (size_t)f]);
        for (long f = 0; f < d.session_features + d.item_features; f++) {
            bool wanted = uses == NULL || f < uses->session_features ||
                          (f >= d.session_features && f < d.session_features + uses->item_features);

            if (wanted)
                cr_assert_eq(
                    memcmp(stripe_lists(&stripe, f) + (size_t)i * list, ids + (size_t)f * list, list * 8), 0);
        }
    }
}

Test(columnar, every_order_and_codec_reads_back_what_was_written)
{
    for (int order = 0; order < 2; order++)
        for (int codec = 0; codec < CODECS; codec++) {
            const struct row_table *t = write_table(order, codec);
            long rows = 0;
            double bytes;

            cr_assert_eq(open_table(), 0, "%s", err.text);
            cr_expect_eq(columnar_order(reader), (enum table_order)order);
            cr_expect_eq(columnar_codec(reader), (enum codec)codec);
            cr_assert_eq(columnar_stripes(reader), 3);
            for (long i = 0; i < 3; i++, rows += stripe.rows) {
                cr_assert_eq(read_stripe(i, NULL, &bytes), 0, "%s", err.text);
                expect_rows(t, rows, NULL);
            }
            cr_expect_eq(rows, d.partition_rows);
        }
}

Test(columnar, projection_reads_less_and_the_same)
{
    const struct columnar_uses uses = {.session_features = 2, .item_features = 1};
    const struct row_table *t = write_table(ORDER_TIME, CODEC_NONE);
    double all, some;

    cr_assert_eq(open_table(), 0, "%s", err.text);
    cr_assert_eq(read_stripe(1, NULL, &all), 0);
    memset(stripe.sparse_columns, 0, 10 * STRIPE * 5 * 8);
    cr_assert_eq(read_stripe(1, &uses, &some), 0, "%s", err.text);
    cr_expect_lt(some, 0.75 * all);
    expect_rows(t, STRIPE, &uses);
    cr_expect_eq(stripe_lists(&stripe, 3)[0], 0, "an unwanted column is not touched");
}

Test(columnar, clustering_by_session_helps_the_codecs)
{
    double time_bytes;

    columnar_encode(writer, etl_order(&kernel, ORDER_TIME), ORDER_TIME);
    time_bytes = columnar_compress(writer, CODEC_LZ4);
    columnar_encode(writer, etl_order(&kernel, ORDER_SESSION), ORDER_SESSION);
    cr_expect_lt(columnar_compress(writer, CODEC_LZ4), time_bytes);
    cr_expect_lt(columnar_compress(writer, CODEC_ZSTD), time_bytes);
}

static char *load(size_t *n)
{
    char *data;

    cr_assert_eq(text_read_file(path, &data, n, &err), 0);
    return data;
}

static void store(const char *data, size_t n)
{
    FILE *f = fopen(path, "wb");

    cr_assert_eq(fwrite(data, 1, n, f), n);
    fclose(f);
}

/* Either an error, or (a flipped bit of padding) exactly the right rows. */
static bool survives(const struct row_table *t)
{
    double bytes;

    if (open_table() != 0)
        return false;
    for (long i = 0; i < 3; i++) {
        if (read_stripe(i, NULL, &bytes) != 0)
            return false;
        expect_rows(t, i * STRIPE, NULL);
    }
    return true;
}

Test(columnar, any_flipped_bit_is_noticed)
{
    for (int codec = 0; codec < CODECS; codec++) {
        const struct row_table *t = write_table(ORDER_TIME, codec);
        size_t n, flips = 0, noticed = 0;
        char *data = load(&n);

        for (size_t i = 0; i < n; i += 211, flips++) {
            data[i] = (char)(data[i] ^ 1 << i % 8);
            store(data, n);
            noticed += !survives(t);
            data[i] = (char)(data[i] ^ 1 << i % 8);
        }
        cr_expect_gt(noticed, flips / 2, "codec %s: %zu of %zu", codec_names[codec], noticed, flips);
        free(data);
    }
}

Test(columnar, a_cut_off_or_foreign_file_is_an_error)
{
    const struct row_table *t = write_table(ORDER_TIME, CODEC_ZSTD);
    struct dataset_cfg other = d;
    size_t n;
    char *data = load(&n);

    for (size_t cut = 0; cut < n; cut += 1000) {
        store(data, cut);
        cr_assert(!survives(t), "cut at %zu", cut);
    }
    memset(data, 0, n);
    store(data, n);
    cr_expect(!survives(t));
    free(data);
    other.dense_features++;
    columnar_reader_free(reader);
    reader = columnar_reader_new(&other, d.partition_rows, STRIPE);
    write_table(ORDER_TIME, CODEC_ZSTD);
    cr_expect_eq(open_table(), ERR_IO);
    cr_expect(strstr(err.text, "columns") != NULL, "%s", err.text);
    unlink(path);
    cr_expect_lt(open_table(), 0);
    cr_expect(strstr(err.text, path) != NULL, "%s", err.text);
}
