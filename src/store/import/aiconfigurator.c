/*
 * aiconfigurator.c - measured kernels of aiconfigurator: matrix products, attention, collectives.
 *
 * latency is in milliseconds, power in watts.  message_size of the collectives
 * counts elements, not bytes: read as bytes, the bus would carry half of what
 * the links give.  The rows of a matrix product (m) are the tokens.
 */
#include "store/import/csv.h"
#include "store/import/formats.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct columns {
    int op, device, latency, power, m, batch, isl, step, message, gpus, dtype;
    int shape[12], shapes; /* columns that go into the variant */
};

static int sniff(const struct import_head *h)
{
    return strncmp(h->text, "framework,version,device,op_name,kernel_source,", 47) == 0 ? 95 : 0;
}

/* 0 for a type we do not know. */
static double bytes_of(const char *dtype)
{
    static const struct {
        const char *name;
        double bytes;
    } known[] = {{"half", 2}, {"float16", 2}, {"bfloat16", 2}, {"int8", 1},
                 {"fp8", 1},  {"float", 4},   {"float32", 4}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, dtype) == 0)
            return known[i].bytes;
    return 0;
}

static int find_columns(struct csv *c, struct columns *k, struct err *err)
{
    static const char *const shape[] = {
        "gemm_dtype", "nccl_dtype", "allreduce_dtype",     "attn_dtype", "kv_cache_dtype", "n",
        "k",          "num_heads",  "num_key_value_heads", "head_dim",   "window_size",    "kernel_source"};

    TRY(csv_need(c, "op_name", &k->op, err));
    TRY(csv_need(c, "device", &k->device, err));
    TRY(csv_need(c, "latency", &k->latency, err));
    k->power = csv_column(c, "power");
    k->m = csv_column(c, "m");
    k->batch = csv_column(c, "batch_size");
    k->isl = csv_column(c, "isl");
    k->step = csv_column(c, "step");
    k->message = csv_column(c, "message_size");
    k->gpus = csv_column(c, "num_gpus");
    k->dtype = csv_column(c, "nccl_dtype");
    if (k->dtype < 0)
        k->dtype = csv_column(c, "allreduce_dtype");
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++)
        if (csv_column(c, shape[i]) >= 0)
            k->shape[k->shapes++] = csv_column(c, shape[i]);
    csv_ignore(c, "framework");
    csv_ignore(c, "version");
    csv_ignore(c, "beam_width");
    csv_ignore(c, "power_limit");
    csv_ignore(c, "backend");
    return csv_end_columns(c, err);
}

static void read_sizes(struct csv *c, const struct columns *k, struct import_cost *cost)
{
    double isl = csv_real(c, k->isl), step = csv_real(c, k->step);

    cost->batch = csv_real(c, k->batch);
    if (k->isl >= 0 && strcmp(cost->op, "generation_attention") == 0) {
        cost->context = isl + step;
        cost->tokens = cost->batch;
    } else if (k->isl >= 0) {
        cost->chunk = isl;
        cost->context = step;
        cost->tokens = cost->batch * isl;
    } else {
        cost->tokens = csv_real(c, k->m);
    }
    if (k->message >= 0)
        cost->bytes = csv_real(c, k->message) * bytes_of(csv_text(c, k->dtype));
}

static int store_row(struct csv *c, const struct columns *k, struct import_cost *cost, struct err *err)
{
    char variant[300];
    size_t n = 0;
    int rc;

    for (int i = 0; i < k->shapes && n < sizeof variant; i++)
        n += (size_t)snprintf(variant + n, sizeof variant - n, "%s%s=%s", i > 0 ? "," : "",
                              c->name[k->shape[i]], csv_text(c, k->shape[i]));
    cost->variant = variant;
    if (!csv_good(c, &rc, err))
        return rc;
    if (*cost->op == '\0' || !(cost->time_s >= 0))
        return import_bad(c->im, 0, "without op_name or latency", err);
    if (k->message >= 0 && !(cost->bytes > 0))
        return import_bad(c->im, 0, "a message without size, or of a data type whose size is not known", err);
    TRY(import_cost(c->im, cost, err));
    import_keep(c->im);
    return 0;
}

static int rows(struct csv *c, struct import *im, struct err *err)
{
    struct columns k = {0};
    const char *device = "";
    int rc;

    TRY(find_columns(c, &k, err));
    import_title(im, "%s-%s", import_folder(im, 2), import_base(im));
    while ((rc = csv_next(c, err)) > 0) {
        struct import_cost cost = IMPORT_COST_UNKNOWN;
        int64_t gpus = csv_count(c, k.gpus);

        device = csv_text(c, k.device);
        cost.hardware = strncmp(device, "NVIDIA ", 7) == 0 ? device + 7 : device;
        cost.op = csv_text(c, k.op);
        cost.devices = gpus == IMPORT_NONE ? 1 : gpus;
        cost.time_s = csv_real(c, k.latency) / 1e3;
        cost.power_w = csv_real(c, k.power);
        read_sizes(c, &k, &cost);
        TRY(store_row(c, &k, &cost, err));
    }
    return rc;
}

static int run(struct import *im, struct err *err)
{
    return csv_import(im, rows, err);
}

const struct importer aiconfigurator_importer = {
    .name = "aiconfigurator",
    .help = "aiconfigurator kernels (CSV): GEMM, attention, NCCL and engine collectives",
    .units = "latency in ms, power in W; message_size counts elements and is converted to bytes",
    .sniff = sniff,
    .run = run,
};
