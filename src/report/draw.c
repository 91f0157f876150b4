#include "report/draw.h"

#include "base/json.h"
#include "base/text.h"
#include "report/label.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { PER_ROW = 4, BOX_W = 196, BOX_H = 104, GAP_X = 46, GAP_Y = 44, EDGE = 4, LONGEST_NAME = 22 };

static int box_x(size_t i)
{
    return EDGE + (int)(i % PER_ROW) * (BOX_W + GAP_X);
}

static int box_y(size_t i)
{
    return EDGE + (int)(i / PER_ROW) * (BOX_H + GAP_Y);
}

static void text_at(struct text *t, int x, int y, const char *style, const char *s)
{
    text_printf(t, "<text x=\"%d\" y=\"%d\" %s>", x, y, style);
    text_add_html(t, s);
    text_add(t, "</text>\n");
}

/* From box i - 1 to box i: straight within a row, round the corner to the next. */
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
    size_t n = json_size(stages), rows = (n + PER_ROW - 1) / PER_ROW;
    int width = 2 * EDGE + PER_ROW * BOX_W + (PER_ROW - 1) * GAP_X;
    int height = n > 0 ? 2 * EDGE + (int)rows * BOX_H + ((int)rows - 1) * GAP_Y : 2 * EDGE;

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
        "stroke-width:1.5}.tip{fill:#5b6675}.name{font-weight:600;font-size:14.5px;fill:#1c2430}"
        ".soft{fill:#5b6675;font-size:12.5px}.figure{fill:#1c2430}</style>\n");
    for (size_t i = 0; i < n; i++) {
        const struct json *stage = json_at(stages, i);
        const char *name = json_get_string(stage, "name", "");

        if (i > 0)
            draw_arrow(i, out);
        draw_stage(stage, i, bottleneck[0] != '\0' && strcmp(name, bottleneck) == 0, out);
    }
    text_add(out, "</svg>\n");
}
