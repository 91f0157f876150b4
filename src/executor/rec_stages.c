#include "executor/rec_stages.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------------------------ setup */

static int need(bool holds, const char *what, struct err *err)
{
    return holds ? 0 : err_set(err, ERR_SCENARIO, "the executor cannot run this: %s", what);
}

static void default_chain(struct setup *s)
{
    const struct preprocess_cfg *p = &s->plan.prep;

    if (p->dedup)
        s->chain[s->chain_n++] = PREP_DEDUP;
    s->chain[s->chain_n++] = p->fuse ? PREP_FUSED_SPARSE : PREP_HASH;
    if (!p->fuse)
        s->chain[s->chain_n++] = PREP_CROSS;
    s->chain[s->chain_n++] = p->fuse ? PREP_FUSED_DENSE : PREP_CLIP;
    if (!p->fuse)
        s->chain[s->chain_n++] = PREP_BUCKETIZE;
    s->chain[s->chain_n++] = PREP_FILTER;
}

static int position(const struct setup *s, int op)
{
    int i = 0;

    while (i < s->chain_n && s->chain[i] != op)
        i++;
    return i;
}

/* Every column a batch needs is computed, from something that is there by then. */
static int check_chain(const struct setup *s, struct err *err)
{
    int n = s->chain_n, hash = position(s, PREP_HASH), cross = position(s, PREP_CROSS);
    int sparse = position(s, PREP_FUSED_SPARSE), dense = position(s, PREP_FUSED_DENSE),
        dedup = position(s, PREP_DEDUP);
    int first = sparse < hash ? sparse : hash;

    TRY(need(sparse < n || (hash < n && cross < n && hash < cross), "the chain lacks hash, or cross after it",
             err));
    TRY(need(dense < n || (position(s, PREP_CLIP) < n && position(s, PREP_BUCKETIZE) < n),
             "the chain lacks clip or bucketize", err));
    TRY(need(position(s, PREP_FILTER) < n, "the chain lacks a filter", err));
    TRY(need(dedup == n || dedup < first, "dedup stands after the operators it should save work for", err));
    return need((dedup < n) == s->plan.prep.dedup, "the chain and `dedup` disagree", err);
}

static int check_job(const struct rec_plan *p, struct err *err)
{
    const struct dataset_cfg *d = &p->data;

    TRY(need(p->prep.workers > 0, "a stage has no workers", err));
    TRY(need(p->train.workers == 1, "training has one worker on this machine", err));
    TRY(need(p->train.device == TRAIN_ON_CORES, "it has no GPUs to train on", err));
    TRY(need(!p->prep.send, "send describes machines that it does not have", err));
    TRY(need(p->train.table_rows > 0 && p->train.table_rows < UINT32_MAX, "table_rows must be below 2^32",
             err));
    TRY(need(p->prep.crosses == 0 || d->used_session_features > 0, "crosses need a used session feature",
             err));
    for (int i = 0; i < REC_STAGES - 1; i++)
        TRY(need(p->buffers[i] > 0, "a buffer between stages has no room", err));
    return need(d->used_session_features + d->used_item_features + d->dense_features > 0,
                "the job uses no features", err);
}

static int check_tables(const struct rec_plan *p, struct err *err)
{
    const struct dataset_cfg *d = &p->data;

    TRY(dataset_check(d, "$.workload", err));
    TRY(need(d->partition_rows % p->etl.stripe_rows == 0, "stripe_rows does not divide partition_rows", err));
    TRY(need(p->etl.workers > 0 && p->storage.workers > 0, "a stage has no workers", err));
    TRY(need(p->storage.layout == LAYOUT_PLAIN && !p->etl.store_once && !p->storage.send,
             "layout, store_once and send describe machines that it does not have", err));
    return need(p->etl.stripe_rows * d->list_length < 1L << 27, "a column of a stripe is larger than 1 GiB",
                err);
}

int setup_tables(struct setup *s, const struct rec_plan *plan, struct err *err)
{
    const struct dataset_cfg *d = &plan->data;

    TRY(check_tables(plan, err));
    *s = (struct setup){.plan = *plan};
    s->uses = (struct columnar_uses){.session_features = d->used_session_features,
                                     .item_features = d->used_item_features};
    s->partitions = d->rows / d->partition_rows;
    s->stripes = d->partition_rows / plan->etl.stripe_rows;
    return 0;
}

