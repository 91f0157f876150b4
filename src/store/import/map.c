#include "store/import/map.h"

#include "base/arena.h"
#include "base/text.h"
#include "store/import/csv.h"
#include "store/import/formats.h"
#include "store/import/jread.h"
#include "store/import/when.h"
#include "store/sql.h"
#include "store/trace.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENTRIES_MAX = 64, NAME_MAX_ = 80, VALUE_MAX = 300 };

enum kind { REQUESTS, COSTS, SPANS, MEASUREMENTS, KINDS };
static const char *const kind_names[KINDS] = {"requests", "costs", "spans", "measurements"};

enum value_kind { IS_TEXT, IS_NUMBER, IS_TIME };

struct entry {
    char to[NAME_MAX_], from[NAME_MAX_];
    double scale;
    bool setting;
    /* of the record at hand */
    char text[VALUE_MAX];
    int column;
};

struct map {
    enum kind kind;
    struct entry entry[ENTRIES_MAX];
    int n;
    int64_t origin_ns; /* of arrivals that are points in time */
};

/* ----------------------------------------------------------------- grammar */

static const struct {
    const char *name;
    double scale;
} map_units[] = {
    {"ns", 1e-9},
    {"us", 1e-6},
    {"ms", 1e-3},
    {"s", 1},
    {"min", 60},
    {"h", 3600},
    {"B", 1},
    {"kB", 1e3},
    {"MB", 1e6},
    {"GB", 1e9},
    {"KiB", 1024},
    {"MiB", 1024.0 * 1024},
    {"GiB", 1024.0 * 1024 * 1024},
    {"%", 0.01},
    {"k", 1e3},
    {"M", 1e6},
};

static const char *const targets[KINDS][16] = {
    [REQUESTS] = {"arrival_s", "input_tokens", "output_tokens", "class", "session", "queue_s", "ttft_s",
                  "latency_s"},
    [COSTS] = {"hardware", "model", "op", "variant", "devices", "tokens", "batch", "chunk", "context",
               "bytes", "time_s", "time_sd_s", "power_w"},
    [SPANS] = {"stage", "op", "variant", "item", "worker", "start_s", "end_s", "duration_s", "cpu_s", "items",
               "bytes_in", "bytes_out"},
};

