#include "store/import/jread.h"

#include "base/arena.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct jread {
    const char *p, *end;
    struct source *source; /* where more comes from; NULL for one line */
    struct err failure;    /* of the source */
    const char *bad;
    long line, column0; /* column0: bytes of this line before `start` */
    const char *start;  /* of the chunk, or of the line within it */
    int depth;
    char kind[JREAD_DEPTH];
    bool first[JREAD_DEPTH];
    bool pending; /* a value was announced and not read yet */
    char key[JREAD_KEY];
    char *text; /* the string or number read last; grows up to JREAD_STRING */
    size_t text_size;
};

struct jread *jread_new(void)
{
    struct jread *r = xcalloc(1, sizeof *r);

    r->text_size = 1024;
    r->text = xmalloc(r->text_size + 8);
    return r;
}

void jread_free(struct jread *r)
{
    if (r == NULL)
        return;
    free(r->text);
    free(r);
}

static void begin(struct jread *r, const char *text, size_t n, long line)
{
    r->p = r->start = text;
    r->end = text + n;
    r->line = line;
    r->column0 = 0;
    r->bad = NULL;
    r->failure.code = 0;
    r->depth = 0;
    r->pending = true;
}

void jread_text(struct jread *r, const char *text, size_t n, long line)
{
    r->source = NULL;
    begin(r, text, n, line);
}

void jread_source(struct jread *r, struct source *s)
{
    r->source = s;
    begin(r, "", 0, 1);
}

static void fail(struct jread *r, const char *what)
{
    if (r->bad == NULL)
        r->bad = what;
}

/* True when a byte is there, after getting the next chunk if need be. */
static bool more(struct jread *r)
{
    size_t n = 0;

    if (r->p < r->end)
        return true;
    if (r->source == NULL || r->bad != NULL)
        return false;
    r->column0 += r->end - r->start;
    if (source_chunk(r->source, &r->p, &n, &r->failure) != 0)
        fail(r, "the file cannot be read on");
    r->start = r->p;
    r->end = r->p + n;
    return n > 0;
}

static inline int look(struct jread *r)
{
    return r->p < r->end || more(r) ? (unsigned char)*r->p : -1;
}

static int next_byte(struct jread *r)
{
    int c = look(r);

    if (c >= 0)
        r->p++;
    return c;
}

static int skip_space(struct jread *r)
{
    for (;;) {
        int c = look(r);

        if (c == '\n') {
            r->line++;
            r->column0 = 0;
            r->start = r->p + 1;
        } else if (c != ' ' && c != '\t' && c != '\r') {
            return c;
        }
        r->p++;
    }
}

long jread_line(const struct jread *r)
{
    return r->line;
}

long jread_column(const struct jread *r)
{
    return r->column0 + (long)(r->p - r->start) + 1;
}

const char *jread_bad(const struct jread *r)
{
    return r->bad;
}

int jread_error(const struct jread *r, struct err *err)
{
    if (r->failure.code != 0)
        *err = r->failure;
    return r->failure.code;
}

char jread_peek(struct jread *r)
{
    int c;

    if (r->bad != NULL || !r->pending)
        return 0;
    c = skip_space(r);
    if (c == '-' || (c >= '0' && c <= '9'))
        return '0';
    if (c == '{' || c == '[' || c == '"' || c == 't' || c == 'f' || c == 'n')
        return (char)c;
    if (c == 'N' || c == 'I')
        return 'n';
    if (c >= 0 || r->depth > 0)
        fail(r, c < 0 ? "it ends too early" : "no JSON value");
    return 0;
}

/* ------------------------------------------------------------------ strings */

static int hex4(struct jread *r)
{
    int v = 0;

    for (int i = 0; i < 4; i++) {
        int c = next_byte(r);

        if (c >= '0' && c <= '9')
            v = v * 16 + c - '0';
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            v = v * 16 + (c | 32) - 'a' + 10;
        else
            return -1;
    }
    return v;
}

static size_t put_utf8(char *out, unsigned c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* Behind a backslash and a u.  Halves of pairs and NUL become the replacement character. */
static int unicode(struct jread *r)
{
    int c = hex4(r);

    if (c >= 0xd800 && c < 0xdc00 && look(r) == '\\') {
        int low;

        r->p++;
        if (next_byte(r) != 'u')
            return -1;
        low = hex4(r);
        if (low >= 0xdc00 && low < 0xe000)
            return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        return low < 0 ? -1 : 0xfffd;
    }
    return c == 0 || (c >= 0xd800 && c < 0xe000) ? 0xfffd : c;
}

static int escape(struct jread *r)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int c = next_byte(r);
    const char *at = c > 0 ? strchr(from, c) : NULL;

    if (c == 'u')
        return unicode(r);
    return at != NULL ? to[at - from] : -1;
}

