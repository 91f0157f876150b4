/*
 * cachew.c - where to cache against how long the operators take: Cachew's three regimes (models/opgraph.h).
 *
 * A pipeline reads from afar and inflates what it reads.  With operators that take ever longer the best place
 * of the cache moves:
 *
 *   the source     while fetching from afar takes longer than the operators
 *   none           while the operators hide the fetching, and reading inflated results would take longer
 *   the results    from there on
 *
 * The first boundary is published, and is the time of fetching from afar; the second follows from it, the
 * inflation, and how much faster the cache is than the source, which is not published: a range stands in the
 * case.  Both boundaries are looked for with the same search that `"cache_after": "auto"` stands on.
 */
#include "study/replay.h"

#include "models/opgraph.h"

#include <math.h>

enum { SOURCE = 0, RESULTS = 1, NOWHERE = -1 };

struct setting {
    double first_s, inflation, bytes;
};

/* The best place when the operators take `delay_s`. */
static int best_place(const struct setting *s, double faster, double delay_s)
{
    struct opg g = {.n = 1,
                    .bytes = s->bytes,
                    .elements = s->bytes,
                    .op = {{.name = "decode",
                            .fixed_s = delay_s,
                            .bytes_ratio = s->inflation,
                            .elements_ratio = s->inflation,
                            .keep_frac = 1}}};
    struct opg_cache c = {.items = 1,
                          .capacity_bytes = INFINITY,
                          .source_byte_s = s->first_s / s->bytes,
                          .cache_byte_s = s->first_s / s->bytes / faster,
                          .cores = 1,
                          .fetches = 1};
    static const int order[] = {0};

    return opg_best_cache(&g, order, &c);
}

/* The delay from which on the results are kept, by bisection. */
static double second_boundary(const struct setting *s, double faster)
{
    double low = 0, high = 100 * s->first_s;

    while (high - low > 1e-6 * high) {
        double half = (low + high) / 2;

        if (best_place(s, faster, half) == RESULTS)
            high = half;
        else
            low = half;
    }
    return high;
}

static const char *place_name(int place)
{
    return place == NOWHERE ? "nothing" : place == SOURCE ? "the source" : "the results";
}

static int run(struct replay *r, struct err *err)
{
    const struct json *range = json_get(r->params, "cache_faster");
    const struct json *f = json_at(json_get(r->c->spec, "figures"), 0);
    struct replay_figure figure = {.unit = "s", .noise_frac = NAN};
    double low = json_number(json_at(range, 0)), high = json_number(json_at(range, 1)), middle;
    struct setting s;

    if (range == NULL || json_size(range) != 2 || !(low > 0 && low <= high) || f == NULL)
        return err_set(err, ERR_SCENARIO,
                       "%s: $.params.cache_faster: a range [from, to] above 0, and a figure, are needed",
                       r->c->path);
    TRY(replay_number(r, r->params, "$.params", "first_boundary_s", &s.first_s, err));
    TRY(replay_number(r, r->params, "$.params", "inflation", &s.inflation, err));
    TRY(replay_number(r, r->params, "$.params", "item_bytes", &s.bytes, err));
    TRY(replay_text(r, f, "$.figures[0]", "name", &figure.name, err));
    TRY(replay_number(r, f, "$.figures[0]", "measured", &figure.measured, err));
    middle = sqrt(low * high);
    figure.naive = s.first_s;
    figure.predicted = estimate_exact(second_boundary(&s, middle));
    figure.predicted.has_pred = true; /* uniform in the logarithm: 5 and 95 % */
    figure.predicted.pred_lo = second_boundary(&s, high * pow(low / high, 0.05));
    figure.predicted.pred_hi = second_boundary(&s, low * pow(high / low, 0.05));
    r->c->found =
        arena_printf(r->arena, "kept below the first boundary, between the two, above the second: %s, %s, %s",
                     place_name(best_place(&s, middle, 0.5 * s.first_s)),
                     place_name(best_place(&s, middle, sqrt(s.first_s * figure.predicted.mean))),
                     place_name(best_place(&s, middle, 2 * figure.predicted.mean)));
    replay_emit(r, &figure);
    return 0;
}

const struct replay_kind replay_cachew = {
    .name = "cachew",
    .about = "where to cache while operators become slower: source, nothing, results",
    .run = run,
};
