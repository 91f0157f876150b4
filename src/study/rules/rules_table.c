/*
 * rules_table.c - columnar tables from ETL to the readers.
 */
#include "study/rules/rules_parts.h"

#include "models/preprocess.h"
#include "models/storage.h"

#include <string.h>

static bool uses_part(const struct dataset_cfg *d)
{
    return d->used_session_features < d->session_features || d->used_item_features < d->item_features;
}

static void projection(struct rules_work *w, const struct stage *st)
{
    const struct dataset_cfg *d = stage_data(w, st);
    struct rewrite *r;

    if (!stage_is(st, "storage") || stage_bool(st, "projection") || d == NULL)
        return;
    if (!uses_part(d)) {
        rewrite_refuse(w, "projection", st, "the job uses every feature");
        return;
    }
    r = rewrite_new(w, "projection", NULL, st,
                    arena_printf(w->a, "Read %ld of %ld features",
                                 d->used_session_features + d->used_item_features,
                                 d->session_features + d->item_features),
                    "features the job never uses are not read; those it uses come unchanged");
    rewrite_set_own(w, r, "projection", json_new_bool(true));
}

/* ------------------------------------------------- streams on drives */

static void flatten(struct rules_work *w, const struct stage *st)
{
    struct rewrite *r;

    if (!stage_is(st, "storage") || strcmp(stage_choice(st, "layout"), "map") != 0)
        return;
    r = rewrite_new(
        w, "flatten", NULL, st,
        "A stream a feature instead of one map column, wanted ones within 1.25 MiB read in one operation",
        "the same values in other places of the stripe");
    rewrite_set_own(w, r, "layout", json_new_string("flattened"));
    rewrite_set_own(w, r, "projection", json_new_bool(true));
    rewrite_set_own(w, r, "window_bytes", json_new_number(1.25 * 0x1p20));
}

static void coalesce(struct rules_work *w, const struct stage *st)
{
    struct rewrite *r;

    if (!stage_is(st, "storage") || strcmp(stage_choice(st, "layout"), "flattened") != 0)
        return;
    if (stage_real(st, "window_bytes") == 0) {
        r = rewrite_new(w, "coalesce", NULL, st,
                        "Wanted streams within 1.25 MiB in one operation of the drive",
                        "what lies between is read and thrown away");
        rewrite_set_own(w, r, "window_bytes", json_new_number(1.25 * 0x1p20));
    }
    if (!stage_bool(st, "popular_first")) {
        r = rewrite_new(w, "popular-first", NULL, st, "Streams of popular features first in every stripe",
                        "the same streams in another order; the footer says where each is");
        rewrite_set_own(w, r, "popular_first", json_new_bool(true));
    }
}

static void stripes(struct rules_work *w, const struct stage *st)
{
    const struct dataset_cfg *d = stage_data(w, st);
    const struct stage *reader;
    long rows;
    struct rewrite *r;

    if (!stage_is(st, "etl") || d == NULL)
        return;
    reader = stage_behind(w, st, "storage");
    rows = stage_int(st, "stripe_rows");
    if (reader == NULL || rows * 2 > d->partition_rows) {
        rewrite_refuse(w, "stripes", st,
                       reader == NULL ? "no stage reads its files"
                                      : "a stripe already holds more than half a partition");
        return;
    }
    rows = rows * 4 <= d->partition_rows ? rows * 4 : rows * 2;
    r = rewrite_new(w, "stripes", NULL, st, arena_printf(w->a, "Stripes of %ld rows", rows),
                    "rows keep their order; a reader decodes more of them at a time");
    rewrite_set_own(w, r, "stripe_rows", json_new_number((double)rows));
    rewrite_touches(w, r, reader->name);
}

/* ---------------------------------------------------------------- codec */

/* Compressed over encoded bytes in the present order; 1: nobody measured it. */
static double ratio_of(const struct etl_cfg *c, int codec)
{
    const double ratio[2][CODECS] = {{1, c->ratio_time_lz4, c->ratio_time_zstd},
                                     {1, c->ratio_session_lz4, c->ratio_session_zstd}};

    return ratio[c->order == ORDER_SESSION][codec];
}

