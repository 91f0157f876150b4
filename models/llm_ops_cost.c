/*
 * llm_ops_cost.c - what an iteration costs, from the operators of a table.
 */
#include "models/llm_ops_parts.h"

#include <math.h>

/* A kernel works on whole tiles: where knots are close enough to show them, a size costs what the next does.
 */
static double tiled(const struct llm_curve *c, double x)
{
    enum { TILE = 16 };
    double gap;
    int i = 0;

    while (i < c->n && c->x[i] < x)
        i++;
    if (i == c->n || i == 0)
        return llm_curve_at(c, i == 0 ? fmax(x, c->x[0]) : x, &(bool){false});
    gap = c->x[i] - c->x[i - 1];
    return gap <= TILE && gap <= c->x[i] / 4 ? c->y[i] : llm_curve_at(c, x, &(bool){false});
}

static double last_knot(const struct reading *r, enum kind a, enum kind b)
{
    double last = INFINITY;

    for (int i = 0; i < LLM_KNOWN; i++)
        if ((llm_known[i].kind == a || llm_known[i].kind == b) && r->op[i].n > 0)
            last = fmin(last, r->op[i].x[r->op[i].n - 1]);
    for (int i = 0; a == PER_LAYER && i < PRODUCTS; i++)
        if (r->product[i].curve.n > 0)
            last = fmin(last, r->product[i].curve.x[r->product[i].curve.n - 1]);
    return last;
}

static double reduces_s(const struct reading *r, double tokens)
{
    const struct llm_measured *m = r->m;
    double bytes = m->shape == NULL ? 0 : tokens * (double)m->shape->hidden * 2;

    if (m->layout.tp <= 1 || m->shape == NULL)
        return 0;
    if (r->reduce.n > 0)
        return (2 * (double)m->shape->layers + 1) *
               llm_curve_at(&r->reduce, fmax(bytes, r->reduce.x[0]), &(bool){false});
    return llm_collectives_s(m->shape, m->hardware, &m->layout, tokens);
}

/* Beside the products a layer has two norms, a rotation, an activation and a write into the cache: they
 * read and write the stream of tokens about ten times over. */
static double small_kernels_s(const struct llm_measured *m, double tokens)
{
    const struct llm_hardware *h = m->hardware;

    return 5 * h->kernel_s + 10 * tokens * (double)m->shape->hidden * 2 / (h->memory_bw * h->bandwidth_frac);
}

static double linear_s(const struct reading *r, double tokens)
{
    double layers = r->m->shape == NULL ? 1 : (double)r->m->shape->layers, sum = reduces_s(r, tokens);
    double narrow = r->m->layout.weight_bytes / 2; /* products were measured with 16-bit weights */

    for (int i = 0; i < LLM_KNOWN; i++)
        if (r->op[i].n > 0 && (llm_known[i].kind == PER_LAYER || llm_known[i].kind == ONCE))
            sum +=
                (llm_known[i].kind == PER_LAYER ? layers : 1) * llm_known[i].times * tiled(&r->op[i], tokens);
    for (int i = 0; i < LM_HEAD; i++)
        if (r->product[i].curve.n > 0)
            sum += layers * narrow * r->product[i].scale * tiled(&r->product[i].curve, tokens);
    return r->product[0].curve.n > 0 ? sum + layers * small_kernels_s(r->m, tokens) : sum;
}

static double sequence_s(const struct reading *r, double sequences)
{
    const struct llm_measured *m = r->m;
    double sum = m->shape == NULL ? 0 : llm_logits_gather_s(m->shape, m->hardware, &m->layout, sequences);

    for (int i = 0; i < LLM_KNOWN; i++)
        if (r->op[i].n > 0 && llm_known[i].kind == PER_SEQUENCE)
            sum += llm_known[i].times * tiled(&r->op[i], sequences);
    if (r->product[LM_HEAD].curve.n > 0)
        sum += r->product[LM_HEAD].scale * tiled(&r->product[LM_HEAD].curve, sequences);
    return sum;
}

