#include "report/pdf_page.h"

#ifdef HAVE_PDF

#include "base/arena.h"
#include "report/pdf_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CELL_SIZE 8.2
#define NOTE_SIZE 7.2
#define GAP       9.0
#define PAD       2.6

void page_table(struct page *p, const char *const *heads, int columns)
{
    struct page_grid *g = &p->grid;

    *g = (struct page_grid){.columns = columns < COLUMNS_MOST ? columns : COLUMNS_MOST};
    for (int i = 0; i < g->columns; i++) {
        g->heads[i] = xstrdup(heads[i] + 1);
        g->right[i] = heads[i][0] == '>';
    }
}

void page_row(struct page *p)
{
    p->grid.column = 0;
}

void page_cell(struct page *p, const struct page_cell *c)
{
    struct page_grid *g = &p->grid;

    if (g->column++ >= g->columns)
        return;
    if (g->n == g->room) {
        g->room = g->room == 0 ? 64 : 2 * g->room;
        g->cells = xrealloc(g->cells, g->room, sizeof *g->cells);
    }
    g->cells[g->n++] =
        (struct stored_cell){.text = xstrdup(c->text),
                             .note = c->note != NULL && c->note[0] != '\0' ? xstrdup(c->note) : NULL,
                             .bold = c->bold,
                             .colour = c->colour,
                             .shade = c->shade};
}

/* ----------------------------------------------------------------- widths */

static double natural_width(struct page *p, const char *text, double size, bool bold)
{
    PangoLayout *l = page_layout(p, text, size, bold, 10000, false);
    PangoRectangle r;

    pango_layout_get_extents(l, NULL, &r);
    g_object_unref(l);
    return (double)r.width / PANGO_SCALE + 1;
}

/* The longest word: a column narrower than that breaks within words. */
static double word_width(struct page *p, const char *text, double size, bool bold)
{
    double most = 0;
    char word[48];

    for (const char *s = text; *s != '\0';) {
        size_t n = strcspn(s, " ");

        if (n > 0 && n < sizeof word) {
            memcpy(word, s, n);
            word[n] = '\0';
            most = fmax(most, natural_width(p, word, size, bold));
        } else if (n > 0) {
            most = fmax(most, 120);
        }
        s += n + strspn(s + n, " ");
    }
    return most;
}

/*
 * Each column wants its longest line and needs its longest word.  When there is not room for all wishes, the
 * columns share what is left beyond their needs in proportion to what they still want.
 */
static void find_widths(struct page *p, double *width)
{
    const struct page_grid *g = &p->grid;
    double want[COLUMNS_MOST] = {0}, need[COLUMNS_MOST] = {0}, wants = 0, needs = 0;
    double room = PAGE_BODY - GAP * (g->columns - 1);

    for (int i = 0; i < g->columns; i++) {
        want[i] = natural_width(p, g->heads[i], CELL_SIZE, true);
        need[i] = word_width(p, g->heads[i], CELL_SIZE, true);
    }
    for (size_t k = 0; k < g->n; k++) {
        const struct stored_cell *c = &g->cells[k];
        size_t i = k % (size_t)g->columns;

        want[i] = fmax(want[i], natural_width(p, c->text, CELL_SIZE, c->bold));
        need[i] = fmax(need[i], fmin(110, word_width(p, c->text, CELL_SIZE, c->bold)));
        if (c->note != NULL)
            want[i] = fmax(want[i], fmin(170, natural_width(p, c->note, NOTE_SIZE, false)));
    }
    for (int i = 0; i < g->columns; i++) {
        wants += want[i];
        needs += need[i];
    }
    for (int i = 0; i < g->columns; i++) {
        if (wants <= room)
            width[i] = want[i];
        else if (needs >= room)
            width[i] = need[i] * room / needs;
        else
            width[i] = need[i] + (want[i] - need[i]) * (room - needs) / (wants - needs);
    }
}