/* Room for `extra` more bytes behind n; less when the string is as long as may be. */
static size_t room(struct jread *r, bool is_key, size_t n, size_t extra)
{
    size_t size = is_key ? JREAD_KEY - 8 : r->text_size;

    while (!is_key && n + extra > size && size < JREAD_STRING) {
        size *= 2;
        r->text = xrealloc(r->text, size + 8, 1);
        r->text_size = size;
    }
    return n >= size ? 0 : extra < size - n ? extra : size - n;
}

/* Reads a string into r->key or r->text. */
static bool read_string(struct jread *r, bool is_key)
{
    size_t n = 0, plain;

    r->p++; /* the quote, which the caller has seen */
    for (;;) {
        const char *from = r->p;
        int c;

        while (r->p < r->end && *r->p != '"' && *r->p != '\\' && (unsigned char)*r->p >= 0x20)
            r->p++;
        plain = room(r, is_key, n, (size_t)(r->p - from));
        memcpy((is_key ? r->key : r->text) + n, from, plain);
        n += plain;
        c = look(r);
        if (c >= 0x20 && c != '"' && c != '\\')
            continue; /* a new chunk */
        if (c >= 0)
            r->p++;
        (is_key ? r->key : r->text)[n] = '\0';
        if (c == '"')
            return true;
        if (c != '\\' || (c = escape(r)) < 0) {
            fail(r, look(r) < 0 ? "a string that does not end" : "a byte that no JSON string may hold");
            return false;
        }
        if (room(r, is_key, n, 4) >
            0) /* the last character may go a little over the end: there are 8 bytes more */
            n += put_utf8((is_key ? r->key : r->text) + n, (unsigned)c);
    }
}

/* ------------------------------------------------------------------ scalars */

/* Words without quotes.  Python writes NaN and Infinity, which JSON has not: nothing is known then. */
static const char *read_word(struct jread *r)
{
    static const char *const words[] = {"true", "false", "null"}, *const unknown[] = {"NaN", "Infinity"};
    size_t n = 0;
    int c;

    while (n < 9 && (c = look(r)) >= 0 && (c | 32) >= 'a' && (c | 32) <= 'z') {
        r->text[n++] = (char)c;
        r->p++;
    }
    r->text[n] = '\0';
    for (int i = 0; i < 3; i++)
        if (strcmp(r->text, words[i]) == 0)
            return words[i];
    for (int i = 0; i < 2; i++)
        if (strcmp(r->text, unknown[i]) == 0)
            return "null";
    fail(r, "no JSON value (only true, false and null stand without quotes)");
    return NULL;
}

static const char *read_number(struct jread *r)
{
    enum { LONGEST = 400 };
    size_t n = 0, digits;
    int c = look(r);

#define TAKE()                                                                                               \
    do {                                                                                                     \
        if (n < LONGEST)                                                                                     \
            r->text[n++] = (char)c;                                                                          \
        r->p++;                                                                                              \
        c = look(r);                                                                                         \
    } while (0)
#define DIGITS()                                                                                             \
    for (digits = 0; c >= '0' && c <= '9'; digits++)                                                         \
    TAKE()

    if (c == '-')
        TAKE();
    if (c == 'I')
        return read_word(r);
    DIGITS();
    if (digits > 0 && c == '.') {
        TAKE();
        DIGITS();
    }
    if (digits > 0 && (c == 'e' || c == 'E')) {
        TAKE();
        if (c == '-' || c == '+')
            TAKE();
        DIGITS();
    }
#undef DIGITS
#undef TAKE
    r->text[n] = '\0';
    if (digits == 0 || n >= LONGEST) {
        fail(r, "no JSON number");
        return NULL;
    }
    return r->text;
}

const char *jread_scalar(struct jread *r)
{
    switch (jread_peek(r)) {
    case '"':
        r->pending = false;
        return read_string(r, false) ? r->text : NULL;
    case '0':
        r->pending = false;
        return read_number(r);
    case 't':
    case 'f':
    case 'n':
        r->pending = false;
        return read_word(r);
    default:
        return NULL;
    }
}

const char *jread_string(struct jread *r)
{
    return jread_peek(r) == '"' ? jread_scalar(r) : NULL;
}

/* The text of a number, also of one inside a string; NULL (the value passed over) if there is none. */
static const char *number_text(struct jread *r)
{
    char kind = jread_peek(r);
    const char *text = kind == '0' || kind == '"' ? jread_scalar(r) : NULL;

    return text != NULL && *text != '\0' ? text : NULL;
}

