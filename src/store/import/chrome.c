/*
 * chrome.c - Chrome trace JSON, as the PyTorch profiler (Kineto) writes it.
 *
 * ts and dur are MICROSECONDS.  Complete events (ph X) and begin/end pairs (B,
 * E) become spans; flow arrows, metadata and instants are counted and left
 * out.  The stage of a span says what it is: loader, step, collective, kernel,
 * copy, memset, runtime, cpu, annotation.  Call stacks, shapes and other
 * arguments are not kept, but for the bytes of a copy.
 *
 * The document is read as a stream: profiles of gigabytes need no more memory.
 */
#include "store/import/formats.h"
#include "store/import/jread.h"
#include "store/import/sink.h"
#include "store/trace.h"

#include "base/arena.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 300, OPEN_MAX = 4096 };

struct event {
    char ph[8], cat[60], name[NAME];
    int64_t pid, tid;
    double ts, dur; /* us; ts relative to the first event's */
    double bytes;
    bool has_ts, has_name;
};

struct open { /* a B event that waits for its E */
    char *name, *cat;
    int64_t pid, tid;
    double ts;
};

struct trace {
    struct import *im;
    struct jread *j;
    int64_t origin_us; /* IMPORT_NONE before the first event; exact, since microseconds since 1970 fill a
                          double */
    struct open open[OPEN_MAX];
    int opened;
    struct event e;
};

static int sniff(const struct import_head *h)
{
    const char *p = h->text + strspn(h->text, " \t\r\n");

    if (*p == '{' && strstr(p, "\"traceEvents\"") != NULL)
        return 90;
    return *p == '[' && strstr(p, "\"ph\"") != NULL && strstr(p, "\"ts\"") != NULL ? 80 : 0;
}

/* A time of microseconds that may be an integer beyond 2^53 or have a fraction, counted from the first. */
static double relative_us(struct trace *t, const char *text, bool *good)
{
    char *end;
    int64_t whole = strtoll(text, &end, 10), since = 0;
    double part = 0;

    *good = end != text;
    if (*end == '.')
        part = strtod(end, &end);
    if (*end != '\0') { /* an exponent */
        double v = strtod(text, &end);

        *good = *end == '\0' && fabs(v) < 9e18;
        whole = *good ? (int64_t)floor(v) : 0;
        part = *good ? v - floor(v) : 0;
    }
    if (t->origin_us == IMPORT_NONE && *good)
        t->origin_us = whole;
    *good = *good && !__builtin_sub_overflow(whole, t->origin_us, &since);
    return *good ? (double)since + part : NAN;
}

/* pid and tid are numbers, or text that may hold one ("stream 7", "Traces"). */
static int64_t track(struct jread *j)
{
    const char *text = jread_scalar(j), *digit = text != NULL ? strpbrk(text, "0123456789") : NULL;

    return digit != NULL ? strtoll(digit, NULL, 10) : 0;
}

static void read_args(struct trace *t)
{
    const char *key;

    if (!jread_enter(t->j, '{'))
        return;
    while ((key = jread_member(t->j)) != NULL)
        if (strcmp(key, "bytes") == 0 || strcmp(key, "Bytes") == 0)
            t->e.bytes = jread_real(t->j);
}

static void copy(struct jread *j, char *to, size_t size)
{
    const char *text = jread_scalar(j);

    snprintf(to, size, "%s", text != NULL ? text : "");
}