/* ------------------------------------------------------------------- rows */

static double cell_height(struct page *p, const struct stored_cell *c, double width)
{
    PangoLayout *l = page_layout(p, c->text, CELL_SIZE, c->bold, width, false);
    double h = page_height(l);

    g_object_unref(l);
    if (c->note != NULL) {
        l = page_layout(p, c->note, NOTE_SIZE, false, width, false);
        h += page_height(l);
        g_object_unref(l);
    }
    return h;
}

static void draw_text(struct page *p, const char *text, double size, bool bold, double x, double width,
                      bool right, double *y)
{
    PangoLayout *l = page_layout(p, text, size, bold, width, right);

    cairo_move_to(p->cr, x, *y);
    pango_cairo_show_layout(p->cr, l);
    *y += page_height(l);
    g_object_unref(l);
}

static void draw_cell(struct page *p, const struct stored_cell *c, double x, double width, double height,
                      bool right)
{
    double y = p->y + PAD;

    if (c->shade != 0) {
        page_colour(p, c->shade > 0 ? PAGE_GAIN : PAGE_LOSS, 0.4 * fmin(1, fabs(c->shade)));
        cairo_rectangle(p->cr, x - 3, p->y + 1, width + 6, height - 1);
        cairo_fill(p->cr);
    }
    page_colour(p, c->colour, 1);
    draw_text(p, c->text, CELL_SIZE, c->bold, x, width, right, &y);
    page_colour(p, PAGE_SOFT, 1);
    if (c->note != NULL)
        draw_text(p, c->note, NOTE_SIZE, false, x, width, right, &y);
}

static void draw_row(struct page *p, const struct stored_cell *cells, const double *width, double line)
{
    const struct page_grid *g = &p->grid;
    double height = 0, x = PAGE_MARGIN;

    for (int i = 0; i < g->columns; i++)
        height = fmax(height, cell_height(p, &cells[i], width[i]));
    height += 2 * PAD;
    for (int i = 0; i < g->columns; i++) {
        draw_cell(p, &cells[i], x, width[i], height, g->right[i]);
        x += width[i] + GAP;
    }
    p->y += height;
    page_line(p, x - GAP - PAGE_MARGIN, line);
}

static void draw_heads(struct page *p, const double *width)
{
    struct page_grid *g = &p->grid;
    struct stored_cell heads[COLUMNS_MOST];
    bool any = false;

    for (int i = 0; i < g->columns; i++) {
        heads[i] = (struct stored_cell){.text = g->heads[i], .bold = true, .colour = PAGE_SOFT};
        any = any || g->heads[i][0] != '\0';
    }
    if (any)
        draw_row(p, heads, width, 1);
}

static double row_height(struct page *p, const struct stored_cell *cells, const double *width)
{
    double height = 0;

    for (int i = 0; i < p->grid.columns; i++)
        height = fmax(height, cell_height(p, &cells[i], width[i]));
    return height + 2 * PAD + 1;
}

static void grid_free(struct page_grid *g)
{
    for (int i = 0; i < g->columns; i++)
        free(g->heads[i]);
    for (size_t k = 0; k < g->n; k++) {
        free(g->cells[k].text);
        free(g->cells[k].note);
    }
    free(g->cells);
    *g = (struct page_grid){0};
}

void page_table_end(struct page *p)
{
    struct page_grid *g = &p->grid;
    double width[COLUMNS_MOST];

    p->y += 4;
    page_keep(p, 60);
    find_widths(p, width);
    draw_heads(p, width);
    for (size_t k = 0; k + (size_t)g->columns <= g->n; k += (size_t)g->columns) {
        int before = p->number;

        page_keep(p, row_height(p, &g->cells[k], width));
        if (p->number != before)
            draw_heads(p, width);
        draw_row(p, &g->cells[k], width, 0.4);
    }
    p->y += 6;
    grid_free(g);
}

#endif
