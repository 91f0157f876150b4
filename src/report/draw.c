#include "report/draw.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "report/label.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BOX_H = 104, GAP_Y = 44, EDGE = 4 };

/* How many boxes stand in a row, and how wide they are. */
struct grid {
    size_t per_row;
    int box_w, gap_x;
    size_t longest_name;
};

static const struct grid wide = {4, 196, 46, 22}, narrow = {2, 164, 26, 17};

/* Where a stage's box stands: the flow from left to right, then in rows of their own the stages that are only
   asked. */
struct layout {
    const struct grid *g;
    size_t n, flow, rows;
    size_t *place; /* of each stage: row * per_row + column */
    bool *asked;
};

static size_t stage_called(const struct json *stages, const char *name)
{
    size_t i = 0;

    JSON_EACH (s, stages) {
        if (strcmp(json_get_string(s, "name", ""), name) == 0)
            return i;
        i++;
    }
    return i;
}

static struct layout lay_out(const struct json *stages, const struct grid *g)
{
    struct layout l = {.g = g, .n = json_size(stages)};
    size_t asked = 0, first_asked, per = g->per_row;

    l.place = xcalloc(l.n + 1, sizeof *l.place);
    l.asked = xcalloc(l.n + 1, sizeof *l.asked);
    JSON_EACH (s, stages)
        if (json_get(s, "calls") != NULL)
            JSON_EACH (c, json_get(s, "calls"))
                l.asked[stage_called(stages, json_string(c) != NULL ? json_string(c) : "")] = true;
    for (size_t i = 0; i < l.n; i++)
        if (!l.asked[i])
            l.place[i] = l.flow++;
    first_asked = (l.flow + per - 1) / per * per;
    for (size_t i = 0; i < l.n; i++)
        if (l.asked[i])
            l.place[i] = first_asked + asked++;
    l.rows = ((asked > 0 ? first_asked + asked : l.flow) + per - 1) / per;
    return l;
}

static int box_x(const struct grid *g, size_t place)
{
    return EDGE + (int)(place % g->per_row) * (g->box_w + g->gap_x);
}

static int box_y(const struct grid *g, size_t place)
{
    return EDGE + (int)(place / g->per_row) * (BOX_H + GAP_Y);
}

static void text_at(struct text *t, int x, int y, const char *style, const char *s)
{
    text_printf(t, "<text x=\"%d\" y=\"%d\" %s>", x, y, style);
    text_add_html(t, s);
    text_add(t, "</text>\n");
}

/* From place i - 1 to place i: straight within a row, round the corner to the next. */
static void draw_arrow(const struct grid *g, size_t i, struct text *t)
{
    int x0 = box_x(g, i - 1) + g->box_w, y0 = box_y(g, i - 1) + BOX_H / 2;
    int x1 = box_x(g, i), y1 = box_y(g, i) + BOX_H / 2;

    if (i % g->per_row != 0) {
        text_printf(t, "<path d=\"M%d %d H%d\" class=\"flow\"/>\n", x0, y0, x1 - 7);
        text_printf(t, "<path d=\"M%d %d l-9 -5 v10 z\" class=\"tip\"/>\n", x1 - 1, y1);
        return;
    }
    x0 -= g->box_w / 2;
    x1 += g->box_w / 2;
    text_printf(t, "<path d=\"M%d %d v%d H%d v%d\" class=\"flow\"/>\n", x0, y0 + BOX_H / 2, GAP_Y / 2, x1,
                GAP_Y / 2 - 7);
    text_printf(t, "<path d=\"M%d %d l-5 -9 h10 z\" class=\"tip\"/>\n", x1, y1 - BOX_H / 2 - 1);
}

/* A question and its answer: dashed, from the asker's lower edge to the upper edge of whom it asks. */
static void draw_call(const struct grid *g, size_t from, size_t to, struct text *t)
{
    int x0 = box_x(g, from) + g->box_w / 2, y0 = box_y(g, from) + BOX_H;
    int x1 = box_x(g, to) + g->box_w / 2, y1 = box_y(g, to);

    if (box_y(g, to) <= box_y(g, from)) { /* beside each other in one row */
        y0 = box_y(g, from) + BOX_H - 10;
        text_printf(t, "<path d=\"M%d %d v%d H%d v-%d\" class=\"call\"/>\n", x0, y0 + 10, GAP_Y / 3, x1,
                    GAP_Y / 3 - 7);
        text_printf(t, "<path d=\"M%d %d l-5 9 h10 z\" class=\"tip\"/>\n", x1, y1 + BOX_H + 1);
        return;
    }
    text_printf(t, "<path d=\"M%d %d V%d H%d V%d\" class=\"call\"/>\n", x0, y0, y1 - GAP_Y / 2, x1, y1 - 7);
    text_printf(t, "<path d=\"M%d %d l-5 -9 h10 z\" class=\"tip\"/>\n", x1, y1 - 1);
}

static void draw_calls(const struct json *stages, const struct layout *l, struct text *out)
{
    size_t i = 0;

    JSON_EACH (s, stages) {
        if (json_get(s, "calls") != NULL)
            JSON_EACH (c, json_get(s, "calls")) {
                size_t k = stage_called(stages, json_string(c) != NULL ? json_string(c) : "");

                if (k < l->n)
                    draw_call(l->g, l->place[i], l->place[k], out);
            }
        i++;
    }
}

