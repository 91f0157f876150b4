#include "models/llm_ops_parts.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct llm_known llm_known[] = {
    /* LLMServingSim */
    {"embedding", ONCE, 1},
    {"final_layernorm", ONCE, 1},
    {"layernorm", PER_LAYER, 2},
    {"qkv_proj", PER_LAYER, 1},
    {"qk_norm", PER_LAYER, 1},
    {"rotary_emb", PER_LAYER, 1},
    {"o_proj", PER_LAYER, 1},
    {"gate_up_proj", PER_LAYER, 1},
    {"act_fn", PER_LAYER, 1},
    {"down_proj", PER_LAYER, 1},
    {"lm_head", PER_SEQUENCE, 1},
    {"sampler", PER_SEQUENCE, 1},
    {"attention_prefill", PREFILL, 1},
    {"attention_decode", DECODE, 1},
    {"attention_mixed", MIXED, 1},
    {"attention_uneven", UNEVEN, 1},
    /* Vidur */
    {"emb", ONCE, 1},
    {"input_layernorm", PER_LAYER, 1},
    {"post_attention_layernorm", PER_LAYER, 1},
    {"attn_pre_proj", PER_LAYER, 1},
    {"attn_rope", PER_LAYER, 1},
    {"attn_kv_cache_save", PER_LAYER, 1},
    {"attn_post_proj", PER_LAYER, 1},
    {"mlp_up_proj", PER_LAYER, 1},
    {"mlp_act", PER_LAYER, 1},
    {"mlp_down_proj", PER_LAYER, 1},
    {"add", PER_LAYER, 2},
    {"attn_prefill", PREFILL, 1},
    {"attn_decode", DECODE, 1},
    {"attn_input_reshape", IGNORED, 0}, /* by another measure than tokens, and small */
    {"attn_output_reshape", IGNORED, 0},
    {"schedule", CPU, 1},
    {"prepare_inputs_e2e", CPU, 1},
    {"sampler_e2e", CPU, 1},
    {"process_model_outputs", CPU, 1},
    {"ray_comm_time", IGNORED, 0},
    {"sampler_launch", IGNORED, 0}, /* parts of what is counted above, or of the step itself */
    {"prepare_inputs_launch", IGNORED, 0},
    {"model_execution_launch", IGNORED, 0},
    {"model_execution_e2e", IGNORED, 0},
    {"all_reduce", REDUCE, 2},
    {"send_recv", IGNORED, 0},
    /* aiconfigurator */
    {"gemm", GEMM, 1},
    {"context_attention", PREFILL, 1},
    {"generation_attention", DECODE, 1},
    {"all_gather", IGNORED, 0},
    {"reduce_scatter", IGNORED, 0},
    {"alltoall", IGNORED, 0},
    /* our own: what a layer does to one token at a time; whole iterations */
    {"layer", PER_LAYER, 1},
    {"prefill", WHOLE_PREFILL, 1},
    {"decode", WHOLE_DECODE, 1},
};
_Static_assert(sizeof llm_known / sizeof *llm_known == LLM_KNOWN, "as many as llm_ops_parts.h says");

static const struct llm_known *find(const char *name)
{
    for (int i = 0; i < LLM_KNOWN; i++)
        if (strcmp(llm_known[i].name, name) == 0)
            return &llm_known[i];
    return NULL;
}

double llm_row_variant(const char *variant, const char *key)
{
    size_t n = strlen(key);

    for (const char *s = variant; s != NULL && *s != '\0';
         s = strchr(s, ',') == NULL ? NULL : strchr(s, ',') + 1)
        if (strncmp(s, key, n) == 0 && s[n] == '=')
            return strtod(s + n + 1, NULL);
    return NAN;
}

/* ------------------------------------------------------------ reading rows */

/* Attention kernels of aiconfigurator carry their shape; those of profiles were taken of this model. */
static bool fits_attention(const struct reading *r, const struct cost_row *row)
{
    double heads = llm_row_variant(row->variant, "num_heads"),
           kv = llm_row_variant(row->variant, "num_key_value_heads");
    const struct llm_shape *s = r->m->shape;
    double tp = (double)r->m->layout.tp;

    if (isnan(heads))
        return true;
    return heads == (double)s->heads / tp && (kv == 0 ? heads : kv) == fmax(1, (double)s->kv_heads / tp) &&
           strstr(row->variant,
                  r->m->layout.kv_bytes < 2 ? "kv_cache_dtype=fp8" : "kv_cache_dtype=bfloat16") != NULL;
}

