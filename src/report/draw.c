#include "report/draw.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "report/label.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { PER_ROW = 4, BOX_W = 196, BOX_H = 104, GAP_X = 46, GAP_Y = 44, EDGE = 4, LONGEST_NAME = 22 };

/* Where a stage's box stands: the flow from left to right, then in rows of their own the stages that are only
   asked. */
struct layout {
    size_t n, flow, rows;
    size_t *place; /* of each stage: row * PER_ROW + column */
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

static struct layout lay_out(const struct json *stages)
{
    struct layout l = {.n = json_size(stages)};
    size_t asked = 0, first_asked;

    l.place = xcalloc(l.n + 1, sizeof *l.place);
    l.asked = xcalloc(l.n + 1, sizeof *l.asked);
    JSON_EACH (s, stages)
        if (json_get(s, "calls") != NULL)
            JSON_EACH (c, json_get(s, "calls"))
                l.asked[stage_called(stages, json_string(c) != NULL ? json_string(c) : "")] = true;
    for (size_t i = 0; i < l.n; i++)
        if (!l.asked[i])
            l.place[i] = l.flow++;
    first_asked = (l.flow + PER_ROW - 1) / PER_ROW * PER_ROW;
    for (size_t i = 0; i < l.n; i++)
        if (l.asked[i])
            l.place[i] = first_asked + asked++;
    l.rows = asked > 0 ? (first_asked + asked + PER_ROW - 1) / PER_ROW : (l.flow + PER_ROW - 1) / PER_ROW;
    return l;
}

static int box_x(size_t place)
{
    return EDGE + (int)(place % PER_ROW) * (BOX_W + GAP_X);
}

static int box_y(size_t place)
{
    return EDGE + (int)(place / PER_ROW) * (BOX_H + GAP_Y);
}

static void text_at(struct text *t, int x, int y, const char *style, const char *s)
{
    text_printf(t, "<text x=\"%d\" y=\"%d\" %s>", x, y, style);
    text_add_html(t, s);
    text_add(t, "</text>\n");
}

/* From place i - 1 to place i: straight within a row, round the corner to the next. */
static void draw_arrow(size_t i, struct text *t)
{
    int x0 = box_x(i - 1) + BOX_W, y0 = box_y(i - 1) + BOX_H / 2, x1 = box_x(i), y1 = box_y(i) + BOX_H / 2;

    if (i % PER_ROW != 0) {
        text_printf(t, "<path d=\"M%d %d H%d\" class=\"flow\"/>\n", x0, y0, x1 - 7);
        text_printf(t, "<path d=\"M%d %d l-9 -5 v10 z\" class=\"tip\"/>\n", x1 - 1, y1);
        return;
    }
    x0 -= BOX_W / 2;
    x1 += BOX_W / 2;
    text_printf(t, "<path d=\"M%d %d v%d H%d v%d\" class=\"flow\"/>\n", x0, y0 + BOX_H / 2, GAP_Y / 2, x1,
                GAP_Y / 2 - 7);
    text_printf(t, "<path d=\"M%d %d l-5 -9 h10 z\" class=\"tip\"/>\n", x1, y1 - BOX_H / 2 - 1);
}

/* A question and its answer: dashed, from the asker's lower edge to the upper edge of whom it asks. */
static void draw_call(size_t from, size_t to, struct text *t)
{
    int x0 = box_x(from) + BOX_W / 2, y0 = box_y(from) + BOX_H, x1 = box_x(to) + BOX_W / 2, y1 = box_y(to);

    if (box_y(to) <= box_y(from)) { /* beside each other in one row */
        y0 = box_y(from) + BOX_H - 10;
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
                    draw_call(l->place[i], l->place[k], out);
            }
        i++;
    }
}

static void draw_stage(const struct json *stage, size_t i, bool is_bottleneck, struct text *t)
{
    const char *name = json_get_string(stage, "name", "?"), *owner = json_get_string(stage, "owner", "");
    struct estimate busy = estimate_read(stage, "utilization_frac");
    double frac = isfinite(busy.mean) ? fmin(fmax(busy.mean, 0), 1) : 0;
    int x = box_x(i), y = box_y(i), inner = BOX_W - 24;
    char cut[128], value[96];
    struct text line = {0};

    text_add(t, "<g>");
    text_printf(t, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"7\" class=\"box%s\"/>\n", x, y,
                BOX_W, BOX_H, is_bottleneck ? " limit" : "");
    text_add(t, "<title>");
    text_add_html(t, name);
    text_add(t, "</title>");
    text_at(t, x + 12, y + 24, "class=\"name\"", label_cut(cut, sizeof cut, name, LONGEST_NAME));
    text_printf(&line, "%s%s%s", json_get_string(stage, "model", ""), owner[0] != '\0' ? " \xc2\xb7 " : "",
                owner);
    text_at(t, x + 12, y + 42, "class=\"soft\"", label_cut(cut, sizeof cut, line.s, LONGEST_NAME + 5));
    text_printf(t, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"9\" rx=\"4.5\" class=\"trough\"/>\n",
                x + 12, y + 54, inner);
    text_printf(t, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"9\" rx=\"4.5\" class=\"level%s\"/>\n",
                x + 12, y + 54, frac * inner, is_bottleneck ? " limit" : "");
    line.len = 0;
    text_printf(&line, "%s busy", label_value(value, sizeof value, busy.mean, LABEL_FRAC));
    text_at(t, x + 12, y + 86, "class=\"figure\"", line.s);
    text_at(t, x + BOX_W - 12, y + 86, "class=\"soft\" text-anchor=\"end\"",
            label_value(value, sizeof value, estimate_read(stage, "throughput_per_s").mean, LABEL_PER_S));
    text_add(t, "</g>\n");
    text_free(&line);
}

void draw_pipeline(const struct json *stages, const char *bottleneck, struct text *out)
{
    struct layout l = lay_out(stages);
    int width = 2 * EDGE + PER_ROW * BOX_W + (PER_ROW - 1) * GAP_X;
    int height = l.n > 0 ? 2 * EDGE + (int)l.rows * BOX_H + ((int)l.rows - 1) * GAP_Y : 2 * EDGE;

    text_printf(
        out,
        "<svg role=\"img\" aria-label=\"The stages of the pipeline in order, each with its utilization\" "
        "xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
        "font-family=\"system-ui,sans-serif\" font-size=\"13\">\n",
        width, height, width, height);
    text_add(
        out,
        "<style>.box{fill:#fff;stroke:#9aa5b1;stroke-width:1.2}.box.limit{stroke:#d55e00;stroke-width:2.2}"
        ".trough{fill:#e3e8ed}.level{fill:#0072b2}.level.limit{fill:#d55e00}.flow{fill:none;stroke:#5b6675;"
        "stroke-width:1.5}.call{fill:none;stroke:#5b6675;stroke-width:1.3;stroke-dasharray:5 "
        "4}.tip{fill:#5b6675}.name{font-weight:600;font-size:14.5px;fill:#1c2430}"
        ".soft{fill:#5b6675;font-size:12.5px}.figure{fill:#1c2430}</style>\n");
    for (size_t i = 1; i < l.flow; i++)
        draw_arrow(i, out);
    draw_calls(stages, &l, out);
    for (size_t i = 0; i < l.n; i++) {
        const struct json *stage = json_at(stages, i);
        const char *name = json_get_string(stage, "name", "");

        draw_stage(stage, l.place[i], bottleneck[0] != '\0' && strcmp(name, bottleneck) == 0, out);
    }
    text_add(out, "</svg>\n");
    free(l.place);
    free(l.asked);
}
