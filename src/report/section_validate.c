#include "base/arena.h"
#include "base/json.h"
#include "report/sections.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum label_style style_of(const char *unit)
{
    static const struct {
        const char *unit;
        enum label_style style;
    } known[] = {{"s", LABEL_S}, {"bytes", LABEL_BYTES}, {"B", LABEL_BYTES}, {"frac", LABEL_FRAC}};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(unit, known[i].unit) == 0)
            return known[i].style;
    return LABEL_NUMBER;
}

/* The figure that is plotted: throughput where the variants have it, else what they list first. */
static const char *main_figure(const struct json *variants)
{
    const char *first = NULL;

    JSON_EACH (v, variants) {
        const struct json *figures = section_list(v, "figures");

        if (figures == NULL)
            continue;
        JSON_EACH (f, figures) {
            const char *name = json_get_string(f, "name", "");

            if (strstr(name, "throughput") != NULL)
                return name;
            if (first == NULL)
                first = name;
        }
    }
    return first != NULL ? first : "";
}

static const struct json *figure_of(const struct json *variant, const char *name)
{
    const struct json *figures = section_list(variant, "figures");

    if (figures != NULL)
        JSON_EACH (f, figures) {
            if (strcmp(json_get_string(f, "name", ""), name) == 0)
                return f;
        }
    return NULL;
}

static void cell_inside(struct doc *d, const struct json *figure)
{
    const struct json *inside = json_get(figure, "inside_interval");

    if (inside == NULL || json_type(inside) != JSON_BOOL)
        doc_cell(d, "\xe2\x80\x93");
    else
        doc_mark(d, json_bool(inside) ? DOC_GOOD : DOC_BAD, json_bool(inside) ? "inside" : "outside");
}

static void figure_cells(const struct review *r, const struct json *f)
{
    enum label_style style = style_of(json_get_string(f, "unit", ""));
    char value[96];

    doc_cell(r->d, "%s", json_get_string(f, "unit", ""));
    cell_estimate(r->d, estimate_read(f, "measured"), style);
    cell_estimate(r->d, estimate_read(f, "predicted"), style);
    doc_cell(r->d, "%s",
             label_value(value, sizeof value, json_get_number(f, "error_frac", NAN), LABEL_CHANGE));
    cell_inside(r->d, f);
}

static void main_table(const struct review *r, const struct json *variants, const char *name)
{
    static const char *const heads[] = {">No.",       "<Variant", "<Unit",     ">Measured",
                                        ">Predicted", ">Error",   "<Interval", NULL};
    int number = 0;

    doc_heading(r->d, name);
    doc_table(r->d, heads);
    JSON_EACH (v, variants) {
        const struct json *f = figure_of(v, name);

        if (f == NULL)
            continue;
        doc_row(r->d);
        doc_cell(r->d, "%d", ++number);
        doc_cell(r->d, "%s", json_get_string(v, "name", "?"));
        figure_cells(r, f);
    }
    doc_table_end(r->d);
}

/* The names of all figures but the main one, each once; returns how many. */
static size_t other_figures(const struct json *variants, const char *main, const char **names, size_t most)
{
    size_t n = 0;

    JSON_EACH (v, variants) {
        const struct json *figures = section_list(v, "figures");

        if (figures == NULL)
            continue;
        JSON_EACH (f, figures) {
            const char *name = json_get_string(f, "name", "");
            size_t i = 0;

            while (i < n && strcmp(names[i], name) != 0)
                i++;
            if (i == n && n < most && strcmp(name, main) != 0)
                names[n++] = name;
        }
    }
    return n;
}

/* "cpu_s_per_unit" as the head of a column of figures, with spaces at which it can be broken. */
static const char *figure_head(struct arena *a, const char *name)
{
    char *head = arena_printf(a, ">%s", name);

    for (char *c = head; *c != '\0'; c++)
        *c = *c == '_' ? ' ' : *c;
    return head;
}

static void other_cell(const struct review *r, const struct json *f)
{
    enum label_style style = f != NULL ? style_of(json_get_string(f, "unit", "")) : LABEL_NUMBER;
    char error[96], predicted[160], measured[160], note[360];

    if (f == NULL) {
        doc_cell(r->d, "\xe2\x80\x93");
        return;
    }
    snprintf(note, sizeof note, "%s for %s",
             label_value(predicted, sizeof predicted, estimate_read(f, "predicted").mean, style),
             label_value(measured, sizeof measured, estimate_read(f, "measured").mean, style));
    doc_cell_note(r->d, label_value(error, sizeof error, json_get_number(f, "error_frac", NAN), LABEL_CHANGE),
                  note);
}