static void add_product(struct reading *r, const struct cost_row *row)
{
    double n = llm_row_variant(row->variant, "n"), k = llm_row_variant(row->variant, "k");

    for (int i = 0; i < PRODUCTS; i++) {
        struct product *p = &r->product[i];
        double distance = fabs(log(n / p->n)) + fabs(log(k / p->k));

        if (!(distance <= p->distance))
            continue;
        if (distance < p->distance)
            p->curve = (struct llm_curve){0};
        p->distance = distance;
        p->scale = p->n * p->k / (n * k);
        llm_curve_add(&p->curve, row->tokens, row->time_s, r->a);
    }
}

static struct llm_grid *mixed_grid(struct reading *r, double chunk)
{
    int i = 0;

    while (i < r->mixed_n && r->mixed_chunk[i] < chunk)
        i++;
    if (i < r->mixed_n && r->mixed_chunk[i] == chunk)
        return &r->mixed[i];
    if (r->mixed_n % 32 == 0) {
        struct llm_grid *grids = arena_array(r->a, (size_t)r->mixed_n + 32, sizeof *grids);
        double *chunks = arena_array(r->a, (size_t)r->mixed_n + 32, sizeof *chunks);

        if (r->mixed_n > 0) {
            memcpy(grids, r->mixed, (size_t)r->mixed_n * sizeof *grids);
            memcpy(chunks, r->mixed_chunk, (size_t)r->mixed_n * sizeof *chunks);
        }
        r->mixed = grids;
        r->mixed_chunk = chunks;
    }
    memmove(r->mixed + i + 1, r->mixed + i, (size_t)(r->mixed_n - i) * sizeof *r->mixed);
    memmove(r->mixed_chunk + i + 1, r->mixed_chunk + i, (size_t)(r->mixed_n - i) * sizeof *r->mixed_chunk);
    r->mixed[i] = (struct llm_grid){0};
    r->mixed_chunk[i] = chunk;
    r->mixed_n++;
    return &r->mixed[i];
}

/*
 * What decodes add to a chunk: the mixed time less the chunk's own.  The two parts add up whatever the
 * chunk's context is (within 3 % in the tables at hand), so the chunk without context speaks for all.
 */
static void add_mixed(struct reading *r, const struct cost_row *row)
{
    double n = llm_row_variant(row->variant, "decodes"),
           context = llm_row_variant(row->variant, "decode_context");
    double alone;
    bool outside = false;

    if (isnan(n) || isnan(context) || row->context > 0)
        return;
    alone = llm_grid_at(&r->prefill, row->chunk, 0, &outside);
    llm_curve_add(llm_grid_row(mixed_grid(r, row->chunk), n, r->a), context, fmax(0, row->time_s - alone),
                  r->a);
}

/* Several prompts of one length in a kernel share it: a prompt's part is what it is charged. */
static void add_prefill(struct reading *r, const struct cost_row *row)
{
    double batch = isnan(row->batch) || row->batch < 1 ? 1 : row->batch;

    if (batch == 1 && row->chunk > 0)
        llm_curve_add(llm_grid_row(&r->prefill, row->chunk, r->a), isnan(row->context) ? 0 : row->context,
                      row->time_s, r->a);
}

static bool is_counted(const struct reading *r, const struct llm_known *k, const struct cost_row *row)
{
    bool by_shape = k->kind == GEMM || strncmp(row->variant, "attn_dtype", 10) == 0;

    if (k->kind == CPU || k->kind == WHOLE_PREFILL || k->kind == WHOLE_DECODE || by_shape)
        return true;
    return row->devices == r->m->layout.tp;
}

static void add_row(struct reading *r, const struct llm_known *k, const struct cost_row *row, bool mixed)
{
    if ((k->kind == MIXED) != mixed || k->kind == IGNORED || !is_counted(r, k, row))
        return;
    r->used++;
    switch (k->kind) {
    case PREFILL:
        if (fits_attention(r, row))
            add_prefill(r, row);
        break;
    case DECODE:
        if (fits_attention(r, row) && row->batch > 0)
            llm_curve_add(llm_grid_row(&r->decode, row->batch, r->a), row->context, row->time_s, r->a);
        break;
    case MIXED:
        add_mixed(r, row);
        break;
    case UNEVEN:
        llm_uneven_add(r, row);
        break;
    case REDUCE:
        llm_curve_add(&r->reduce, row->bytes, row->time_s, r->a);
        break;
    case GEMM:
        add_product(r, row);
        break;
    case PER_SEQUENCE:
    case CPU:
    case WHOLE_DECODE:
        llm_curve_add(&r->op[k - llm_known], row->batch > 0 ? row->batch : row->tokens, row->time_s, r->a);
        break;
    default:
        llm_curve_add(&r->op[k - llm_known], row->tokens, row->time_s, r->a);
    }
}

