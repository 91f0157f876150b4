/*
 * keep.h - what a command found out goes into the store.
 */
#ifndef CLI_KEEP_H
#define CLI_KEEP_H

#include "cli/load.h"

#include <stdint.h>

/* Stores a result document and frees it.  *id (may be NULL) is its number in `foresight runs list`. */
int keep_result(const struct args *args, const struct loaded *l, const char *command, struct json *doc,
                int64_t *id, struct err *err);

#endif