/* The limit itself, or at work on it. */
static bool is_limit(const struct json *stage, const char *bottleneck)
{
    const struct json *on = json_get(stage, "on");
    bool limit = bottleneck[0] != '\0' && strcmp(json_get_string(stage, "name", ""), bottleneck) == 0;

    if (on != NULL && bottleneck[0] != '\0')
        JSON_EACH (v, on)
            limit = limit || (json_string(v) != NULL && strcmp(json_string(v), bottleneck) == 0);
    return limit;
}

static void draw_stage(const struct grid *g, const struct json *stage, size_t i, bool is_bottleneck,
                       struct text *t)
{
    const char *name = json_get_string(stage, "name", "?"), *owner = json_get_string(stage, "owner", "");
    struct estimate busy = estimate_read(stage, "utilization_frac");
    double frac = isfinite(busy.mean) ? fmin(fmax(busy.mean, 0), 1) : 0;
    int x = box_x(g, i), y = box_y(g, i), inner = g->box_w - 24;
    char cut[128], value[96];
    struct text line = {0};

    text_add(t, "<g>");
    text_printf(t, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"7\" class=\"box%s\"/>\n", x, y,
                g->box_w, BOX_H, is_bottleneck ? " limit" : "");
    text_add(t, "<title>");
    text_add_html(t, name);
    text_add(t, "</title>");
    text_at(t, x + 12, y + 24, "class=\"name\"",
            label_cut(cut, sizeof cut, name, g->longest_name - (is_bottleneck ? 7 : 0)));
    text_printf(&line, "%s%s%s", json_get_string(stage, "model", ""), owner[0] != '\0' ? " \xc2\xb7 " : "",
                owner);
    text_at(t, x + 12, y + 42, "class=\"soft\"", label_cut(cut, sizeof cut, line.s, g->longest_name + 4));
    text_printf(t, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"9\" rx=\"4.5\" class=\"trough\"/>\n",
                x + 12, y + 54, inner);
    text_printf(t, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"9\" rx=\"4.5\" class=\"level%s\"/>\n",
                x + 12, y + 54, frac * inner, is_bottleneck ? " limit" : "");
    line.len = 0;
    text_printf(&line, "%s busy", label_value(value, sizeof value, busy.mean, LABEL_FRAC));
    text_at(t, x + 12, y + 86, "class=\"figure\"", line.s);
    if (is_bottleneck)
        text_at(t, x + g->box_w - 12, y + 24, "class=\"flag\" text-anchor=\"end\"", "the limit");
    text_at(t, x + g->box_w - 12, y + 86, "class=\"soft\" text-anchor=\"end\"",
            label_value(value, sizeof value, estimate_read(stage, "throughput_per_s").mean, LABEL_PER_S));
    text_add(t, "</g>\n");
    text_free(&line);
}

/* The page has the same under .pipe, in its own colours. */
static const char fixed_style[] =
    "<style>.box{fill:#fff;stroke:#8c8c8c;stroke-width:1.2}.box.limit{stroke:#d55e00;stroke-width:2.4}"
    ".trough{fill:#e3e8ed}.level{fill:#0072b2}.level.limit{fill:#d55e00}.flow,.call{fill:none;stroke:#5b6675;"
    "stroke-width:1.5}.call{stroke-dasharray:5 4}.tip{fill:#5b6675}.name{font-weight:600;font-size:14.5px;"
    "fill:#1c2430}.soft{fill:#5b6675;font-size:12.5px}.figure{fill:#1c2430}"
    ".flag{fill:#d55e00;font-size:12px;font-weight:600}</style>\n";

static void draw_head(const struct layout *l, const struct draw_form *form, const char *bottleneck,
                      struct text *out)
{
    const struct grid *g = l->g;
    int width = 2 * EDGE + (int)g->per_row * g->box_w + ((int)g->per_row - 1) * g->gap_x;
    int height =
        l->n > 0 ? 2 * EDGE + (int)l->rows * BOX_H + ((int)l->rows - 1) * GAP_Y + GAP_Y / 3 : 2 * EDGE;
    const char *n = form->narrow ? "n" : "";
    int k = form->number;

    text_printf(out, "<svg class=\"pipe %s\" role=\"img\" aria-labelledby=\"pipe%d%s_t pipe%d%s_d\"%s",
                form->narrow ? "narrow" : "wide-form", k, n, k, n,
                form->colours_fixed ? " xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\""
                                    : "");
    text_printf(out, " width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" font-size=\"13\">\n", width, height,
                width, height);
    text_printf(out, "<title id=\"pipe%d%s_t\">The stages of the pipeline</title><desc id=\"pipe%d%s_d\">", k,
                n, k, n);
    text_add(out, "In order, each with its share of time busy.");
    if (bottleneck[0] != '\0') {
        text_add(out, " The limit is ");
        text_add_html(out, bottleneck);
        text_add(out, ".");
    }
    text_add(out, "</desc>\n");
    if (form->colours_fixed)
        text_add(out, fixed_style);
}

void draw_pipeline(const struct json *stages, const char *bottleneck, const struct draw_form *form,
                   struct text *out)
{
    struct layout l = lay_out(stages, form->narrow ? &narrow : &wide);

    draw_head(&l, form, bottleneck, out);
    for (size_t i = 1; i < l.flow; i++)
        draw_arrow(l.g, i, out);
    draw_calls(stages, &l, out);
    for (size_t i = 0; i < l.n; i++) {
        const struct json *stage = json_at(stages, i);

        draw_stage(l.g, stage, l.place[i], is_limit(stage, bottleneck), out);
    }
    text_add(out, "</svg>\n");
    free(l.place);
    free(l.asked);
}