static int add_rows(struct reading *r, const struct cost_row *rows, size_t n, bool mixed, const char *where,
                    struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        const struct llm_known *k = find(rows[i].op);

        if (k == NULL)
            return err_set(err, ERR_SCENARIO,
                           "%s: operator \"%.60s\" of the table is not one this model knows", where,
                           rows[i].op);
        if (k->kind == GEMM && r->m->shape == NULL)
            return err_set(err, ERR_SCENARIO,
                           "%s: a table of matrix products needs `model`, the shape of the LLM", where);
        add_row(r, k, &rows[i], mixed);
    }
    return 0;
}

/* ------------------------------------------------------------ where rows come from */

/* "n=4096,k=4096": the ninth of a row, where there is one. */
static const char *row_variant(const struct json *row)
{
    const char *variant = json_size(row) > 8 ? json_string(json_at(row, 8)) : NULL;

    return variant != NULL ? variant : "";
}

static int preset_rows(const struct json *doc, const char *where, struct arena *a, struct cost_row **rows,
                       size_t *n, struct err *err)
{
    const struct json *list = json_get(doc, "rows");

    if (json_type(list) != JSON_ARRAY || json_size(list) == 0)
        return err_set(err, ERR_SCENARIO,
                       "%s: expected a document with \"rows\", a list of [op, tokens, batch, "
                       "chunk, context, bytes, devices, time]",
                       where);
    *rows = arena_array(a, json_size(list), sizeof **rows);
    *n = 0;
    JSON_EACH (v, list) {
        struct cost_row *row = &(*rows)[(*n)++];

        if (json_size(v) < 8 || json_size(v) > 9 || json_string(json_at(v, 0)) == NULL ||
            !(json_number(json_at(v, 7)) >= 0))
            return err_set(err, ERR_SCENARIO,
                           "%s.rows[%zu]: expected [op, tokens, batch, chunk, context, bytes, "
                           "devices, time] and perhaps a variant",
                           where, *n - 1);
        *row = (struct cost_row){.hardware = "",
                                 .model = "",
                                 .variant = row_variant(v),
                                 .op = json_string(json_at(v, 0)),
                                 .tokens = json_number(json_at(v, 1)),
                                 .batch = json_number(json_at(v, 2)),
                                 .chunk = json_number(json_at(v, 3)),
                                 .context = json_number(json_at(v, 4)),
                                 .bytes = json_number(json_at(v, 5)),
                                 .devices = (int)json_number(json_at(v, 6)),
                                 .time_s = json_number(json_at(v, 7))};
    }
    return 0;
}

/* Rows that stand in the scenario itself: {"rows": [...]}. */
static bool is_table(const struct json *v)
{
    return json_type(v) == JSON_OBJECT && json_get(v, "rows") != NULL;
}

static int look_up(const char *name, const char *where, const struct model_env *env, struct cost_row **rows,
                   size_t *n, struct err *err)
{
    const struct lookup *l = env->lookup;
    const struct json *doc;
    int rc;

    if (l == NULL)
        return err_set(err, ERR_SCENARIO, "%s: \"%s\" cannot be looked up here", where, name);
    if (strncmp(name, "trace:", 6) == 0) {
        rc = l->costs(l->ctx, name, env->arena, rows, n, err);
    } else {
        rc = l->document(l->ctx, name, env->arena, &doc, err);
        if (rc == 0)
            return preset_rows(doc, name, env->arena, rows, n, err);
    }
    return rc == 0 ? 0 : err_at(err, "%s", where);
}

struct table {
    struct cost_row *rows;
    size_t n;
};

