/*
 * epochs.c - how much of a data set is read again although part of it is cached (models/epochs.h).
 *
 * Nothing is fitted: the kernel's lists, the sizes and the order of reading say it all.  How many epochs a
 * published share was averaged over is not known: predicted is the mean over params.epochs.  The interval
 * spans the shares of the first epoch after the fill and of late ones, in a cache that was empty and in one
 * through which the same data was read in random orders before: what that left on the active list hits in
 * every epoch of a scan (models/epochs.h), and nothing published tells.  The naive prediction is pure LRU.
 */
#include "study/replay.h"

#include "models/epochs.h"

#include <math.h>
#include <string.h>

enum { LATE = 30, PASSES_BEFORE = 3 };

#define PAGE_BYTES 4096.0

static int word_of(const struct replay *r, const struct json *f, const char *where, const char *key,
                   const char *const *words, int *out, struct err *err)
{
    const char *s;

    TRY(replay_text(r, f, where, key, &s, err));
    for (*out = 0; words[*out] != NULL; ++*out)
        if (strcmp(s, words[*out]) == 0)
            return 0;
    return err_set(err, ERR_SCENARIO, "%s: %s.%s: \"%.40s\" is none of \"%s\", \"%s\", ...", r->c->path,
                   where, key, s, words[0], words[1]);
}

static double share(struct epochs e, int policy, int first, int last, uint64_t seed)
{
    e.policy = policy;
    e.first = first;
    e.last = last;
    return epochs_miss_frac(&e, seed);
}

static void interval_of(struct epochs e, uint64_t seed, struct estimate *out)
{
    out->has_pred = true;
    out->pred_lo = INFINITY;
    out->pred_hi = 0;
    for (e.before = 0; e.before <= PASSES_BEFORE; e.before++)
        for (int epoch = 2; epoch <= LATE; epoch += LATE - 2) {
            double m = share(e, PAGE_KERNEL, epoch, epoch, seed);

            out->pred_lo = fmin(out->pred_lo, m);
            out->pred_hi = fmax(out->pred_hi, m);
        }
}

static int one(struct replay *r, const struct json *f, const char *where, double last, struct err *err)
{
    static const char *const orders[] = {"sequential", "shuffled", NULL};
    struct replay_figure figure = {.unit = "frac", .noise_frac = NAN};
    double bytes, file_bytes;
    struct epochs e = {.header_again = json_bool(json_get(f, "header_again"))};
    int order;

    TRY(replay_text(r, f, where, "name", &figure.name, err));
    TRY(replay_number(r, f, where, "measured", &figure.measured, err));
    TRY(replay_number(r, f, where, "cached_frac", &e.cached_frac, err));
    TRY(replay_number(r, f, where, "dataset_bytes", &bytes, err));
    TRY(replay_number(r, f, where, "file_bytes", &file_bytes, err));
    TRY(word_of(r, f, where, "order", orders, &order, err));
    e.shuffled = order == 1;
    e.file_pages = fmin(200, file_bytes / PAGE_BYTES);
    e.inactive_ratio = page_inactive_ratio(e.cached_frac * bytes);
    figure.predicted = estimate_exact(share(e, PAGE_KERNEL, 2, (int)last, r->seed));
    figure.naive = share(e, PAGE_LRU, 2, (int)last, r->seed);
    interval_of(e, r->seed, &figure.predicted);
    figure.group = "miss shares";
    replay_emit(r, &figure);
    return 0;
}

static int run(struct replay *r, struct err *err)
{
    const struct json *list = json_get(r->c->spec, "figures");
    double last;
    int i = 0;

    TRY(replay_number(r, r->params, "$.params", "epochs", &last, err));
    if (!(last >= 2 && last <= 1000) || list == NULL || json_type(list) != JSON_ARRAY)
        return err_set(err, ERR_SCENARIO, "%s: $.params.epochs: 2 to 1000, and a list of figures, are needed",
                       r->c->path);
    JSON_EACH (f, list)
        TRY(one(r, f, arena_printf(r->arena, "$.figures[%d]", i++), last, err));
    return 0;
}

const struct replay_kind replay_epochs = {
    .name = "epochs",
    .about = "a data set read over and over through a page cache smaller than it: shares of misses",
    .run = run,
};
