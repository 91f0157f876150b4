/* markdown.h - a review document as GitHub-flavoured Markdown: text and tables, no drawings. */
#ifndef REPORT_MARKDOWN_H
#define REPORT_MARKDOWN_H

#include "report/doc.h"

extern const struct doc_format markdown_format;

#endif
