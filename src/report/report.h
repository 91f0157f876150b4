/*
 * report.h - one review document out of stored result documents.
 *
 * The HTML is one self-contained file: its own style, drawings inside, nothing
 * loaded from elsewhere.  Every section names the command that produced its
 * figures; a section whose result is missing says which command makes it.
 * Names come from scenarios, so all text is escaped on its way out.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "base/err.h"

struct json;
struct text;

struct report_input {
    const struct json *run, *rank, *validate; /* result documents (CLI.md); NULL: not in the store */
    const char *scenario_name;
};

/*
 * ERR_PROGRAM when gnuplot is missing: the document is then complete but for
 * its plots, each of which says so.  Write it and pass the code on.
 */
int report_html(const struct report_input *in, struct text *out, struct err *err);
int report_markdown(const struct report_input *in, struct text *out,
                    struct err *err); /* tables only, no plots */

#endif
