/*
 * prometheus.c - a scrape of a serving engine's metrics in Prometheus text form.
 *
 * One measurement per metric and set of labels; a histogram's buckets are
 * figures "bucket" at their upper bounds (cumulative counts, +Inf for the
 * last).  vLLM's times are in seconds.  Of the labels only those that name the
 * model, the engine or a reason are kept.
 */
#include "store/import/formats.h"
#include "store/import/sink.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 160, LABELS = 8 };

struct sample {
    char family[NAME]; /* without _bucket, _sum, _count */
    char part[12];     /* "bucket", "sum", "count" or "value" */
    char label[LABELS][40], value[LABELS][120];
    int labels;
    double le, v;
};

struct scrape {
    struct sample now, open; /* open: the measurement being put together */
    bool is_open;
    int64_t lines;             /* of it */
    char type[NAME], kind[20]; /* of the last # TYPE line */
};

static int sniff(const struct import_head *h)
{
    bool typed = strncmp(h->text, "# HELP ", 7) == 0 || strncmp(h->text, "# TYPE ", 7) == 0;

    if (strstr(h->text, "\nvllm:") != NULL && typed)
        return 95;
    return typed && strstr(h->text, "\n# TYPE ") != NULL ? 70 : 0;
}

static bool keeps(const char *label)
{
    static const char *const kept[] = {"model_name", "model",  "engine", "finished_reason",
                                       "reason",     "method", "stage"};

    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (strcmp(kept[i], label) == 0)
            return true;
    return false;
}

/* name="text with \" and \\", ... }; the place behind the brace, NULL when it is written otherwise. */
static const char *read_labels(const char *p, struct sample *s)
{
    char name[40], value[120];

    while (*p != '}') {
        size_t n = strcspn(p, "=\"},"), k = 0;

        if (p[n] != '=' || p[n + 1] != '"' || n == 0)
            return NULL;
        snprintf(name, sizeof name, "%.*s", (int)n, p);
        for (p += n + 2; *p != '"'; p++) {
            if (*p == '\0' || (*p == '\\' && *++p == '\0'))
                return NULL;
            if (k + 1 < sizeof value)
                value[k++] = *p;
        }
        value[k] = '\0';
        p++;
        if (strcmp(name, "le") == 0) {
            s->le = strtod(value, NULL);
        } else if (keeps(name) && s->labels < LABELS) {
            strcpy(s->label[s->labels], name);
            strcpy(s->value[s->labels++], value);
        }
        p += *p == ',';
        p += strspn(p, " ");
    }
    return p + 1;
}

static void split_name(struct scrape *s, const char *name)
{
    static const char *const parts[] = {"_bucket", "_sum", "_count"};
    size_t n = strlen(name);

    snprintf(s->now.family, NAME, "%s", name);
    strcpy(s->now.part, "value");
    for (int i = 0; i < 3; i++) {
        size_t e = strlen(parts[i]);

        if (n > e && strcmp(name + n - e, parts[i]) == 0 && strncmp(s->type, name, n - e) == 0 &&
            s->type[n - e] == '\0') {
            s->now.family[n - e] = '\0';
            strcpy(s->now.part, parts[i] + 1);
        }
    }
}

static bool read_sample(struct scrape *s, const char *line)
{
    size_t n = strcspn(line, "{ \t");
    const char *p = line + n;
    char name[NAME], *end;

    if (n == 0 || n >= NAME)
        return false;
    memset(&s->now, 0, sizeof s->now);
    s->now.le = NAN;
    snprintf(name, sizeof name, "%.*s", (int)n, line);
    split_name(s, name);
    if (*p == '{' && (p = read_labels(p + 1 + strspn(p + 1, " "), &s->now)) == NULL)
        return false;
    s->now.v = strtod(p, &end);
    return end != p && (*end == '\0' || *end == ' ' || *end == '\t');
}

static bool belongs(const struct scrape *s)
{
    const struct sample *a = &s->open, *b = &s->now;

    if (!s->is_open || strcmp(a->family, b->family) != 0 || a->labels != b->labels)
        return false;
    for (int i = 0; i < a->labels; i++)
        if (strcmp(a->label[i], b->label[i]) != 0 || strcmp(a->value[i], b->value[i]) != 0)
            return false;
    return true;
}

static int close_measurement(struct import *im, struct scrape *s, struct err *err)
{
    bool stored;

    if (!s->is_open)
        return 0;
    s->is_open = false;
    TRY(import_measure_end(im, &stored, err));
    if (!stored)
        import_skip_n(im, "a value that is not finite", s->lines);
    for (int64_t i = 0; stored && i < s->lines; i++)
        import_keep(im);
    return 0;
}

static const char *static_part(const char *part)
{
    return strcmp(part, "bucket") == 0  ? "bucket"
           : strcmp(part, "sum") == 0   ? "sum"
           : strcmp(part, "count") == 0 ? "count"
                                        : "value";
}

static int add_sample(struct import *im, struct scrape *s, struct err *err)
{
    if (!belongs(s)) {
        TRY(close_measurement(im, s, err));
        import_measure(im, "engine metrics");
        import_setting(im, "metric", s->now.family);
        if (strcmp(s->type, s->now.family) == 0)
            import_setting(im, "type", s->kind);
        for (int i = 0; i < s->now.labels; i++)
            import_setting(im, s->now.label[i], s->now.value[i]);
        s->open = s->now;
        s->is_open = true;
        s->lines = 0;
    }
    import_figure(im, static_part(s->now.part), s->now.le, s->now.v);
    s->lines++;
    return 0;
}

static int run(struct import *im, struct err *err)
{
    struct scrape s = {0};
    char *line;
    size_t n;
    int rc;

    while ((rc = import_line(im, &line, &n, err)) > 0) {
        if (sscanf(line, "# TYPE %159s %19s", s.type, s.kind) == 2 || line[0] == '#')
            continue;
        TRY(read_sample(&s, line)
                ? add_sample(im, &s, err)
                : import_bad(im, 0, "neither a comment nor name{label=\"value\"} number", err));
    }
    if (rc == 0)
        rc = close_measurement(im, &s, err);
    return rc;
}

const struct importer prometheus_importer = {
    .name = "prometheus",
    .help = "a scrape of vLLM's metrics (Prometheus text): gauges, counters, histograms",
    .units = "as the metric's name says (seconds, bytes); buckets are cumulative",
    .sniff = sniff,
    .run = run,
};
