/* trace_export.h - what trace_export.c and trace_chrome.c share; used in this folder only. */
#ifndef STORE_TRACE_EXPORT_H
#define STORE_TRACE_EXPORT_H

#include "store/trace.h"

/* Nothing that has a place in time: ERR_USAGE. */
int trace_export_chrome(struct store *s, const struct trace_row *trace, FILE *out, struct err *err);

#endif
