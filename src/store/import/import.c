#include "store/import/import.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "store/import/map.h"
#include "store/import/state.h"
#include "store/sql.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEAD = 1 << 16 };

static const char *const note_names[NOTE_KINDS] = {"skipped", "unknown key", "suspect"};

/* --------------------------------------------------------------- the file */

struct source *import_source(struct import *im)
{
    return im->source;
}

const struct import_options *import_options(const struct import *im)
{
    return im->options;
}

const char *import_path(const struct import *im)
{
    return im->path;
}

const char *import_base(const struct import *im)
{
    return im->base;
}

struct arena *import_arena(struct import *im)
{
    return im->arena;
}

void import_at(struct import *im, long line)
{
    im->line = line;
}

long import_place(const struct import *im)
{
    return im->line;
}

bool import_has_skipped(const struct import *im)
{
    return im->notes[NOTE_SKIPPED].n > 0;
}

void import_origin(struct import *im, int64_t unix_ns)
{
    im->origin_unix_ns = unix_ns;
}

void import_title(struct import *im, const char *fmt, ...)
{
    char title[200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(title, sizeof title, fmt, ap);
    va_end(ap);
    im->title = arena_strdup(im->arena, title);
}

const char *import_folder(struct import *im, int k)
{
    const char *end = strrchr(im->path, '/');

    for (; end != NULL && end > im->path; k--) {
        const char *from = end;

        while (from > im->path && from[-1] != '/')
            from--;
        if (k == 1)
            return arena_printf(im->arena, "%.*s", (int)(end - from), from);
        end = from > im->path ? from - 1 : NULL;
    }
    return "";
}

int import_line(struct import *im, char **line, size_t *n, struct err *err)
{
    int rc;

    while ((rc = source_line(im->source, line, n, err)) > 0) {
        const char *nul = rc == SOURCE_LINE ? memchr(*line, '\0', *n) : NULL;

        im->line++;
        if (rc == SOURCE_TOO_LONG)
            TRY(import_bad(im, 0, "a record above 8 MiB", err));
        else if (nul != NULL)
            TRY(import_bad(im, (long)(nul - *line) + 1, "a NUL byte", err));
        else if (strspn(*line, " \t\r") < *n)
            return 1;
    }
    return rc;
}

/* File name without folders and without the endings of compression and of the format. */
static const char *base_of(const char *path, struct arena *a)
{
    static const char *const endings[] = {".gz", ".zst", ".csv", ".jsonl", ".json", ".txt", ".yaml", ".yml"};
    const char *slash = strrchr(path, '/');
    char *base = arena_strdup(a, slash != NULL ? slash + 1 : path);

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(base), e = strlen(endings[i]);

        if (n > e && strcmp(base + n - e, endings[i]) == 0)
            base[n - e] = '\0';
    }
    return base;
}

/* ------------------------------------------------------------- anonymizing */

