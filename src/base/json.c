#include "base/json.h"

#include "base/arena.h"
#include "base/json_scan.h"
#include "base/text.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* `struct json` is cJSON's node under another name; it is never defined. */
static cJSON *node(const struct json *v)
{
    return (cJSON *)v;
}

static struct json *wrap(cJSON *v)
{
    ASSERT(v != NULL); /* cJSON returns NULL only when memory runs out */
    return (struct json *)v;
}

/* ------------------------------------------------------------------------------------------------- reading
 */

/* The way from the root to a value; each step lives on the stack of the walk. */
struct place {
    const struct place *up;
    const char *key; /* NULL in an array */
    size_t index;
};

static void add_path(struct text *t, const struct place *p)
{
    if (p == NULL) {
        text_add(t, "$");
        return;
    }
    add_path(t, p->up);
    if (p->key != NULL)
        text_printf(t, ".%s", p->key);
    else
        text_printf(t, "[%zu]", p->index);
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(cJSON *const *)a)->string, (*(cJSON *const *)b)->string);
}

/* Sorting keeps this n log n, so that a hostile file with a million keys cannot stop the program. */
static const char *repeated_key(const cJSON *obj)
{
    size_t n = 0, i = 0;
    const cJSON **members;
    const char *repeated = NULL;

    for (const cJSON *c = obj->child; c != NULL; c = c->next)
        n++;
    members = xcalloc(n, sizeof *members);
    for (const cJSON *c = obj->child; c != NULL; c = c->next)
        members[i++] = c;
    qsort(members, n, sizeof *members, by_key);
    for (i = 1; i < n && repeated == NULL; i++)
        if (strcmp(members[i - 1]->string, members[i]->string) == 0)
            repeated = members[i]->string;
    free(members);
    return repeated;
}

static int refuse_repeated_keys(const cJSON *v, const struct place *here, const char *name, struct err *err)
{
    struct place below = {.up = here};
    const char *key = cJSON_IsObject(v) ? repeated_key(v) : NULL;

    if (key != NULL) {
        struct text path = {0};

        add_path(&path, here);
        err_set(err, ERR_SCENARIO, "%s: %.200s: the key \"%.100s\" stands here twice", name, path.s, key);
        text_free(&path);
        return err->code;
    }
    for (const cJSON *c = v->child; c != NULL; c = c->next, below.index++) {
        below.key = c->string;
        TRY(refuse_repeated_keys(c, &below, name, err));
    }
    return 0;
}

int json_parse(const char *text, const char *name, struct json **out, struct err *err)
{
    struct json_source src = {name, text, err};
    cJSON *root;
    int rc;

    TRY(json_scan(&src));
    root = cJSON_Parse(text);
    if (root == NULL)
        return err_set(err, ERR_SCENARIO, "%s: not valid JSON: half a surrogate pair in a string", name);
    rc = refuse_repeated_keys(root, NULL, name, err);
    if (rc != 0) {
        cJSON_Delete(root);
        return rc;
    }
    *out = wrap(root);
    return 0;
}

int json_read(const char *path, struct json **out, struct err *err)
{
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    char *text;
    size_t len;
    int rc;

    TRY(text_read_file(path, &text, &len, err));
    if (strlen(text) != len)
        rc = err_set(err, ERR_SCENARIO, "%s: not valid JSON: it holds a NUL byte", name);
    else
        rc = json_parse(text, name, out, err);
    free(text);
    return rc;
}

struct json *json_copy(const struct json *v)
{
    return wrap(cJSON_Duplicate(node(v), true));
}

void json_free(struct json *v)
{
    cJSON_Delete(node(v));
}

/* ----------------------------------------------------------------------------------------- looking at a tree
 */

enum json_type json_type(const struct json *v)
{
    switch (node(v)->type & 0xFF) {
    case cJSON_True:
    case cJSON_False:
        return JSON_BOOL;
    case cJSON_Number:
        return JSON_NUMBER;
    case cJSON_String:
        return JSON_STRING;
    case cJSON_Array:
        return JSON_ARRAY;
    case cJSON_Object:
        return JSON_OBJECT;
    default:
        return JSON_NULL;
    }
}

const char *json_type_name(enum json_type t)
{
    static const char *const names[] = {"null",     "true or false", "a number",
                                        "a string", "a list",        "an object"};

    return names[t];
}

bool json_bool(const struct json *v)
{
    return cJSON_IsTrue(node(v));
}