static int read_event(struct trace *t, struct err *err)
{
    static const char *const known[] = {"id",   "bp",  "s",     "sf",  "cname", "tts",
                                        "tdur", "id2", "scope", "esf", "stack"};
    struct event *e = &t->e;
    struct jread *j = t->j;
    const char *key;

    memset(e, 0, sizeof *e);
    e->dur = e->bytes = NAN;
    if (!jread_enter(j, '{'))
        return 0;
    while ((key = jread_member(j)) != NULL) {
        if (strcmp(key, "ph") == 0) {
            copy(j, e->ph, sizeof e->ph);
        } else if (strcmp(key, "cat") == 0) {
            copy(j, e->cat, sizeof e->cat);
        } else if (strcmp(key, "name") == 0) {
            copy(j, e->name, sizeof e->name);
            e->has_name = true;
        } else if (strcmp(key, "pid") == 0) {
            e->pid = track(j);
        } else if (strcmp(key, "tid") == 0) {
            e->tid = track(j);
        } else if (strcmp(key, "ts") == 0) {
            const char *text = jread_scalar(j);

            e->ts = text != NULL ? relative_us(t, text, &e->has_ts) : NAN;
        } else if (strcmp(key, "dur") == 0) {
            e->dur = jread_real(j);
        } else if (strcmp(key, "args") == 0) {
            read_args(t);
        } else {
            bool is_known = false;

            for (size_t i = 0; i < sizeof known / sizeof *known && !is_known; i++)
                is_known = strcmp(key, known[i]) == 0;
            if (!is_known)
                TRY(import_unknown(t->im, key, err));
        }
    }
    return 0;
}

/* ------------------------------------------------------- what a span is of */

static bool contains(const char *text, const char *a)
{
    return strstr(text, a) != NULL;
}

static const char *stage_of(const char *cat, const char *name)
{
    if (contains(name, "DataLoader"))
        return "loader";
    if (strncmp(name, "ProfilerStep", 12) == 0)
        return "step";
    if (strncmp(name, "nccl", 4) == 0 || contains(name, "ncclKernel") || contains(name, "ncclDevKernel") ||
        contains(name, "c10d::") || strncmp(name, "nccl:", 5) == 0)
        return "collective";
    if (strcmp(cat, "kernel") == 0 || strcmp(cat, "Kernel") == 0)
        return "kernel";
    if (contains(cat, "emcpy"))
        return "copy";
    if (contains(cat, "emset"))
        return "memset";
    if (strcmp(cat, "cuda_runtime") == 0 || strcmp(cat, "cuda_driver") == 0 || strcmp(cat, "Runtime") == 0)
        return "runtime";
    if (strcmp(cat, "cpu_op") == 0 || strcmp(cat, "Operator") == 0 || strcmp(cat, "cpu_instant_event") == 0)
        return "cpu";
    if (contains(cat, "user_annotation"))
        return "annotation";
    return *cat != '\0' ? cat : "event";
}

static int store_span(struct trace *t, const char *cat, const char *name, double ts, double dur,
                      struct err *err)
{
    const char *stage = stage_of(cat, name);
    bool is_step = strcmp(stage, "step") == 0, is_private = strcmp(stage, "annotation") == 0 || *cat == '\0';
    struct span s = {.stage = stage,
                     .op = is_private ? import_word(t->im, name) : name,
                     .item = -1,
                     .worker = (int)(t->e.tid & 0x7fffffff),
                     .start_s = ts / 1e6,
                     .end_s = (ts + dur) / 1e6,
                     .cpu_s = NAN,
                     .items = NAN,
                     .bytes_in = t->e.bytes,
                     .bytes_out = NAN};

    if (strcmp(stage, "kernel") == 0 || strcmp(stage, "copy") == 0 || strcmp(stage, "memset") == 0)
        s.worker = (int)((t->e.pid & 0xffff) * 1000 + (t->e.tid & 0x3ff)); /* device and stream */
    if (is_step) {
        const char *number = strchr(name, '#');

        s.item = number != NULL ? strtoll(number + 1, NULL, 10) : -1;
        s.op = "ProfilerStep";
    }
    TRY(import_span(t->im, &s, err));
    import_keep(t->im);
    return 0;
}

static int begin(struct trace *t, struct err *err)
{
    struct open *o;

    if (t->opened == OPEN_MAX)
        return import_bad(t->im, 0, "more than 4096 events are open at once", err);
    o = &t->open[t->opened++];
    *o = (struct open){xstrdup(t->e.name), xstrdup(t->e.cat), t->e.pid, t->e.tid, t->e.ts};
    import_keep(t->im);
    return 0;
}

