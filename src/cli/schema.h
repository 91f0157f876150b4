/*
 * schema.h - the JSON Schema (draft-07) of scenario files, made of the tables that read them.
 *
 * For editors: completion, descriptions, ranges.  It knows less than `foresight check`, which also follows
 * references and relations between values.
 */
#ifndef CLI_SCHEMA_H
#define CLI_SCHEMA_H

#include "base/json.h"

struct json *schema_of_scenarios(void); /* the caller frees it */

#endif