static void other_table(const struct review *r, const struct json *variants, const char *main)
{
    enum { MOST = 8 };
    struct arena *a = arena_new();
    const char *names[MOST], *heads[MOST + 2] = {"<Variant"};
    size_t n = other_figures(variants, main, names, MOST);

    for (size_t i = 0; i < n; i++)
        heads[i + 1] = figure_head(a, names[i]);
    if (n > 0) {
        doc_heading(r->d, "All other figures");
        doc_block(r->d, DOC_HINT, "The error; below it what was predicted for what was measured.");
        doc_table(r->d, heads);
        JSON_EACH (v, variants) {
            doc_row(r->d);
            doc_cell(r->d, "%s", json_get_string(v, "name", "?"));
            for (size_t i = 0; i < n; i++)
                other_cell(r, figure_of(v, names[i]));
        }
        doc_table_end(r->d);
    }
    arena_free(a);
}

static void validation_plot(const struct review *r, const struct json *variants, const char *name)
{
    struct plot_point *measured = arena_array(r->a, json_size(variants), sizeof *measured);
    struct plot_point *predicted = arena_array(r->a, json_size(variants), sizeof *predicted);
    struct plot_series series[] = {{.name = "measured", .points = measured},
                                   {.name = "predicted", .points = predicted}};
    struct plot p = {.kind = PLOT_SCATTER,
                     .slug = "predicted-and-measured",
                     .title = "Predicted against measured, one point per variant",
                     .x_title = "measured",
                     .y_title = "predicted",
                     .series = series,
                     .n_series = 2,
                     .reference = NAN};

    JSON_EACH (v, variants) {
        const struct json *f = figure_of(v, name);
        struct estimate m, q;

        if (f == NULL)
            continue;
        m = estimate_read(f, "measured");
        q = estimate_widest(estimate_read(f, "predicted"));
        measured[p.rows] = section_point(m, NAN);
        predicted[p.rows++] = section_point(q, NAN);
    }
    if (p.rows > 0)
        doc_plot(r->d, &p,
                 "Numbers are those of the table. A point on the dashed line was predicted exactly. Bars are "
                 "the intervals "
                 "of both sides.");
}

static void speedup_table(const struct review *r, const struct json *speedups)
{
    static const char *const heads[] = {"<Speed-up against the baseline", ">Measured", ">Predicted", NULL};

    doc_heading(r->d, "Speed-ups");
    doc_table(r->d, heads);
    JSON_EACH (v, speedups) {
        doc_row(r->d);
        doc_cell(r->d, "%s", json_get_string(v, "name", "?"));
        cell_estimate(r->d, estimate_read(v, "measured"), LABEL_GAIN);
        cell_estimate(r->d, estimate_read(v, "predicted"), LABEL_GAIN);
    }
    doc_table_end(r->d);
}

static void summary_table(const struct review *r)
{
    static const char *const heads[] = {"<How far from reality", ">Value", NULL};
    static const struct {
        const char *key, *words, *note;
        enum label_style style;
    } line[] = {
        {"median_abs_error_frac", "Median error", "half of the figures are closer", LABEL_FRAC},
        {"p90_abs_error_frac", "90th percentile of the error", "", LABEL_FRAC},
        {"speedup_median_abs_error_frac", "Median error of speed-ups", "against the baseline", LABEL_FRAC},
        {"speedup_p90_abs_error_frac", "90th percentile of the error of speed-ups", "", LABEL_FRAC},
        {"latency_p95_median_abs_error_frac", "Median error of the p95 latency", "", LABEL_FRAC},
        {"kendall_tau", "Kendall's tau",
         "1: all pairs of variants that can be told apart are in the right order", LABEL_NUMBER},
        {"top_choice_regret_frac", "Lost by choosing the predicted best", "against the truly best variant",
         LABEL_FRAC},
        {"local_choice_regret_frac", "Lost by choosing the locally best",
         "what each team's own figures would have chosen", LABEL_FRAC},
        {"interval_coverage_frac", "Measured values inside the predicted interval", "", LABEL_FRAC},
        {"interval_width_frac", "Width of the predicted interval", "of the predicted value", LABEL_FRAC},
        {"profile_drift_frac", "Operators alone, after against before", "how much slower the machine became",
         LABEL_CHANGE},
    };
    char value[96];

    doc_table(r->d, heads);
    for (size_t i = 0; i < sizeof line / sizeof line[0]; i++) {
        double v = json_get_number(r->validate, line[i].key, NAN);

        if (!isfinite(v))
            continue;
        doc_row(r->d);
        doc_cell_note(r->d, line[i].words, line[i].note);
        doc_cell(r->d, "%s", label_value(value, sizeof value, v, line[i].style));
    }
    doc_table_end(r->d);
}

