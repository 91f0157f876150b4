#include "report/plot.h"

#include "base/arena.h"
#include "base/text.h"
#include "report/gnuplot.h"
#include "report/plot_script.h"
#include "report/plot_svg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct plot plot; /* without its points: the data is written already */
    struct text data;
    char name[PLOT_FORMS][24], data_name[24];
    struct text svg[PLOT_FORMS];
};

struct plot_book {
    enum plot_colours colours;
    int forms;
    struct arena *a;
    struct text script;
    struct entry *entries;
    size_t n, room;
};

struct plot_book *plot_book_new(enum plot_colours colours, bool narrow_too)
{
    struct plot_book *b = xcalloc(1, sizeof *b);

    b->colours = colours;
    b->forms = narrow_too ? PLOT_FORMS : 1;
    b->a = arena_new();
    return b;
}

void plot_book_free(struct plot_book *b)
{
    if (b == NULL)
        return;
    for (size_t i = 0; i < b->n; i++) {
        text_free(&b->entries[i].data);
        for (int f = 0; f < PLOT_FORMS; f++)
            text_free(&b->entries[i].svg[f]);
    }
    text_free(&b->script);
    free(b->entries);
    arena_free(b->a);
    free(b);
}

/* Names are needed once more when the drawing has come back. */
static void keep_names(struct plot_book *b, const struct plot *p, struct plot *kept)
{
    struct plot_series *series = arena_array(b->a, p->n_series, sizeof *series);
    const char **labels = p->labels != NULL ? arena_array(b->a, p->rows + 1, sizeof *labels) : NULL;

    *kept = *p;
    for (size_t i = 0; labels != NULL && i < p->rows; i++)
        labels[i] = arena_strdup(b->a, p->labels[i]);
    for (size_t i = 0; i < p->n_series; i++)
        series[i].label = p->series[i].label != NULL ? arena_strdup(b->a, p->series[i].label) : NULL;
    kept->about = p->about != NULL ? arena_strdup(b->a, p->about) : NULL;
    kept->labels = labels;
    kept->series = series;
}

static struct entry *grow(struct plot_book *b)
{
    if (b->n == b->room) {
        b->room = b->room == 0 ? 16 : 2 * b->room;
        b->entries = xrealloc(b->entries, b->room, sizeof *b->entries);
    }
    memset(&b->entries[b->n], 0, sizeof *b->entries);
    return &b->entries[b->n++];
}

size_t plot_book_add(struct plot_book *b, const struct plot *p)
{
    struct entry *e = grow(b);

    ASSERT(p->n_series > 0 && (p->kind == PLOT_LINES || p->rows > 0));
    keep_names(b, p, &e->plot);
    plot_data(p, &e->data);
    snprintf(e->data_name, sizeof e->data_name, "data%zu", b->n);
    for (int f = 0; f < b->forms; f++) {
        snprintf(e->name[f], sizeof e->name[f], "plot%zu-%d.svg", b->n, f);
        plot_script(p,
                    &(struct script_target){.terminal = f == PLOT_WIDE ? TERMINAL_WIDE : TERMINAL_NARROW,
                                            .output = e->name[f],
                                            .data = e->data_name},
                    &b->script);
    }
    return b->n;
}

static size_t list_files(struct plot_book *b, struct gnuplot_file *files)
{
    size_t n = 0;

    files[n++] = (struct gnuplot_file){"script", b->script.s, b->script.len, NULL};
    for (size_t i = 0; i < b->n; i++) {
        struct entry *e = &b->entries[i];

        files[n++] = (struct gnuplot_file){e->data_name, e->data.s, e->data.len, NULL};
        for (int f = 0; f < b->forms; f++)
            files[n++] = (struct gnuplot_file){.name = e->name[f]};
    }
    return n;
}

int plot_book_draw(struct plot_book *b, struct err *err)
{
    struct gnuplot_file *files = xcalloc(1 + b->n * (1 + PLOT_FORMS), sizeof *files);
    size_t n = list_files(b, files);
    int rc = b->n > 0 ? gnuplot_run(files, n, err) : 0;

    for (size_t i = 0; rc == 0 && i < b->n; i++)
        for (int f = 0; f < b->forms; f++)
            plot_svg_clean(
                &b->entries[i].plot,
                &(struct svg_form){.colours = b->colours, .number = i + 1, .narrow = f == PLOT_NARROW},
                files[1 + i * (size_t)(1 + b->forms) + 1 + (size_t)f].written, &b->entries[i].svg[f]);
    for (size_t i = 0; i < n; i++)
        free(files[i].written);
    free(files);
    return rc;
}

const char *plot_book_svg(const struct plot_book *b, size_t number, enum plot_form form)
{
    return number >= 1 && number <= b->n && (int)form < b->forms ? b->entries[number - 1].svg[form].s : NULL;
}
