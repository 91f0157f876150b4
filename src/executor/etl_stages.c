#include "executor/etl_path.h"

#include "base/arena.h"
#include "executor/columnar_layout.h"
#include "executor/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int etl_setup_init(struct etl_setup *s, const struct etl_plan *plan, struct err *err)
{
    *s = (struct etl_setup){.plan = plan};
    if (plan->label.workers < 1)
        return err_set(err, ERR_SCENARIO, "the executor cannot run this: a stage has no workers");
    return setup_tables(&s->tables, &plan->tables, err);
}

void etl_variant(const struct etl_setup *s, enum etl_stage_id stage, char *buf, size_t size)
{
    const struct label_cfg *l = &s->plan->label;
    const char *how =
        l->layout == LABEL_FULL_COPY ? label_layout_names[l->layout] : label_align_names[l->align];
    char tables[64];

    setup_variant(&s->tables, stage == ETL_STAGE_READ ? REC_STORAGE : REC_ETL, tables, sizeof tables);
    if (stage == ETL_STAGE_TABLE)
        snprintf(buf, size, "%s", tables);
    else
        snprintf(buf, size, "%s/%s", tables, how);
}

/* ------------------------------------------------------------------------------------ label */

void label_worker_init(struct label_worker *w, const struct etl_setup *s, struct span_buf *spans)
{
    const struct dataset_cfg *d = &s->tables.plan.data;
    long rows = d->partition_rows, stripe = s->tables.plan.etl.stripe_rows;

    *w = (struct label_worker){.setup = s, .spans = spans};
    labels_init(&w->labels, rows);
    w->reader = columnar_reader_new(d, rows, stripe);
    w->writer = columnar_writer_new(d, rows, stripe);
    w->delta = delta_writer_new(rows, stripe);
    stripe_init(&w->stripe, d, stripe);
    w->column = memory_new((size_t)rows * sizeof *w->column);
    w->keys = memory_new((size_t)rows * sizeof *w->keys);
}

void label_worker_fini(struct label_worker *w)
{
    labels_fini(&w->labels);
    columnar_reader_free(w->reader);
    columnar_writer_free(w->writer);
    delta_writer_free(w->delta);
    stripe_fini(&w->stripe);
    free(w->column);
    free(w->keys);
}

static void end(struct label_worker *w, int op, int64_t item, double items, double bytes_in, double bytes_out)
{
    span_end(w->spans, label_op_names[op], item, items, bytes_in, bytes_out);
}

static int parse_and_index(struct label_worker *w, long partition, bool index, struct err *err)
{
    double bytes = 0;

    span_begin(w->spans);
    TRY(labels_parse(&w->labels, &w->setup->tables.logs, partition, RAWLOG_RELABELS, &bytes, err));
    end(w, LABEL_PARSE, partition, (double)w->labels.n, bytes, NAN);
    if (!index)
        return 0;
    span_begin(w->spans);
    labels_index(&w->labels);
    end(w, LABEL_INDEX, partition, (double)w->labels.n, NAN, NAN);
    return 0;
}

static int open_table(struct label_worker *w, long partition, const char *table, bool *direct,
                      struct err *err)
{
    double requests, bytes;

    span_begin(w->spans);
    TRY(columnar_open(w->reader, table, direct, &requests, &bytes, err));
    end(w, LABEL_OPEN, partition, requests, bytes, bytes);
    w->read_bytes += bytes;
    return 0;
}

/* Reads the streams wanted of one stripe and decodes them into w->stripe. */
static int take_stripe(struct label_worker *w, long partition, long stripe, const struct columnar_uses *uses,
                       struct err *err)
{
    int codec = (int)columnar_codec(w->reader);
    double requests, bytes, compressed, encoded, values;

    span_begin(w->spans);
    TRY(columnar_read(w->reader, stripe, uses, &requests, &bytes, err));
    end(w, LABEL_READ, partition, requests, bytes, bytes);
    w->read_bytes += bytes;
    span_begin(w->spans);
    TRY(columnar_decompress(w->reader, &compressed, &encoded, err));
    if (uses == NULL) {
        end(w, LABEL_DECOMPRESS_NONE + codec, partition, NAN, compressed, encoded);
        span_begin(w->spans);
    }
    TRY(columnar_decode(w->reader, &w->stripe, &values, err));
    if (uses == NULL)
        end(w, LABEL_DECODE, partition, values, encoded, encoded);
    else
        end(w, LABEL_KEYS_NONE + codec, partition, (double)w->stripe.rows, compressed, encoded);
    return 0;
}