static struct llm_curve tabulate(const struct reading *r, double (*at)(const struct reading *, double),
                                 double most)
{
    long n = (long)most;
    struct llm_curve c = {.n = (int)n + 1,
                          .x = arena_array(r->a, (size_t)n + 1, sizeof(double)),
                          .y = arena_array(r->a, (size_t)n + 1, sizeof(double))};

    for (long i = 0; i <= n; i++) {
        c.x[i] = (double)i;
        c.y[i] = i == 0 ? 0 : at(r, (double)i);
    }
    return c;
}

static void all_layers(struct llm_grid *g, double layers)
{
    for (int i = 0; i < g->n; i++)
        for (int j = 0; j < g->row[i].n; j++)
            g->row[i].y[j] *= layers;
}

static const struct llm_curve *whole(const struct reading *r, enum kind kind)
{
    for (int i = 0; i < LLM_KNOWN; i++)
        if (llm_known[i].kind == kind)
            return &r->op[i];
    return NULL;
}

static void read_cpu(const struct reading *r)
{
    struct llm_curve sum = {0};

    for (int i = 0; i < LLM_KNOWN; i++)
        for (int j = 0; llm_known[i].kind == CPU && j < r->op[i].n; j++) {
            double n = r->op[i].x[j], s = 0;

            if (i > 0 && sum.n > 0 && sum.x[sum.n - 1] >= n)
                continue;
            for (int k = 0; k < LLM_KNOWN; k++)
                if (llm_known[k].kind == CPU && r->op[k].n > 0)
                    s += llm_curve_at(&r->op[k], n, &(bool){false});
            llm_curve_add(&sum, n, s, r->a);
        }
    if (sum.n < 2)
        return;
    r->m->cpu_sequence_s = fmax(0, (sum.y[sum.n - 1] - sum.y[0]) / (sum.x[sum.n - 1] - sum.x[0]));
    r->m->cpu_step_s = fmax(0, sum.y[0] - r->m->cpu_sequence_s * sum.x[0]);
}

/* Kernels of an iteration, where a table tells them apart: its operators, attention and the cache's write. */
static double kernels(const struct reading *r)
{
    double n = 2;

    for (int i = 0; i < LLM_KNOWN; i++)
        if (llm_known[i].kind == PER_LAYER && r->op[i].n > 0)
            n += llm_known[i].times;
    return n > 2 ? n * (double)r->m->shape->layers : 0;
}

int llm_ops_add_up(struct reading *r, struct llm_cost *out, const char *where, struct err *err)
{
    const struct llm_measured *m = r->m;
    double layers = m->shape == NULL ? 1 : (double)m->shape->layers;

    read_cpu(r);
    if (whole(r, WHOLE_PREFILL)->n > 0 && whole(r, WHOLE_DECODE)->n > 0) {
        out->is_whole = true;
        out->prompt = *whole(r, WHOLE_PREFILL);
        out->decode_step = *whole(r, WHOLE_DECODE);
        return 0;
    }
    if (m->shape == NULL)
        return err_set(err, ERR_SCENARIO, "%s: a table of layers needs `model`, the shape of the LLM", where);
    if (r->prefill.n == 0 || r->decode.n == 0)
        return err_set(err, ERR_SCENARIO,
                       "%s: the table holds no attention of this shape for prefill and decode", where);
    out->linear = tabulate(r, linear_s, fmin((double)m->most_tokens, last_knot(r, PER_LAYER, ONCE)));
    out->sequence = tabulate(r, sequence_s, fmin((double)m->most_sequences, last_knot(r, PER_SEQUENCE, CPU)));
    llm_uneven_curves(r, layers, out);
    all_layers(&r->prefill, layers);
    all_layers(&r->decode, layers);
    for (int i = 0; i < r->mixed_n; i++)
        all_layers(&r->mixed[i], layers);
    out->prefill = r->prefill;
    out->decode = r->decode;
    out->mixed = r->mixed;
    out->mixed_chunk = r->mixed_chunk;
    out->mixed_n = r->mixed_n;
    out->attention_fixed_s = r->prefill.row[0].y[0];
    out->straggler_s = m->straggler_s * layers;
    out->gaps_s = kernels(r) * m->hardware->kernel_gap_s;
    return 0;
}
