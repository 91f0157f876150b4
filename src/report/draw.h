/* draw.h - the pipeline as a drawn chain of stages (SVG of our own, no gnuplot). */
#ifndef REPORT_DRAW_H
#define REPORT_DRAW_H

struct json;
struct text;

/* `stages` is the array of a result document; the stage named `bottleneck` is set off. */
void draw_pipeline(const struct json *stages, const char *bottleneck, struct text *out);

#endif
