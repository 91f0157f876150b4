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
        if (*p == '\\' && p[1] == 'u' && strspn(p + 2, "0123456789abcdefABCDEF") < 4)
            return json_fault(src, p, "\\u needs four hexadecimal digits");
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

/* ------------------------------------------------------------------------------------------------- grammar
 */

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

/* Length of the word at s, for a message. */
static int word_length(const char *s)
{
    size_t n = strcspn(s, " \t\r\n,:\"'[]{}");

    return n == 0 ? 1 : n < 20 ? (int)n : 20;
}

static int unexpected(const struct json_source *src, const char *at, const char *wanted)
{
    char what[160];

    if (*at == '\0')
        return json_fault(src, at, "the text ends too early; a bracket, brace or value is missing");
    if (*at == '/' || *at == '#')
        return json_fault(src, at, "comments are not allowed");
    if (*at == '\'')
        return json_fault(src, at, "strings stand in double quotes");
    if (strncmp(at, "NaN", 3) == 0 || strncmp(at, "Inf", 3) == 0)
        return json_fault(src, at, "a number must be finite");
    if ((unsigned char)*at >= 0x20 && (unsigned char)*at < 0x7F)
        snprintf(what, sizeof what, "found %.*s where %s should stand", word_length(at), at, wanted);
    else
        snprintf(what, sizeof what, "found byte 0x%02x where %s should stand", (unsigned char)*at, wanted);
    return json_fault(src, at, what);
}

static int scan_value(const struct json_source *src, const char **at, int depth);

static int scan_key(const struct json_source *src, const char **at)
{
    if (**at != '"')
        return unexpected(src, *at, "a key in double quotes");
    TRY(scan_string(src, at));
    *at = skip_space(*at);
    if (**at != ':')
        return unexpected(src, *at, "a colon");
    ++*at;
    return 0;
}

/* Members of an object or a list, after the opening bracket. */
static int scan_members(const struct json_source *src, const char **at, char closing, int depth)
{
    const char *p = skip_space(*at), *comma = NULL;

    if (depth > DEEPEST)
        return json_fault(src, *at - 1, "nested deeper than 512 levels");
    while (*p != closing || comma != NULL) {
        if (*p == closing)
            return json_fault(src, comma, "a comma before a closing bracket");
        if (closing == '}')
            TRY(scan_key(src, &p));
        TRY(scan_value(src, &p, depth));
        p = skip_space(p);
        comma = *p == ',' ? p : NULL;
        if (comma == NULL && *p != closing)
            return unexpected(src, p, closing == '}' ? "a comma or }" : "a comma or ]");
        if (comma != NULL)
            p = skip_space(p + 1);
    }
    *at = p + 1;
    return 0;
}

static int scan_value(const struct json_source *src, const char **at, int depth)
{
    static const char *const words[] = {"true", "false", "null"};
    const char *p = *at = skip_space(*at);

    if (*p == '"')
        return scan_string(src, at);
    if (*p == '-' || (*p >= '0' && *p <= '9'))
        return scan_number(src, at);
    if (*p == '{' || *p == '[') {
        ++*at;
        return scan_members(src, at, *p == '{' ? '}' : ']', depth + 1);
    }
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);

        if (strncmp(p, words[i], n) == 0) {
            *at = p + n;
            return 0;
        }
    }
    return unexpected(src, p, "a value");
}

int json_scan(const struct json_source *src)
{
    const char *p = skip_space(src->text);

    if (*p == '\0')
        return err_set(src->err, ERR_SCENARIO, "%s: not valid JSON: the text is empty", src->name);
    TRY(scan_value(src, &p, 0));
    p = skip_space(p);
    return *p == '\0' ? 0 : unexpected(src, p, "the end of the text");
}
