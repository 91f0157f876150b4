#include "report/report.h"

#include "base/json.h"
#include "report/html.h"
#include "report/markdown.h"
#include "report/sections.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------- answer */

static const char *bottleneck_of(const struct review *r)
{
    const struct json *bound = section_list(r->run, "bound");

    return bound != NULL ? json_get_string(bound, "bottleneck", "") : "";
}

static struct estimate throughput_of(const struct review *r)
{
    return estimate_widest(estimate_read(section_list(r->run, "metrics"), "throughput_per_s"));
}

static void answer_run(const struct review *r, struct text *t)
{
    const struct json *bound = section_list(r->run, "bound");
    struct estimate rate = throughput_of(r);
    double best = bound != NULL ? json_get_number(bound, "throughput_per_s", NAN) : NAN;
    char value[160];

    if (estimate_is_known(rate))
        text_printf(t, "This pipeline delivers %s %ss a second. ",
                    label_estimate(value, sizeof value, rate, LABEL_NUMBER), r->unit);
    if (bottleneck_of(r)[0] != '\0')
        text_printf(t, "What limits it is \"%s\"", bottleneck_of(r));
    if (bottleneck_of(r)[0] != '\0' && isfinite(best))
        text_printf(t, "; at best, without any waiting, it could deliver %s",
                    label_value(value, sizeof value, best, LABEL_NUMBER));
    if (bottleneck_of(r)[0] != '\0')
        text_add(t, ". ");
}

static struct estimate whole_gain(const struct json *optimization)
{
    return estimate_widest(estimate_read(optimization, "end_to_end_gain"));
}

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

static void answer_rank(const struct json **list, size_t n, struct text *t)
{
    const struct json *local = locally_best(list, n);
    char a[160], b[160];

    if (n == 0)
        return;
    if (strcmp(json_get_string(list[0], "verdict", ""), "helps") == 0)
        text_printf(t, "Of %zu optimizations, \"%s\" helps the whole most: %s. ", n,
                    json_get_string(list[0], "name", "?"),
                    label_estimate(a, sizeof a, whole_gain(list[0]), LABEL_GAIN));
    else
        text_printf(t, "None of %zu optimizations is certain to help the whole. ", n);
    if (local != NULL && local != list[0])
        text_printf(
            t,
            "The one that looks best from within its own stages, \"%s\" with %s, is worth %s to the whole. ",
            json_get_string(local, "name", "?"),
            label_value(a, sizeof a, estimate_read(local, "local_gain").mean, LABEL_GAIN),
            label_value(b, sizeof b, estimate_read(local, "end_to_end_gain").mean, LABEL_GAIN));
}

static void answer_validate(const struct review *r, struct text *t)
{
    const struct json *variants = section_list(r->validate, "variants");
    double median = r->validate != NULL ? json_get_number(r->validate, "median_abs_error_frac", NAN) : NAN;
    char value[96];

    if (isfinite(median) && variants != NULL)
        text_printf(
            t, "Checked against %zu really executed variants, half of the predicted figures were within %s.",
            json_size(variants), label_value(value, sizeof value, median, LABEL_FRAC));
    else if (r->run != NULL || r->rank != NULL)
        text_add(t, "None of this has been checked against real execution yet.");
    else
        text_add(t, "The store holds no result for this scenario yet.");
}

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

static void facts(const struct review *r, const struct json **list, size_t n)
{
    double level = r->run != NULL ? json_get_number(r->run, "confidence", NAN) : NAN;
    char confidence[40] = "";
    char value[160], note[200];

    if (r->run == NULL && n == 0 && r->validate == NULL)
        return;
    if (isfinite(level))
        snprintf(confidence, sizeof confidence, " of %.0f %% confidence", 100 * level);
    doc_facts(r->d);
    fact_throughput(r);
    doc_fact(r->d, "Limited by",
             bottleneck_of(r)[0] != '\0' ? label_cut(value, sizeof value, bottleneck_of(r), 40) : "?",
             "by the operational bound");
    if (n > 0)
        label_estimate(note, sizeof note, whole_gain(list[0]), LABEL_GAIN);
    doc_fact(r->d, "Best optimization",
             n > 0 ? label_cut(value, sizeof value, json_get_string(list[0], "name", "?"), 40) : "not ranked",
             n > 0 ? note : "foresight rank");
    fact_validation(r);
    doc_facts_end(r->d);
    doc_block(
        r->d, DOC_HINT,
        "Brackets hold intervals%s. Those in the tables are what the simulation's own sampling leaves open; "
        "\"prediction\", and the intervals on top of this page, add the uncertainty of calibrated "
        "parameters.",
        confidence);
}

static void answer(const struct review *r)
{
    const struct json **list;
    struct text t = {0};
    size_t n;

    list = ranked_optimizations(r->rank, &n);
    answer_run(r, &t);
    answer_rank(list, n, &t);
    answer_validate(r, &t);
    doc_block(r->d, DOC_LEAD, "%s", t.s);
    facts(r, list, n);
    text_free(&t);
    free(list);
}

/* --------------------------------------------------------------- provenance */

