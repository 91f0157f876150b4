/*
 * training.c - what one optimizer step costs.
 *
 *   values = groups * session values + rows * item values + groups * crosses
 *   step   = embed(values) + expand(rows * session features) + mlp(rows) + scatter(values)
 *
 * groups is the number of rows, or of distinct session groups when the batch is
 * deduplicated; expand exists only then.  How many crosses a group carries comes
 * with the batch (item.crosses).  Trainers are independent of each other here: what synchronizing them costs
 * is in their costs, or in model gpu_training.
 */
#include "models/training.h"

#include "models/model.h"

const char *const train_op_names[] = {"embed", "expand", "mlp", "scatter", NULL};
const char *const training_device_names[] = {"cores", "gpus", NULL};

#define T struct training_cfg
static const struct param params[] = {
    INT(T, workers, "1", 1, 1e6, "Trainers: steps worked on at a time"),
    CHOICE(T, device, "cores", training_device_names,
           "What a step keeps busy: a core, or one of the gpus, which may stand for a trainer of several"),
    INT(T, embedding_dim, "32", 1, 4096, "Width of an embedding vector"),
    INT(T, table_rows, "50000", 2, 1e9, "Rows of every embedding table"),
    INT(T, hidden, "128", 1, 65536, "Width of the two hidden layers"),
    REAL(T, learning_rate, UNIT_NONE, "0.05", 0, 10, "Step size of SGD"),
    COSTS(T, costs, train_op_names, "Cost of each operator on one core, or on one of the gpus"),
    PARAMS_END};
#undef T

static const char *const roles[] = {NULL}; /* cpu or gpu, as the device says */
static const struct op_info ops[] = {
    {"embed", "values", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"expand", "rows x session features", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"mlp", "rows", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {"scatter", "values", NULL, COUNT_DEFAULT, COUNT_DEFAULT},
    {NULL, NULL, NULL, COUNT_DEFAULT, COUNT_DEFAULT}};

static void shape(const void *cfg, struct shape *out)
{
    *out = (struct shape){
        .workers = ((const struct training_cfg *)cfg)->workers, .prefetch = -1, .queue_limit = -1};
}

static void demand(const void *cfg, const struct item *in, const struct luck *luck, struct demand *out,
                   struct item *leave)
{
    const struct training_cfg *c = cfg;
    const struct dataset_cfg *d = in->data;
    double groups = in->distinct > 0 ? in->distinct : in->rows;
    double values =
        groups * (dataset_session_values(d, true) + in->crosses) + in->rows * dataset_item_values(d, true);

    (void)leave;
    demand_cost(out, TRAIN_EMBED, &c->costs[TRAIN_EMBED], values, 0, in, luck);
    if (in->distinct > 0)
        demand_cost(out, TRAIN_EXPAND, &c->costs[TRAIN_EXPAND], in->rows * (double)d->used_session_features,
                    0, in, luck);
    demand_cost(out, TRAIN_MLP, &c->costs[TRAIN_MLP], in->rows, 0, in, luck);
    demand_cost(out, TRAIN_SCATTER, &c->costs[TRAIN_SCATTER], values, 0, in, luck);
    for (int i = 0; c->device == TRAIN_ON_GPUS && i < out->n; i++)
        out->phases[i].role = ROLE_GPU;
}

const struct model training_model = {
    .name = "training",
    .title = "Training step",
    .about = "One optimizer step of an embedding and MLP recommendation model.",
    .cfg_size = sizeof(struct training_cfg),
    .params = params,
    .roles = roles,
    .ops = ops,
    .kernel = "training",
    .needs_dataset = true,
    .shape = shape,
    .demand = demand,
};
