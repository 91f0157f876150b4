/*
 * yaml.h - the one door to YAML (libyaml stays behind it).
 *
 * A document becomes the same tree that JSON does.  Plain scalars that read as
 * numbers become numbers, true and false booleans, null and nothing null; all
 * else is text.  Aliases, several documents, nesting deeper than 64 and files
 * above 4 MiB are refused: no trace needs them.
 */
#ifndef STORE_IMPORT_YAML_H
#define STORE_IMPORT_YAML_H

#include "base/json.h"
#include "store/import/sink.h"

/* Reads what is left of the import's source.  The caller frees *out with json_free(). */
int yaml_read(struct import *im, struct json **out, struct err *err);

#endif