/* Results of different contents of the scenario must not be read side by side without a word. */
static void warn_of_mixture(const struct review *r)
{
    const struct json *doc[] = {r->run, r->rank, r->validate};
    const char *first = NULL;

    for (size_t i = 0; i < sizeof doc / sizeof doc[0]; i++) {
        const char *sha = doc[i] != NULL ? json_get_string(doc[i], "scenario_sha256", NULL) : NULL;

        if (sha != NULL && first != NULL && strcmp(sha, first) != 0) {
            doc_block(r->d, DOC_WARNING,
                      "The results below come from different contents of the scenario file; "
                      "run the commands again before comparing them.");
            return;
        }
        if (first == NULL)
            first = sha;
    }
}

static void document_table(const struct review *r)
{
    static const char *const heads[] = {
        "<Command", "<Version", ">Seed", ">Replications", "<Scenario content (SHA-256)", NULL};
    const struct json *doc[] = {r->run, r->rank, r->validate};

    doc_table(r->d, heads);
    for (size_t i = 0; i < sizeof doc / sizeof doc[0]; i++) {
        double replications;

        if (doc[i] == NULL)
            continue;
        replications = json_get_number(doc[i], "replications", 0);
        doc_row(r->d);
        doc_cell(r->d, "foresight %s", json_get_string(doc[i], "command", "?"));
        doc_cell(r->d, "%s", json_get_string(doc[i], "version", "?"));
        doc_cell(r->d, "%.0f", json_get_number(doc[i], "seed", 0));
        if (replications > 0)
            doc_cell(r->d, "%.0f", replications);
        else
            doc_cell(r->d, "\xe2\x80\x93");
        doc_cell(r->d, "%s", json_get_string(doc[i], "scenario_sha256", "?"));
    }
    doc_table_end(r->d);
}

static void provenance_list(const struct review *r, const char *key, const char *title, const char *none)
{
    static const char *const heads[] = {"<", NULL};
    const struct json *provenance = section_list(r->run != NULL ? r->run : r->rank, "provenance");
    const struct json *list = section_list(provenance, key);

    doc_heading(r->d, title);
    if (list == NULL) {
        doc_block(r->d, DOC_PARA, "%s", none);
        return;
    }
    doc_table(r->d, heads);
    JSON_EACH (v, list) {
        struct text words = {0};

        section_words(v, &words);
        doc_row(r->d);
        doc_cell(r->d, "%s", words.s);
        text_free(&words);
    }
    doc_table_end(r->d);
}

static void warning_table(const struct review *r)
{
    static const char *const heads[] = {"<Command", "<Place", "<Warning", NULL};
    const struct json *doc[] = {r->run, r->rank, r->validate};
    size_t n = 0;

    for (size_t i = 0; i < 3; i++)
        n += section_list(doc[i], "warnings") != NULL;
    doc_heading(r->d, "Warnings");
    if (n == 0) {
        doc_block(r->d, DOC_PARA, "None.");
        return;
    }
    doc_table(r->d, heads);
    for (size_t i = 0; i < 3; i++) {
        if (section_list(doc[i], "warnings") == NULL)
            continue;
        JSON_EACH (w, json_get(doc[i], "warnings")) {
            doc_row(r->d);
            doc_cell(r->d, "%s", json_get_string(doc[i], "command", "?"));
            doc_cell(r->d, "%s", json_get_string(w, "path", ""));
            doc_cell(r->d, "%s", json_get_string(w, "text", ""));
        }
    }
    doc_table_end(r->d);
}

void section_provenance(const struct review *r)
{
    doc_section(r->d, "provenance", "Assumptions, warnings and provenance");
    if (r->run == NULL && r->rank == NULL && r->validate == NULL) {
        section_source(r, NULL, "run");
    } else {
        document_table(r);
        provenance_list(r, "calibrations", "Calibrated from measurements",
                        "Nothing: no parameter of this scenario was fitted.");
        provenance_list(r, "assumed", "Assumed, not measured", "Nothing was marked as assumed.");
        warning_table(r);
    }
    doc_section_end(r->d);
}

/* ------------------------------------------------------------------- report */

static const char *unit_of(const struct report_input *in)
{
    const struct json *doc[] = {in->run, in->rank, in->validate};
    const char *unit = NULL;

    for (size_t i = 0; i < 3 && unit == NULL; i++)
        unit = doc[i] != NULL ? json_get_string(doc[i], "unit", NULL) : NULL;
    return unit != NULL && unit[0] != '\0' ? unit : "unit";
}

static int write_report(const struct report_input *in, const struct doc_format *format, struct text *out,
                        struct err *err)
{
    struct doc d = {.format = format, .out = out};
    struct review r = {.run = in->run,
                       .rank = in->rank,
                       .validate = in->validate,
                       .scenario = in->scenario_name,
                       .unit = unit_of(in),
                       .d = &d};
    struct text title = {0};

    text_printf(&title, "Review of %s", in->scenario_name);
    doc_begin(&d, title.s);
    answer(&r);
    warn_of_mixture(&r);
    section_pipeline(&r);
    section_ranking(&r);
    section_validation(&r);
    section_time(&r);
    section_cost(&r);
    section_provenance(&r);
    doc_end(&d);
    text_free(&title);
    if (d.plots.code != 0)
        *err = d.plots;
    return d.plots.code;
}

int report_html(const struct report_input *in, struct text *out, struct err *err)
{
    return write_report(in, &html_format, out, err);
}

int report_markdown(const struct report_input *in, struct text *out, struct err *err)
{
    return write_report(in, &markdown_format, out, err);
}
