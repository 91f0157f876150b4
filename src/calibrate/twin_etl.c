/*
 * twin_etl.c - how well tables compress: bytes out over bytes in, by order and codec, of all streams and of
 * those that the job uses.  A span's variant names them: "zstd/session", "zstd/session/used".
 *
 * The profile compresses stripes of several sizes; the more rows, the more a codec finds:
 *
 *   log ratio = log ratio at the scenario's stripe + slope * log(rows / rows of the scenario's stripe)
 *
 * by least squares; all sizes of a partition have as many stripes, so its bytes tell the rows of one.
 */
#include "calibrate/twin.h"

#include <math.h>
#include <string.h>

enum { WITH_CODEC = CODECS - 1, ORDERS = 2 }; /* without a codec the ratio is 1 */

/* Sums over spans: x = log of the encoded bytes, y = log of the ratio. */
struct ratio_law {
    double n, x, y, xx, xy, yy;
};

struct etl_state {
    struct ratio_law laws[ORDERS][WITH_CODEC][2]; /* order, codec - 1, used */
};

static void alone(void *state, const struct span *s)
{
    struct etl_state *e = state;
    const char *slash = strchr(s->variant, '/');
    int codec = CODEC_LZ4;
    struct ratio_law *l;
    double x, y;

    if (slash == NULL || strncmp(s->op, "compress_", 9) != 0 || !(s->bytes_in > 0) || !(s->bytes_out > 0))
        return;
    while (codec < CODECS && (strlen(codec_names[codec]) != (size_t)(slash - s->variant) ||
                              strncmp(s->variant, codec_names[codec], (size_t)(slash - s->variant)) != 0))
        codec++;
    if (codec == CODECS)
        return;
    l = &e->laws[strncmp(slash + 1, "session", 7) == 0][codec - 1][strstr(slash, "/used") != NULL];
    x = log(s->bytes_in);
    y = log(s->bytes_out / s->bytes_in);
    *l = (struct ratio_law){l->n + 1, l->x + x, l->y + y, l->xx + x * x, l->xy + x * y, l->yy + y * y};
}

/* The slope, 0 where only one size was seen. */
static double slope_of(const struct ratio_law *l)
{
    double sxx = l->xx - l->x * l->x / l->n;

    return sxx > 1e-6 * l->n ? (l->xy - l->x * l->y / l->n) / sxx : 0;
}

/* Variance of what the law leaves unexplained. */
static double residual_variance(const struct ratio_law *l)
{
    double slope = slope_of(l), syy = l->yy - l->y * l->y / l->n;

    return l->n > 2 ? fmax(0, syy - slope * (l->xy - l->x * l->y / l->n)) / (l->n - 2) : 0;
}

/* The ratio at the bytes that a partition of the scenario encodes to. */
static void ratio_row(struct twin *t, const char *path, const struct ratio_law *l, double bytes)
{
    double value = exp(l->y / l->n + slope_of(l) * (log(bytes) - l->x / l->n));

    twin_row(t, path, value, value * sqrt(residual_variance(l) / l->n), "", (long)l->n,
             "bytes out over bytes in, at the scenario's stripes");
}

static void slope_row(struct twin *t, const char *path, const struct ratio_law *l)
{
    double sxx = l->xx - l->x * l->x / l->n, slope = slope_of(l);

    if (slope != 0)
        twin_row(t, path, slope, sqrt(residual_variance(l) / sxx), "", (long)l->n,
                 "least squares on logarithms");
}

static int rows(struct twin *t, const struct stage *stage, void *state, struct err *err)
{
    const struct etl_state *e = state;
    const struct dataset_cfg *d = t->in->scenario->pipelines[stage->pipeline].workload.data;
    const char *base = arena_printf(t->a, "stages.%s.params", stage->name);
    bool any = false;

    (void)err;
    for (int order = 0; order < ORDERS; order++)
        for (int codec = 0; codec < WITH_CODEC; codec++)
            for (int used = 0; used < 2; used++) {
                const struct ratio_law *l = &e->laws[order][codec][used];
                const char *which =
                    arena_printf(t->a, "%s_%s", table_order_names[order], codec_names[codec + 1]);

                if (l->n == 0)
                    continue;
                any = true;
                ratio_row(t, arena_printf(t->a, "%s.%sratio_%s", base, used ? "used_" : "", which), l,
                          (double)d->partition_rows * dataset_row_bytes(d, used));
                if (!used)
                    slope_row(t, arena_printf(t->a, "%s.slope_%s", base, which), l);
            }
    if (any)
        twin_row(t, arena_printf(t->a, "%s.ratio_rows", base),
                 (double)((const struct etl_cfg *)stage->cfg)->stripe_rows, 0, "", 1,
                 "the stripes of the scenario");
    return 0;
}

const struct twin_recipe twin_etl = {
    .model = "etl", .state_size = sizeof(struct etl_state), .alone = alone, .rows = rows};
