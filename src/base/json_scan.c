#include "base/json_scan.h"

#include "base/err.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 512, LONGEST_NUMBER = 60 /* cJSON cuts longer ones */ };

static int json_fault(const struct json_source *src, const char *at, const char *what)
{
    int line = 1;
    const char *start = src->text;

    for (const char *p = src->text; p < at; p++) {
        if (*p == '\n') {
            line++;
            start = p + 1;
        }
    }
    return err_set(src->err, ERR_SCENARIO, "%s:%d:%d: not valid JSON: %s", src->name, line,
                   (int)(at - start) + 1, what);
}

/* Bytes of the UTF-8 character at s, or 0 if there is none. */
int json_utf8_length(const unsigned char *s)
{
    int n = s[0] < 0x80                   ? 1
            : s[0] >= 0xC2 && s[0] < 0xE0 ? 2
            : (s[0] & 0xF0) == 0xE0       ? 3
            : (s[0] & 0xF8) == 0xF0       ? 4
                                          : 0;

    for (int i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    if (n == 3 && ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] >= 0xA0)))
        return 0; /* overlong, or half of a surrogate pair */
    if (n == 4 && ((s[0] == 0xF0 && s[1] < 0x90) || s[0] > 0xF4 || (s[0] == 0xF4 && s[1] >= 0x90)))
        return 0;
    return n;
}

static int scan_string(const struct json_source *src, const char **at)
{
    const char *p = *at + 1;

    while (*p != '"') {
        int n = json_utf8_length((const unsigned char *)p);

        if (*p == '\0' || *p == '\n')
            return json_fault(src, *at, "this string has no end");
        if ((unsigned char)*p < 0x20)
            return json_fault(src, p, "a control character inside a string; write it as \\n, \\t or \\u00XX");
        if (n == 0)
            return json_fault(src, p, "bytes that are not UTF-8");
        if (*p == '\\' && strncmp(p + 1, "u0000", 5) == 0)
            return json_fault(src, p, "\\u0000 is not allowed in a string");
        if (*p == '\\' && (p[1] == '\0' || strchr("\"\\/bfnrtu", p[1]) == NULL))
            return json_fault(src, p, "a backslash stands only before one of \" \\ / b f n r t u");
        p += *p == '\\' ? 2 : n;
    }
    *at = p + 1;
    return 0;
}

static const char *skip_digits(const char *p)
{
    while (*p >= '0' && *p <= '9')
        p++;
    return p;
}

static int scan_number(const struct json_source *src, const char **at)
{
    const char *start = *at, *p = start + (*start == '-'), *digits = p;

    p = skip_digits(p);
    if (p == digits || (*digits == '0' && p > digits + 1))
        return json_fault(src, start, "a number starts with a digit, and with 0 only before a point");
    if (*p == '.') {
        digits = ++p;
        p = skip_digits(p);
        if (p == digits)
            return json_fault(src, start, "a number needs digits after its point");
    }
    if (*p == 'e' || *p == 'E') {
        p += p[1] == '+' || p[1] == '-' ? 2 : 1;
        digits = p;
        p = skip_digits(p);
        if (p == digits)
            return json_fault(src, start, "a number needs digits after its e");
    }
    if (p - start > LONGEST_NUMBER)
        return json_fault(src, start, "a number with more than 60 characters");
    if (!isfinite(strtod(start, NULL)))
        return json_fault(src, start, "a number too large for a double");
    *at = p;
    return 0;
}

int json_scan(const struct json_source *src)
{
    const char *p = src->text;
    int depth = 0;

    if (p[strspn(p, " \t\r\n")] == '\0')
        return err_set(src->err, ERR_SCENARIO, "%s: not valid JSON: the text is empty", src->name);
    while (*p != '\0') {
        if (*p == '"') {
            TRY(scan_string(src, &p));
            continue;
        }
        if (*p == '-' || (*p >= '0' && *p <= '9')) {
            TRY(scan_number(src, &p));
            continue;
        }
        if ((*p == '[' || *p == '{') && ++depth > DEEPEST)
            return json_fault(src, p, "nested deeper than 512 levels");
        depth -= *p == ']' || *p == '}';
        if ((unsigned char)*p < 0x20 && strchr("\t\r\n", *p) == NULL)
            return json_fault(src, p, "a control character");
        p++;
    }
    return 0;
}

/* The word at s, for a message. */
static int word_length(const char *s)
{
    size_t n = strcspn(s, " \t\r\n,:\"[]{}");

    return n == 0 ? 1 : n < 20 ? (int)n : 20;
}

int json_grammar_fault(const struct json_source *src, const char *at)
{
    const char *before = at;
    char what[120];

    while (before > src->text && strchr(" \t\r\n", before[-1]) != NULL)
        before--;
    if (*at == '\0')
        return json_fault(src, at, "the text ends too early; a bracket, brace or value is missing");
    if (strchr("]}", *at) != NULL && before > src->text && before[-1] == ',')
        return json_fault(src, before - 1, "a comma before a closing bracket");
    if (*at == '/' || *at == '#')
        return json_fault(src, at, "comments are not allowed");
    if (*at == '\'')
        return json_fault(src, at, "strings stand in double quotes");
    if (strncmp(at, "NaN", 3) == 0 || strncmp(at, "Inf", 3) == 0)
        return json_fault(src, at, "a number must be finite");
    if ((unsigned char)*at >= 0x20 && (unsigned char)*at < 0x7F)
        snprintf(what, sizeof what,
                 "found %.*s where it cannot stand (a comma, colon or quote may be missing)", word_length(at),
                 at);
    else
        snprintf(what, sizeof what, "found byte 0x%02x where it cannot stand", (unsigned char)*at);
    return json_fault(src, at, what);
}
