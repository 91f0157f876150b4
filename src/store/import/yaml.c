#include "store/import/yaml.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { DEEPEST = 64, LARGEST = 4 << 20 };

struct reader {
    struct import *im;
    yaml_parser_t parser;
    struct err *err;
};

static int next_event(struct reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event))
        return 0;
    return import_refuse(r->im, (long)r->parser.problem_mark.line + 1,
                         (long)r->parser.problem_mark.column + 1, r->err, "not YAML: %s",
                         r->parser.problem != NULL ? r->parser.problem : "unreadable");
}

static int refuse(struct reader *r, const yaml_event_t *event, const char *what)
{
    return import_refuse(r->im, (long)event->start_mark.line + 1, (long)event->start_mark.column + 1, r->err,
                         "%s", what);
}

static struct json *scalar(const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value;
    char *end;
    double v;

    if (e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return json_new_string(text);
    if (*text == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0)
        return json_new_null();
    if (strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0)
        return json_new_bool(text[0] == 't' || text[0] == 'T');
    v = strtod(text, &end);
    return *end == '\0' && isfinite(v) ? json_new_number(v) : json_new_string(text);
}

static int node(struct reader *r, yaml_event_t *first, int depth, struct json **out);

static int sequence(struct reader *r, int depth, struct json *list)
{
    yaml_event_t e;
    struct json *child;
    int rc;

    for (;;) {
        TRY(next_event(r, &e));
        if (e.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&e);
            return 0;
        }
        rc = node(r, &e, depth + 1, &child);
        yaml_event_delete(&e);
        TRY(rc);
        json_push(list, child);
    }
}

static int mapping(struct reader *r, int depth, struct json *object)
{
    yaml_event_t key, e;
    struct json *child;
    int rc;

    for (;;) {
        TRY(next_event(r, &key));
        if (key.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&key);
            return 0;
        }
        rc = key.type == YAML_SCALAR_EVENT ? next_event(r, &e)
                                           : refuse(r, &key, "a key that is not a plain word");
        if (rc == 0) {
            rc = node(r, &e, depth + 1, &child);
            yaml_event_delete(&e);
        }
        if (rc == 0)
            json_set(object, (const char *)key.data.scalar.value, child);
        yaml_event_delete(&key);
        TRY(rc);
    }
}

static int node(struct reader *r, yaml_event_t *first, int depth, struct json **out)
{
    int rc;

    *out = NULL;
    if (depth > DEEPEST)
        return refuse(r, first, "nesting deeper than 64");
    if (first->type == YAML_SCALAR_EVENT) {
        *out = scalar(first);
        return 0;
    }
    if (first->type != YAML_MAPPING_START_EVENT && first->type != YAML_SEQUENCE_START_EVENT)
        return refuse(r, first, first->type == YAML_ALIAS_EVENT ? "an alias" : "no value");
    if (first->type == YAML_MAPPING_START_EVENT) {
        *out = json_new_object();
        rc = mapping(r, depth, *out);
    } else {
        *out = json_new_array();
        rc = sequence(r, depth, *out);
    }
    if (rc != 0) {
        json_free(*out);
        *out = NULL;
    }
    return rc;
}

/* Stream start, document start, the document, and nothing behind it. */
static int document(struct reader *r, struct json **out)
{
    yaml_event_t e;
    int rc = 0;

    *out = NULL;
    for (int i = 0; i < 2 && rc == 0; i++) {
        TRY(next_event(r, &e));
        if (e.type == YAML_STREAM_END_EVENT)
            rc = refuse(r, &e, "it is empty");
        yaml_event_delete(&e);
    }
    TRY(rc);
    TRY(next_event(r, &e));
    rc = node(r, &e, 0, out);
    yaml_event_delete(&e);
    for (bool ended = false; rc == 0 && !ended;) {
        rc = next_event(r, &e);
        if (rc != 0)
            break;
        ended = e.type == YAML_STREAM_END_EVENT;
        if (!ended && e.type != YAML_DOCUMENT_END_EVENT)
            rc = refuse(r, &e, "more than one document");
        yaml_event_delete(&e);
    }
    if (rc != 0) {
        json_free(*out);
        *out = NULL;
    }
    return rc;
}

int yaml_read(struct import *im, struct json **out, struct err *err)
{
    struct reader r = {.im = im, .err = err};
    struct text whole = {0};
    const char *text;
    size_t n;
    int rc;

    *out = NULL;
    while ((rc = source_chunk(import_source(im), &text, &n, err)) == 0 && n > 0 && whole.len <= LARGEST)
        text_add_n(&whole, text, n);
    if (rc == 0 && whole.len > LARGEST)
        rc = import_refuse(im, 0, 0, err, "YAML above 4 MiB");
    if (rc == 0 && whole.len == 0)
        rc = import_refuse(im, 0, 0, err, "it is empty");
    if (rc == 0) {
        ASSERT(yaml_parser_initialize(&r.parser));
        yaml_parser_set_input_string(&r.parser, (const unsigned char *)whole.s, whole.len);
        rc = document(&r, out);
        yaml_parser_delete(&r.parser);
    }
    text_free(&whole);
    return rc;
}
