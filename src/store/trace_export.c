#include "store/trace.h"

#include "base/arena.h"
#include "base/text.h"
#include "store/sql.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct export
{
    FILE *out;
    struct arena *names; /* stages seen so far, in order: their place is the Chrome process id */
    const char **stage;
    size_t stages;
};

static int check_stream(FILE *out, struct err *err)
{
    return ferror(out) ? err_io(err, "write", "the exported trace") : 0;
}

/* ---------------------------------------------------------------------- CSV */

static void csv_text(FILE *out, const char *s)
{
    if (s[strcspn(s, ",\"\r\n")] == '\0') {
        fputs(s, out);
        return;
    }
    putc('"', out);
    for (; *s != '\0'; s++) {
        if (*s == '"')
            putc('"', out);
        putc(*s, out);
    }
    putc('"', out);
}

/* The fewest digits that read back as the same double; nothing for an unknown value. */
static void csv_number(FILE *out, double v)
{
    char buf[32];

    putc(',', out);
    if (isnan(v))
        return;
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(buf, sizeof buf, "%.*g", digits, v);
        if (strtod(buf, NULL) == v)
            break;
    }
    fputs(buf, out);
}

static int csv_span(void *ctx, const struct span *p, struct err *err)
{
    FILE *out = ((struct export *)ctx)->out;

    csv_text(out, p->stage);
    putc(',', out);
    csv_text(out, p->op);
    putc(',', out);
    csv_text(out, p->variant);
    fprintf(out, ",%lld,%d", (long long)p->item, p->worker);
    csv_number(out, p->start_s);
    csv_number(out, p->end_s);
    csv_number(out, p->cpu_s);
    csv_number(out, p->items);
    csv_number(out, p->bytes_in);
    csv_number(out, p->bytes_out);
    putc('\n', out);
    return check_stream(out, err);
}

/* ------------------------------------------------------------- Chrome trace */

/* Length of the UTF-8 character at s, 0 if the bytes are not valid UTF-8. */
static int utf8_length(const unsigned char *s)
{
    static const unsigned smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    int n = s[0] < 0x80             ? 1
            : (s[0] & 0xe0) == 0xc0 ? 2
            : (s[0] & 0xf0) == 0xe0 ? 3
            : (s[0] & 0xf8) == 0xf0 ? 4
                                    : 0;
    unsigned code = n == 1 ? s[0] : s[0] & (0x7fu >> n);

    for (int i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3f);
    }
    if (n == 0 || code < smallest[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    return n;
}

static void json_quoted(FILE *out, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;

    putc('"', out);
    while (*s != '\0') {
        int n = utf8_length(s);

        if (n == 0)
            fputs("\\ufffd", out);
        else if (*s == '"' || *s == '\\')
            fprintf(out, "\\%c", *s);
        else if (*s < 0x20 || *s == 0x7f)
            fprintf(out, "\\u%04x", *s);
        else
            fwrite(s, 1, (size_t)n, out);
        s += n > 0 ? n : 1;
    }
    putc('"', out);
}

static void json_member(FILE *out, const char *key, double v)
{
    if (isfinite(v))
        fprintf(out, ",\"%s\":%.17g", key, v);
}

/* The number of the stage, from 1; a stage seen for the first time introduces itself as a process. */
static size_t stage_process(struct export *x, const char *stage)
{
    size_t i = 0;

    while (i < x->stages && strcmp(x->stage[i], stage) != 0)
        i++;
    if (i < x->stages)
        return i + 1;
    x->stage = sql_grow(x->names, x->stage, x->stages, sizeof *x->stage);
    x->stage[x->stages++] = arena_strdup(x->names, stage);
    fprintf(x->out, "%s\n{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%zu,\"tid\":0,\"args\":{\"name\":",
            i > 0 ? "," : "", i + 1);
    json_quoted(x->out, stage);
    fputs("}}", x->out);
    return i + 1;
}

static int chrome_span(void *ctx, const struct span *p, struct err *err)
{
    struct export *x = ctx;
    size_t pid = stage_process(x, p->stage);

    fputs(",\n{\"ph\":\"X\",\"name\":", x->out);
    json_quoted(x->out, p->op);
    fprintf(x->out, ",\"pid\":%zu,\"tid\":%d,\"ts\":%.3f,\"dur\":%.3f,\"args\":{\"item\":%lld", pid,
            p->worker, p->start_s * 1e6, (p->end_s - p->start_s) * 1e6, (long long)p->item);
    if (p->variant[0] != '\0') {
        fputs(",\"variant\":", x->out);
        json_quoted(x->out, p->variant);
    }
    json_member(x->out, "cpu_s", p->cpu_s);
    json_member(x->out, "items", p->items);
    json_member(x->out, "bytes_in", p->bytes_in);
    json_member(x->out, "bytes_out", p->bytes_out);
    fputs("}}", x->out);
    return check_stream(x->out, err);
}

int trace_export(struct store *s, int64_t trace_id, enum trace_format format, FILE *out, struct err *err)
{
    struct export x = {.out = out, .names = arena_new()};
    struct trace_row row;
    int rc = trace_info_load(s, trace_id, x.names, &row, err);

    if (rc == 0 && format == TRACE_CSV) {
        fputs("stage,op,variant,item,worker,start_s,end_s,cpu_s,items,bytes_in,bytes_out\n", out);
        rc = trace_each(s, trace_id, NULL, NULL, csv_span, &x, err);
    } else if (rc == 0) {
        fputs("{\"displayTimeUnit\":\"ms\",\"otherData\":{\"trace\":", out);
        json_quoted(out, row.info.name);
        fputs("},\"traceEvents\":[", out);
        rc = trace_each(s, trace_id, NULL, NULL, chrome_span, &x, err);
        fputs("\n]}\n", out);
    }
    arena_free(x.names);
    if (rc == 0 && fflush(out) != 0)
        rc = err_io(err, "write", "the exported trace");
    return rc;
}
