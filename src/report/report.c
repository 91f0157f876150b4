#include "report/report.h"

#include "base/arena.h"
#include "base/json.h"
#include "report/html.h"
#include "report/markdown.h"
#include "report/pdf.h"
#include "report/sections.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------- sections */

static bool always(const struct review *r)
{
    (void)r;
    return true;
}

static bool one_run(const struct review *r)
{
    return r->compared_n < 2;
}

static bool is_compared(const struct review *r)
{
    return r->compared_n >= 2;
}

static bool has_details(const struct review *r)
{
    return one_run(r) && r->details != NULL;
}

static const struct {
    struct doc_entry entry;
    bool (*applies)(const struct review *r);
    void (*write)(struct review *r);
} sections[] = {
    {{"comparison", "Side by side"}, is_compared, section_comparison},
    {{"pipeline", "The pipeline"}, one_run, section_pipeline},
    {{"ranking", "Which optimization helps end to end"}, one_run, section_ranking},
    {{"estate", "What it does to every pipeline"}, section_has_estate, section_estate},
    {{"owners", "Who pays and who gains"}, one_run, section_owners},
    {{"build", "The best set, step by step"}, one_run, section_build},
    {{"front", "What speed costs"}, one_run, section_front},
    {{"load", "Latency and load"}, has_details, section_load},
    {{"time", "Where time goes"}, one_run, section_time},
    {{"sensitivity", "What the result hangs on"}, one_run, section_sensitivity},
    {{"cost", "Cost and capacity"}, one_run, section_cost},
    {{"validation", "Predicted against measured"}, one_run, section_validation},
    {{"provenance", "Assumptions, warnings and provenance"}, always, section_provenance},
};
enum { SECTIONS = sizeof sections / sizeof sections[0] };

static const char *unit_of(const struct report_input *in)
{
    const struct json *doc[] = {in->run, in->rank, in->validate};
    const char *unit = NULL;

    for (size_t i = 0; i < 3 && unit == NULL; i++)
        unit = doc[i] != NULL ? json_get_string(doc[i], "unit", NULL) : NULL;
    return unit != NULL && unit[0] != '\0' ? unit : "unit";
}

static void write_contents(const struct review *r)
{
    struct doc_entry entries[SECTIONS];
    size_t n = 0;

    for (size_t i = 0; i < SECTIONS; i++)
        if (sections[i].applies(r))
            entries[n++] = sections[i].entry;
    doc_contents(r->d, entries, n);
}

static void write_sections(const struct report_input *in, struct doc *d)
{
    struct review r = {.run = in->run,
                       .rank = in->rank,
                       .validate = in->validate,
                       .details = in->details,
                       .plan = in->plan,
                       .search = in->search,
                       .compared = in->compared,
                       .compared_n = in->compared_n,
                       .scenario = in->scenario_name,
                       .unit = unit_of(in),
                       .d = d,
                       .a = arena_new()};
    const char *title = r.compared_n >= 2 ? arena_printf(r.a, "%zu runs side by side", r.compared_n)
                                          : arena_printf(r.a, "Review of %s", in->scenario_name);

    doc_begin(d, title);
    if (r.compared_n < 2)
        section_answer(&r);
    write_contents(&r);
    for (size_t i = 0; i < SECTIONS; i++) {
        if (!sections[i].applies(&r))
            continue;
        doc_section(d, sections[i].entry.id, sections[i].entry.title);
        sections[i].write(&r);
        doc_section_end(d);
    }
    doc_end(d);
    arena_free(r.a);
}

/* ------------------------------------------------------------- collecting */

static void no_title(struct doc *d, const char *title)
{
    (void)d;
    (void)title;
}

static void no_end(struct doc *d)
{
    (void)d;
}

static void no_section(struct doc *d, const char *id, const char *title)
{
    (void)d;
    (void)id;
    (void)title;
}

static void no_block(struct doc *d, enum doc_kind kind, const char *text)
{
    (void)d;
    (void)kind;
    (void)text;
}

static void no_facts(struct doc *d, bool begins)
{
    (void)d;
    (void)begins;
}

static void no_fact(struct doc *d, const char *label, const char *value, const char *note)
{
    (void)d;
    (void)label;
    (void)value;
    (void)note;
}

static void no_table(struct doc *d, const char *const *heads, int columns)
{
    (void)d;
    (void)heads;
    (void)columns;
}

static void no_mark(struct doc *d, enum doc_tone tone, const char *text)
{
    (void)d;
    (void)tone;
    (void)text;
}

static void no_shade(struct doc *d, double strength, const char *text)
{
    (void)d;
    (void)strength;
    (void)text;
}

static void no_cell(struct doc *d, const char *text, const char *note)
{
    (void)d;
    (void)text;
    (void)note;
}

static void no_drawing(struct doc *d, const struct doc_drawing *drawing)
{
    (void)d;
    (void)drawing;
}

/* Writes nothing: what is left of the document are its plots. */
static const struct doc_format nothing_format = {
    .begin = no_title,
    .end = no_end,
    .section = no_section,
    .section_end = no_end,
    .heading = no_title,
    .block = no_block,
    .facts = no_facts,
    .fact = no_fact,
    .table = no_table,
    .table_end = no_end,
    .row = no_end,
    .row_end = no_end,
    .cell = no_cell,
    .mark = no_mark,
    .shade = no_shade,
    .item = no_title,
    .drawing = no_drawing,
};

static void into_book(struct doc *d, const struct plot *p)
{
    plot_book_add(d->book, p);
}

/* ----------------------------------------------------------------- report */

static const struct doc_format *format_of(enum report_format format)
{
    switch (format) {
    case REPORT_MARKDOWN:
        return &markdown_format;
    case REPORT_PDF:
        return &pdf_format;
    case REPORT_HTML:
        break;
    }
    return &html_format;
}

int report_check_format(enum report_format format, struct err *err)
{
    return format == REPORT_PDF ? pdf_check(err) : 0;
}

int report_write(const struct report_input *in, enum report_format format, struct text *out, struct err *err)
{
    struct doc d = {.format = format_of(format), .out = out};
    struct text none = {0};

    TRY(report_check_format(format, err));
    if (d.format->drawing != NULL) {
        struct doc first = {.format = &nothing_format, .out = &none, .collect = into_book};

        d.book = plot_book_new(d.format->colours_fixed ? COLOURS_FIXED : COLOURS_OF_PAGE,
                               !d.format->colours_fixed);
        first.book = d.book;
        write_sections(in, &first);
        plot_book_draw(d.book, &d.plots);
    }
    write_sections(in, &d);
    plot_book_free(d.book);
    if (d.plots.code != 0)
        *err = d.plots;
    return d.plots.code;
}

/* ------------------------------------------------------------------- data */

struct data_list {
    struct report_data *list;
    size_t n;
};

static void into_data(struct doc *d, const struct plot *p)
{
    struct data_list *all = d->state;
    struct report_data *one;
    struct text csv = {0};

    all->list = xrealloc(all->list, all->n + 1, sizeof *all->list);
    one = &all->list[all->n++];
    snprintf(one->name, sizeof one->name, "%02zu-%.50s.csv", all->n, p->slug);
    plot_csv(p, &csv);
    one->csv = csv.s;
}

size_t report_data(const struct report_input *in, struct report_data **out)
{
    struct data_list all = {0};
    struct text none = {0};
    struct doc d = {.format = &nothing_format, .out = &none, .collect = into_data, .state = &all};

    write_sections(in, &d);
    *out = all.list;
    return all.n;
}

void report_data_free(struct report_data *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(list[i].csv);
    free(list);
}
