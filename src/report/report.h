/*
 * report.h - one review document out of stored result documents.
 *
 * The HTML is one self-contained file: its own style, drawings inside, nothing
 * loaded from elsewhere, no script.  Every section names the command that produced its
 * figures; a section whose result is missing says which command makes it.
 * Names come from scenarios, so all text is escaped on its way out.
 * The same input gives the same bytes, PDF included.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "base/err.h"

#include <stddef.h>

struct json;
struct text;

struct report_input {
    /* Result documents (CLI.md); NULL: not in the store.  `details` is what `report` keeps itself. */
    const struct json *run, *rank, *validate, *details, *plan, *search;
    const struct json *const *compared; /* runs to stand side by side; from two on */
    size_t compared_n;
    const char *scenario_name;
};

enum report_format { REPORT_HTML, REPORT_MARKDOWN, REPORT_PDF };

/*
 * ERR_PROGRAM when gnuplot is missing: the document is then complete but for its plots, each of which says
 * so; write it and pass the code on.  Also when PDF was not compiled in: then nothing is written.
 */
int report_write(const struct report_input *in, enum report_format format, struct text *out, struct err *err);
int report_check_format(enum report_format format, struct err *err); /* whether it can be written at all */

/* The data of one plot. */
struct report_data {
    char name[64]; /* "03-load-curve.csv": the program's own words */
    char *csv;
};

/* Of all plots of the document, in their order; the caller frees with report_data_free(). */
size_t report_data(const struct report_input *in, struct report_data **out);
void report_data_free(struct report_data *list, size_t n);

#endif
