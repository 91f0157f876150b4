/*
 * json_scan.h - the grammar of JSON, checked before cJSON reads a text.
 *
 * cJSON's parser is lenient and its errors carry no place.  json_scan() goes
 * through the text first and says where it is not JSON: also bytes that are not
 * UTF-8, control characters, \u0000, numbers cJSON would misread, and nesting
 * that would exhaust the stack.  What passes, cJSON reads.
 */
#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

struct err;

struct json_source {
    const char *name, *text;
    struct err *err;
};

int json_scan(const struct json_source *src);

/* Bytes of the UTF-8 character at s, or 0 if there is none. */
int json_utf8_length(const unsigned char *s);

#endif
