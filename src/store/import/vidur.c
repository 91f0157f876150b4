/*
 * vidur.c - operator profiles of Vidur: linear layers, attention, collectives, CPU overheads.
 *
 * All times are in milliseconds; a column time_stats.OP.mean is one operator.
 * Means are kept, with the standard deviation beside them.  Message sizes are
 * in bytes; collectives have one row per rank.  The hardware stands in the path.
 */
#include "store/import/csv.h"
#include "store/import/formats.h"

#include "base/arena.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { OPS_MAX = 64 };

struct op {
    const char *name;
    int mean, sd; /* columns */
};

struct table {
    struct op op[OPS_MAX];
    int ops;
    int tokens, devices, workers, batch, chunk, context, bytes;
    int shape[12]; /* columns that go into the variant */
    int shapes;
    const char *hardware, *model;
};

static int sniff(const struct import_head *h)
{
    const char *end = strchr(h->text, '\n'), *stats = strstr(h->text, "time_stats.");

    if (strncmp(h->text, ",schedule_mean,", 15) == 0)
        return 90;
    return stats != NULL && end != NULL && stats < end ? 90 : 0;
}

/* "time_stats.attn_decode.mean" -> "attn_decode"; NULL for other columns. */
static const char *op_of(struct import *im, const char *column, const char *end)
{
    size_t n = strlen(column), e = strlen(end), skip = strncmp(column, "time_stats.", 11) == 0 ? 11 : 0;

    if (n <= skip + e || strcmp(column + n - e, end) != 0)
        return NULL;
    return arena_printf(import_arena(im), "%.*s", (int)(n - e - skip), column + skip);
}

static void find_ops(struct csv *c, struct table *t)
{
    for (int i = 0; i < c->columns && t->ops < OPS_MAX; i++) {
        const char *name = op_of(c->im, c->name[i], ".mean");

        if (name == NULL)
            name = op_of(c->im, c->name[i], "_mean");
        if (name == NULL)
            continue;
        t->op[t->ops].name = name;
        t->op[t->ops].mean = csv_column(c, c->name[i]);
        t->op[t->ops++].sd = csv_column(c, arena_printf(import_arena(c->im), "time_stats.%s.std", name));
    }
    for (int i = 0; i < c->columns; i++) /* other statistics of the same operators */
        if (strncmp(c->name[i], "time_stats.", 11) == 0 || op_of(c->im, c->name[i], "_median") != NULL)
            csv_column(c, c->name[i]);
}

static void find_columns(struct csv *c, struct table *t)
{
    static const char *const shape[] = {
        "n_head",     "n_q_head",      "n_kv_head",        "n_embd", "n_expanded_embd",
        "vocab_size", "use_gated_mlp", "devices_per_node", "rank",   "attention_backend",
        "block_size"};

    t->tokens = csv_column(c, "num_tokens");
    t->devices = csv_column(c, "num_tensor_parallel_workers");
    if (t->devices < 0)
        t->devices = csv_column(c, "tensor_parallel_degree");
    t->workers = csv_column(c, "num_workers");
    t->batch = csv_column(c, "batch_size");
    t->chunk = csv_column(c, "prefill_chunk_size");
    t->context = csv_column(c, "kv_cache_size");
    t->bytes = csv_column(c, "size");
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++)
        if (csv_column(c, shape[i]) >= 0)
            t->shape[t->shapes++] = csv_column(c, shape[i]);
    csv_ignore(c, "is_prefill");
    csv_ignore(c, "");
    csv_ignore(c, "Unnamed: 0");
    csv_ignore(c, "collective");
    csv_ignore(c, "max_devices_per_node");
    csv_ignore(c, "max_model_len");
    csv_ignore(c, "profile_method");
}

/* compute/GPU/ORG/MODEL/mlp.csv, network/NODE/all_reduce.csv, GPU_attention.csv */
static void read_path(struct import *im, struct table *t)
{
    const char *base = import_base(im);
    size_t prefix = strcspn(base, "_");

    t->hardware = t->model = "";
    if (t->tokens >= 0) {
        t->hardware = import_folder(im, 3);
        t->model = import_folder(im, 1);
        import_title(im, "%s-%s-%s", t->hardware, t->model, base);
    } else if (t->bytes >= 0) {
        t->hardware = import_folder(im, 1);
        import_title(im, "%s-%s", t->hardware, base);
    } else if (base[prefix] == '_') {
        t->hardware = arena_printf(import_arena(im), "%.*s", (int)prefix, base);
    }
}

static void variant(struct csv *c, const struct table *t, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    for (int i = 0; i < t->shapes && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%s=%s", i > 0 ? "," : "", c->name[t->shape[i]],
                              csv_text(c, t->shape[i]));
}

static int store_row(struct csv *c, const struct table *t, const struct import_cost *common, struct err *err)
{
    bool any = false;

    for (int i = 0; i < t->ops; i++) {
        struct import_cost cost = *common;

        cost.op = t->op[i].name;
        cost.time_s = csv_real(c, t->op[i].mean) / 1e3;
        cost.time_sd_s = csv_real(c, t->op[i].sd) / 1e3;
        if (c->bad == 0 && cost.time_s >= 0) {
            TRY(import_cost(c->im, &cost, err));
            any = true;
        }
    }
    if (any)
        import_keep(c->im);
    else
        TRY(import_bad(c->im, 0, "without a time", err));
    return 0;
}

static int rows(struct csv *c, struct import *im, struct err *err)
{
    struct table t = {0};
    int model, rc;

    find_ops(c, &t);
    find_columns(c, &t);
    model = csv_column(c, "model_name");
    TRY(csv_end_columns(c, err));
    if (t.ops == 0)
        return import_refuse(im, 1, 0, err, "no column time_stats.OPERATOR.mean");
    read_path(im, &t);
    while ((rc = csv_next(c, err)) > 0) {
        struct import_cost cost = IMPORT_COST_UNKNOWN;
        int64_t devices = csv_count(c, t.bytes >= 0 ? t.workers : t.devices);
        char text[400];

        cost.hardware = t.hardware;
        cost.model = model >= 0 ? csv_text(c, model) : t.model;
        cost.devices = devices == IMPORT_NONE ? 1 : devices;
        cost.tokens = csv_real(c, t.tokens);
        cost.batch = csv_real(c, t.batch);
        cost.chunk = csv_real(c, t.chunk);
        cost.context = csv_real(c, t.context);
        cost.bytes = csv_real(c, t.bytes);
        variant(c, &t, text, sizeof text);
        cost.variant = text;
        for (int i = 0; i < t.ops; i++) /* so that a row is stored as a whole or not at all */
            csv_real(c, t.op[i].mean);
        if (csv_good(c, &rc, err))
            TRY(store_row(c, &t, &cost, err));
        TRY(rc);
    }
    return rc;
}

static int run(struct import *im, struct err *err)
{
    return csv_import(im, rows, err);
}

const struct importer vidur_importer = {
    .name = "vidur",
    .help = "Vidur profile (CSV): linear layers, attention, collectives, CPU overheads",
    .units = "times in ms; message size in bytes; hardware and model from the path",
    .sniff = sniff,
    .run = run,
};