static int end(struct trace *t, struct err *err)
{
    int i = t->opened - 1, rc;
    struct open o;

    while (i >= 0 && (t->open[i].pid != t->e.pid || t->open[i].tid != t->e.tid))
        i--;
    if (i < 0)
        return import_bad(t->im, 0, "an end without a begin", err);
    o = t->open[i];
    memmove(&t->open[i], &t->open[i + 1], (size_t)(--t->opened - i) * sizeof o);
    rc = t->e.ts >= o.ts ? store_span(t, o.cat, o.name, o.ts, t->e.ts - o.ts, err)
                         : import_bad(t->im, 0, "an end before its begin", err);
    free(o.name);
    free(o.cat);
    return rc;
}

static int store_event(struct trace *t, struct err *err)
{
    const struct event *e = &t->e;

    import_at(t->im, jread_line(t->j));
    switch (e->ph[0]) {
    case 'X':
        if (!e->has_ts || !e->has_name || !(e->dur >= 0) || isinf(e->dur))
            return import_bad(t->im, jread_column(t->j), "a complete event without name, ts, or dur from 0",
                              err);
        return store_span(t, e->cat, e->name, e->ts, e->dur, err);
    case 'B':
    case 'E':
        if (!e->has_ts)
            return import_bad(t->im, jread_column(t->j), "an event without ts", err);
        return e->ph[0] == 'B' ? begin(t, err) : end(t, err);
    case 'M':
        import_skip(t->im, "metadata (ph M)");
        return 0;
    case 's':
    case 't':
    case 'f':
        import_skip(t->im, "flow arrow (ph s, t, f)");
        return 0;
    case 'i':
    case 'I':
    case 'C':
        import_skip(t->im, "instant or counter (ph i, C)");
        return 0;
    case '\0':
        return import_bad(t->im, jread_column(t->j), "an event without ph", err);
    default:
        import_skip(t->im, "another kind of event (ph)");
        return 0;
    }
}

static int read_events(struct trace *t, struct err *err)
{
    if (!jread_enter(t->j, '['))
        return 0;
    while (jread_element(t->j)) {
        TRY(read_event(t, err));
        if (jread_bad(t->j) == NULL)
            TRY(store_event(t, err));
    }
    return 0;
}

static int read_document(struct trace *t, struct err *err)
{
    struct jread *j = t->j;
    const char *key;

    if (jread_peek(j) == '[')
        TRY(read_events(t, err));
    else if (jread_enter(j, '{'))
        while ((key = jread_member(j)) != NULL)
            if (strcmp(key, "traceEvents") == 0)
                TRY(read_events(t, err));
    jread_finished(j);
    TRY(jread_error(j, err));
    if (jread_bad(j) != NULL)
        return import_refuse(t->im, jread_line(j), jread_column(j), err, "%s", jread_bad(j));
    if (t->opened > 0)
        import_suspect(t->im, t->opened, "events that begin and never end");
    if (t->origin_us != IMPORT_NONE && t->origin_us > 1000000000000000 && t->origin_us < 9000000000000000)
        import_origin(t->im, t->origin_us * 1000);
    return 0;
}

static int run(struct import *im, struct err *err)
{
    struct trace *t = xcalloc(1, sizeof *t);
    int rc;

    t->im = im;
    t->j = jread_new();
    t->origin_us = IMPORT_NONE;
    jread_source(t->j, import_source(im));
    rc = read_document(t, err);
    while (t->opened > 0) {
        free(t->open[--t->opened].name);
        free(t->open[t->opened].cat);
    }
    jread_free(t->j);
    free(t);
    return rc;
}

const struct importer chrome_importer = {
    .name = "chrome",
    .help = "Chrome trace JSON (PyTorch profiler, Kineto): operators, kernels, loader, steps, collectives",
    .units = "ts and dur in us",
    .sniff = sniff,
    .run = run,
};
