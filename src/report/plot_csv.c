#include "report/plot.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Quoted always; what a spreadsheet would calculate (= + - @, a tab, a line's end) stands behind an
 * apostrophe.
 */
static void add_text(struct text *t, const char *s)
{
    text_add(t, s[0] != '\0' && strchr("=+-@\t\r\n", s[0]) != NULL ? "\"'" : "\"");
    for (size_t control; *s != '\0'; s += control > 0 ? control : 1) {
        control = text_control(s);
        text_add(t, *s == '"' ? "\"" : "");
        text_add_n(t, control > 0 || *s == '\n' || *s == '\t' ? " " : s, 1);
    }
    text_add(t, "\"");
}

static void add_number(struct text *t, double v)
{
    text_add(t, ",");
    if (isfinite(v))
        text_printf(t, "%.12g", v);
}

static void add_point(const struct plot *p, size_t s, size_t i, struct text *t)
{
    const struct plot_series *series = &p->series[s];
    const struct plot_point *v = &series->points[i];
    char number[24];

    snprintf(number, sizeof number, "%zu", i + 1);
    add_text(t, series->name != NULL ? series->name : series->label);
    text_add(t, ",");
    add_text(t, p->labels != NULL ? p->labels[i] : number);
    add_number(t, p->kind == PLOT_LINES ? v->x : NAN);
    add_number(t, v->value);
    add_number(t, v->lo);
    add_number(t, v->hi);
    add_number(t, v->far_lo);
    add_number(t, v->far_hi);
    text_add(t, "\n");
}

void plot_csv(const struct plot *p, struct text *t)
{
    text_add(t, "series,row,x,value,lo,hi,pred_lo,pred_hi\n");
    for (size_t s = 0; s < p->n_series; s++)
        for (size_t i = 0; i < (p->kind == PLOT_LINES ? p->series[s].n : p->rows); i++)
            add_point(p, s, i, t);
}
