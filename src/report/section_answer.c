#include "base/arena.h"
#include "base/json.h"
#include "report/sections.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct estimate throughput_of(const struct review *r)
{
    return estimate_widest(estimate_read(section_list(r->run, "metrics"), "throughput_per_s"));
}

/* ------------------------------------------------------------------- lead */

static void lead_run(const struct review *r, struct text *t)
{
    const struct json *bound = section_list(r->run, "bound");
    struct estimate rate = throughput_of(r);
    double best = bound != NULL ? json_get_number(bound, "throughput_per_s", NAN) : NAN;
    const char *limit = section_bottleneck(r->run);
    char value[160];

    if (estimate_is_known(rate))
        text_printf(t, "This pipeline delivers %s %ss a second. ",
                    label_estimate(value, sizeof value, rate, LABEL_NUMBER), r->unit);
    if (limit[0] == '\0')
        return;
    text_printf(t, "What limits it is \"%s\"", limit);
    if (isfinite(best))
        text_printf(t, "; at best, without any waiting, it could deliver %s",
                    label_value(value, sizeof value, best, LABEL_NUMBER));
    text_add(t, ". ");
}

static struct estimate whole_gain(const struct json *optimization)
{
    return estimate_widest(estimate_read(optimization, "end_to_end_gain"));
}

static bool helps(const struct json *optimization)
{
    return strcmp(json_get_string(optimization, "verdict", ""), "helps") == 0;
}

static void lead_rank(const struct json **list, size_t n, struct text *t)
{
    char a[160];
    size_t first = 0;

    if (n == 0)
        return;
    while (first < n && !helps(list[first]))
        first++;
    if (first == n)
        text_printf(t, "None of %zu optimizations is certain to help the whole. ", n);
    else
        text_printf(t, "Of %zu optimizations, \"%s\" helps the whole most: %s. ", n,
                    json_get_string(list[first], "name", "?"),
                    label_estimate(a, sizeof a, whole_gain(list[first]), LABEL_GAIN));
}

static void lead_missing(const struct review *r, struct text *t)
{
    if (r->run == NULL && r->rank == NULL && r->compared_n == 0)
        text_add(t, "The store holds no result for this scenario yet.");
}

/* ----------------------------------------------------------------- points */

static const struct json *locally_best(const struct json **list, size_t n)
{
    const struct json *best = NULL;

    for (size_t i = 0; i < n; i++) {
        double g = estimate_read(list[i], "local_gain").mean;

        if (isfinite(g) && (best == NULL || g > estimate_read(best, "local_gain").mean))
            best = list[i];
    }
    return best;
}

/* The one that its own team would choose, where the whole would not. */
static void point_local(const struct review *r, const struct json **list, size_t n)
{
    const struct json *local = locally_best(list, n);
    char a[160], b[160];

    if (local == NULL || local == list[0])
        return;
    doc_item(r->d,
             "The one that looks best from within its own stages, \"%s\" with %s, is worth %s to the whole.",
             json_get_string(local, "name", "?"),
             label_value(a, sizeof a, estimate_read(local, "local_gain").mean, LABEL_GAIN),
             label_estimate(b, sizeof b, whole_gain(local), LABEL_GAIN));
}

static void point_set(const struct review *r)
{
    const struct json *best = section_list(r->rank, "best"), *after = section_list(r->rank, "after_best");
    const struct json *apply = section_list(best, "apply");
    char gain[160];

    if (apply == NULL || json_size(apply) < 2)
        return;
    doc_item(r->d, "The best set found is %s: %s together; then the limit is %s.", section_joined(r, apply),
             label_estimate(gain, sizeof gain, estimate_read(best, "gain"), LABEL_GAIN),
             after != NULL ? json_get_string(after, "bottleneck", "?") : "?");
}

static void point_assumed(const struct review *r, const struct json **list, size_t n)
{
    const char *names = "", *text = "";
    size_t many = 0;

    for (size_t i = 0; i < n; i++) {
        const struct json *even = section_list(list[i], "break_even");

        if (even == NULL)
            continue;
        names = arena_printf(r->a, "%s%s\"%s\"", names, many > 0 ? ", " : "",
                             json_get_string(list[i], "name", "?"));
        if (many++ == 0)
            text = json_get_string(even, "text", "?");
    }
    if (many == 1)
        doc_item(r->d, "No verdict on %s, whose effect on quality rests on assumed values: it %s.", names,
                 text);
    else if (many > 1)
        doc_item(
            r->d,
            "No verdict on %s, whose effects on quality rest on assumed values. The first of them %s; the "
            "others' break-evens stand with the ranking.",
            names, text);
}