static void codec(struct rules_work *w, const struct stage *st)
{
    const struct stage *reader = stage_is(st, "etl") ? stage_behind(w, st, "storage") : NULL;
    const struct etl_cfg *c = st->cfg;
    const struct storage_cfg *read;

    if (reader == NULL)
        return;
    read = reader->cfg;
    for (int k = 0; k < CODECS; k++) {
        struct rewrite *r;

        if (k == c->codec)
            continue;
        if (!cost_is_known(&c->costs[ETL_COMPRESS_NONE + k]) ||
            !cost_is_known(&read->costs[STORAGE_DECOMPRESS_NONE + k]) || (k > 0 && ratio_of(c, k) == 1)) {
            rewrite_refuse(
                w, "codec", st,
                arena_printf(w->a, "nobody measured what %s costs and saves here: `foresight exec --profile`",
                             k == 0 ? "no codec" : codec_names[k]));
            continue;
        }
        r = rewrite_new(w, "codec", arena_printf(w->a, "codec-%s", codec_names[k]), st,
                        arena_printf(w->a,
                                     "Column streams with codec %s, which leaves %.0f %% of their bytes",
                                     codec_names[k], 100 * ratio_of(c, k)),
                        "decompressing gives back the same bytes");
        rewrite_set_own(w, r, "codec", json_new_string(codec_names[k]));
        rewrite_touches(w, r, reader->name);
    }
}

/* ---------------------------------------------------------------- dedup */

static void touch_behind(struct rules_work *w, struct rewrite *r, const struct stage *st)
{
    static const char *const of[] = {"storage", "preprocess", "training", NULL};

    for (int m = 0; of[m] != NULL; m++) {
        const struct stage *behind = stage_behind(w, st, of[m]);

        if (behind != NULL)
            rewrite_touches(w, r, behind->name);
    }
}

static void dedup(struct rules_work *w, const struct stage *st)
{
    const struct dataset_cfg *d = stage_data(w, st);
    const struct stage *prep = stage_is(st, "etl") ? stage_behind(w, st, "preprocess") : NULL;
    struct rewrite *r;

    if (prep == NULL || d == NULL || stage_bool(prep, "dedup"))
        return;
    if (d->session_samples < 2 || d->repeat_prob == 0 || d->used_session_features == 0) {
        rewrite_refuse(w, "dedup", st, "no feature that the job uses repeats within a session");
        return;
    }
    r = rewrite_new(
        w, "dedup", NULL, st,
        "Rows clustered by session: repeated lists are stored, preprocessed and looked up once",
        "an inverse index gives every row its values back; batches are composed differently, of the same "
        "rows");
    rewrite_set_own(w, r, "order", json_new_string("session"));
    rewrite_set(w, r, arena_printf(w->a, "%s.dedup", prep->name), json_new_bool(true));
    touch_behind(w, r, st);
}

/* --------------------------------------------------------- filter first */

static struct json *filter_in_front(const struct json *ops)
{
    struct json *list = json_new_array();

    json_push(list, json_new_string("filter"));
    JSON_EACH (v, ops)
        if (strcmp(json_string(v), "filter") != 0)
            json_push(list, json_copy(v));
    return list;
}

static void filter_first(struct rules_work *w, const struct stage *st)
{
    const struct preprocess_cfg *c = st->cfg;
    const struct dataset_cfg *d = stage_data(w, st);
    struct rewrite *r;

    if (!stage_is(st, "preprocess") || d == NULL || d->keep_frac == 1 || c->ops == NULL ||
        strcmp(json_string(json_at(c->ops, 0)), "filter") == 0)
        return;
    r = rewrite_new(w, "reorder", NULL, st,
                    arena_printf(w->a, "Filter first: %.0f %% of the rows need no other operator",
                                 100 * (1 - d->keep_frac)),
                    "the filter looks at the label, which no operator changes");
    rewrite_set_own(w, r, "ops", filter_in_front(c->ops));
}

/* --------------------------------------------------------- experiments */

static void column_delta(struct rules_work *w, const struct stage *st)
{
    struct rewrite *r;

    if (!stage_is(st, "experiment") || strcmp(stage_choice(st, "layout"), "full_copy") != 0)
        return;
    r = rewrite_new(
        w, "column-delta", NULL, st,
        "Write the new column beside the table, merged when it is read, instead of a copy of the table",
        "a reader sees the same rows; it merges by position, so the table must keep its order");
    rewrite_set_own(w, r, "layout", json_new_string("delta"));
}

rule_fn *const rules_of_tables[] = {projection, flatten,      coalesce,     stripes, codec,
                                    dedup,      filter_first, column_delta, NULL};