static int join(struct label_worker *w, long partition, float *to, struct err *err)
{
    span_begin(w->spans);
    TRY(labels_join(&w->labels, w->stripe.sample, to, w->stripe.rows, err));
    end(w, LABEL_JOIN, partition, (double)w->stripe.rows, NAN, NAN);
    return 0;
}

static int full_copy(struct label_worker *w, long partition, const char *table, const char *out, bool *direct,
                     double *bytes, struct err *err)
{
    const struct dataset_cfg *d = &w->setup->tables.plan.data;
    double values =
        dataset_session_values(d, false) + dataset_item_values(d, false) + (double)d->dense_features;
    double encoded = 0, compressed, one;
    int codec;

    TRY(parse_and_index(w, partition, true, err));
    TRY(open_table(w, partition, table, direct, err));
    codec = (int)columnar_codec(w->reader);
    for (long i = 0; i < columnar_stripes(w->reader); i++) {
        TRY(take_stripe(w, partition, i, NULL, err));
        TRY(join(w, partition, w->stripe.label, err));
        span_begin(w->spans);
        encoded += one = columnar_encode_stripe(w->writer, i, &w->stripe, columnar_order(w->reader));
        end(w, LABEL_ENCODE, partition, (double)w->stripe.rows * values, one, one);
    }
    span_begin(w->spans);
    compressed = columnar_compress(w->writer, (enum codec)codec);
    end(w, LABEL_COMPRESS_NONE + codec, partition, NAN, encoded, compressed);
    span_begin(w->spans);
    TRY(columnar_write(w->writer, out, direct, bytes, err));
    end(w, LABEL_WRITE, partition, NAN, *bytes, *bytes);
    return 0;
}

/* The labels in the order of the table's rows, a block a stripe. */
static int delta_by_position(struct label_worker *w, long partition, const char *table, bool *direct,
                             struct err *err)
{
    static const struct columnar_uses keys = {.only_keys = true};
    long rows = 0, stripe_rows = w->setup->tables.plan.etl.stripe_rows;
    double compressed = 0;
    int codec;

    TRY(parse_and_index(w, partition, true, err));
    TRY(open_table(w, partition, table, direct, err));
    codec = (int)columnar_codec(w->reader);
    for (long i = 0; i < columnar_stripes(w->reader); i++) {
        TRY(take_stripe(w, partition, i, &keys, err));
        TRY(join(w, partition, w->column + rows, err));
        rows += w->stripe.rows;
    }
    span_begin(w->spans);
    delta_begin(w->delta, LABEL_BY_POSITION, (enum codec)codec);
    for (long at = 0; at < rows; at += stripe_rows)
        compressed += delta_add(w->delta, w->column + at,
                                (size_t)(rows - at < stripe_rows ? rows - at : stripe_rows) * LABEL_BYTES);
    end(w, LABEL_COLUMN_NONE + codec, partition, (double)rows, (double)rows * LABEL_BYTES, compressed);
    return 0;
}

/* Sample ids and labels as the log has them; the table is not looked at. */
static int delta_by_key(struct label_worker *w, long partition, struct err *err)
{
    int codec = w->setup->tables.plan.etl.codec;
    size_t n;
    double compressed;

    TRY(parse_and_index(w, partition, false, err));
    n = (size_t)w->labels.n;
    span_begin(w->spans);
    delta_begin(w->delta, LABEL_BY_KEY, (enum codec)codec);
    for (size_t i = 0; i < n; i++)
        w->keys[i] = w->labels.entries[i].sample;
    compressed = delta_add(w->delta, w->keys, n * KEY_BYTES);
    end(w, LABEL_KEY_COLUMN_NONE + codec, partition, (double)n, (double)n * KEY_BYTES, compressed);
    span_begin(w->spans);
    for (size_t i = 0; i < n; i++)
        w->column[i] = w->labels.entries[i].label;
    compressed = delta_add(w->delta, w->column, n * LABEL_BYTES);
    end(w, LABEL_COLUMN_NONE + codec, partition, (double)n, (double)n * LABEL_BYTES, compressed);
    return 0;
}

