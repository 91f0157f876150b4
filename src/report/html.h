/* html.h - a review document as one self-contained HTML file. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include "report/doc.h"

extern const struct doc_format html_format;

#endif