static void point_latency(const struct review *r)
{
    const struct json *latency = section_list(section_list(r->run, "metrics"), "latency_s");
    char half[160], tail[160];

    if (latency == NULL)
        return;
    doc_item(r->d, "Half of the %ss take up to %s, one in twenty longer than %s.", r->unit,
             label_estimate(half, sizeof half, estimate_widest(estimate_read(latency, "p50")), LABEL_S),
             label_estimate(tail, sizeof tail, estimate_widest(estimate_read(latency, "p95")), LABEL_S));
}

static void point_knee(const struct review *r)
{
    const struct json *curve = section_list(r->details, "load_curve"), *knee = section_list(curve, "knee");
    const char *unit = curve != NULL ? json_get_string(curve, "unit", "") : "";
    double present = curve != NULL ? json_get_number(curve, "present", NAN) : NAN;
    enum label_style style;
    char at[80], now[80];

    if (knee == NULL || !isfinite(present))
        return;
    style = strcmp(unit, "per_s") == 0 ? LABEL_NUMBER : LABEL_COUNT;
    label_value(at, sizeof at, json_get_number(knee, "load", NAN), style);
    label_value(now, sizeof now, present, style);
    if (strcmp(unit, "workers") == 0)
        doc_item(r->d, "%s workers of \"%s\" deliver 95 %% of what any tried number does; there are %s.", at,
                 json_get_string(curve, "stage", "?"), now);
    else
        doc_item(r->d, "The knee of the load curve is at %s %s; the scenario asks for %s.", at,
                 strcmp(unit, "clients") == 0 ? "clients" : "a second", now);
}

static void point_cost(const struct review *r)
{
    const struct json *metrics = section_list(r->run, "metrics");
    char hour[160], million[160];

    if (metrics == NULL)
        return;
    if (!section_has_price(r->run)) {
        doc_item(r->d, "No prices given: nothing can be said about cost.");
        return;
    }
    doc_item(r->d, "It costs %s, or %s for a million %ss.",
             label_estimate(hour, sizeof hour, estimate_widest(estimate_read(metrics, "cost_usd_per_h")),
                            LABEL_USD_PER_H),
             label_estimate(million, sizeof million,
                            estimate_widest(estimate_read(metrics, "cost_usd_per_1m_units")), LABEL_USD),
             r->unit);
}

/* What nobody measured and the answer hangs on most: rows come by their effect. */
static void point_sensitivity(const struct review *r)
{
    const struct json *part = section_list(r->details, "sensitivity"), *rows = section_list(part, "rows");
    const struct json *row = rows != NULL ? json_at(rows, 0) : NULL;
    double by = part != NULL ? json_get_number(part, "assumed_by_frac", NAN) : NAN, lo, hi;
    char a[80], b[80], c[80];

    if (row == NULL || strcmp(json_get_string(row, "kind", ""), "assumed") != 0)
        return;
    lo = estimate_read(row, "lower").mean - 1;
    hi = estimate_read(row, "higher").mean - 1;
    if (!isfinite(lo) || !isfinite(hi) || fmax(fabs(lo), fabs(hi)) < 0.01)
        return;
    doc_item(r->d,
             "It hangs most on what nobody measured: %s. %s less of it changes the objective by %s, %s more "
             "by %s.",
             section_short_path(r, json_get_string(row, "path", "?")),
             label_value(a, sizeof a, by, LABEL_FRAC), label_value(b, sizeof b, lo, LABEL_CHANGE),
             label_value(a, sizeof a, by, LABEL_FRAC), label_value(c, sizeof c, hi, LABEL_CHANGE));
}