double json_number(const struct json *v)
{
    return cJSON_IsNumber(node(v)) ? node(v)->valuedouble : NAN;
}

const char *json_string(const struct json *v)
{
    return cJSON_IsString(node(v)) ? node(v)->valuestring : NULL;
}

size_t json_size(const struct json *v)
{
    size_t n = 0;

    JSON_EACH (c, v)
        n++;
    return n;
}

const char *json_key(const struct json *v)
{
    return node(v)->string;
}

const struct json *json_get(const struct json *obj, const char *key)
{
    return json_get_mutable((struct json *)obj, key);
}

const struct json *json_at(const struct json *arr, size_t i)
{
    return json_at_mutable((struct json *)arr, i);
}

struct json *json_get_mutable(struct json *obj, const char *key)
{
    if (!cJSON_IsObject(node(obj)))
        return NULL;
    return (struct json *)cJSON_GetObjectItemCaseSensitive(node(obj), key);
}

struct json *json_at_mutable(struct json *arr, size_t i)
{
    cJSON *c = cJSON_IsArray(node(arr)) ? node(arr)->child : NULL;

    while (c != NULL && i-- > 0)
        c = c->next;
    return (struct json *)c;
}

const struct json *json_first(const struct json *v)
{
    return v != NULL ? (const struct json *)node(v)->child : NULL;
}

const struct json *json_next(const struct json *v)
{
    return (const struct json *)node(v)->next;
}

double json_get_number(const struct json *obj, const char *key, double fallback)
{
    const struct json *v = json_get(obj, key);

    return v != NULL && json_type(v) == JSON_NUMBER ? json_number(v) : fallback;
}

const char *json_get_string(const struct json *obj, const char *key, const char *fallback)
{
    const struct json *v = json_get(obj, key);

    return v != NULL && json_type(v) == JSON_STRING ? json_string(v) : fallback;
}

bool json_get_bool(const struct json *obj, const char *key, bool fallback)
{
    const struct json *v = json_get(obj, key);

    return v != NULL && json_type(v) == JSON_BOOL ? json_bool(v) : fallback;
}

/* ------------------------------------------------------------------------------------------ building a tree
 */

struct json *json_new_object(void)
{
    return wrap(cJSON_CreateObject());
}

struct json *json_new_array(void)
{
    return wrap(cJSON_CreateArray());
}

struct json *json_new_number(double v)
{
    return isfinite(v) ? wrap(cJSON_CreateNumber(v)) : json_new_null();
}

struct json *json_new_string(const char *s)
{
    return wrap(cJSON_CreateString(s));
}

struct json *json_new_bool(bool b)
{
    return wrap(cJSON_CreateBool(b));
}

struct json *json_new_null(void)
{
    return wrap(cJSON_CreateNull());
}

struct json *json_set(struct json *obj, const char *key, struct json *value)
{
    bool done;

    ASSERT(json_type(obj) == JSON_OBJECT);
    if (json_get(obj, key) != NULL)
        done = cJSON_ReplaceItemInObjectCaseSensitive(node(obj), key, node(value));
    else
        done = cJSON_AddItemToObject(node(obj), key, node(value));
    ASSERT(done);
    return value;
}

struct json *json_set_number(struct json *obj, const char *key, double v)
{
    return json_set(obj, key, json_new_number(v));
}

struct json *json_set_string(struct json *obj, const char *key, const char *s)
{
    return json_set(obj, key, s != NULL ? json_new_string(s) : json_new_null());
}

struct json *json_set_bool(struct json *obj, const char *key, bool b)
{
    return json_set(obj, key, json_new_bool(b));
}

struct json *json_set_object(struct json *obj, const char *key)
{
    return json_set(obj, key, json_new_object());
}

struct json *json_set_array(struct json *obj, const char *key)
{
    return json_set(obj, key, json_new_array());
}

struct json *json_push(struct json *arr, struct json *value)
{
    ASSERT(json_type(arr) == JSON_ARRAY);
    ASSERT(cJSON_AddItemToArray(node(arr), node(value)));
    return value;
}

void json_remove(struct json *obj, const char *key)
{
    cJSON_DeleteItemFromObjectCaseSensitive(node(obj), key);
}

void json_replace(struct json *arr, size_t i, struct json *value)
{
    ASSERT(cJSON_ReplaceItemInArray(node(arr), (int)i, node(value)));
}
