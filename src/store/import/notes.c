/* notes.c - counts of what was kept, left out, or looked odd. */
#include "base/arena.h"
#include "base/text.h"
#include "store/import/state.h"
#include "store/sql.h"

#include <stdio.h>
#include <string.h>

static void note(struct import *im, enum note_kind kind, const char *what, int64_t n, long line)
{
    struct notes *list = &im->notes[kind];
    char shown[320];
    size_t i = list->last;

    sql_shown(shown, sizeof shown, what);
    if (list->n == 0 || strcmp(list->item[i].what, shown) != 0)
        for (i = 0; i < list->n && strcmp(list->item[i].what, shown) != 0;)
            i++;
    if (i == NOTES_MAX - 1 && i == list->n)
        snprintf(shown, sizeof shown, "others");
    if (i == NOTES_MAX)
        i = NOTES_MAX - 1;
    if (i == list->n) {
        list->n++;
        list->item[i] = (struct import_count){arena_strdup(im->arena, shown), 0, line};
    }
    list->item[i].n += n;
    list->last = i;
}

void import_keep(struct import *im)
{
    im->read++;
    im->kept++;
    im->repeated += im->repeats;
}

void import_skip_n(struct import *im, const char *why, int64_t n)
{
    im->read += n;
    note(im, NOTE_SKIPPED, why, n, im->line);
}

void import_skip(struct import *im, const char *why)
{
    import_skip_n(im, why, 1);
}

static int refuse(struct import *im, long line, long column, struct err *err, const char *what)
{
    if (line > 0 && column > 0)
        return err_set(err, ERR_TRACE, "%s:%ld:%ld: %s", im->path, line, column, what);
    if (line > 0)
        return err_set(err, ERR_TRACE, "%s:%ld: %s", im->path, line, what);
    return err_set(err, ERR_TRACE, "%s: %s", im->path, what);
}

int import_refuse(struct import *im, long line, long column, struct err *err, const char *fmt, ...)
{
    char what[600];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return refuse(im, line, column, err, what);
}

int import_bad(struct import *im, long column, const char *why, struct err *err)
{
    if (im->options->strict)
        return refuse(im, im->line, column, err, why);
    import_skip(im, why);
    return 0;
}

int import_unknown(struct import *im, const char *key, struct err *err)
{
    char shown[80], what[140];

    if (im->options->strict) {
        snprintf(what, sizeof what, "the %s format does not know the name \"%s\"", im->importer->name,
                 sql_shown(shown, sizeof shown, key));
        return refuse(im, im->line, 0, err, what);
    }
    note(im, NOTE_UNKNOWN, key, 1, im->line);
    return 0;
}

void import_suspect(struct import *im, int64_t n, const char *fmt, ...)
{
    char what[400];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    note(im, NOTE_SUSPECT, what, n, im->line);
}
