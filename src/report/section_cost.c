#include "base/arena.h"
#include "base/json.h"
#include "report/sections.h"

#include <math.h>
#include <string.h>

/* ----------------------------------------------------------------- cost */

static void cost_table(const struct review *r, const struct json *resources)
{
    static const char *const heads[] = {"<Resource", "<Kind", ">Busy", ">Cost per hour", NULL};
    char value[96];

    doc_table(r->d, heads);
    JSON_EACH (v, resources) {
        doc_row(r->d);
        doc_cell(r->d, "%s", json_get_string(v, "name", "?"));
        doc_cell(r->d, "%s", json_get_string(v, "kind", ""));
        doc_cell(r->d, "%s",
                 label_value(value, sizeof value, estimate_read(v, "utilization_frac").mean, LABEL_FRAC));
        if (json_get_number(v, "cost_usd_per_h", 0) > 0)
            cell_estimate(r->d, estimate_read(v, "cost_usd_per_h"), LABEL_USD_PER_H);
        else
            doc_cell(r->d, "no price given");
    }
    doc_table_end(r->d);
}

static void total_cost(const struct review *r, const struct json *metrics)
{
    struct estimate hour = estimate_read(metrics, "cost_usd_per_h"),
                    million = estimate_read(metrics, "cost_usd_per_1m_units"),
                    whole = estimate_read(metrics, "cost_usd");
    char buf[160];

    if (estimate_is_known(hour))
        doc_block(r->d, DOC_PARA, "All of it costs %s.",
                  label_estimate(buf, sizeof buf, hour, LABEL_USD_PER_H));
    if (estimate_is_known(million))
        doc_block(r->d, DOC_PARA, "A million %ss cost %s.", r->unit,
                  label_estimate(buf, sizeof buf, million, LABEL_USD));
    if (estimate_is_known(whole))
        doc_block(r->d, DOC_PARA, "The whole run costs %s.",
                  label_estimate(buf, sizeof buf, whole, LABEL_USD));
}

/* --------------------------------------------------------------- growth */

/* Busier than this no resource should be on average: beyond, waiting grows steeply. */
#define TARGET_BUSY 0.8

static const double factors[] = {1, 2, 4};
enum { FACTORS = sizeof factors / sizeof factors[0] };

/* By the utilization law: servers busy on average grow with what is asked for. */
static double needed(const struct json *resource, double factor)
{
    double busy = estimate_read(resource, "utilization_frac").mean * json_get_number(resource, "count", NAN);

    return isfinite(busy) ? fmax(1, ceil(factor * busy / TARGET_BUSY - 1e-9)) : NAN;
}

static bool is_countable(const struct json *resource)
{
    const char *kind = json_get_string(resource, "kind", "");

    return strcmp(kind, "cores") == 0 || strcmp(kind, "gpus") == 0 || strcmp(kind, "servers") == 0;
}

static void growth_row(const struct review *r, const struct json *v)
{
    double price = json_get_number(v, "cost_usd_per_h", 0) / json_get_number(v, "count", NAN);
    char number[64], cost[64];

    doc_row(r->d);
    doc_cell_note(r->d, json_get_string(v, "name", "?"), json_get_string(v, "kind", ""));
    doc_cell(r->d, "%.0f", json_get_number(v, "count", NAN));
    for (size_t i = 0; i < FACTORS; i++) {
        double n = needed(v, factors[i]);

        doc_cell_note(r->d, label_value(number, sizeof number, n, LABEL_NUMBER),
                      price > 0 ? label_value(cost, sizeof cost, n * price, LABEL_USD_PER_H) : "");
    }
}

static void growth_by_law(const struct review *r, const struct json *resources)
{
    static const char *const heads[] = {"<Resource",          ">Now",           ">Needed now",
                                        ">At twice the rate", ">At four times", NULL};

    doc_table(r->d, heads);
    JSON_EACH (v, resources)
        if (is_countable(v) && isfinite(json_get_number(v, "count", NAN)))
            growth_row(r, v);
    doc_table_end(r->d);
    doc_block(r->d, DOC_HINT,
              "By the utilization law: how many are busy on average at the present rate, at twice and at "
              "four times it, "
              "none of them busy for more than %.0f %% of the time. Stages that lose time to each other, or "
              "queues in "
              "front of a latency limit, need more; \"foresight plan\" simulates that.",
              100 * TARGET_BUSY);
}

/* The cheapest deployment that meets the service level, and how far it is from what could be. */
static void recommended(const struct review *r)
{
    const struct json *best = section_list(r->plan, "recommended"),
                      *lower = section_list(r->plan, "lower_bound");
    struct estimate headroom = estimate_read(r->plan, "headroom_frac");
    char cost[160], least[160], more[160];

    if (best == NULL || section_list(best, "set") == NULL) {
        doc_block(r->d, DOC_MISSING, "No deployment that was tried meets the service level.");
        return;
    }
    doc_block(r->d, DOC_PARA, "The service level is met by %s, for %s.",
              section_joined(r, json_get(best, "set")),
              label_estimate(cost, sizeof cost, estimate_read(best, "cost_usd_per_h"), LABEL_USD_PER_H));
    if (estimate_is_known(estimate_read(lower, "cost_usd_per_h")))
        doc_block(
            r->d, DOC_PARA, "Nothing could do it for less than %s, by the operational bound.",
            label_estimate(least, sizeof least, estimate_read(lower, "cost_usd_per_h"), LABEL_USD_PER_H));
    if (estimate_is_known(headroom))
        doc_block(r->d, DOC_PARA, "It has room for %s more traffic.",
                  label_estimate(more, sizeof more, headroom, LABEL_FRAC));
}

static void growth_by_plan(const struct review *r, const struct json *growth)
{
    static const char *const heads[] = {">Growth", "<Deployment", ">Cost per hour", NULL};
    char cost[160];

    section_source(r, r->plan, "plan");
    recommended(r);
    doc_table(r->d, heads);
    JSON_EACH (v, growth) {
        struct estimate usd = estimate_read(v, "cost_usd_per_h");

        doc_row(r->d);
        doc_cell(r->d, "\xc3\x97%g", json_get_number(v, "factor", NAN));
        doc_cell(r->d, "%s", section_joined(r, json_get(v, "set")));
        doc_cell(r->d, "%s",
                 estimate_is_known(usd) ? label_estimate(cost, sizeof cost, usd, LABEL_USD_PER_H)
                                        : "no prices given");
    }
    doc_table_end(r->d);
}

static void capacity(const struct review *r, const struct json *resources)
{
    const struct json *growth = section_list(r->plan, "growth");

    doc_heading(r->d, "Capacity, and what growth takes");
    if (growth != NULL)
        growth_by_plan(r, growth);
    else if (resources != NULL)
        growth_by_law(r, resources);
}

void section_cost(struct review *r)
{
    const struct json *resources = section_list(r->run, "resources"),
                      *metrics = section_list(r->run, "metrics");

    if (!section_source(r, r->run, "run"))
        return;
    if (section_has_price(r->run)) {
        if (metrics != NULL)
            total_cost(r, metrics);
        if (resources != NULL)
            cost_table(r, resources);
    } else {
        doc_block(r->d, DOC_MISSING,
                  "No prices given: no resource of this scenario has one, so nothing can be said about cost. "
                  "Give resources a \"price\" or a \"preset\" that has one.");
    }
    capacity(r, resources);
}
