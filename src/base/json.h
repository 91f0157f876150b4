/*
 * json.h - the one door to JSON (cJSON stays behind it).
 *
 * Reading: json_read/json_parse give a tree that the caller frees with
 * json_free().  Syntax errors name file, line and column; duplicate keys and
 * numbers that are not finite are errors.  Everything else an error mentions
 * is a JSON path such as $.stages[2].params.workers.
 *
 * Writing: builders make a tree; json_text() prints it.  Output is byte-stable:
 * keys keep their order, numbers print with the fewest digits that read back
 * as the same double, NaN and infinities become null.
 *
 * Ownership: a value given to json_set()/json_push() belongs to its parent.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct json;

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

int json_read(const char *path, struct json **out, struct err *err);                   /* "-" reads stdin */
int json_parse(const char *text, const char *name, struct json **out, struct err *err); /* `name` stands in messages */
struct json *json_copy(const struct json *v);
void json_free(struct json *v);

enum json_type json_type(const struct json *v);
const char *json_type_name(enum json_type t);
bool json_bool(const struct json *v);          /* JSON_BOOL only, else false */
double json_number(const struct json *v);      /* JSON_NUMBER only, else NaN */
const char *json_string(const struct json *v); /* JSON_STRING only, else NULL */
size_t json_size(const struct json *v);        /* members of an array or object */
const char *json_key(const struct json *v);    /* the name under which v stands in its object */

const struct json *json_get(const struct json *obj, const char *key); /* NULL if absent */
const struct json *json_at(const struct json *arr, size_t i);
const struct json *json_first(const struct json *v);
const struct json *json_next(const struct json *v);

/* for (each child c of v) */
#define JSON_EACH(c, v) for (const struct json *c = json_first(v); c != NULL; c = json_next(c))

/* Shorthands for reading a tree we wrote ourselves; the fallback is returned when absent or of another type. */
double json_get_number(const struct json *obj, const char *key, double fallback);
const char *json_get_string(const struct json *obj, const char *key, const char *fallback);
bool json_get_bool(const struct json *obj, const char *key, bool fallback);

struct json *json_new_object(void);
struct json *json_new_array(void);
struct json *json_new_number(double v);
struct json *json_new_string(const char *s);
struct json *json_new_bool(bool b);
struct json *json_new_null(void);

/* Set replaces a member of the same name.  Each returns the value just placed. */
struct json *json_set(struct json *obj, const char *key, struct json *value);
struct json *json_set_number(struct json *obj, const char *key, double v);
struct json *json_set_string(struct json *obj, const char *key, const char *s); /* NULL becomes null */
struct json *json_set_bool(struct json *obj, const char *key, bool b);
struct json *json_set_object(struct json *obj, const char *key);
struct json *json_set_array(struct json *obj, const char *key);
struct json *json_push(struct json *arr, struct json *value);
void json_remove(struct json *obj, const char *key);
void json_replace(struct json *arr, size_t i, struct json *value);
struct json *json_get_mutable(struct json *obj, const char *key);
struct json *json_at_mutable(struct json *arr, size_t i);

char *json_text(const struct json *v);    /* indented by two spaces, ends without newline; caller frees */
char *json_compact(const struct json *v); /* one line; caller frees */

/* The value on one line, cut to fit, for a message that says what was found; returns buf. */
const char *json_brief(const struct json *v, char *buf, size_t size);

#endif
