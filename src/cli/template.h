/*
 * template.h - shipped scenarios to start from, by the kind of system they describe.
 */
#ifndef CLI_TEMPLATE_H
#define CLI_TEMPLATE_H

#include "base/text.h"

/* Writes the template to `out` (NULL: NAME.json; "-": stdout) and says what to type next. ERR_USAGE: no such
 * template, or the file exists and `force` is not given. ERR_NOFILE: the shipped scenarios were not found. */
int template_write(const char *name, const char *out, bool force, struct err *err);

#endif
