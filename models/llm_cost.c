#include "models/llm_cost.h"

#include <math.h>
#include <string.h>

/* ------------------------------------------------------------ curves and grids */

static int below(const double *x, int n,
                 double at) /* the last x[i] <= at with a right neighbour; 0 at least */
{
    int lo = 0, hi = n - 1;

    while (hi - lo > 1) {
        int mid = (lo + hi) / 2;

        if (x[mid] <= at)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

double llm_curve_at(const struct llm_curve *c, double x, bool *outside)
{
    int i;

    if (c->n == 0)
        return 0;
    if (x > c->x[c->n - 1] || x < c->x[0])
        *outside = true;
    if (c->n == 1)
        return c->y[0];
    i = below(c->x, c->n, x);
    return fmax(0, c->y[i] + (c->y[i + 1] - c->y[i]) * (x - c->x[i]) / (c->x[i + 1] - c->x[i]));
}

double llm_grid_at(const struct llm_grid *g, double x, double y, bool *outside)
{
    double lo, hi;
    int i;

    if (g->n == 0)
        return 0;
    if (x > g->x[g->n - 1])
        *outside = true;
    if (g->n == 1 || x <= g->x[0]) /* smaller than the smallest: no cheaper */
        return llm_curve_at(&g->row[0], y, outside);
    i = below(g->x, g->n, x);
    lo = llm_curve_at(&g->row[i], y, outside);
    if (x == g->x[i])
        return lo;
    hi = llm_curve_at(&g->row[i + 1], y, outside);
    return fmax(0, lo + (hi - lo) * (x - g->x[i]) / (g->x[i + 1] - g->x[i]));
}

/* Arrays in the arena grow by doubling: room is the next power of two. */
static void *grown(void *old, int n, size_t size, struct arena *a)
{
    void *new;

    if (n != 0 && (n & (n - 1)) != 0)
        return old;
    new = arena_array(a, n == 0 ? 1 : (size_t)n * 2, size);
    if (n > 0)
        memcpy(new, old, (size_t)n * size);
    return new;
}

static int place(const double *x, int n, double at)
{
    int i = n;

    while (i > 0 && x[i - 1] >= at)
        i--;
    return i;
}

void llm_curve_add(struct llm_curve *c, double x, double y, struct arena *a)
{
    int i = place(c->x, c->n, x);

    if (i < c->n && c->x[i] == x) {
        c->y[i] = (c->y[i] + y) / 2;
        return;
    }
    c->x = grown(c->x, c->n, sizeof *c->x, a);
    c->y = grown(c->y, c->n, sizeof *c->y, a);
    memmove(c->x + i + 1, c->x + i, (size_t)(c->n - i) * sizeof *c->x);
    memmove(c->y + i + 1, c->y + i, (size_t)(c->n - i) * sizeof *c->y);
    c->x[i] = x;
    c->y[i] = y;
    c->n++;
}

struct llm_curve *llm_grid_row(struct llm_grid *g, double x, struct arena *a)
{
    int i = place(g->x, g->n, x);

    if (i < g->n && g->x[i] == x)
        return &g->row[i];
    g->x = grown(g->x, g->n, sizeof *g->x, a);
    g->row = grown(g->row, g->n, sizeof *g->row, a);
    memmove(g->x + i + 1, g->x + i, (size_t)(g->n - i) * sizeof *g->x);
    memmove(g->row + i + 1, g->row + i, (size_t)(g->n - i) * sizeof *g->row);
    g->x[i] = x;
    g->row[i] = (struct llm_curve){0};
    g->n++;
    return &g->row[i];
}

/* ------------------------------------------------------------ parts of an iteration */

/* linear and sequence have a value for each whole number from 0: no search. */
static double counted(const struct llm_curve *c, double x, bool *outside)
{
    if (x < c->n)
        return c->y[(long)(x + 0.5) < c->n ? (long)(x + 0.5) : c->n - 1];
    if (c->n < 2)
        return c->n == 1 ? c->y[0] : 0;
    *outside = true; /* the average of a token goes on: the last step may be the edge of a tile */
    return c->y[c->n - 1] * x / (double)(c->n - 1);
}

/* A chunk is in one part of the batch only: of all parts together each stage sees its share. */
static double prefill_attention(const struct llm_cost *c, const struct llm_batch *b, double share,
                                bool *outside)
{
    double sum = 0;

    for (int i = 0; i < b->chunks; i++) {
        double tokens = b->chunk[i].tokens, context = b->chunk[i].context;

        if (c->is_roofline)
            sum += c->prefill_pair_s * tokens * (context + tokens / 2);
        else
            sum += fmax(0, llm_grid_at(&c->prefill, tokens, context, outside) - c->attention_fixed_s);
    }
    return b->chunks == 0 ? 0 : sum * share + c->attention_fixed_s;
}

static double mixed_attention(const struct llm_cost *c, double chunk, double n, double context, bool *outside)
{
    double lo, hi;
    int i;

    if (c->mixed_n == 1 || chunk <= c->mixed_chunk[0])
        return llm_grid_at(&c->mixed[0], n, context, outside);
    i = below(c->mixed_chunk, c->mixed_n, fmin(chunk, c->mixed_chunk[c->mixed_n - 1]));
    lo = llm_grid_at(&c->mixed[i], n, context, outside);
    hi = llm_grid_at(&c->mixed[i + 1], n, context, outside);
    return lo +
           (hi - lo) * fmin(1, (chunk - c->mixed_chunk[i]) / (c->mixed_chunk[i + 1] - c->mixed_chunk[i]));
}

/* Of a curve with steps: the first knot at or beyond x. */
static double next_up(const struct llm_curve *c, double x)
{
    int i = c->n > 1 ? below(c->x, c->n, x) : 0;

    while (i < c->n - 1 && c->x[i] < x)
        i++;
    return c->y[i];
}

/* The longest context ends last. */
static double straggler(const struct llm_cost *c, const struct llm_batch *b, double chunk, double n)
{
    double beyond = fmax(0, b->longest - b->context);

    if (beyond == 0)
        return 0;
    if (b->chunks == 0 || c->mixed_n == 0)
        return c->uneven.n > 0 ? beyond * next_up(&c->uneven, n) : 0;
    if (c->uneven_mixed.n == 0)
        return beyond * c->straggler_s;
    return beyond * llm_grid_at(&c->uneven_mixed, fmin(chunk, c->uneven_mixed.x[c->uneven_mixed.n - 1]), n,
                                &(bool){false});
}

static double decode_attention(const struct llm_cost *c, const struct llm_batch *b, double share,
                               bool *outside)
{
    double n = fmax(1, b->decodes * share), widest = 0;

    if (b->decodes <= 0)
        return 0;
    if (c->is_roofline)
        return c->decode_token_s * n * b->context;
    if (b->chunks == 0 || c->mixed_n == 0)
        return llm_grid_at(&c->decode, n, b->context, outside) + straggler(c, b, 0, n);
    for (int i = 0; i < b->chunks; i++)
        widest = fmax(widest, b->chunk[i].tokens);
    return mixed_attention(c, widest * share, n, b->context, outside) + straggler(c, b, widest * share, n);
}

/*
 * Two curves: a prompt in parts costs what is left of the whole prompt.  In a mixed batch the weights are
 * read once: what a decode step costs at batch 1 is in both.
 */
static double whole_step(const struct llm_cost *c, const struct llm_batch *b, bool *outside)
{
    double sum = 0, decode = 0, unused = 0;

    for (int i = 0; i < b->chunks; i++) {
        double end = b->chunk[i].context + b->chunk[i].tokens;

        sum += llm_curve_at(&c->prompt, end, outside);
        if (b->chunk[i].context > 0)
            sum -= llm_curve_at(&c->prompt, b->chunk[i].context, &(bool){false});
    }
    if (b->decodes > 0) {
        decode = llm_curve_at(&c->decode_step, b->decode_tokens, outside);
        unused = b->chunks > 0 ? fmin(sum, llm_curve_at(&c->decode_step, c->decode_step.x[0], outside)) : 0;
    }
    return sum + decode - unused;
}

double llm_cost_step(const struct llm_cost *c, const struct llm_batch *b, bool *outside)
{
    double share = 1 / c->stages; /* each stage works on its part of the batch; together they are one model */

    if (c->is_whole)
        return whole_step(c, b, outside);
    return counted(&c->linear, ceil((b->tokens + b->decode_tokens) * share), outside) +
           counted(&c->sequence, ceil((b->finished + b->decodes) * share), outside) +
           prefill_attention(c, b, share, outside) + decode_attention(c, b, share, outside) + c->gaps_s +
           c->stages * c->hop_s;
}

static double next_knot(const struct llm_curve *c, double x)
{
    for (int i = 0; i < c->n; i++)
        if (c->x[i] > x)
            return c->x[i];
    return INFINITY;
}

struct llm_line llm_cost_decode(const struct llm_cost *c, const struct llm_batch *b, bool *outside)
{
    struct llm_line line = {.at_s = llm_cost_step(c, b, outside), .until = INFINITY};
    double n = fmax(1, b->decodes / c->stages);
    int i;

    if (c->is_whole)
        return line;
    if (c->is_roofline) {
        line.slope_s = c->decode_token_s * n;
        return line;
    }
    if (c->decode.n == 0)
        return line;
    i = c->decode.n > 1 ? below(c->decode.x, c->decode.n, n) : 0;
    line.until = next_knot(&c->decode.row[i], b->context);
    if (i + 1 < c->decode.n && n > c->decode.x[i])
        line.until = fmin(line.until, next_knot(&c->decode.row[i + 1], b->context));
    line.slope_s =
        llm_grid_at(&c->decode, n, b->context + 1, outside) - llm_grid_at(&c->decode, n, b->context, outside);
    return line;
}

/* ------------------------------------------------------------ bounds */

static double least_average(const struct llm_curve *c, double most)
{
    double least = INFINITY;

    for (int i = 0; i < c->n && c->x[i] <= most; i++)
        if (c->x[i] > 0)
            least = fmin(least, c->y[i] / c->x[i]);
    return isfinite(least) ? least : c->n > 0 ? c->y[c->n - 1] / fmax(1, c->x[c->n - 1]) : 0;
}

/* The least average also holds beyond the last knot, where the average goes on. */
double llm_cost_least_prefill(const struct llm_cost *c, double tokens, double most_tokens, bool mixes)
{
    bool outside = false;
    double shared, pairs = c->is_roofline ? c->prefill_pair_s * tokens * tokens / 2 : 0;

    if (c->is_whole) {
        shared = mixes && c->decode_step.n > 0 ? c->decode_step.y[0] : 0;
        return fmax(0, llm_curve_at(&c->prompt, tokens, &outside) - shared);
    }
    return (tokens * least_average(&c->linear, most_tokens) + pairs) / c->stages;
}

/* Between two knots the share of one sequence only falls or only rises: the least is at a knot or at the
 * largest batch. */
static double least_whole_decode(const struct llm_cost *c, double most)
{
    double least = llm_curve_at(&c->decode_step, most, &(bool){false}) / most;

    for (int i = 0; i < c->decode_step.n; i++)
        if (c->decode_step.x[i] <= most)
            least = fmin(least, c->decode_step.y[i] / fmax(1, c->decode_step.x[i]));
    return least;
}

/* Sizes of a batch that stand for all: up to 10 % apart. */
static double next_size(double n)
{
    return fmax(n + 1, floor(n * 1.1));
}

/* A decode that rides in a batch of prompts: surely its share of the tokens, and its attention. */
static double least_riding(const struct llm_cost *c, double context, double most, double most_tokens)
{
    double attention = INFINITY;

    for (double n = 1; n <= most; n = next_size(n)) {
        struct llm_batch b = {.decodes = n, .context = context, .longest = context};

        attention = fmin(attention, decode_attention(c, &b, 1 / c->stages, &(bool){false}) / n);
    }
    return least_average(&c->linear, most_tokens) / c->stages + attention;
}

double llm_cost_least_decode(const struct llm_cost *c, double context, double most, double most_tokens,
                             bool mixes)
{
    double least = INFINITY;

    if (c->is_whole)
        return least_whole_decode(c, most);
    for (double n = 1; n <= most; n = next_size(n)) {
        struct llm_batch b = {.decodes = n, .decode_tokens = n, .context = context, .longest = context};

        least = fmin(least, llm_cost_step(c, &b, &(bool){false}) / n);
    }
    return mixes ? fmin(least, least_riding(c, context, most, most_tokens)) : least;
}