int label_worker_run(struct label_worker *w, long partition, const char *table, const char *out, bool *direct,
                     double *bytes, struct err *err)
{
    const struct label_cfg *c = &w->setup->plan->label;

    if (c->layout == LABEL_FULL_COPY)
        return full_copy(w, partition, table, out, direct, bytes, err);
    if (c->align == LABEL_BY_POSITION)
        TRY(delta_by_position(w, partition, table, direct, err));
    else
        TRY(delta_by_key(w, partition, err));
    span_begin(w->spans);
    TRY(delta_write(w->delta, out, direct, bytes, err));
    end(w, LABEL_WRITE, partition, NAN, *bytes, *bytes);
    return 0;
}

/* ------------------------------------------------------------------------------------- jobs */

void job_worker_init(struct job_worker *w, const struct etl_setup *s, struct span_buf *spans)
{
    const struct rec_plan *p = &s->tables.plan;

    *w = (struct job_worker){.setup = s};
    storage_worker_init(&w->storage, &s->tables, spans);
    w->delta = delta_reader_new(p->data.partition_rows, p->etl.stripe_rows);
}

void job_worker_fini(struct job_worker *w)
{
    storage_worker_fini(&w->storage);
    delta_reader_free(w->delta);
}

int job_worker_open(struct job_worker *w, const char *table, const char *delta, int64_t item, bool *direct,
                    struct err *err)
{
    struct span_buf *spans = w->storage.spans;
    double bytes;
    int op;

    TRY(storage_worker_open(&w->storage, table, item, direct, err));
    w->merges = delta != NULL;
    if (!w->merges)
        return 0;
    span_begin(spans);
    TRY(delta_read(w->delta, delta, direct, &bytes, err));
    TRY(delta_unpack(w->delta, err));
    op = delta_align(w->delta) == LABEL_BY_KEY ? STORAGE_DELTA_KEY : STORAGE_DELTA_POSITION;
    span_end(spans, storage_op_names[op], item, (double)w->setup->tables.plan.data.partition_rows, bytes,
             bytes);
    w->delta_bytes += bytes;
    return 0;
}

static uint64_t mix(uint64_t sum, const void *data, size_t n)
{
    return (sum ^ columnar_checksum(data, n)) * UINT64_C(0x9e3779b97f4a7c15);
}

uint64_t stripe_digest(const struct stripe *s, const struct columnar_uses *uses)
{
    size_t n = (size_t)s->rows, list = n * (size_t)s->list_length * sizeof(uint64_t);
    uint64_t sum = s->sequence + 1;

    sum = mix(sum, s->session, n * sizeof *s->session);
    sum = mix(sum, s->time_us, n * sizeof *s->time_us);
    sum = mix(sum, s->sample, n * sizeof *s->sample);
    sum = mix(sum, s->label, n * sizeof *s->label);
    for (long i = 0; i < s->dense; i++)
        sum = mix(sum, stripe_dense(s, i), n * sizeof(float));
    for (long i = 0; i < uses->session_features; i++)
        sum = mix(sum, stripe_lists(s, i), list);
    for (long i = 0; i < uses->item_features; i++)
        sum = mix(sum, stripe_lists(s, s->session_features + i), list);
    return sum;
}

int job_worker_run(struct job_worker *w, long stripe, struct stripe *out, struct err *err)
{
    struct span_buf *spans = w->storage.spans;
    int op = delta_align(w->delta) == LABEL_BY_KEY ? STORAGE_MERGE_KEY : STORAGE_MERGE_POSITION;

    TRY(storage_worker_run(&w->storage, stripe, out, err));
    if (w->merges) {
        span_begin(spans);
        TRY(delta_merge(w->delta, stripe, out, err));
        span_end(spans, storage_op_names[op], (int64_t)out->sequence, (double)out->rows, NAN, NAN);
    }
    if (w->setup->plan->digest)
        w->digest += stripe_digest(out, &w->setup->tables.uses);
    return 0;
}