static const char *blank(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

/* A name, in quotes or not; NULL when there is none. */
static const char *read_name(const char *p, char *out)
{
    size_t n;

    if (*p == '\'' || *p == '"') {
        const char *end = strchr(p + 1, *p);

        if (end == NULL || end - p > NAME_MAX_ - 1)
            return NULL;
        snprintf(out, NAME_MAX_, "%.*s", (int)(end - p - 1), p + 1);
        return end + 1;
    }
    for (n = 0; isalnum((unsigned char)p[n]) || (p[n] != '\0' && strchr("_.%", p[n]) != NULL); n++)
        ;
    if (n == 0 || n > NAME_MAX_ - 1)
        return NULL;
    snprintf(out, NAME_MAX_, "%.*s", (int)n, p);
    return p + n;
}

static int wrong(const char *spec, const char *p, const char *what, struct err *err)
{
    return err_set(
        err, ERR_USAGE,
        "--map: %s at character %ld; write \"requests: arrival_s = ts ms, input_tokens = prompt\" (kinds: "
        "requests, costs, spans, measurements)",
        what, (long)(p - spec) + 1);
}

static int check_target(const struct map *m, const struct entry *e, struct err *err)
{
    struct text t = {0};
    size_t n = 0;

    if (m->kind == MEASUREMENTS)
        return 0;
    for (; targets[m->kind][n] != NULL; n++)
        if (strcmp(targets[m->kind][n], e->to) == 0 && !e->setting)
            return 0;
    text_add_suggestion(&t, e->to, targets[m->kind], n);
    err_set(err, ERR_USAGE, "--map: %s have no \"%s%s\"; %s", kind_names[m->kind], e->setting ? "@" : "",
            e->to, t.s);
    text_free(&t);
    return err->code;
}

static int read_unit(const char *spec, const char **p, struct entry *e, struct err *err)
{
    char unit[NAME_MAX_];
    const char *end = read_name(*p, unit);

    e->scale = 1;
    if (**p == ',' || **p == '\0')
        return 0;
    for (size_t i = 0; end != NULL && i < sizeof map_units / sizeof *map_units; i++)
        if (strcmp(map_units[i].name, unit) == 0) {
            e->scale = map_units[i].scale;
            *p = blank(end);
            return 0;
        }
    return wrong(spec, *p, "no unit (allowed: ns us ms s min h B kB MB GB KiB MiB GiB % k M)", err);
}

static int parse(const char *spec, struct map *m, struct err *err)
{
    const char *p = blank(spec), *end;
    char kind[NAME_MAX_];

    memset(m, 0, sizeof *m);
    m->origin_ns = IMPORT_NONE;
    end = read_name(p, kind);
    for (m->kind = 0; end != NULL && m->kind < KINDS && strcmp(kind_names[m->kind], kind) != 0;)
        m->kind++;
    if (end == NULL || m->kind == KINDS || *(end = blank(end)) != ':')
        return wrong(spec, p, "it does not begin with a kind and a colon", err);
    for (p = end + 1; m->n < ENTRIES_MAX;) {
        struct entry *e = &m->entry[m->n];

        p = blank(p);
        e->setting = *p == '@';
        p += e->setting;
        end = read_name(p, e->to);
        if (end == NULL || *(end = blank(end)) != '=')
            return wrong(spec, p, "no name with = behind it", err);
        p = blank(end + 1);
        end = read_name(p, e->from);
        if (end == NULL)
            return wrong(spec, p, "no column", err);
        p = blank(end);
        TRY(read_unit(spec, &p, e, err));
        TRY(check_target(m, e, err));
        m->n++;
        if (*p == '\0')
            return 0;
        if (*p++ != ',')
            return wrong(spec, p - 1, "no comma", err);
    }
    return wrong(spec, p, "more than 64 entries", err);
}

/* ------------------------------------------------------------------ loading */

static int keep(struct store *s, const char *name, const char *spec, struct err *err)
{
    return sql_do(s, err,
                  "INSERT INTO import_map(name, spec) VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET spec = "
                  "excluded.spec WHERE spec <> excluded.spec",
                  "tt", name, spec);
}

int map_load(struct store *s, const char *given, const char *base, struct arena *a, const char **out,
             struct err *err)
{
    struct map *m;
    sqlite3_stmt *st;
    const char *name = base;
    char *text = NULL;
    int rc;

    *out = NULL;
    if (given == NULL)
        return 0;
    TRY(sql_query(s, &st, err, "SELECT spec FROM import_map WHERE name = ?", "t", given));
    rc = sql_step(s, st, err);
    if (rc > 0)
        *out = sql_text(st, 0, a);
    sqlite3_finalize(st);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (access(given, R_OK) == 0) {
        TRY(text_read_file(given, &text, NULL, err));
        *out = arena_strdup(a, text);
        free(text);
        name = strrchr(given, '/') != NULL ? strrchr(given, '/') + 1 : given;
    } else {
        *out = arena_strdup(a, given);
    }
    m = xmalloc(sizeof *m);
    rc = parse(*out, m, err);
    free(m);
    return rc != 0 ? rc : keep(s, name, *out, err);
}

const struct importer *map_importer(const struct import_head *h)
{
    const char *p = blank(h->text);

    return *p == '{' ? &jsonl_map_importer : &csv_map_importer;
}

/* ----------------------------------------------------------------- storing */

static const struct entry *find(const struct map *m, const char *to)
{
    for (int i = 0; i < m->n; i++)
        if (strcmp(m->entry[i].to, to) == 0)
            return &m->entry[i];
    return NULL;
}

static const char *text_of(const struct map *m, const char *to)
{
    const struct entry *e = find(m, to);

    return e != NULL ? e->text : "";
}

/* NAN when the map or the record has none; *bad when it is no number. */
static double number_of(struct map *m, struct import *im, const char *to, bool *bad)
{
    const struct entry *e = find(m, to);
    char *end;
    double v;
    int64_t ns;

    if (e == NULL || e->text[0] == '\0')
        return NAN;
    v = strtod(e->text, &end);
    if (end != e->text && *end == '\0' && isfinite(v))
        return v * e->scale;
    if (when_parse(e->text, &ns)) { /* wall-clock text */
        if (m->origin_ns == IMPORT_NONE)
            import_origin(im, m->origin_ns = ns);
        return (double)(ns - m->origin_ns) / 1e9;
    }
    *bad = true;
    return NAN;
}

/* Exact beyond 2^53, where a double is not. */
static bool is_whole(const char *text, int64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoll(text, &end, 10);
    return end != text && *end == '\0' && errno == 0 && *out != IMPORT_NONE;
}

static int64_t whole_of(struct map *m, struct import *im, const char *to, bool *bad)
{
    const struct entry *e = find(m, to);
    int64_t whole;
    double v;

    if (e != NULL && e->scale == 1 && is_whole(e->text, &whole))
        return whole;
    v = number_of(m, im, to, bad);
    if (isnan(v))
        return IMPORT_NONE;
    if (!(fabs(v) < 9e15) || v != floor(v)) {
        *bad = true;
        return IMPORT_NONE;
    }
    return (int64_t)v;
}

static int store_request(struct map *m, struct import *im, bool *bad, struct err *err)
{
    struct import_request r = {.arrival_s = number_of(m, im, "arrival_s", bad),
                               .input_tokens = whole_of(m, im, "input_tokens", bad),
                               .output_tokens = whole_of(m, im, "output_tokens", bad),
                               .class_ = text_of(m, "class"),
                               .session = import_word(im, text_of(m, "session")),
                               .queue_s = number_of(m, im, "queue_s", bad),
                               .ttft_s = number_of(m, im, "ttft_s", bad),
                               .latency_s = number_of(m, im, "latency_s", bad)};

    return *bad ? 0 : import_request(im, &r, err);
}

static int store_cost(struct map *m, struct import *im, bool *bad, struct err *err)
{
    int64_t devices = whole_of(m, im, "devices", bad);
    struct import_cost c = {.hardware = text_of(m, "hardware"),
                            .model = text_of(m, "model"),
                            .op = text_of(m, "op"),
                            .variant = text_of(m, "variant"),
                            .devices = devices == IMPORT_NONE ? 1 : devices,
                            .tokens = number_of(m, im, "tokens", bad),
                            .batch = number_of(m, im, "batch", bad),
                            .chunk = number_of(m, im, "chunk", bad),
                            .context = number_of(m, im, "context", bad),
                            .bytes = number_of(m, im, "bytes", bad),
                            .time_s = number_of(m, im, "time_s", bad),
                            .time_sd_s = number_of(m, im, "time_sd_s", bad),
                            .power_w = number_of(m, im, "power_w", bad)};

    *bad = *bad || !(c.time_s >= 0);
    return *bad ? 0 : import_cost(im, &c, err);
}

static int store_span(struct map *m, struct import *im, bool *bad, struct err *err)
{
    int64_t item = whole_of(m, im, "item", bad), worker = whole_of(m, im, "worker", bad);
    double duration = number_of(m, im, "duration_s", bad);
    struct span s = {.stage = text_of(m, "stage"),
                     .op = text_of(m, "op"),
                     .variant = text_of(m, "variant"),
                     .item = item == IMPORT_NONE ? -1 : item,
                     .worker = worker == IMPORT_NONE ? 0 : (int)(worker & 0x7fffffff),
                     .start_s = number_of(m, im, "start_s", bad),
                     .end_s = number_of(m, im, "end_s", bad),
                     .cpu_s = number_of(m, im, "cpu_s", bad),
                     .items = number_of(m, im, "items", bad),
                     .bytes_in = number_of(m, im, "bytes_in", bad),
                     .bytes_out = number_of(m, im, "bytes_out", bad)};

    if (isnan(s.end_s))
        s.end_s = s.start_s + duration;
    *bad = *bad || !(s.end_s >= s.start_s);
    return *bad ? 0 : import_span(im, &s, err);
}

static int store_measurement(struct map *m, struct import *im, bool *bad, struct err *err)
{
    bool stored;

    import_measure(im, "measurement");
    for (int i = 0; i < m->n; i++) {
        const struct entry *e = &m->entry[i];
        char *end;
        double v = strtod(e->text, &end);

        if (!e->setting)
            import_figure(im, e->to, NAN, number_of(m, im, e->to, bad));
        else if (end != e->text && *end == '\0' && isfinite(v))
            import_setting_number(im, e->to, v * e->scale);
        else
            import_setting(im, e->to, import_word(im, e->text));
    }
    if (*bad)
        return 0;
    TRY(import_measure_end(im, &stored, err));
    *bad = !stored;
    return 0;
}

static int store(struct map *m, struct import *im, struct err *err)
{
    static int (*const stores[KINDS])(struct map *, struct import *, bool *, struct err *) = {
        store_request, store_cost, store_span, store_measurement};
    bool bad = false;

    TRY(stores[m->kind](m, im, &bad, err));
    if (bad)
        return import_bad(im, 0, "a value the map asks for is missing or no number", err);
    import_keep(im);
    return 0;
}

/* ----------------------------------------------------------------- reading */

static int csv_rows(struct csv *c, struct import *im, struct map *m, struct err *err)
{
    int rc;

    for (int i = 0; i < m->n; i++)
        TRY(csv_need(c, m->entry[i].from, &m->entry[i].column, err));
    TRY(csv_end_columns(c, err));
    while ((rc = csv_next(c, err)) > 0) {
        for (int i = 0; i < m->n; i++)
            snprintf(m->entry[i].text, VALUE_MAX, "%s", csv_text(c, m->entry[i].column));
        TRY(store(m, im, err));
    }
    return rc;
}

/* `path` is the way to the object being read, with a point at its end. */
static void read_object(struct map *m, struct jread *j, const char *path)
{
    const char *key;
    char here[NAME_MAX_ * 2];

    while ((key = jread_member(j)) != NULL) {
        snprintf(here, sizeof here, "%s%s", path, key);
        for (int i = 0; i < m->n; i++)
            if (strcmp(m->entry[i].from, here) == 0) {
                const char *text = jread_scalar(j);

                snprintf(m->entry[i].text, VALUE_MAX, "%s",
                         text == NULL || strcmp(text, "null") == 0 ? "" : text);
                for (int k = i + 1; k < m->n; k++) /* one column may serve twice */
                    if (strcmp(m->entry[k].from, here) == 0)
                        memcpy(m->entry[k].text, m->entry[i].text, VALUE_MAX);
                break;
            }
        if (strlen(here) + 2 < NAME_MAX_ && jread_peek(j) == '{') {
            strcat(here, ".");
            jread_enter(j, '{');
            read_object(m, j, here);
        }
    }
}

static int jsonl_lines(struct import *im, struct map *m, struct jread *j, struct err *err)
{
    char *line;
    size_t n;
    int rc;

    while ((rc = import_line(im, &line, &n, err)) > 0) {
        for (int i = 0; i < m->n; i++)
            m->entry[i].text[0] = '\0';
        jread_text(j, line, n, 1);
        if (jread_enter(j, '{'))
            read_object(m, j, "");
        TRY(jread_finished(j) ? store(m, im, err) : import_bad(im, jread_column(j), jread_bad(j), err));
    }
    return rc;
}

static int load(struct import *im, struct map **m, struct err *err)
{
    const char *spec = import_options(im)->map;

    *m = NULL;
    if (spec == NULL)
        return err_set(err, ERR_USAGE, "the formats csv and jsonl need --map to tell what the columns are");
    *m = xmalloc(sizeof **m);
    return parse(spec, *m, err);
}

static int run_csv(struct import *im, struct err *err)
{
    struct map *m;
    struct csv c = {0};
    int rc = load(im, &m, err);

    if (rc == 0)
        rc = csv_open(&c, im, NULL, err);
    if (rc == 0)
        rc = csv_rows(&c, im, m, err);
    csv_close(&c);
    free(m);
    return rc;
}

static int run_jsonl(struct import *im, struct err *err)
{
    struct map *m;
    struct jread *j = jread_new();
    int rc = load(im, &m, err);

    if (rc == 0)
        rc = jsonl_lines(im, m, j, err);
    jread_free(j);
    free(m);
    return rc;
}

const struct importer csv_map_importer = {
    .name = "csv",
    .help = "any CSV with a header line, told by --map",
    .units = "as the map says",
    .run = run_csv,
};

const struct importer jsonl_map_importer = {
    .name = "jsonl",
    .help = "any JSON lines, told by --map",
    .units = "as the map says",
    .run = run_jsonl,
};
