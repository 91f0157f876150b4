/*
 * draw.h - the pipeline as a drawn chain of stages (SVG of our own, no gnuplot): each box with its share of
 * time busy, what limits the whole set off, dashed lines from who asks to who answers.
 */
#ifndef REPORT_DRAW_H
#define REPORT_DRAW_H

#include <stdbool.h>

struct json;
struct text;

struct draw_form {
    int number;         /* of the drawing on its page: for its ids */
    bool narrow;        /* two boxes a row instead of four */
    bool colours_fixed; /* brings its own (light) style; else the page has it under .pipe */
};

/* `stages` is the array of a result document; the stage named `bottleneck` is set off. */
void draw_pipeline(const struct json *stages, const char *bottleneck, const struct draw_form *form,
                   struct text *out);

#endif