/* One salt per store: equal names keep being equal, and cannot be guessed from their hash alone. */
static int load_salt(struct import *im, struct err *err)
{
    unsigned char random[32];
    char hex[65];
    sqlite3_stmt *st;
    int rc;

    if (getentropy(random, sizeof random) != 0)
        return err_io(err, "get random bytes for", im->path);
    text_sha256(random, sizeof random, hex);
    TRY(sql_do(im->s, err, "INSERT OR IGNORE INTO store_value(name, value) VALUES ('salt', ?)", "t", hex));
    TRY(sql_query(im->s, &st, err, "SELECT value FROM store_value WHERE name = 'salt'", ""));
    rc = sql_step(im->s, st, err);
    if (rc > 0)
        snprintf(im->salt, sizeof im->salt, "%s", (const char *)sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
    return rc < 0 ? rc : 0;
}

const char *import_word(struct import *im, const char *name)
{
    struct text t = {0};
    char hex[65];

    if (!im->options->anonymize || name == NULL || *name == '\0')
        return name;
    text_printf(&t, "%s%s", im->salt, name);
    text_sha256(t.s, t.len, hex);
    text_free(&t);
    im->word_next = (im->word_next + 1) % SINK_WORDS;
    snprintf(im->word[im->word_next], sizeof im->word[0], "n-%.12s", hex);
    return im->word[im->word_next];
}

/* ----------------------------------------------------------- which format */

static const struct importer *named(const char *name, struct err *err)
{
    struct text t = {0};
    const char *names[100];
    size_t n = 0;

    for (; importers[n] != NULL; n++) {
        if (strcmp(importers[n]->name, name) == 0)
            return importers[n];
        names[n] = importers[n]->name;
    }
    text_add_suggestion(&t, name, names, n);
    err_set(err, ERR_USAGE, "--format %s: no such trace format; %s", name, t.s);
    text_free(&t);
    return NULL;
}

static const struct importer *detect(const struct import_head *h, struct err *err)
{
    const struct importer *best = NULL;
    int most = 0;

    for (size_t i = 0; importers[i] != NULL; i++) {
        int sure = importers[i]->sniff != NULL ? importers[i]->sniff(h) : 0;

        if (sure > most) {
            most = sure;
            best = importers[i];
        }
    }
    if (best == NULL)
        err_set(err, ERR_TRACE,
                "%s:1: no known trace format begins like this; `foresight help import` lists them, --format "
                "names one, --map tells the columns of other CSV and JSON lines",
                h->path);
    return best;
}

static int find_importer(struct import *im, struct err *err)
{
    struct import_head h = {.path = im->path, .name = im->base};
    const char *text;
    char *copy;

    TRY(source_peek(im->source, &text, &h.n, HEAD, err));
    if (im->options->format != NULL) {
        im->importer = named(im->options->format, err);
        return im->importer != NULL ? 0 : err->code;
    }
    copy = xmalloc(h.n + 1);
    memcpy(copy, text, h.n);
    copy[h.n] = '\0';
    h.text = copy;
    im->importer = im->options->map != NULL ? map_importer(&h) : detect(&h, err);
    free(copy);
    return im->importer != NULL ? 0 : err->code;
}

/* ------------------------------------------------------ rows of the import */

static const char *options_text(const struct import_options *o)
{
    static const char *const text[] = {"", "anonymize", "keep-text", "anonymize,keep-text"};

    return text[o->anonymize + 2 * o->keep_text];
}

/* 1: there is a row for this file, *complete says whether all of it is in the store. */
static int find_earlier(struct import *im, const char *sha256, bool *complete, struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    TRY(sql_query(
        im->s, &st, err,
        "SELECT trace_id, rows, complete, file FROM import WHERE sha256 = ? AND format = ? AND options "
        "= ? AND map = ?",
        "tttt", sha256, im->importer->name, options_text(im->options),
        im->options->map != NULL ? im->options->map : ""));
    rc = sql_step(im->s, st, err);
    if (rc > 0) {
        im->trace_id = sqlite3_column_int64(st, 0);
        im->mark = sqlite3_column_int64(st, 1);
        *complete = sqlite3_column_int(st, 2) != 0;
        if (!im->options->anonymize) { /* some formats read the path, so it must not change half-way */
            im->path = sql_text(st, 3, im->arena);
            im->base = im->title = base_of(im->path, im->arena);
        }
    }
    sqlite3_finalize(st);
    return rc;
}

static int insert_rows(struct import *im, const char *sha256, int64_t bytes, struct err *err)
{
    const struct trace_info info = {.name = import_word(im, im->title),
                                    .kind = "import",
                                    .note = "not complete: import the file again to go on"};

    TRY(trace_create(im->s, &info, &im->trace_id, err));
    return sql_do(im->s, err,
                  "INSERT INTO import(trace_id, format, file, sha256, options, map, bytes, rows, read, kept, "
                  "complete) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0)",
                  "ittttti", im->trace_id, im->importer->name, import_word(im, im->path), sha256,
                  options_text(im->options), im->options->map != NULL ? im->options->map : "", bytes);
}

static int create(struct import *im, const char *sha256, int64_t bytes, struct err *err)
{
    TRY(store_begin(im->s, err));
    if (insert_rows(im, sha256, bytes, err) != 0) {
        store_rollback(im->s);
        return err->code;
    }
    return store_commit(im->s, err);
}

static int write_end(struct import *im, struct err *err)
{
    char note[300];

    for (int k = 0; k < NOTE_KINDS; k++)
        for (size_t i = 0; i < im->notes[k].n; i++) {
            const struct import_count *c = &im->notes[k].item[i];

            TRY(sql_do(im->s, err, "INSERT INTO import_note VALUES (?, ?, ?, ?, ?)", "ittii", im->trace_id,
                       note_names[k], c->what, c->n, (int64_t)c->line));
        }
    TRY(sql_do(
        im->s, err,
        "UPDATE import SET read = ?, kept = ?, complete = 1, origin_unix_ns = nullif(?, ?) WHERE trace_id "
        "= ?",
        "iiiii", im->read, im->kept, im->origin_unix_ns, IMPORT_NONE, im->trace_id));
    TRY(describe_import(im, note, sizeof note, err));
    return sql_do(im->s, err, "UPDATE trace SET name = ?, note = ? WHERE id = ?", "tti",
                  im->options->name != NULL ? im->options->name : import_word(im, im->title), note,
                  im->trace_id);
}

static int finish(struct import *im, struct err *err)
{
    int rc;

    if (source_has_changed(im->source))
        return import_refuse(im, 0, 0, err,
                             "it changed while it was read; import a copy, or wait for its writer");
    if (im->kept == 0)
        return import_refuse(im, im->notes[NOTE_SKIPPED].n > 0 ? im->notes[NOTE_SKIPPED].item[0].line : 0, 0,
                             err, "nothing in it could be read as %s (%s)", im->importer->name,
                             im->notes[NOTE_SKIPPED].n > 0 ? im->notes[NOTE_SKIPPED].item[0].what
                                                           : "it holds no records");
    TRY(store_begin(im->s, err));
    rc = sink_commit(im, err);
    if (rc == 0)
        rc = write_end(im, err);
    if (rc != 0) {
        sink_abandon(im);
        store_rollback(im->s);
        return rc;
    }
    return store_commit(im->s, err);
}

/* ----------------------------------------------------------------- report */

static int load_notes(struct import *im, enum note_kind kind, struct arena *a, struct import_count **list,
                      size_t *n, struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    *list = NULL;
    *n = 0;
    TRY(sql_query(
        im->s, &st, err,
        "SELECT what, n, line FROM import_note WHERE trace_id = ? AND kind = ? ORDER BY n DESC, what", "it",
        im->trace_id, note_names[kind]));
    while ((rc = sql_step(im->s, st, err)) > 0) {
        *list = sql_grow(a, *list, *n, sizeof **list);
        (*list)[*n].what = sql_text(st, 0, a);
        (*list)[*n].n = sqlite3_column_int64(st, 1);
        (*list)[(*n)++].line = (long)sqlite3_column_int64(st, 2);
    }
    sqlite3_finalize(st);
    return rc;
}

static int report(struct import *im, const char *path, struct arena *a, struct import_report *out,
                  struct err *err)
{
    sqlite3_stmt *st;
    int rc;

    TRY(sql_query(
        im->s, &st, err,
        "SELECT i.read, i.kept, i.rows, t.name FROM import i JOIN trace t ON t.id = i.trace_id WHERE "
        "t.id = ?",
        "i", im->trace_id));
    rc = sql_step(im->s, st, err);
    if (rc > 0) {
        out->read = sqlite3_column_int64(st, 0);
        out->kept = sqlite3_column_int64(st, 1);
        out->rows = sqlite3_column_int64(st, 2);
        out->trace = sql_text(st, 3, a);
    }
    sqlite3_finalize(st);
    if (rc < 0)
        return rc;
    out->file = arena_strdup(a, path);
    out->format = im->importer->name;
    out->trace_id = im->trace_id;
    TRY(load_notes(im, NOTE_SKIPPED, a, &out->skipped, &out->skipped_n, err));
    TRY(load_notes(im, NOTE_UNKNOWN, a, &out->unknown, &out->unknown_n, err));
    return load_notes(im, NOTE_SUSPECT, a, &out->suspect, &out->suspect_n, err);
}

/* ------------------------------------------------------------- everything */

/* A file that is refused leaves nothing; anything else (a full disk) can go on later. */
static int run_format(struct import *im, struct err *err)
{
    int rc = im->importer->run(im, err);

    if (rc == 0)
        rc = finish(im, err);
    if (rc == 0)
        return 0;
    sink_abandon(im);
    if (rc == ERR_TRACE || rc == ERR_USAGE) {
        struct err ignored;

        trace_remove(im->s, im->trace_id, &ignored);
    }
    return rc;
}

static int import_opened(struct import *im, const char *path, struct arena *a, struct import_report *out,
                         struct err *err)
{
    char sha256[65];
    int64_t bytes;
    bool complete = false;
    int rc;

    TRY(source_sha256(im->source, sha256, &bytes, err));
    TRY(find_importer(im, err));
    if (im->options->anonymize)
        TRY(load_salt(im, err));
    rc = find_earlier(im, sha256, &complete, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        TRY(create(im, sha256, bytes, err));
    if (!complete)
        TRY(run_format(im, err));
    out->known = complete;
    return report(im, path, a, out, err);
}

static void import_fini(struct import *im)
{
    for (int i = 0; i < TABLES; i++)
        sqlite3_finalize(im->insert[i]);
    for (int i = 0; i < SINK_OPS; i++)
        free(im->op[i].text);
    free(im->op);
    json_free(im->settings);
    free(im->figures);
    free(im->spans);
    arena_free(im->span_names);
    arena_free(im->arena);
    source_close(im->source);
    free(im);
}

int import_file(struct store *s, const char *path, const struct import_options *given, struct arena *a,
                struct import_report *out, struct err *err)
{
    struct import *im = xcalloc(1, sizeof *im);
    struct import_options options = *given;
    int rc;

    memset(out, 0, sizeof *out);
    im->s = s;
    im->arena = arena_new();
    im->span_names = arena_new();
    im->spans = xcalloc(SINK_SPANS, sizeof *im->spans);
    im->op = xcalloc(SINK_OPS, sizeof *im->op);
    im->options = &options;
    im->origin_unix_ns = IMPORT_NONE;
    im->path = arena_strdup(im->arena, path);
    im->base = im->title = base_of(path, im->arena);
    rc = map_load(s, given->map, im->base, im->arena, &options.map, err);
    if (rc == 0)
        rc = source_open(path, &im->source, err);
    if (rc == 0)
        rc = import_opened(im, path, a, out, err);
    import_fini(im);
    return rc;
}