double jread_real(struct jread *r)
{
    const char *text = number_text(r);
    char *end;
    double v;

    if (text == NULL)
        return NAN;
    v = strtod(text, &end);
    return *end == '\0' && isfinite(v) ? v : NAN;
}

bool jread_int(struct jread *r, int64_t *out)
{
    const char *text = number_text(r);
    int64_t whole;
    double v;
    char *end;

    if (text == NULL)
        return false;
    errno = 0;
    whole = strtoll(text, &end, 10);
    if (*end != '\0') { /* 12.0, 1e3 */
        v = strtod(text, &end);
        if (*end != '\0' || !(fabs(v) < 9e15) || v != floor(v))
            return false;
        whole = (int64_t)v;
    }
    if (errno != 0 || whole == INT64_MIN)
        return false;
    *out = whole;
    return true;
}

bool jread_id(struct jread *r, int64_t *out)
{
    const char *text = number_text(r);
    int64_t bits;
    char *end;

    if (text == NULL)
        return false;
    errno = 0;
    bits = *text == '-' ? strtoll(text, &end, 10) : (int64_t)strtoull(text, &end, 10);
    if (*end != '\0' || errno != 0 || bits == INT64_MIN)
        return false;
    *out = bits;
    return true;
}

bool jread_bool(struct jread *r)
{
    char kind = jread_peek(r);

    if (kind != 't' && kind != 'f')
        return false;
    jread_scalar(r);
    return r->bad == NULL && kind == 't';
}

/* ------------------------------------------------------------------ nesting */

bool jread_enter(struct jread *r, char kind)
{
    if (jread_peek(r) != kind)
        return false;
    if (r->depth == JREAD_DEPTH) {
        fail(r, "nesting deeper than 128");
        return false;
    }
    r->p++;
    r->kind[r->depth] = kind;
    r->first[r->depth++] = true;
    r->pending = false;
    return true;
}

/* Passes over what was not read, then the comma; false at the end of the object or array. */
static bool advance(struct jread *r)
{
    char close;
    int c;

    if (r->pending)
        jread_skip(r);
    if (r->bad != NULL || r->depth == 0)
        return false;
    close = r->kind[r->depth - 1] == '{' ? '}' : ']';
    c = skip_space(r);
    if (c == close) {
        r->p++;
        r->depth--;
        return false;
    }
    if (!r->first[r->depth - 1]) {
        if (c != ',') {
            fail(r, c < 0 ? "it ends too early" : "a comma or closing bracket is missing");
            return false;
        }
        r->p++;
        c = skip_space(r);
    }
    r->first[r->depth - 1] = false;
    return true;
}

const char *jread_member(struct jread *r)
{
    if (!advance(r))
        return NULL;
    if (skip_space(r) != '"') {
        fail(r, look(r) < 0 ? "it ends too early" : "a key in quotes is missing");
        return NULL;
    }
    if (!read_string(r, true))
        return NULL;
    if (skip_space(r) != ':') {
        fail(r, "a colon is missing behind a key");
        return NULL;
    }
    r->p++;
    r->pending = true;
    return r->key;
}

bool jread_element(struct jread *r)
{
    if (!advance(r))
        return false;
    r->pending = true;
    return true;
}

void jread_skip(struct jread *r)
{
    int base = r->depth;
    char kind = jread_peek(r);

    if (kind != '{' && kind != '[') {
        r->pending = false;
        if (kind != 0) {
            r->pending = true;
            jread_scalar(r);
        }
        return;
    }
    jread_enter(r, kind);
    while (r->bad == NULL && r->depth > base) {
        bool is_object = r->kind[r->depth - 1] == '{';

        /* Not through advance(): a pending value here is ours to enter or pass. */
        if (is_object ? jread_member(r) == NULL : !jread_element(r))
            continue;
        kind = jread_peek(r);
        if (kind == '{' || kind == '[')
            jread_enter(r, kind);
        else if (kind != 0)
            jread_scalar(r);
    }
    r->pending = false;
}

bool jread_again(struct jread *r)
{
    if (r->pending)
        jread_skip(r);
    r->pending = r->bad == NULL && r->depth == 0 && skip_space(r) >= 0;
    return r->pending;
}

bool jread_finished(struct jread *r)
{
    if (r->pending)
        jread_skip(r);
    if (r->bad == NULL && skip_space(r) >= 0)
        fail(r, "something follows the end of the document");
    return r->bad == NULL;
}
