#include "base/json.h"
#include "base/json_scan.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every decimal of up to 15 digits survives the way into a double and back, so fewer than 15 need no search.
 */
static void add_number(struct text *t, double v)
{
    char buf[32];
    int digits = fabs(v) < 1e-300 ? 1 : 15; /* subnormal numbers carry fewer digits */

    if (!isfinite(v)) {
        text_add(t, "null");
        return;
    }
    if (v == 0) {
        text_add(t, "0"); /* also for -0 */
        return;
    }
    do
        snprintf(buf, sizeof buf, "%.*g", digits, v);
    while (strtod(buf, NULL) != v && ++digits <= 17);
    text_add(t, buf);
}

static void add_string(struct text *t, const char *s)
{
    text_add(t, "\"");
    while (*s != '\0') {
        int n = json_utf8_length((const unsigned char *)s);

        if (*s == '"' || *s == '\\')
            text_printf(t, "\\%c", *s);
        else if (*s == '\n')
            text_add(t, "\\n");
        else if (*s == '\t')
            text_add(t, "\\t");
        else if ((unsigned char)*s < 0x20 || *s == 0x7F)
            text_printf(t, "\\u%04x", *s);
        else if (n == 0)
            text_add(
                t,
                "\357\277\275"); /* a byte that is not UTF-8 (from a file name) must not spoil the document */
        else
            text_add_n(t, s, (size_t)n);
        s += n > 0 ? n : 1;
    }
    text_add(t, "\"");
}

static void line_break(struct text *t, int depth)
{
    if (depth < 0)
        return;
    text_add(t, "\n");
    while (depth-- > 0)
        text_add(t, "  ");
}

/* depth < 0: all on one line. */
static void add_value(struct text *t, const struct json *v, int depth)
{
    enum json_type type = json_type(v);
    bool is_object = type == JSON_OBJECT;
    int below = depth < 0 ? depth : depth + 1;
    const char *comma = "";

    switch (type) {
    case JSON_NULL:
        text_add(t, "null");
        return;
    case JSON_BOOL:
        text_add(t, json_bool(v) ? "true" : "false");
        return;
    case JSON_NUMBER:
        add_number(t, json_number(v));
        return;
    case JSON_STRING:
        add_string(t, json_string(v));
        return;
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    text_add(t, is_object ? "{" : "[");
    JSON_EACH (c, v) {
        text_add(t, comma);
        comma = depth < 0 ? ", " : ",";
        line_break(t, below);
        if (is_object) {
            add_string(t, json_key(c));
            text_add(t, ": ");
        }
        add_value(t, c, below);
    }
    if (*comma != '\0')
        line_break(t, depth);
    text_add(t, is_object ? "}" : "]");
}

char *json_text(const struct json *v)
{
    struct text t = {0};

    add_value(&t, v, 0);
    return t.s;
}

char *json_compact(const struct json *v)
{
    struct text t = {0};

    add_value(&t, v, -1);
    return t.s;
}

const char *json_brief(const struct json *v, char *buf, size_t size)
{
    char *whole = json_compact(v);
    size_t n = strlen(whole);

    ASSERT(size > 4);
    if (n < size) {
        memcpy(buf, whole, n + 1);
    } else {
        n = size - 4;
        while (n > 0 && ((unsigned char)whole[n] & 0xC0) == 0x80)
            n--; /* not in the middle of a character */
        memcpy(buf, whole, n);
        strcpy(buf + n, "...");
    }
    free(whole);
    return buf;
}
