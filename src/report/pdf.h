/*
 * pdf.h - a review document as PDF, the same bytes each time.
 *
 * Text is laid out by Pango, pages and drawings are Cairo's, gnuplot's SVG is drawn by librsvg, so that plots
 * stay lines and letters.  Cairo would write the clock into the file: the date in it is a fixed one.
 */
#ifndef REPORT_PDF_H
#define REPORT_PDF_H

#include "report/doc.h"

extern const struct doc_format pdf_format;

/* ERR_PROGRAM with the names of the packages when the program was built without them. */
int pdf_check(struct err *err);

#endif
