#include "base/arena.h"
#include "base/json.h"
#include "report/sections.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double gain(const struct json *optimization)
{
    double g = estimate_read(optimization, "end_to_end_gain").mean;

    return isfinite(g) ? g : -INFINITY;
}

static int by_gain(const void *a, const void *b)
{
    double x = gain(*(const struct json *const *)a), y = gain(*(const struct json *const *)b);

    return (x < y) - (x > y);
}

const struct json **ranked_optimizations(const struct json *rank, size_t *n)
{
    const struct json *all = section_list(rank, "optimizations");
    const struct json **list = xcalloc(all != NULL ? json_size(all) : 0, sizeof(struct json *));

    *n = 0;
    if (all == NULL)
        return list;
    JSON_EACH (o, all)
        list[(*n)++] = o;
    qsort(list, *n, sizeof(struct json *), by_gain);
    return list;
}

static enum doc_tone tone_of(const char *verdict)
{
    if (strcmp(verdict, "helps") == 0)
        return DOC_GOOD;
    if (strcmp(verdict, "hurts") == 0)
        return DOC_BAD;
    if (strcmp(verdict, "too close to call") == 0 || strncmp(verdict, "assumed", 7) == 0)
        return DOC_OPEN;
    return DOC_NEUTRAL;
}

/* Names of stages stand one below the other: a list of them would be broken anywhere. */
static void rank_table(const struct review *r, const struct json **list, size_t n)
{
    static const char *const heads[] = {
        "<Optimization", ">Alone (local gain)", ">Whole (end to end)", ">Share", ">Cost", "<Verdict", NULL};
    bool priced = section_has_price(r->rank);
    char value[96];

    doc_table(r->d, heads);
    for (size_t i = 0; i < n; i++) {
        const char *verdict = json_get_string(list[i], "verdict", "-");
        const struct json *even = section_list(list[i], "break_even");
        const char *note =
            arena_printf(r->a, "%s%s%s%s%s", section_joined(r, json_get(list[i], "touches")),
                         json_get(list[i], "why") != NULL ? ": " : "", json_get_string(list[i], "why", ""),
                         even != NULL ? ". It " : "", even != NULL ? json_get_string(even, "text", "") : "");

        doc_row(r->d);
        doc_cell_note(r->d, json_get_string(list[i], "name", "?"), note);
        cell_estimate(r->d, estimate_read(list[i], "local_gain"), LABEL_GAIN);
        cell_estimate(r->d, estimate_read(list[i], "end_to_end_gain"), LABEL_GAIN);
        doc_cell(r->d, "%s",
                 label_value(value, sizeof value, estimate_read(list[i], "share_frac").mean, LABEL_FRAC));
        doc_cell(r->d, "%s",
                 priced ? label_value(value, sizeof value,
                                      estimate_read(list[i], "cost_delta_usd_per_h").mean, LABEL_USD_PER_H)
                        : "no prices");
        doc_mark(r->d, tone_of(verdict), verdict);
    }
    doc_table_end(r->d);
}

static struct plot_point *gains(struct arena *a, const struct json **list, size_t n, const char *key)
{
    struct plot_point *p = arena_array(a, n, sizeof *p);

    for (size_t i = 0; i < n; i++)
        p[i] = section_point(estimate_read(list[i], key), NAN);
    return p;
}

static void rank_plot(const struct review *r, const struct json **list, size_t n)
{
    const char **names = arena_array(r->a, n, sizeof *names);
    struct plot_series series[] = {
        {.name = "whole pipeline (end to end)", .points = gains(r->a, list, n, "end_to_end_gain")},
        {.name = "its own stages (local)", .points = gains(r->a, list, n, "local_gain")}};
    struct plot p = {.kind = PLOT_INTERVALS,
                     .slug = "local-and-whole",
                     .title = "Local and end-to-end gain of each optimization",
                     .x_title = "gain (1 is no change)",
                     .labels = names,
                     .rows = n,
                     .series = series,
                     .n_series = 2,
                     .reference = 1};

    for (size_t i = 0; i < n; i++)
        names[i] = json_get_string(list[i], "name", "?");
    doc_plot(
        r->d, &p,
        "The forest against the trees: each optimization twice, what its own stages gain when their "
        "neighbours "
        "are infinitely fast, and what the whole pipeline gains. Thick bars are the sampling error of the "
        "simulation, thin ones add the uncertainty of calibrated parameters; they may run out of the plot. A "
        "bar that crosses the dashed line may be no gain at all.");
}

static double strength(const struct json *interaction)
{
    double e = estimate_read(interaction, "effect").mean;

    return isfinite(e) && e > 0 ? fabs(log(e)) : 0;
}

static int by_strength(const void *a, const void *b)
{
    double x = strength(*(const struct json *const *)a), y = strength(*(const struct json *const *)b);

    return (x < y) - (x > y);
}

static void interaction_table(const struct review *r, const struct json *all)
{
    enum { MOST = 8 };
    static const char *const heads[] = {"<Together", ">Effect beyond the two alone", NULL};
    const struct json **list = xcalloc(json_size(all), sizeof(struct json *));
    size_t n = 0;

    JSON_EACH (v, all)
        list[n++] = v;
    qsort(list, n, sizeof(struct json *), by_strength);
    doc_heading(r->d, "Which ones interact");
    doc_table(r->d, heads);
    for (size_t i = 0; i < n && i < MOST; i++) {
        struct text pair = {0};

        section_words(json_get(list[i], "pair"), &pair);
        doc_row(r->d);
        doc_cell(r->d, "%s", pair.s);
        cell_estimate(r->d, estimate_read(list[i], "effect"), LABEL_GAIN);
        text_free(&pair);
    }
    doc_table_end(r->d);
    doc_block(
        r->d, DOC_HINT,
        "\xc3\x97"
        "1 means that the two gains simply multiply; above, they need each other; below, they compete.%s",
        n > MOST ? " The strongest are shown." : "");
    free(list);
}

static void what_comes_next(const struct review *r)
{
    const struct json *after = section_list(r->rank, "after_best"),
                      *next = section_list(r->rank, "next_measurement");

    if (after != NULL)
        doc_block(r->d, DOC_PARA, "Once the best set is built, the limit is %s.",
                  json_get_string(after, "bottleneck", "?"));
    if (next != NULL)
        doc_block(r->d, DOC_PARA, "The measurement that would settle most is %s: %s.",
                  json_get_string(next, "path", "?"), json_get_string(next, "why", ""));
}

void section_ranking(struct review *r)
{
    const struct json **list;
    size_t n;

    if (section_source(r, r->rank, "rank")) {
        list = ranked_optimizations(r->rank, &n);
        if (n > 0) {
            rank_plot(r, list, n);
            rank_table(r, list, n);
            doc_block(r->d, DOC_HINT,
                      "Share: how much of the gain of the whole set is due to this one, whatever the order "
                      "they are built in.");
        } else {
            doc_block(r->d, DOC_MISSING,
                      "The scenario names no optimizations; list some under \"optimizations\".");
        }
        if (section_list(r->rank, "interactions") != NULL)
            interaction_table(r, json_get(r->rank, "interactions"));
        what_comes_next(r);
        free(list);
    }
}