static void point_validation(const struct review *r)
{
    const struct json *variants = section_list(r->validate, "variants");
    double median = r->validate != NULL ? json_get_number(r->validate, "median_abs_error_frac", NAN) : NAN;
    double inside = r->validate != NULL ? json_get_number(r->validate, "interval_coverage_frac", NAN) : NAN;
    char value[96], covered[96];

    if (r->run == NULL && r->rank == NULL && r->validate == NULL)
        return;
    if (isfinite(median) && variants != NULL)
        doc_item(r->d,
                 "Checked against %zu really executed variants, half of the predicted figures were within "
                 "%s; %s of the "
                 "measurements lie inside the predicted intervals.",
                 json_size(variants), label_value(value, sizeof value, median, LABEL_FRAC),
                 label_value(covered, sizeof covered, inside, LABEL_FRAC));
    else
        doc_item(r->d, "None of this has been checked against real execution yet.");
}

/* ------------------------------------------------------------------ facts */

static void fact_validation(const struct review *r)
{
    double median = r->validate != NULL ? json_get_number(r->validate, "median_abs_error_frac", NAN) : NAN;
    double p90 = r->validate != NULL ? json_get_number(r->validate, "p90_abs_error_frac", NAN) : NAN;
    char value[96], worse[96], note[160];

    snprintf(note, sizeof note, "nine of ten within %s", label_value(worse, sizeof worse, p90, LABEL_FRAC));
    doc_fact(r->d, "Median error against reality",
             isfinite(median) ? label_value(value, sizeof value, median, LABEL_FRAC) : "not checked",
             isfinite(p90) ? note : "foresight validate");
}

static void fact_throughput(const struct review *r)
{
    struct estimate rate = throughput_of(r);
    char value[160], lo[80], hi[80], note[240];

    snprintf(note, sizeof note, "%ss a second", r->unit);
    if (isfinite(rate.lo) && rate.hi > rate.lo)
        snprintf(note, sizeof note, "%ss a second, %s to %s", r->unit,
                 label_value(lo, sizeof lo, rate.lo, LABEL_NUMBER),
                 label_value(hi, sizeof hi, rate.hi, LABEL_NUMBER));
    doc_fact(r->d, "Throughput", label_value(value, sizeof value, rate.mean, LABEL_NUMBER), note);
}

static void fact_best(const struct review *r, const struct json **list, size_t n)
{
    const struct json *best = n > 0 ? list[0] : NULL;
    char value[160], note[200] = "foresight rank";

    for (size_t i = n; i-- > 0;)
        if (helps(list[i]))
            best = list[i];
    if (best != NULL)
        label_estimate(note, sizeof note, whole_gain(best), LABEL_GAIN);
    doc_fact(r->d, "Best optimization",
             best != NULL ? label_cut(value, sizeof value, json_get_string(best, "name", "?"), 40)
                          : "not ranked",
             note);
}

static void facts(const struct review *r, const struct json **list, size_t n)
{
    double level = r->run != NULL ? json_get_number(r->run, "confidence", NAN) : NAN;
    char confidence[40] = "", value[160];

    if (r->run == NULL && n == 0 && r->validate == NULL)
        return;
    if (isfinite(level))
        snprintf(confidence, sizeof confidence, " of %.0f %% confidence", 100 * level);
    doc_facts(r->d);
    fact_throughput(r);
    doc_fact(r->d, "Limited by",
             section_bottleneck(r->run)[0] != '\0'
                 ? label_cut(value, sizeof value, section_bottleneck(r->run), 40)
                 : "?",
             "by the operational bound");
    fact_best(r, list, n);
    fact_validation(r);
    doc_facts_end(r->d);
    doc_block(
        r->d, DOC_HINT,
        "Brackets hold intervals%s. Those in the tables are what the simulation's own sampling leaves open; "
        "\"prediction\", and the intervals on top of this page, add the uncertainty of calibrated "
        "parameters.",
        confidence);
}

void section_answer(struct review *r)
{
    const struct json **list;
    struct text t = {0};
    size_t n;

    list = ranked_optimizations(r->rank, &n);
    text_add(&t, "");
    lead_run(r, &t);
    lead_rank(list, n, &t);
    lead_missing(r, &t);
    if (t.len > 0)
        doc_block(r->d, DOC_LEAD, "%s", t.s);
    point_local(r, list, n);
    point_set(r);
    point_assumed(r, list, n);
    point_latency(r);
    point_knee(r);
    point_cost(r);
    point_sensitivity(r);
    point_validation(r);
    facts(r, list, n);
    text_free(&t);
    free(list);
}
