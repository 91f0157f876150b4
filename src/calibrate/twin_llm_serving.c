/*
 * twin_llm_serving.c - operators of a language model by their sizes, as a table that llm_serving reads.
 *
 * Medians of passes alone, each operator scaled by what it took in executions over what the table says of
 * the same sizes.  Rows of a layer are divided by the number of layers, so that the table holds for models
 * of the same width with more or fewer of them.
 */
#include "calibrate/cells.h"
#include "calibrate/twin.h"
#include "models/llm_cost.h"
#include "models/llm_serving.h"

#include <math.h>
#include <string.h>

enum llm_op { OP_EMBEDDING, OP_LAYER, OP_HEAD, OP_SCHEDULE, OP_PREFILL, OP_DECODE, OPS };

/* As models/llm_ops.c knows them. */
static const char *const names[OPS] = {"embedding",         "layer",           "lm_head", "schedule",
                                       "attention_prefill", "attention_decode"};

struct llm_state {
    struct cells alone[OPS], in_place[OPS];
};

static int op_of(const struct span *s)
{
    for (int i = 0; i < OPS; i++)
        if (strcmp(s->op, names[i]) == 0)
            return i;
    return -1;
}

static bool has_context(int op)
{
    return op == OP_PREFILL || op == OP_DECODE;
}

static void add(struct cells *cells, int op, const struct span *s)
{
    if (s->items > 0 && !(has_context(op) && isnan(s->bytes_in)))
        cells_add(&cells[op], s->items, has_context(op) ? s->bytes_in : NAN, s->cpu_s);
}

/* Of what the engine ran alone only its own time counts: its parts are mixtures of sizes. */
static void alone(void *state, const struct span *s)
{
    struct llm_state *l = state;
    int op = op_of(s);

    if (op >= 0 && (op == OP_SCHEDULE || s->variant[0] == '\0'))
        add(l->alone, op, s);
}

static void in_place(void *state, const struct span *s)
{
    struct llm_state *l = state;
    int op = op_of(s);

    if (op >= 0)
        add(l->in_place, op, s);
}

/* ------------------------------------------------------------------------------------ in place over alone */

static double told(struct llm_curve *curve, struct llm_grid *grid, const struct cell *c)
{
    bool outside = false;

    return isnan(c->y) ? llm_curve_at(curve, c->x, &outside) : llm_grid_at(grid, c->x, c->y, &outside);
}

/* CPU time of one operator in place, and what the table says of the same sizes. */
struct compared {
    double measured, predicted;
};

static double factor_of(const struct compared *c)
{
    return c->predicted > 0 ? c->measured / c->predicted : 1;
}

static struct compared compare(struct twin *t, struct cells *alone_, const struct cells *place)
{
    struct llm_curve curve = {0};
    struct llm_grid grid = {0};
    struct compared sum = {0};

    for (size_t i = 0; i < alone_->n; i++) {
        struct cell *c = &alone_->cell[i];

        llm_curve_add(isnan(c->y) ? &curve : llm_grid_row(&grid, c->x, t->a), isnan(c->y) ? c->x : c->y,
                      cell_median(c), t->a);
    }
    for (size_t i = 0; i < place->n && alone_->n > 0; i++) {
        sum.measured += cell_sum(&place->cell[i]);
        sum.predicted += (double)place->cell[i].n * told(&curve, &grid, &place->cell[i]);
    }
    return sum;
}

/* How differently operators behave in place and alone: a variant runs them in other shares. */
static void add_spread(struct twin *t, const struct compared *by_op)
{
    struct compared all = {0};

    for (int op = 0; op < OPS; op++) {
        all.measured += by_op[op].measured;
        all.predicted += by_op[op].predicted;
    }
    for (int op = 0; op < OPS; op++)
        if (by_op[op].predicted > 0) {
            double off = log(factor_of(&by_op[op]) / factor_of(&all));

            t->spread_sum += by_op[op].measured * off * off;
            t->spread_weight += by_op[op].measured;
        }
}

/* ------------------------------------------------------------------------------------------------ the rows
 */

static void push_size(struct json *row, double size)
{
    json_push(row, isnan(size) ? json_new_null() : json_new_number(size));
}

/* [op, tokens, batch, chunk, context, bytes, devices, time] */
static void push_row(struct json *list, int op, const struct cell *c, double seconds)
{
    struct json *row = json_push(list, json_new_array());
    bool by_sequence = op == OP_HEAD || op == OP_SCHEDULE || op == OP_DECODE;

    json_push(row, json_new_string(names[op]));
    push_size(row, op == OP_EMBEDDING || op == OP_LAYER ? c->x : NAN);
    push_size(row, by_sequence ? c->x : NAN);
    push_size(row, op == OP_PREFILL ? c->x : NAN);
    push_size(row, c->y);
    push_size(row, NAN);
    json_push(row, json_new_number(1));
    json_push(row, json_new_number(seconds));
}

static int rows(struct twin *t, const struct stage *stage, void *state, struct err *err)
{
    const struct llm_serving_cfg *c = stage->cfg;
    struct llm_state *l = state;
    struct json *ops, *list;
    double layers = json_get_number(c->model, "layers", 1);
    struct compared by_op[OPS];

    (void)err;
    if (l->alone[OP_LAYER].n == 0)
        return 0;
    ops = json_set_object(twin_params(t), arena_printf(t->a, "stages.%s.params.ops", stage->name));
    list = json_set_array(ops, "rows");
    for (int op = 0; op < OPS; op++)
        by_op[op] = compare(t, &l->alone[op], &l->in_place[op]);
    add_spread(t, by_op);
    for (int op = 0; op < OPS; op++) {
        double factor = factor_of(&by_op[op]);
        double share = op == OP_LAYER || has_context(op) ? factor / layers : factor;

        for (size_t i = 0; i < l->alone[op].n; i++)
            push_row(list, op, &l->alone[op].cell[i], share * cell_median(&l->alone[op].cell[i]));
        fitting_remark(&t->out, "note", "stage \"%s\": in place %s takes %.3f times what it takes alone",
                       stage->name, names[op], factor);
        cells_free(&l->alone[op]);
        cells_free(&l->in_place[op]);
    }
    return 0;
}

const struct twin_recipe twin_llm_serving = {.model = "llm_serving",
                                             .state_size = sizeof(struct llm_state),
                                             .alone = alone,
                                             .in_place = in_place,
                                             .rows = rows};
