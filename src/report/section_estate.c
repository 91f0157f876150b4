#include "base/arena.h"
#include "base/json.h"
#include "report/sections.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_PIPELINES = 8 };

/* Only when the ranking judged all pipelines together. */
bool section_has_estate(const struct review *r)
{
    return r->compared_n < 2 && section_list(r->rank, "whole") != NULL;
}

static void write_heads(const struct review *r, const char **heads)
{
    size_t n = 0;

    heads[n++] = "<Optimization";
    heads[n++] = ">Whole";
    JSON_EACH (p, section_list(r->rank, "whole"))
        if (n < MOST_PIPELINES + 2)
            heads[n++] = arena_printf(r->a, ">%s (%.1f %%)", json_get_string(p, "pipeline", "?"),
                                      100 * json_get_number(p, "weight_frac", NAN));
    heads[n++] = ">Worth a month";
    heads[n] = NULL;
}

/* "+18.7 %" on a ground as strong as a tenth is; a dot where nothing can be told. */
static void write_gain(const struct review *r, const struct json *holder, const char *key)
{
    struct estimate e = estimate_read(holder, key);
    char text[96];

    if (!estimate_is_known(e) || (e.lo <= 1 && e.hi >= 1)) {
        doc_shade(r->d, 0, "\xc2\xb7");
        return;
    }
    doc_shade(r->d, fmax(-1, fmin(1, 10 * (e.mean - 1))),
              label_value(text, sizeof text, e.mean - 1, LABEL_CHANGE));
}

static void write_row(const struct review *r, const struct json *o)
{
    struct estimate worth = estimate_read(o, "worth_usd_per_month");
    size_t n = 0;

    doc_row(r->d);
    doc_cell(r->d, "%s", json_get_string(o, "name", "?"));
    write_gain(r, o, "end_to_end_gain");
    JSON_EACH (p, section_list(o, "pipelines"))
        if (n++ < MOST_PIPELINES)
            write_gain(r, p, "gain");
    cell_estimate(r->d, worth, LABEL_USD);
}

void section_estate(struct review *r)
{
    const char *heads[MOST_PIPELINES + 4];
    const struct json **list;
    size_t n;

    if (!section_source(r, r->rank, "rank"))
        return;
    write_heads(r, heads);
    list = ranked_optimizations(r->rank, &n);
    doc_table(r->d, heads);
    for (size_t i = 0; i < n; i++)
        write_row(r, list[i]);
    doc_table_end(r->d);
    free(list);
    doc_block(
        r->d, DOC_HINT,
        "What each optimization does to what every pipeline delivers: requests within the SLO, else units "
        "per second. The whole is their product, each to the power of its weight (in brackets). Worth is "
        "what the same work would cost less in a month of 730 hours. A dot is no change that can be told.");
}
