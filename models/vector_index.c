#include "models/vector_index.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

enum { SECTOR_BYTES = 4096, LINK_BYTES = 4, ID_BYTES = 8 };

static const char *const measured_kinds[] = {"flat", "ivf", "hnsw", NULL};

/* [[effort, seconds, recall], ...] by rising effort. */
static int read_kind(const struct json *list, const char *where, struct arena *a, struct curve *seconds,
                     struct curve *recall, struct err *err)
{
    size_t n = json_size(list);
    double *x = arena_array(a, n + 1, sizeof *x), *s = arena_array(a, n + 1, sizeof *s),
           *r = arena_array(a, n + 1, sizeof *r);
    int i = 0;

    if (json_type(list) != JSON_ARRAY || n == 0)
        return err_set(err, ERR_SCENARIO, "%s: expected [[effort, seconds, recall], ...]", where);
    JSON_EACH (v, list) {
        if (json_type(v) != JSON_ARRAY || json_size(v) != 3)
            return err_set(err, ERR_SCENARIO, "%s[%d]: expected [effort, seconds, recall]", where, i);
        TRY(param_read_real(json_at(v, 0), UNIT_NONE, 1, 1e9, where, &x[i], err));
        TRY(param_read_real(json_at(v, 1), UNIT_S, 0, 1e6, where, &s[i], err));
        TRY(param_read_real(json_at(v, 2), UNIT_FRAC, 0, 1, where, &r[i], err));
        if (i > 0 && x[i] <= x[i - 1])
            return err_set(err, ERR_SCENARIO, "%s[%d]: effort is %g after %g; they must rise", where, i, x[i],
                           x[i - 1]);
        i++;
    }
    *seconds = (struct curve){.n = i, .x = x, .y = s};
    *recall = (struct curve){.n = i, .log_x = true, .x = x, .y = r};
    return 0;
}

int vector_read_searches(struct vector_db_cfg *c, const struct model_env *env, struct err *err)
{
    const char *where = arena_printf(env->arena, "%s.searches", env->where);
    struct curve seconds, recall;

    c->measured_s = c->measured_recall = (struct curve){0};
    if (c->searches != NULL && json_type(c->searches) != JSON_OBJECT)
        return err_set(err, ERR_SCENARIO, "%s: expected {\"ivf\": [[effort, seconds, recall], ...]}", where);
    JSON_EACH (v, c->searches) {
        int kind = 0;

        while (measured_kinds[kind] != NULL && strcmp(measured_kinds[kind], json_key(v)) != 0)
            kind++;
        if (measured_kinds[kind] == NULL)
            return err_set(err, ERR_SCENARIO, "%s: unknown index \"%.60s\"; did you mean \"%s\"?", where,
                           json_key(v), text_nearest(json_key(v), measured_kinds, kind));
        TRY(read_kind(v, arena_printf(env->arena, "%s.%s", where, measured_kinds[kind]), env->arena, &seconds,
                      &recall, err));
        if (kind == c->index) {
            c->measured_s = seconds;
            c->measured_recall = recall;
        }
    }
    return 0;
}

double vector_code_bytes(const struct vector_db_cfg *c)
{
    switch (c->code) {
    case CODE_FLOAT32:
        return 4.0 * (double)c->dims;
    case CODE_FLOAT16:
        return 2.0 * (double)c->dims;
    case CODE_INT8:
        return (double)c->dims;
    default:
        return (double)c->pq_bytes;
    }
}

static void add_distances(const struct vector_db_cfg *c, struct vector_work *w, double n, double bytes)
{
    w->distances += n;
    w->cpu_s += n * (c->distance + bytes / c->scan_rate);
    w->mem_bytes += n * bytes;
}

/* A scan reads codes in order: no miss for each. */
static void add_scan(const struct vector_db_cfg *c, struct vector_work *w, double n, double bytes)
{
    w->distances += n;
    w->cpu_s += n * bytes / c->scan_rate;
    w->mem_bytes += n * bytes;
}

/* The descent from the top: about one layer for each factor of M, a greedy step or two in each. */
static double descent(const struct vector_db_cfg *c, double n)
{
    double m = (double)c->m_links;

    return n > m ? log(n) / log(m) * m * c->fresh_frac : n;
}

static double graph_distances(const struct vector_db_cfg *c, double n, double ef)
{
    return fmin(n, descent(c, n) + ef * 2 * (double)c->m_links * c->fresh_frac);
}

static void add_ivf(const struct vector_db_cfg *c, struct vector_work *w, double n, double list_factor)
{
    double lists = (double)c->nlist, mean = n / lists, biased = mean * (1 + c->list_cv * c->list_cv);
    double probed = fmin((double)c->nprobe, lists), full = 4.0 * (double)c->dims;

    if (c->quantizer_ef > 0)
        add_distances(c, w, graph_distances(c, lists, fmax((double)c->quantizer_ef, probed)), full);
    else
        add_scan(c, w, lists, full);
    add_scan(c, w, fmin(n, probed * biased * list_factor), vector_code_bytes(c));
}

