#include "cli/cmd.h"

#include "base/text.h"
#include "cli/load.h"
#include "cli/print.h"

#include <math.h>
#include <stdio.h>

/* Layout of the drawing, in pixels: a row of stages for each pipeline, one for those that are only called,
 * one of resources. */
enum { BOX_W = 150, BOX_H = 64, GAP = 70, ROW_GAP = 82, MARGIN = 24, BELOW = 36 };

static int column_x(int column)
{
    return MARGIN + column * (BOX_W + GAP);
}

static int row_y(int row)
{
    return MARGIN + row * (BOX_H + ROW_GAP);
}

static int rows_of_stages(const struct scenario *s)
{
    return s->pipelines_n + (s->stages[s->stages_n - 1].pipeline < 0);
}

struct place {
    int x, y;
};

static struct place place_of(const struct scenario *s, int stage)
{
    int pipeline = s->stages[stage].pipeline, first = stage;

    while (first > 0 && s->stages[first - 1].pipeline == pipeline)
        first--;
    return (struct place){column_x(stage - first), row_y(pipeline >= 0 ? pipeline : s->pipelines_n)};
}

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

/* To the neighbour straight; over the boxes forward, under them back. */
static void draw_route(struct text *t, struct place from, struct place to, double share)
{
    int out = from.x + BOX_W, in = to.x, mid = (out + in) / 2;

    if (in - out == GAP) {
        text_printf(t, "<path d=\"M%d %d h%d\" stroke=\"#445\" marker-end=\"url(#tip)\"/>\n", out,
                    from.y + BOX_H / 2, GAP - 6);
    } else {
        int side = in > out ? -18 : BOX_H + 18;
        int edge = in > out ? 0 : BOX_H;

        mid = (from.x + to.x + BOX_W) / 2;
        text_printf(t, "<path d=\"M%d %d Q%d %d %d %d\" stroke=\"#445\" marker-end=\"url(#tip)\"/>\n",
                    from.x + BOX_W / 2, from.y + edge, mid, from.y + side + (in > out ? -12 : 12),
                    to.x + BOX_W / 2 + (from.x == to.x ? 20 : 0), to.y + edge);
    }
    if (share < 1)
        text_printf(t, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" fill=\"#445\">%.3g %%</text>\n", mid,
                    in - out == GAP ? from.y + BOX_H / 2 + 16
                    : in > out      ? from.y - 8
                                    : from.y + BOX_H + 24,
                    100 * share);
}

static void draw_routes(struct text *t, const struct scenario *s, int i)
{
    const struct stage *st = &s->stages[i];
    double before = 0;

    for (int k = 0; k < st->routes_n; k++) {
        struct place from = place_of(s, i), to = place_of(s, st->routes[k].to);
        const struct stage *next = &s->stages[st->routes[k].to];

        draw_route(t, from, to, st->routes[k].upto - before);
        before = st->routes[k].upto;
        if (next->in_capacity >= 0)
            text_printf(t, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" fill=\"#445\">%g</text>\n",
                        to.x - GAP / 2, to.y + BOX_H / 2 - 6, next->in_capacity);
    }
}

static void draw_calls(struct text *t, const struct scenario *s, int i)
{
    for (int k = 0; k < CALLEES_MAX; k++) {
        struct place from = place_of(s, i), to;

        if (s->stages[i].calls[k] < 0)
            continue;
        to = place_of(s, s->stages[i].calls[k]);
        text_printf(t, "<path d=\"M%d %d L%d %d\" stroke=\"#2a7f4f\" marker-end=\"url(#tip)\"/>\n",
                    from.x + BOX_W / 2 - 20, from.y + (from.y == to.y ? 0 : BOX_H), to.x + BOX_W / 2 - 20,
                    to.y + (to.y < from.y ? BOX_H : 0));
    }
}

static void draw_stages(struct text *t, const struct scenario *s)
{
    char line[80];

    for (int i = 0; i < s->stages_n; i++) {
        const struct stage *st = &s->stages[i];
        struct place at = place_of(s, i);

        if (st->shape.workers > 0)
            snprintf(line, sizeof line, "%.30s x %ld", st->model->name, st->shape.workers);
        else
            snprintf(line, sizeof line, "%.30s", st->model->name);
        draw_box(t, at.x, at.y, st->name, line, st->pipeline >= 0 ? "#e8f0fe" : "#e6f4ea");
        if (i > 0)
            draw_routes(t, s, i - 1);
    }
    draw_routes(t, s, s->stages_n - 1);
    for (int i = 0; i < s->stages_n; i++)
        draw_calls(t, s, i);
}

static void draw_resources(struct text *t, const struct scenario *s)
{
    int y = row_y(rows_of_stages(s));
    char line[80];

    for (int r = 0; r < s->resources_n; r++) {
        int x = column_x(r);

        snprintf(line, sizeof line, "%s x %ld", resource_kind_names[s->resources[r].kind],
                 s->resources[r].count);
        draw_box(t, x, y, s->resources[r].name, line, "#fef3e0");
        for (int i = 0; i < s->stages_n; i++) {
            struct place at = place_of(s, i);
            bool uses = false;

            for (int k = 0; k < ROLES; k++)
                uses = uses || s->stages[i].on[k] == r;
            if (uses)
                text_printf(t, "<path d=\"M%d %d L%d %d\" stroke=\"#b08030\" stroke-dasharray=\"4 3\"/>\n",
                            at.x + BOX_W / 2, at.y + BOX_H, x + BOX_W / 2, y);
        }
    }
}

static int columns_of(const struct scenario *s)
{
    int most = s->resources_n;

    for (int i = 0; i < s->stages_n; i++) {
        int column = (place_of(s, i).x - MARGIN) / (BOX_W + GAP);

        most = column + 1 > most ? column + 1 : most;
    }
    return most;
}

static void draw(const struct scenario *s, struct text *t)
{
    int width = 2 * MARGIN + columns_of(s) * (BOX_W + GAP) - GAP;
    int height = row_y(rows_of_stages(s)) + BOX_H + BELOW;

    text_printf(t,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
                "font-family=\"sans-serif\" font-size=\"13\" fill=\"none\">\n<title>",
                width, height, width, height);
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
    .about = "Stages in the order of flow with the capacity of the buffers between them, a row for each "
             "pipeline;\n"
             "below them, in green, those that others call; dashed lines show which\n"
             "resources a stage uses: two lines into one box is where components get into each other's way.",
    .options = "set,apply,output",
    .examples = "  foresight graph scenarios/quickstart.json -o pipeline.svg\n"
                "  foresight graph scenarios/01-one-stage.json > one.svg\n",
    .least = 1,
    .most = 1,
    .run = run,
};
