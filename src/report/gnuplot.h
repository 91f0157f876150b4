/*
 * gnuplot.h - runs gnuplot once in a folder of its own, which is gone afterwards.
 */
#ifndef REPORT_GNUPLOT_H
#define REPORT_GNUPLOT_H

#include "base/err.h"

#include <stddef.h>

struct gnuplot_file {
    const char *name;
    const char *content; /* NULL: gnuplot writes it */
    size_t len;
    char *written; /* what it wrote; the caller frees */
};

/* files[0] is the script.  ERR_PROGRAM: it is not installed, or could not draw. */
int gnuplot_run(struct gnuplot_file *files, size_t n, struct err *err);

#endif
