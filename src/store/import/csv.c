#include "store/import/csv.h"

#include "base/arena.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* `'=1+1` is how foresight (and others) export text that a spreadsheet would calculate. */
static char *without_guard(char *field)
{
    return field[0] == '\'' && field[1] != '\0' && strchr("=+-@\t\r", field[1]) != NULL ? field + 1 : field;
}

/* Splits in place; false when a quote is still open at the end. */
static bool split(struct csv *c, char *p)
{
    c->fields = 0;
    for (;;) {
        char *to;

        if (c->fields < CSV_FIELDS)
            c->field[c->fields] = p;
        c->fields++;
        if (*p != '"') {
            p += strcspn(p, ",");
        } else {
            to = p;
            for (p++; *p != '\0' && (*p != '"' || p[1] == '"'); p++) {
                if (*p == '"')
                    p++;
                *to++ = *p;
            }
            if (*p == '\0')
                return false;
            p++;
            *to = '\0';
            if (c->fields <= CSV_FIELDS)
                c->field[c->fields - 1] = without_guard(c->field[c->fields - 1]);
            if (c->fields <= CSV_FIELDS && *p != ',' && *p != '\0')
                c->fields = CSV_FIELDS + 1; /* text behind a closing quote */
            p += strcspn(p, ",");
        }
        if (*p == '\0')
            return true;
        *p++ = '\0';
    }
}

/* Where a reader of quotes stands; a record goes on in the next line while it is inside one. */
enum quoting { FIELD_START, UNQUOTED, QUOTED, QUOTE_SEEN };

static enum quoting read_quotes(enum quoting at, const char *p)
{
    if (at == FIELD_START && strchr(p, '"') == NULL)
        return UNQUOTED;
    for (; *p != '\0'; p++)
        switch (at) {
        case FIELD_START:
            at = *p == '"' ? QUOTED : *p == ',' ? FIELD_START : UNQUOTED;
            break;
        case QUOTED:
            p += strcspn(p, "\"");
            if (*p == '\0')
                return QUOTED;
            at = QUOTE_SEEN;
            break;
        case QUOTE_SEEN:
            at = *p == '"' ? QUOTED : *p == ',' ? FIELD_START : UNQUOTED;
            break;
        case UNQUOTED:
            at = *p == ',' ? FIELD_START : UNQUOTED;
        }
    return at;
}

static void append(struct csv *c, const char *text, size_t n)
{
    if (c->record_n + n + 2 > c->record_size) {
        c->record_size = 2 * (c->record_n + n + 2);
        c->record = xrealloc(c->record, c->record_size, 1);
    }
    memcpy(c->record + c->record_n, text, n + 1);
    c->record_n += n;
}

/* The next record as one piece of text; a quoted field goes on in the next lines, but not for ever. */
static int next_text(struct csv *c, char **text, struct err *err)
{
    size_t n;
    int rc = import_line(c->im, text, &n, err);
    enum quoting at = rc > 0 ? read_quotes(FIELD_START, *text) : UNQUOTED;

    c->line = import_place(c->im);
    if (at != QUOTED)
        return rc;
    c->record_n = 0;
    append(c, *text, n);
    while (at == QUOTED && c->record_n < CSV_RECORD_MAX && (rc = import_line(c->im, text, &n, err)) > 0) {
        at = read_quotes(at, *text);
        append(c, "\n", 1);
        append(c, *text, n);
    }
    *text = c->record;
    return rc < 0 ? rc : 1;
}

/* Malformed is the record, which may have begun some lines ago. */
static int bad_record(struct csv *c, long column, const char *why, struct err *err)
{
    long now = import_place(c->im);
    int rc;

    import_at(c->im, c->line);
    rc = import_bad(c->im, column, why, err);
    import_at(c->im, now);
    return rc;
}