/* ----------------------------------------------------------------------- where it is wrong */

/* Measured and predicted seconds of one part of a stage's time, and the error that it makes of it. */
static void part_cells(const struct review *r, const struct json *stage, const char *part)
{
    const struct json *p = json_get(stage, part);
    char measured[160], predicted[96], error[96], note[300];

    if (p == NULL) {
        doc_cell(r->d, "\xe2\x80\x93");
        return;
    }
    snprintf(note, sizeof note, "%s for %s",
             label_value(predicted, sizeof predicted, json_get_number(p, "predicted_s", NAN), LABEL_S),
             label_value(measured, sizeof measured, estimate_read(p, "measured_s").mean, LABEL_S));
    doc_cell_note(r->d, label_value(error, sizeof error, json_get_number(p, "error_frac", NAN), LABEL_CHANGE),
                  note);
}

static void stage_rows(const struct review *r, const struct json *variant)
{
    const struct json *stages = section_list(variant, "stages");

    JSON_EACH (s, stages) {
        doc_row(r->d);
        doc_cell(r->d, "%s", json_get_string(variant, "name", "?"));
        doc_cell(r->d, "%s", json_get_string(s, "name", "?"));
        part_cells(r, s, "working");
        part_cells(r, s, "blocked");
        part_cells(r, s, "starved");
    }
}

static void why_table(const struct review *r, const struct json *variants, const char *main)
{
    static const char *const heads[] = {"<Variant", ">Error", "<What missed most", NULL};
    char error[96];

    doc_table(r->d, heads);
    JSON_EACH (v, variants) {
        const struct json *f = figure_of(v, main);

        doc_row(r->d);
        doc_cell(r->d, "%s", json_get_string(v, "name", "?"));
        doc_cell(r->d, "%s",
                 label_value(error, sizeof error, f != NULL ? json_get_number(f, "error_frac", NAN) : NAN,
                             LABEL_CHANGE));
        doc_cell(r->d, "%s", json_get_string(v, "why", "\xe2\x80\x93"));
    }
    doc_table_end(r->d);
}

static void wrong_tables(const struct review *r, const struct json *variants, const char *main)
{
    static const char *const heads[] = {"<Variant", "<Stage", ">Working", ">Blocked", ">Starved", NULL};
    const struct json *first = json_first(variants);

    if (first == NULL || section_list(first, "stages") == NULL)
        return;
    doc_heading(r->d, "Where the model is wrong");
    why_table(r, variants, main);
    doc_block(r->d, DOC_HINT,
              "What the workers of each stage spent per unit: the error as a share of their time, below it "
              "what was "
              "predicted for what was measured. The three errors of a stage add up to that of the time per "
              "unit.");
    doc_table(r->d, heads);
    JSON_EACH (v, variants)
        if (section_list(v, "stages") != NULL)
            stage_rows(r, v);
    doc_table_end(r->d);
}

void section_validation(struct review *r)
{
    const struct json *variants = section_list(r->validate, "variants");
    const char *name;

    if (section_source(r, r->validate, "validate")) {
        doc_block(r->d, DOC_PARA,
                  "Each variant was really executed on this machine and simulated; the simulation was "
                  "calibrated on the baseline alone.");
        summary_table(r);
        if (variants != NULL) {
            name = main_figure(variants);
            validation_plot(r, variants, name);
            main_table(r, variants, name);
            if (section_list(r->validate, "speedups") != NULL)
                speedup_table(r, json_get(r->validate, "speedups"));
            other_table(r, variants, name);
            wrong_tables(r, variants, name);
        }
    }
}
