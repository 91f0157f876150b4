#include "cli/cmd.h"

#include "base/text.h"
#include "cli/load.h"
#include "cli/print.h"

#include <math.h>
#include <stdio.h>

/* Layout of the drawing, in pixels. */
enum { BOX_W = 150, BOX_H = 64, GAP = 70, MARGIN = 24, RESOURCE_Y = 170, HEIGHT = 270 };

static void draw_box(struct text *t, int x, int y, const char *title, const char *line, const char *fill)
{
    text_printf(t,
                "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\" fill=\"%s\" stroke=\"#445\"/>\n",
                x, y, BOX_W, BOX_H, fill);
    text_printf(t, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" font-weight=\"bold\">", x + BOX_W / 2,
                y + 26);
    text_add_html(t, title);
    text_printf(t, "</text>\n<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" fill=\"#445\">", x + BOX_W / 2,
                y + 46);
    text_add_html(t, line);
    text_add(t, "</text>\n");
}

static void draw_stages(struct text *t, const struct scenario *s)
{
    char line[80];

    for (int i = 0; i < s->stages_n; i++) {
        const struct stage *st = &s->stages[i];
        int x = MARGIN + i * (BOX_W + GAP), y = MARGIN;

        if (st->shape.workers > 0)
            snprintf(line, sizeof line, "%.30s x %ld", st->model->name, st->shape.workers);
        else
            snprintf(line, sizeof line, "%.30s", st->model->name);
        draw_box(t, x, y, st->name, line, "#e8f0fe");
        if (i == 0)
            continue;
        text_printf(t, "<path d=\"M%d %d h%d\" stroke=\"#445\" marker-end=\"url(#tip)\"/>\n", x - GAP,
                    y + BOX_H / 2, GAP - 6);
        if (st->in_capacity >= 0)
            text_printf(t, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" fill=\"#445\">%g</text>\n",
                        x - GAP / 2, y + BOX_H / 2 - 6, st->in_capacity);
    }
}

static void draw_resources(struct text *t, const struct scenario *s)
{
    char line[80];

    for (int r = 0; r < s->resources_n; r++) {
        int x = MARGIN + r * (BOX_W + GAP);

        snprintf(line, sizeof line, "%s x %ld", resource_kind_names[s->resources[r].kind],
                 s->resources[r].count);
        draw_box(t, x, RESOURCE_Y, s->resources[r].name, line, "#fef3e0");
        for (int i = 0; i < s->stages_n; i++) {
            bool uses = false;

            for (int k = 0; k < ROLES; k++)
                uses = uses || s->stages[i].on[k] == r;
            if (uses)
                text_printf(t, "<path d=\"M%d %d L%d %d\" stroke=\"#b08030\" stroke-dasharray=\"4 3\"/>\n",
                            MARGIN + i * (BOX_W + GAP) + BOX_W / 2, MARGIN + BOX_H, x + BOX_W / 2,
                            RESOURCE_Y);
        }
    }
}

static void draw(const struct scenario *s, struct text *t)
{
    int columns = s->stages_n > s->resources_n ? s->stages_n : s->resources_n;
    int width = 2 * MARGIN + columns * (BOX_W + GAP) - GAP;

    text_printf(t,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
                "font-family=\"sans-serif\" font-size=\"13\" fill=\"none\">\n<title>",
                width, HEIGHT, width, HEIGHT);
    text_add_html(t, s->name);
    text_add(
        t, "</title>\n<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" "
           "markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0 L8 4 L0 8 z\" fill=\"#445\"/></marker></defs>\n"
           "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<g fill=\"#112\">\n");
    draw_stages(t, s);
    draw_resources(t, s);
    text_add(t, "</g>\n</svg>\n");
}

static int run(const struct args *args, struct err *err)
{
    struct loaded l;
    struct text t = {0};
    int rc;

    TRY(load_scenario(args, args->words[0], &l, err));
    draw(l.scenario, &t);
    rc = text_write_file(args_get(args, "output", "-"), t.s, t.len, err);
    text_free(&t);
    loaded_free(&l);
    return rc;
}

const struct cmd cmd_graph = {
    .name = "graph",
    .args = "SCENARIO",
    .help = "the pipeline and its resources drawn as SVG",
    .group = "Ask one scenario",
    .about =
        "Stages in the order of flow with the capacity of the buffers between them; dashed lines show which\n"
        "resources a stage uses: two lines into one box is where components get into each other's way.",
    .options = "set,apply,output",
    .examples = "  foresight graph scenarios/quickstart.json -o pipeline.svg\n"
                "  foresight graph scenarios/01-one-stage.json > one.svg\n",
    .least = 1,
    .most = 1,
    .run = run,
};
