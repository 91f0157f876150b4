/*
 * json_scan.h - what json.c checks before and after cJSON has read a text.
 *
 * cJSON's parser is lenient and its errors carry no place.  json_scan() goes
 * through the text first and refuses what cJSON would let through: bytes that
 * are not UTF-8, control characters, \u0000, numbers it would misread, nesting
 * that would exhaust the stack.  What is left for cJSON is the grammar;
 * json_grammar_fault() puts words to its refusal.
 */
#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

struct err;

struct json_source {
    const char *name, *text;
    struct err *err;
};

int json_scan(const struct json_source *src);
int json_grammar_fault(const struct json_source *src, const char *at);

/* Bytes of the UTF-8 character at s, or 0 if there is none. */
int json_utf8_length(const unsigned char *s);

#endif