/* Twice: what decodes add to a chunk needs the chunks alone. */
static int read_tables(struct reading *r, const struct model_env *env, const char *where, struct err *err)
{
    const struct json *ops = r->m->ops;
    size_t tables = json_type(ops) == JSON_ARRAY ? json_size(ops) : 1;
    struct table *t = arena_array(env->arena, tables, sizeof *t);

    for (size_t i = 0; i < tables; i++) {
        const struct json *v = json_type(ops) == JSON_ARRAY ? json_at(ops, i) : ops;
        const char *name = json_string(v);

        if (name == NULL && !is_table(v))
            return err_set(
                err, ERR_SCENARIO,
                "%s: expected the name of a table (\"trace:NAME\" or a preset), or {\"rows\": [...]}", where);
        TRY(name == NULL ? preset_rows(v, where, env->arena, &t[i].rows, &t[i].n, err)
                         : look_up(name, where, env, &t[i].rows, &t[i].n, err));
        TRY(add_rows(r, t[i].rows, t[i].n, false, where, err));
    }
    for (size_t i = 0; i < tables; i++)
        TRY(add_rows(r, t[i].rows, t[i].n, true, where, err));
    if (r->used == 0)
        return err_set(err, ERR_SCENARIO, "%s: no row of the table is for %ld devices (tp)", where,
                       r->m->layout.tp);
    return 0;
}

static void name_products(struct reading *r)
{
    const struct llm_shape *s = r->m->shape;
    double tp = (double)r->m->layout.tp, h, q, kv;

    if (s == NULL)
        return;
    h = (double)s->hidden;
    q = (double)(s->heads * s->head_dim) / tp;
    kv = fmax(1, (double)s->kv_heads / tp) * (double)s->head_dim;
    r->product[0] = (struct product){.n = q + 2 * kv, .k = h, .distance = INFINITY};
    r->product[1] = (struct product){.n = h, .k = q, .distance = INFINITY};
    r->product[2] = (struct product){.n = (s->gated ? 2 : 1) * (double)s->ffn / tp, .k = h, .distance = INFINITY};
    r->product[3] = (struct product){.n = h, .k = (double)s->ffn / tp, .distance = INFINITY};
    r->product[LM_HEAD] = (struct product){.n = (double)s->vocab / tp, .k = h, .distance = INFINITY};
}

/* ------------------------------------------------------------ written in the scenario */

static int inline_curve(const struct json *list, const char *where, struct arena *a, struct llm_curve *out,
                        struct err *err)
{
    int i = 0;

    if (json_type(list) != JSON_ARRAY || json_size(list) == 0)
        return err_set(err, ERR_SCENARIO, "%s: expected a list of [size, time], found %s", where,
                       list == NULL ? "nothing" : json_type_name(json_type(list)));
    JSON_EACH (v, list) {
        const char *here = arena_printf(a, "%s[%d]", where, i++);
        double x, y;

        if (json_type(v) != JSON_ARRAY || json_size(v) != 2)
            return err_set(err, ERR_SCENARIO, "%s: expected [size, time]", here);
        TRY(param_read_real(json_at(v, 0), UNIT_NONE, 1, 1e9, here, &x, err));
        TRY(param_read_real(json_at(v, 1), UNIT_S, 0, 1e6, here, &y, err));
        if (out->n > 0 && x <= out->x[out->n - 1])
            return err_set(err, ERR_SCENARIO, "%s: sizes must rise; %g follows %g", here, x,
                           out->x[out->n - 1]);
        llm_curve_add(out, x, y, a);
    }
    return 0;
}

static int inline_table(const struct json *ops, const char *where, struct arena *a, struct llm_cost *out,
                        struct err *err)
{
    static const char *const keys[] = {"prefill", "decode"};

    JSON_EACH (v, ops) {
        if (strcmp(json_key(v), "prefill") != 0 && strcmp(json_key(v), "decode") != 0)
            return err_set(err, ERR_SCENARIO, "%s: unknown key \"%.60s\"; did you mean \"%s\"?", where,
                           json_key(v), text_nearest(json_key(v), keys, 2));
    }
    out->is_whole = true;
    TRY(inline_curve(json_get(ops, "prefill"), arena_printf(a, "%s.prefill", where), a, &out->prompt, err));
    return inline_curve(json_get(ops, "decode"), arena_printf(a, "%s.decode", where), a, &out->decode_step,
                        err);
}

int llm_cost_measured(struct llm_measured *m, const struct model_env *env, struct llm_cost *out,
                      struct err *err)
{
    const char *where = arena_printf(env->arena, "%s.ops", env->where);
    struct reading *r;

    if (json_type(m->ops) == JSON_OBJECT && !is_table(m->ops))
        return inline_table(m->ops, where, env->arena, out, err);
    r = ARENA_NEW(env->arena, struct reading);
    r->m = m;
    r->a = env->arena;
    name_products(r);
    TRY(read_tables(r, env, where, err));
    return llm_ops_add_up(r, out, where, err);
}
