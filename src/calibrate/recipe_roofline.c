/*
 * recipe_roofline.c - what an accelerator computes and moves a second, from times of matrix products.
 *
 * A row of an operator table that is a product of m x k by k x n (m: tokens; n and k stand in the variant)
 * computes 2 m n k and moves at least (m k + k n) elements in and m n out.  Products of one accelerator, type
 * of number and library share a roofline, whatever their shape; what fills the machine is the result, so that
 * is the size on which the efficiency depends: m n elements (half_size is in elements of the result).
 *
 * Results of narrow numbers are written as 16-bit ones.  Of more than MOST_PRODUCTS rows so many are taken,
 * evenly: a curve of four parameters is not told better by more.
 */
#include "calibrate/recipes.h"
#include "calibrate/roofline.h"
#include "calibrate/samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEWEST = 8, MOST_PRODUCTS = 1500, SEED = 1 };

static const struct {
    const char *name;
    double bytes;
} element[] = {{"bfloat16", 2}, {"bf16", 2},      {"float16", 2}, {"fp16", 2}, {"half", 2},
               {"float32", 4},  {"fp32", 4},      {"tf32", 4},    {"fp8", 1},  {"float8", 1},
               {"int8", 1},     {"fp8_block", 1}, {"nvfp4", 0.5}, {"fp4", 0.5}};

/* Products that share a roofline. */
struct products {
    const char *hardware, *kind; /* kind: the variant without the shape */
    int devices;
    double bytes; /* of an element */
    struct kernel_time *k;
    size_t n, room;
    int64_t first, last;
};

static double element_bytes(const char *variant)
{
    static const char *const keys[] = {"gemm_dtype", "dtype", "precision"};
    char room[60];

    for (int i = 0; i < 3; i++) {
        const char *type = samples_variant(variant, keys[i], room, sizeof room);

        for (size_t j = 0; type[0] != '\0' && j < sizeof element / sizeof *element; j++)
            if (strcmp(type, element[j].name) == 0)
                return element[j].bytes;
    }
    return NAN;
}

static double number_in(const char *variant, const char *key)
{
    char room[60];
    const char *text = samples_variant(variant, key, room, sizeof room);

    return text[0] != '\0' ? strtod(text, NULL) : NAN;
}

/* "dtype=half,n=4096,k=512,source=x" without n and k. */
static const char *without_shape(const char *variant, struct arena *a)
{
    char *out = arena_strdup(a, variant), *to = out;

    for (const char *part = variant; *part != '\0';) {
        size_t length = strcspn(part, ",");

        if (strncmp(part, "n=", 2) != 0 && strncmp(part, "k=", 2) != 0) {
            if (to != out)
                *to++ = ',';
            memcpy(to, part, length);
            to += length;
        }
        part += length + (part[length] == ',');
    }
    *to = '\0';
    return out;
}

static struct products *find(struct products *p, size_t *n, const struct op_samples *g, struct arena *a)
{
    const char *kind = without_shape(g->variant, a);
    size_t i = 0;

    while (i < *n && (p[i].devices != g->devices || strcmp(p[i].hardware, g->hardware) != 0 ||
                      strcmp(p[i].kind, kind) != 0))
        i++;
    if (i == *n)
        p[(*n)++] = (struct products){.hardware = g->hardware,
                                      .kind = kind,
                                      .devices = g->devices,
                                      .bytes = element_bytes(g->variant),
                                      .first = g->first,
                                      .last = g->last};
    return &p[i];
}

static void add_rows(struct products *p, const struct op_samples *g, double n, double k, struct arena *a)
{
    if (p->n + g->n > p->room) {
        struct kernel_time *more;

        p->room = 2 * (p->n + g->n);
        more = arena_array(a, p->room, sizeof *more);
        if (p->n > 0)
            memcpy(more, p->k, p->n * sizeof *more);
        p->k = more;
    }
    for (size_t i = 0; i < g->n; i++) {
        double m = g->size[SIZE_TOKENS][i];

        if (m >= 1 && g->time_s[i] > 0)
            p->k[p->n++] =
                (struct kernel_time){.flops = 2 * m * n * k,
                                     .bytes = p->bytes * (m * k + k * n) + fmax(p->bytes, 2) * m * n,
                                     .size = m * n,
                                     .seconds = g->time_s[i]};
    }
    p->first = g->first < p->first ? g->first : p->first;
    p->last = g->last > p->last ? g->last : p->last;
}

/* Not every so many-th: the sizes of the tables repeat. */
static size_t thinned(struct products *p)
{
    if (p->n <= MOST_PRODUCTS)
        return p->n;
    for (size_t i = 0; i < MOST_PRODUCTS; i++)
        p->k[i] = p->k[i * p->n / MOST_PRODUCTS];
    return MOST_PRODUCTS;
}

static int fit_products(struct fitting *f, const struct fit_info *info, struct products *p, int64_t trace,
                        struct err *err)
{
    const char *what = arena_printf(f->a, "op=gemm,devices=%d,%s", p->devices, p->kind);
    const char *path = arena_printf(f->a, "fits.%s.%s.%s[%s]", f->target, info->param,
                                    p->hardware[0] != '\0' ? p->hardware : "unknown", p->kind);
    size_t all = p->n, n = thinned(p);
    struct roofline r;

    if (roofline_fit(p->k, n, SEED, &r, err) != 0)
        return err_at(err, "products of %s", what);
    if (n < all)
        fitting_remark(f, "note", "%s: %zu of %zu products, evenly spread", path, n, all);
    fitting_fit(f, path, &r.fit, "elements");
    fitting_remark(f, "note", "%s: %ld products compute longer than they move, %ld move longer", path,
                   r.computing, r.moving);
    fitting_source(f, path, &(struct rows_used){trace, "operator_costs", what, p->first, p->last, (long)n});
    return 0;
}

int recipe_roofline(struct fitting *f, const struct fit_info *info, int64_t trace_id, bool *used,
                    struct err *err)
{
    struct op_samples *g;
    struct products *p;
    size_t n, kinds = 0;

    *used = false;
    TRY(samples_operators(f->store, trace_id, f->where, f->a, &g, &n, err));
    p = arena_array(f->a, n + 1, sizeof *p);
    for (size_t i = 0; i < n; i++) {
        double columns = number_in(g[i].variant, "n"), depth = number_in(g[i].variant, "k");

        if (columns >= 1 && depth >= 1 && isfinite(columns * depth))
            add_rows(find(p, &kinds, &g[i], f->a), &g[i], columns, depth, f->a);
    }
    for (size_t i = 0; i < kinds; i++) {
        if (!isfinite(p[i].bytes)) {
            fitting_remark(f, "note", "products of %s: no type of number whose size is known", p[i].kind);
            continue;
        }
        if (p[i].n < FEWEST) {
            fitting_remark(f, "note", "products of %s: %zu rows are too few for a roofline", p[i].kind,
                           p[i].n);
            continue;
        }
        TRY(fit_products(f, info, &p[i], trace_id, err));
        *used = true;
    }
    return 0;
}
