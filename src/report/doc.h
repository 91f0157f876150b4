/*
 * doc.h - a review document while it is being written, as HTML or as Markdown.
 *
 * Sections are written once against these calls; a format says how a heading,
 * a paragraph or a table cell looks.  Everything given here is plain text and
 * is escaped by the format, so that no name of a scenario can become markup.
 * The one exception is doc_svg(), whose drawing comes from this floor.
 */
#ifndef REPORT_DOC_H
#define REPORT_DOC_H

#include "base/text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

struct doc;

enum doc_kind {
    DOC_PARA,
    DOC_LEAD,   /* the answer, before all sections */
    DOC_SOURCE, /* which command a section comes from */
    DOC_HINT,   /* how to read what stands above */
    DOC_MISSING,
    DOC_WARNING
};

enum doc_tone { DOC_NEUTRAL, DOC_GOOD, DOC_BAD, DOC_OPEN };

/* How one format writes each part; texts arrive unescaped. */
struct doc_format {
    void (*begin)(struct doc *d, const char *title);
    void (*end)(struct doc *d);
    void (*section)(struct doc *d, const char *id, const char *title);
    void (*section_end)(struct doc *d);
    void (*heading)(struct doc *d, const char *title);
    void (*block)(struct doc *d, enum doc_kind kind, const char *text);
    void (*facts)(struct doc *d, bool begins);
    void (*fact)(struct doc *d, const char *label, const char *value, const char *note);
    void (*table)(struct doc *d, const char *const *heads, int columns);
    void (*table_end)(struct doc *d);
    void (*row)(struct doc *d);
    void (*row_end)(struct doc *d);
    void (*cell)(struct doc *d, const char *text, const char *note);
    void (*mark)(struct doc *d, enum doc_tone tone, const char *text);
    void (*svg)(struct doc *d, const char *svg, const char *caption); /* NULL: this format has no drawings */
};

struct doc {
    const struct doc_format *format;
    struct text *out;
    int columns, column; /* of the table being written; column < 0 outside a row */
    const char *const *heads;
    int n_plots;
    struct err plots; /* why plots are missing; code 0 while they are not */
};

bool doc_has_drawings(const struct doc *d);

#define DOC_PRINTF(n) __attribute__((format(printf, (n), (n) + 1)))

void doc_begin(struct doc *d, const char *title);
void doc_end(struct doc *d);
void doc_section(struct doc *d, const char *id, const char *title);
void doc_section_end(struct doc *d);
void doc_heading(struct doc *d, const char *title);
void doc_block(struct doc *d, enum doc_kind kind, const char *fmt, ...) DOC_PRINTF(3);
void doc_facts(struct doc *d);
void doc_fact(struct doc *d, const char *label, const char *value,
              const char *note); /* value, note: of the user */
void doc_facts_end(struct doc *d);

/* Heads start with '<' for text or '>' for figures, which are set to the right; the last one is followed by
 * NULL. */
void doc_table(struct doc *d, const char *const *heads);
void doc_table_end(struct doc *d);
void doc_row(struct doc *d); /* ends the row before */
void doc_cell(struct doc *d, const char *fmt, ...) DOC_PRINTF(2);
void doc_cell_note(struct doc *d, const char *text, const char *note); /* a smaller second line */
void doc_mark(struct doc *d, enum doc_tone tone, const char *text);    /* a cell with a coloured word */

void doc_svg(struct doc *d, const char *svg, const char *caption);

/* Adds a plot, or says why there is none. */
struct plot;
void doc_plot(struct doc *d, const struct plot *p, const char *caption);

#endif