int setup_init(struct setup *s, const struct rec_plan *plan, struct err *err)
{
    const struct dataset_cfg *d = &plan->data;

    TRY(setup_tables(s, plan, err));
    TRY(check_job(plan, err));
    s->shape = batch_shape_of(d, &plan->prep);
    s->slices = preprocess_slices(&plan->prep, d, (double)plan->etl.stripe_rows);
    if (s->slices > plan->etl.stripe_rows)
        s->slices = plan->etl.stripe_rows;
    s->slice_rows = (plan->etl.stripe_rows + s->slices - 1) / s->slices;
    if (plan->prep.chain_n == 0)
        default_chain(s);
    for (int i = 0; i < plan->prep.chain_n; i++)
        if (plan->prep.chain[i] != PREP_COLLATE)
            s->chain[s->chain_n++] = plan->prep.chain[i];
    return check_chain(s, err);
}

void setup_variant(const struct setup *s, enum rec_stage_id stage, char *buf, size_t size)
{
    const struct rec_plan *p = &s->plan;
    const char *codec = codec_names[p->etl.codec], *order = table_order_names[p->etl.order];
    const char *batch = p->prep.dedup ? "dedup" : "plain";

    switch (stage) {
    case REC_ETL:
        snprintf(buf, size, "%s/%s", codec, order);
        break;
    case REC_STORAGE:
        snprintf(buf, size, "%s/%s%s", codec, order, p->storage.projection ? "/used" : "");
        break;
    case REC_PREP:
        snprintf(buf, size, "%s/%s%s%s", batch, order, p->prep.fuse ? "/fused" : "",
                 s->chain[0] == PREP_FILTER ? "/filter_first" : "");
        break;
    default:
        snprintf(buf, size, "%s/%s", batch, order);
    }
}

/* -------------------------------------------------------------------------------------- ETL */

void etl_worker_init(struct etl_worker *w, const struct setup *s, struct span_buf *spans)
{
    const struct dataset_cfg *d = &s->plan.data;

    *w = (struct etl_worker){.setup = s, .spans = spans};
    etl_kernel_init(&w->kernel, d, d->partition_rows);
    w->writer = columnar_writer_new(d, d->partition_rows, s->plan.etl.stripe_rows);
}

void etl_worker_fini(struct etl_worker *w)
{
    etl_kernel_fini(&w->kernel);
    columnar_writer_free(w->writer);
}

int etl_worker_run(struct etl_worker *w, long partition, const char *path, bool *direct, double *bytes,
                   struct err *err)
{
    const struct etl_cfg *c = &w->setup->plan.etl;
    const struct row_table *table;
    enum etl_op order_op = c->order == ORDER_TIME ? ETL_ORDER_TIME : ETL_ORDER_SESSION;
    double rows, raw, encoded, compressed, row_bytes = dataset_row_bytes(&w->setup->plan.data, false);
    double values = (double)(w->kernel.parsed.values + w->kernel.parsed.dense);

    span_begin(w->spans);
    TRY(etl_parse(&w->kernel, &w->setup->logs, partition, &raw, err));
    rows = (double)w->kernel.parsed.rows;
    span_end(w->spans, etl_op_names[ETL_PARSE], partition, rows, raw, rows * row_bytes);

    span_begin(w->spans);
    TRY(etl_join(&w->kernel, err));
    span_end(w->spans, etl_op_names[ETL_JOIN], partition, rows, NAN, NAN);

    span_begin(w->spans);
    table = etl_order(&w->kernel, c->order);
    span_end(w->spans, etl_op_names[order_op], partition, rows, rows * row_bytes, rows * row_bytes);

    span_begin(w->spans);
    encoded = columnar_encode(w->writer, table, c->order);
    span_end(w->spans, etl_op_names[ETL_ENCODE], partition, rows * values, encoded, encoded);

    span_begin(w->spans);
    compressed = columnar_compress(w->writer, c->codec);
    span_end(w->spans, etl_op_names[ETL_COMPRESS_NONE + c->codec], partition, NAN, encoded, compressed);

    span_begin(w->spans);
    TRY(columnar_write(w->writer, path, direct, bytes, err));
    span_end(w->spans, etl_op_names[ETL_WRITE], partition, NAN, *bytes, *bytes);
    return 0;
}

/* ---------------------------------------------------------------------------------- storage */

void storage_worker_init(struct storage_worker *w, const struct setup *s, struct span_buf *spans)
{
    *w = (struct storage_worker){.setup = s, .spans = spans};
    w->reader = columnar_reader_new(&s->plan.data, s->plan.data.partition_rows, s->plan.etl.stripe_rows);
}

void storage_worker_fini(struct storage_worker *w)
{
    columnar_reader_free(w->reader);
}

int storage_worker_open(struct storage_worker *w, const char *path, int64_t item, bool *direct,
                        struct err *err)
{
    double requests, bytes;

    span_begin(w->spans);
    TRY(columnar_open(w->reader, path, direct, &requests, &bytes, err));
    span_end(w->spans, storage_op_names[STORAGE_OPEN], item, requests, bytes, bytes);
    w->read_bytes += bytes;
    return 0;
}

