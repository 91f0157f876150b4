/*
 * doc.h - a review document while it is being written, as HTML, Markdown or PDF.
 *
 * Sections are written once against these calls; a format says how a heading,
 * a paragraph or a table cell looks.  Everything given here is plain text and
 * is escaped by the format, so that no name of a scenario can become markup.
 * The one exception is doc_svg(), whose drawing comes from this floor.
 *
 * A document is written twice: first by a format that writes nothing and only puts the plots into a book, so
 * that one gnuplot draws them all, then in earnest, each drawing in its place.
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

/* A drawing in two forms; narrow may be NULL. */
struct doc_drawing {
    const char *wide, *narrow; /* SVG */
    const char *caption;
};

struct doc_entry {
    const char *id, *title;
};

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
    void (*shade)(struct doc *d, double strength, const char *text);
    void (*item)(struct doc *d, const char *text); /* of a list, which ends with whatever else comes */
    void (*list_end)(struct doc *d);               /* NULL: nothing to be written */
    void (*drawing)(struct doc *d, const struct doc_drawing *drawing); /* NULL: this format has none */
    void (*contents)(struct doc *d, const struct doc_entry *entries, size_t n); /* NULL: needs none */
    void (*details)(struct doc *d, const char *summary); /* to be unfolded; NULL: left out */
    void (*details_end)(struct doc *d);
    bool colours_fixed; /* drawings bring their own colours */
};

struct plot;
struct plot_book;

struct doc {
    const struct doc_format *format;
    struct text *out;
    int columns, column; /* of the table being written; column < 0 outside a row */
    const char *const *heads;
    bool in_list;
    size_t n_plots;
    struct plot_book *book; /* the drawings; while collecting: where they are put */
    void (*collect)(struct doc *d, const struct plot *p); /* NULL: the document is written in earnest */
    void *state;                                          /* of the format, or of collect */
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

/* A cell whose background tells how good (above 0, to 1) or bad (below, to -1) it is. */
void doc_shade(struct doc *d, double strength, const char *text);

void doc_item(struct doc *d, const char *fmt, ...) DOC_PRINTF(2);
void doc_contents(struct doc *d, const struct doc_entry *entries, size_t n);
void doc_drawing(struct doc *d, const struct doc_drawing *drawing);

/* Adds a plot with its data to unfold, or says why there is none. */
void doc_plot(struct doc *d, const struct plot *p, const char *caption);

#endif
