#include "report/pdf_page.h"

#ifdef HAVE_PDF

#include "report/pdf_parts.h"

#include "base/arena.h"
#include "base/text.h"

#include <cairo-pdf.h>
#include <librsvg/rsvg.h>
#include <math.h>
#include <string.h>

static const double colours[][3] = {
    [PAGE_INK] = {.11, .14, .19},  [PAGE_SOFT] = {.36, .40, .46}, [PAGE_LINE] = {.85, .87, .90},
    [PAGE_GOOD] = {.04, .42, .29}, [PAGE_BAD] = {.64, .21, .04},  [PAGE_OPEN] = {.48, .32, 0},
    [PAGE_GAIN] = {0, .45, .70},   [PAGE_LOSS] = {.90, .62, 0},
};

void page_colour(struct page *p, enum page_colour c, double alpha)
{
    cairo_set_source_rgba(p->cr, colours[c][0], colours[c][1], colours[c][2], alpha);
}

/* ------------------------------------------------------------------ pages */

static cairo_status_t keep_bytes(void *closure, const unsigned char *data, unsigned n)
{
    text_add_n(closure, (const char *)data, n);
    return CAIRO_STATUS_SUCCESS;
}

struct page *page_new(const char *title, struct text *out)
{
    struct page *p = xcalloc(1, sizeof *p);

    text_add(out, "");
    p->surface = cairo_pdf_surface_create_for_stream(keep_bytes, out, PAGE_WIDTH, PAGE_HEIGHT);
    cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_TITLE, title);
    cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_CREATOR, "foresight");
    cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
    cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_MOD_DATE, "2000-01-01T00:00:00Z");
    p->cr = cairo_create(p->surface);
    p->y = PAGE_MARGIN;
    p->number = 1;
    return p;
}

static void write_number(struct page *p)
{
    char number[32];
    PangoLayout *l;

    snprintf(number, sizeof number, "%d", p->number);
    l = page_layout(p, number, 8, false, PAGE_BODY, true);
    page_colour(p, PAGE_SOFT, 1);
    cairo_move_to(p->cr, PAGE_MARGIN, PAGE_HEIGHT - PAGE_MARGIN + 12);
    pango_cairo_show_layout(p->cr, l);
    g_object_unref(l);
}

void page_break(struct page *p)
{
    write_number(p);
    cairo_show_page(p->cr);
    p->y = PAGE_MARGIN;
    p->number++;
}

void page_free(struct page *p)
{
    write_number(p);
    cairo_destroy(p->cr);
    cairo_surface_finish(p->surface);
    cairo_surface_destroy(p->surface);
    free(p);
}

void page_keep(struct page *p, double height)
{
    if (p->y + height > PAGE_HEIGHT - PAGE_MARGIN && p->y > PAGE_MARGIN)
        page_break(p);
}

/* ------------------------------------------------------------------- text */

/* Pango wants UTF-8 and would show control characters as boxes. */
static char *printable(const char *s)
{
    char *valid = g_utf8_make_valid(s, -1);

    for (char *c = valid; *c != '\0'; c++) {
        size_t n = *c == '\n' || *c == '\t' ? 1 : text_control(c);

        memset(c, ' ', n);
    }
    return valid;
}

PangoLayout *page_layout(struct page *p, const char *text, double size, bool bold, double width, bool right)
{
    PangoLayout *l = pango_cairo_create_layout(p->cr);
    PangoFontDescription *font = pango_font_description_from_string("DejaVu Sans, Sans");
    char *shown = printable(text);

    pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
    pango_font_description_set_weight(font, bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(l, font);
    pango_layout_set_width(l, (int)(width * PANGO_SCALE));
    pango_layout_set_wrap(l, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_alignment(l, right ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT);
    pango_layout_set_text(l, shown, -1);
    pango_font_description_free(font);
    g_free(shown);
    return l;
}

double page_height(PangoLayout *l)
{
    int h;

    pango_layout_get_size(l, NULL, &h);
    return (double)h / PANGO_SCALE;
}

void page_text(struct page *p, const char *text, const struct page_style *s)
{
    PangoLayout *l = page_layout(p, text, s->size, s->bold, PAGE_BODY - s->indent, false);
    double height = page_height(l);

    p->y += s->before;
    page_keep(p, height);
    if (s->bar != PAGE_INK) {
        page_colour(p, s->bar, 1);
        cairo_rectangle(p->cr, PAGE_MARGIN, p->y, 2, height);
        cairo_fill(p->cr);
    }
    page_colour(p, s->colour, 1);
    if (s->dot) {
        cairo_new_path(p->cr);
        cairo_arc(p->cr, PAGE_MARGIN + 5, p->y + 0.6 * s->size, 1.4, 0, 2 * M_PI);
        cairo_fill(p->cr);
    }
    cairo_move_to(p->cr, PAGE_MARGIN + s->indent, p->y);
    pango_cairo_show_layout(p->cr, l);
    p->y += height + s->after;
    g_object_unref(l);
}

void page_line(struct page *p, double length, double width)
{
    page_colour(p, PAGE_LINE, 1);
    cairo_rectangle(p->cr, PAGE_MARGIN, p->y, length, width);
    cairo_fill(p->cr);
}

void page_rule(struct page *p, double before)
{
    p->y += before;
    page_keep(p, 220);
    if (p->y > PAGE_MARGIN)
        page_line(p, PAGE_BODY, 0.7);
    p->y += 4;
}

/* --------------------------------------------------------------- drawings */

void page_drawing(struct page *p, const char *svg, const char *caption)
{
    RsvgHandle *h = rsvg_handle_new_from_data((const guint8 *)svg, strlen(svg), NULL);
    double w = 0, height = 0, scale;
    RsvgRectangle place;

    if (h == NULL || !rsvg_handle_get_intrinsic_size_in_pixels(h, &w, &height) || !(w > 0)) {
        page_text(p, "A drawing that could not be rendered.", &(struct page_style){.size = 9});
        if (h != NULL)
            g_object_unref(h);
        return;
    }
    scale = fmin(PAGE_BODY / w, (PAGE_HEIGHT - 2 * PAGE_MARGIN - 60) / height);
    p->y += 6;
    page_keep(p, scale * height + 34);
    place = (RsvgRectangle){PAGE_MARGIN, p->y, scale * w, scale * height};
    rsvg_handle_render_document(h, p->cr, &place, NULL);
    g_object_unref(h);
    p->y += scale * height + 2;
    page_text(p, caption, &(struct page_style){.size = 8, .colour = PAGE_SOFT, .after = 6});
}

#endif