int csv_open(struct csv *c, struct import *im, const char *const *names, struct err *err)
{
    char *text;
    int rc;

    memset(c, 0, sizeof *c);
    c->im = im;
    for (; names != NULL && names[c->columns] != NULL; c->columns++)
        c->name[c->columns] = names[c->columns];
    if (names != NULL)
        return 0;
    rc = next_text(c, &text, err);
    if (rc < 0)
        return rc;
    if (import_has_skipped(im))
        return import_refuse(im, 1, 0, err, "the header line is too long or holds a NUL byte");
    if (rc == 0)
        return import_refuse(im, 0, 0, err, "it is empty");
    if (!split(c, text) || c->fields > CSV_FIELDS)
        return import_refuse(im, 1, 0, err, "the header line is not CSV, or has more than %d columns",
                             CSV_FIELDS);
    c->columns = c->fields;
    for (int i = 0; i < c->columns; i++)
        c->name[i] = arena_strdup(import_arena(im), c->field[i]);
    return 0;
}

void csv_close(struct csv *c)
{
    free(c->record);
    c->record = NULL;
}

int csv_import(struct import *im, int (*rows)(struct csv *c, struct import *im, struct err *err),
               struct err *err)
{
    struct csv c;
    int rc = csv_open(&c, im, NULL, err);

    if (rc == 0)
        rc = rows(&c, im, err);
    csv_close(&c);
    return rc;
}

int csv_column(struct csv *c, const char *name)
{
    for (int i = 0; i < c->columns; i++)
        if (strcmp(c->name[i], name) == 0) {
            c->asked[i] = true;
            return i;
        }
    return -1;
}

int csv_need(struct csv *c, const char *name, int *column, struct err *err)
{
    *column = csv_column(c, name);
    if (*column < 0)
        return import_refuse(c->im, 1, 0, err, "the column \"%s\" is missing", name);
    return 0;
}

void csv_ignore(struct csv *c, const char *name)
{
    csv_column(c, name);
}

int csv_end_columns(struct csv *c, struct err *err)
{
    for (int i = 0; i < c->columns; i++)
        if (!c->asked[i])
            TRY(import_unknown(c->im, c->name[i], err));
    return 0;
}

int csv_next(struct csv *c, struct err *err)
{
    char *text;
    int rc;

    while ((rc = next_text(c, &text, err)) > 0) {
        c->bad = 0;
        if (!split(c, text))
            TRY(bad_record(c, 0, "a quoted field that does not end, or not within 1 MiB", err));
        else if (c->fields != c->columns)
            TRY(bad_record(c, 0, "not as many fields as the header has", err));
        else
            return 1;
    }
    return rc;
}

const char *csv_text(struct csv *c, int column)
{
    return column >= 0 ? c->field[column] : "";
}

static void set_bad(struct csv *c, int column, const char *why)
{
    if (c->bad == 0) {
        c->bad = column + 1;
        c->why = why;
    }
}

double csv_real(struct csv *c, int column)
{
    const char *text = csv_text(c, column);
    char *end;
    double v;

    if (*text == '\0')
        return NAN;
    v = strtod(text, &end);
    if (end == text || end[strspn(end, " \t")] != '\0' || !isfinite(v)) {
        set_bad(c, column, "not a number");
        return NAN;
    }
    return v;
}

int64_t csv_count(struct csv *c, int column)
{
    const char *text = csv_text(c, column);
    char *end;
    int64_t whole;
    double v;

    errno = 0;
    whole = strtoll(text, &end, 10); /* exact beyond 2^53, where a double is not */
    if (end != text && *end == '\0' && errno == 0 && whole >= 0)
        return whole;
    v = csv_real(c, column);
    if (isnan(v))
        return IMPORT_NONE;
    if (v < 0 || v > 9e15 || v != floor(v)) {
        set_bad(c, column, "not a whole number from 0");
        return IMPORT_NONE;
    }
    return (int64_t)v;
}

bool csv_good(struct csv *c, int *rc, struct err *err)
{
    long column = 1;

    *rc = 0;
    if (c->bad == 0)
        return true;
    for (int i = 0; i < c->bad - 1; i++) /* place of the field in the line, were no field quoted */
        column += (long)strlen(c->field[i]) + 1;
    *rc = bad_record(c, column, c->why, err);
    return false;
}