int storage_worker_run(struct storage_worker *w, long stripe, struct stripe *out, struct err *err)
{
    const struct columnar_uses *uses = w->setup->plan.storage.projection ? &w->setup->uses : NULL;
    int64_t item = (int64_t)out->sequence;
    double requests, bytes, compressed, encoded, values;

    span_begin(w->spans);
    TRY(columnar_read(w->reader, stripe, uses, &requests, &bytes, err));
    span_end(w->spans, storage_op_names[STORAGE_READ], item, requests, bytes, bytes);

    span_begin(w->spans);
    TRY(columnar_decompress(w->reader, &compressed, &encoded, err));
    span_end(w->spans, storage_op_names[STORAGE_DECOMPRESS_NONE + (int)columnar_codec(w->reader)], item, NAN,
             compressed, encoded);

    span_begin(w->spans);
    TRY(columnar_decode(w->reader, out, &values, err));
    span_end(w->spans, storage_op_names[STORAGE_DECODE], item, values, encoded, encoded);
    w->read_bytes += bytes;
    w->decoded_bytes += encoded;
    return 0;
}

/* ------------------------------------------------------------------------------- preprocess */

void prep_worker_init(struct prep_worker *w, const struct setup *s, struct span_buf *spans)
{
    *w = (struct prep_worker){.setup = s, .spans = spans};
    prep_kernel_init(&w->kernel, &s->shape, s->slice_rows, s->plan.data.keep_frac, s->plan.train.table_rows);
}

void prep_worker_fini(struct prep_worker *w)
{
    prep_kernel_fini(&w->kernel);
}

void prep_worker_run(struct prep_worker *w, const struct stripe *stripe, long slice, struct batch *out)
{
    const struct setup *s = w->setup;
    long from = stripe->rows * slice / s->slices, to = stripe->rows * (slice + 1) / s->slices;
    int64_t item = (int64_t)out->sequence;
    double items, cross_bytes;

    prep_begin(&w->kernel, stripe, from, to - from);
    for (int i = 0; i < s->chain_n; i++) {
        span_begin(w->spans);
        items = prep_run(&w->kernel, s->chain[i]);
        cross_bytes = (double)(w->kernel.units_n * s->shape.crosses) * sizeof *out->cross_ids;
        span_end(w->spans, prep_op_names[s->chain[i]], item, items,
                 s->chain[i] == PREP_FUSED_SPARSE ? cross_bytes : NAN, NAN);
    }
    span_begin(w->spans);
    items = prep_collate(&w->kernel, out);
    span_end(w->spans, prep_op_names[PREP_COLLATE], item, items, out->bytes, out->bytes);
    w->batch_bytes += out->bytes;
}

struct batch *prep_worker_hit(struct prep_worker *w, struct batch *store, uint64_t n, uint64_t sequence)
{
    struct batch *b;

    span_begin(w->spans);
    b = &store[sequence % n];
    span_end(w->spans, prep_op_names[PREP_CACHE_HIT], (int64_t)sequence, (double)b->rows, NAN, b->bytes);
    return b;
}

/* --------------------------------------------------------------------------------- training */

void train_worker_init(struct train_worker *w, const struct setup *s, struct span_buf *spans)
{
    w->spans = spans;
    w->trainer = trainer_new(&s->plan.train, &s->shape, s->slice_rows, s->plan.seed);
}

void train_worker_fini(struct train_worker *w)
{
    trainer_free(w->trainer);
}

/* Expanding goes both ways; each way counts half of the items, so that their costs add up to the step's. */
static void run_expand(struct train_worker *w, const struct batch *b,
                       double (*expand)(struct trainer *, const struct batch *))
{
    double items;

    if (!b->dedup)
        return;
    span_begin(w->spans);
    items = expand(w->trainer, b);
    span_end(w->spans, train_op_names[TRAIN_EXPAND], (int64_t)b->sequence, items / 2, NAN, NAN);
}

double train_worker_run(struct train_worker *w, const struct batch *b)
{
    int64_t item = (int64_t)b->sequence;
    double items, loss;

    if (b->rows == 0)
        return NAN;
    span_begin(w->spans);
    items = trainer_embed(w->trainer, b);
    span_end(w->spans, train_op_names[TRAIN_EMBED], item, items, NAN, NAN);
    run_expand(w, b, trainer_expand);
    span_begin(w->spans);
    items = trainer_mlp(w->trainer, b, &loss);
    span_end(w->spans, train_op_names[TRAIN_MLP], item, items, NAN, NAN);
    run_expand(w, b, trainer_expand_back);
    span_begin(w->spans);
    items = trainer_scatter(w->trainer, b);
    span_end(w->spans, train_op_names[TRAIN_SCATTER], item, items, NAN, NAN);
    return loss;
}