static void add_ssd_graph(const struct vector_db_cfg *c, struct vector_work *w, double n, double ef)
{
    double expanded = fmin(n, ef), sectors;

    add_distances(c, w, graph_distances(c, n, ef), vector_code_bytes(c));
    add_distances(c, w, expanded, 4.0 * (double)c->dims); /* the sector holds the full vector as well */
    sectors = ceil((4.0 * (double)c->dims + 2.0 * (double)c->m_links * LINK_BYTES) / SECTOR_BYTES);
    w->ios = expanded * (1 - c->cached_frac) * sectors;
    w->io_rounds = ceil(expanded * (1 - c->cached_frac) / (double)c->beam - 1e-9);
    w->io_bytes = w->ios * SECTOR_BYTES;
}

static struct vector_work brute_force(const struct vector_db_cfg *c, double n)
{
    struct vector_work w = {0};

    add_scan(c, &w, n, vector_code_bytes(c));
    return w;
}

/* `ef` candidates are kept; a filter that passes the fraction f needs ef / f of them to keep ef. */
static struct vector_work indexed(const struct vector_db_cfg *c, double n, double list_factor)
{
    struct vector_work w = {0};
    double ef = fmax((double)c->ef, (double)c->k) / c->filter_frac;

    switch (c->index) {
    case INDEX_FLAT:
        return brute_force(c, n);
    case INDEX_IVF:
        add_ivf(c, &w, n, list_factor);
        break;
    case INDEX_HNSW:
        add_distances(c, &w, graph_distances(c, n, ef), vector_code_bytes(c));
        break;
    case INDEX_SSD_GRAPH:
        add_ssd_graph(c, &w, n, ef);
        break;
    default:
        break;
    }
    return w;
}

struct vector_work vector_search_work(const struct vector_db_cfg *c, double n, double list_factor)
{
    struct vector_work w = indexed(c, n, list_factor), exact;

    if (c->index == INDEX_HOSTED)
        return w;
    if (c->filter_frac < 1 && c->filter != FILTER_POST) {
        exact = brute_force(c, n * c->filter_frac);
        if (c->filter == FILTER_PRE || exact.cpu_s < w.cpu_s)
            w = exact;
    }
    if (c->rescore > 0)
        add_distances(c, &w, fmin(n, (double)c->rescore), 4.0 * (double)c->dims);
    if (c->measured_s.n > 0)
        w.cpu_s = curve_at(&c->measured_s, vector_effort(c));
    return w;
}

struct vector_work vector_insert_work(const struct vector_db_cfg *c, double n)
{
    struct vector_work w = {0};

    switch (c->index) {
    case INDEX_IVF:
        add_scan(c, &w, (double)c->nlist, 4.0 * (double)c->dims);
        break;
    case INDEX_HNSW:
    case INDEX_SSD_GRAPH: /* a search for the neighbours, then their links are pruned against each other */
        add_distances(c, &w, graph_distances(c, n, (double)c->ef_construction), vector_code_bytes(c));
        add_distances(c, &w, (double)(c->m_links * c->m_links), vector_code_bytes(c));
        break;
    default:
        break;
    }
    w.mem_bytes += vector_code_bytes(c);
    w.cpu_s += vector_code_bytes(c) / c->scan_rate;
    return w;
}

double vector_effort(const struct vector_db_cfg *c)
{
    switch (c->index) {
    case INDEX_IVF:
        return (double)c->nprobe;
    case INDEX_HNSW:
    case INDEX_SSD_GRAPH:
    case INDEX_HOSTED:
        return fmax((double)c->ef, (double)c->k);
    default:
        return 1;
    }
}

double vector_recall(const struct vector_db_cfg *c)
{
    double missed;

    if (c->measured_recall.n > 0)
        return curve_at(&c->measured_recall, vector_effort(c));
    if (c->recall_curve.n > 0)
        return curve_at(&c->recall_curve, vector_effort(c));
    if (c->index == INDEX_FLAT)
        return c->recall_cap;
    missed = (1 - c->recall_reference) * pow(vector_effort(c) / c->effort_reference, -c->recall_exponent);
    return fmin(c->recall_cap, fmax(0, 1 - missed));
}

double vector_memory_bytes(const struct vector_db_cfg *c)
{
    double each = vector_code_bytes(c) + ID_BYTES, n = (double)c->vectors;

    if (c->index == INDEX_HOSTED)
        return 0;
    if (c->index == INDEX_HNSW) /* 2M links below, M in each layer above, which holds 1/M of the one below */
        each += 2.0 * (double)c->m_links * LINK_BYTES + LINK_BYTES;
    if (c->index == INDEX_SSD_GRAPH)
        each += c->cached_frac * (4.0 * (double)c->dims + 2.0 * (double)c->m_links * LINK_BYTES);
    if (c->rescore > 0 && c->index != INDEX_SSD_GRAPH && c->code != CODE_FLOAT32)
        each += 4.0 * (double)c->dims;
    return (double)c->replicas *
           (n * each + (c->index == INDEX_IVF ? 4.0 * (double)(c->nlist * c->dims) : 0));
}

double vector_ssd_bytes(const struct vector_db_cfg *c)
{
    double node = 4.0 * (double)c->dims + 2.0 * (double)c->m_links * LINK_BYTES;

    if (c->index != INDEX_SSD_GRAPH)
        return 0;
    return (double)c->replicas * (double)c->vectors * ceil(node / SECTOR_BYTES) * SECTOR_BYTES;
}
