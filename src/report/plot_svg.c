#include "report/plot_svg.h"

#include "base/text.h"
#include "report/label.h"
#include "report/plot_script.h"

#include <stdio.h>
#include <string.h>

struct cleaner {
    const struct plot *p;
    const struct svg_form *form;
    struct text *out;
};

static bool starts(const char *s, const char *word)
{
    return strncmp(s, word, strlen(word)) == 0;
}

/* Up to and with `end`, or nothing when it is not there. */
static size_t through(const char *s, const char *end)
{
    const char *e = strstr(s, end);

    return e != NULL ? (size_t)(e - s) + strlen(end) : 0;
}

static size_t place_name(const struct cleaner *c, const char *s)
{
    char cut[200];
    const char *label;
    size_t n = plot_place(c->p, s, &label);

    if (n > 0)
        text_add_html(c->out, label_cut(cut, sizeof cut, label,
                                        plot_label_room(c->form->narrow ? TERMINAL_NARROW : TERMINAL_WIDE)));
    return n;
}

/* "rgb(  0, 114, 178)" becomes var(--c1); gnuplot's own black that of the words around. */
static size_t place_colour(const struct cleaner *c, const char *s)
{
    unsigned r, g, b;
    char hex[16];
    int n = 0;

    if (c->form->colours == COLOURS_FIXED)
        return 0;
    if (starts(s, "\"black\"")) {
        text_add(c->out, "\"currentColor\"");
        return strlen("\"black\"");
    }
    if (sscanf(s, "rgb(%u,%u,%u)%n", &r, &g, &b, &n) != 3 || n == 0)
        return 0;
    snprintf(hex, sizeof hex, "#%02x%02x%02x", r & 255, g & 255, b & 255);
    for (const struct script_colour *k = script_colours; k->hex != NULL; k++)
        if (strcmp(k->hex, hex) == 0) {
            text_printf(c->out, "var(%s)", k->name);
            return (size_t)n;
        }
    return 0;
}

/* What a page does not need: tool tips, filters, the names of name spaces. */
static size_t drop(const struct cleaner *c, const char *s)
{
    static const char *const elements[][2] = {
        {"<title>", "</title>"}, {"<desc>", "</desc>"}, {"<filter", "</filter>"}};

    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++)
        if (starts(s, elements[i][0]))
            return through(s, elements[i][1]);
    if (c->form->colours == COLOURS_OF_PAGE) {
        if (starts(s, "xmlns:xlink=\"") || starts(s, "xmlns=\""))
            return through(s + strlen("xmlns:xlink=\""), "\"") + strlen("xmlns:xlink=\"");
        if (starts(s, "xlink:href="))
            return strlen("xlink:");
        if (starts(s, "font-family=\"sans-serif\""))
            return strlen("font-family=\"sans-serif\"");
    }
    return 0;
}

static void rename_id(const struct cleaner *c, const char *s)
{
    static const char *const ids[] = {"gpPt", "gpDot", "gnuplot_plot_", "gnuplot_canvas"};

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        if (starts(s, ids[i]))
            text_printf(c->out, "plot%zu%s_", c->form->number, c->form->narrow ? "n" : "");
}

static void begin(const struct cleaner *c)
{
    const char *narrow = c->form->narrow ? "n" : "";
    size_t k = c->form->number;

    text_printf(c->out, "<svg class=\"plot %s\" role=\"img\" aria-labelledby=\"plot%zu%s_t plot%zu%s_d\" ",
                c->form->narrow ? "narrow" : "wide-form", k, narrow, k, narrow);
}

static void describe(const struct cleaner *c)
{
    const char *narrow = c->form->narrow ? "n" : "";

    text_printf(c->out, "<title id=\"plot%zu%s_t\">%s</title><desc id=\"plot%zu%s_d\">", c->form->number,
                narrow, plot_title(c->p->title), c->form->number, narrow);
    text_add_html(c->out, c->p->about != NULL ? c->p->about : "");
    text_add(c->out, "</desc>");
}

void plot_svg_clean(const struct plot *p, const struct svg_form *form, const char *svg, struct text *out)
{
    struct cleaner c = {p, form, out};
    const char *s = strstr(svg, "<svg");
    bool inside = false;
    size_t n;

    if (s == NULL)
        return;
    begin(&c);
    for (s += strlen("<svg"); *s != '\0'; s += n) {
        n = place_name(&c, s);
        if (n == 0)
            n = place_colour(&c, s);
        if (n == 0)
            n = drop(&c, s);
        if (n > 0)
            continue;
        n = 1;
        rename_id(&c, s);
        text_add_n(out, s, 1);
        if (!inside && *s == '>') {
            describe(&c);
            inside = true;
        }
    }
}
