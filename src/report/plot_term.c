#include "report/plot.h"

#include "base/text.h"
#include "report/gnuplot.h"
#include "report/label.h"
#include "report/plot_script.h"

#include <stdlib.h>
#include <string.h>

/* A name takes exactly the columns of its place holder, whatever its bytes. */
static void add_padded(struct text *t, const char *name, size_t wide)
{
    size_t characters = 0;

    for (const char *c = name; *c != '\0'; c++)
        characters += ((unsigned char)*c & 0xc0) != 0x80;
    for (size_t i = characters; i < wide; i++)
        text_add(t, " ");
    text_add(t, name);
}

static void place_names(const struct plot *p, const char *drawn, struct text *out)
{
    for (const char *s = drawn; *s != '\0';) {
        const char *label;
        char cut[200];
        size_t n = plot_place(p, s, &label);

        if (n > 0)
            add_padded(out, label_cut(cut, sizeof cut, label, n), n);
        else
            text_add_n(out, s, 1);
        s += n > 0 ? n : 1;
    }
}

/* gnuplot draws over a whole screen; empty lines and spaces at the ends of lines say nothing. */
static void trim(struct text *t)
{
    size_t kept = 0, end = 0;

    for (size_t i = 0; i < t->len; i++) {
        char c = t->s[i];

        if (c == '\f')
            continue;
        if (c == '\n')
            kept = end;
        t->s[kept++] = c;
        if (c != ' ')
            end = kept;
    }
    t->len = kept;
    t->s[kept] = '\0';
}

int plot_term(const struct plot *p, int columns, int lines, struct text *out, struct err *err)
{
    struct text script = {0}, data = {0};
    struct gnuplot_file files[3] = {{.name = "script"}, {.name = "data"}, {.name = "plot"}};
    int rc;

    plot_script(
        p,
        &(struct script_target){
            .terminal = TERMINAL_DUMB, .columns = columns, .lines = lines, .output = "plot", .data = "data"},
        &script);
    plot_data(p, &data);
    files[0].content = script.s;
    files[0].len = script.len;
    files[1].content = data.s;
    files[1].len = data.len;
    rc = gnuplot_run(files, 3, err);
    if (rc == 0) {
        text_add(out, "");
        place_names(p, files[2].written, out);
        trim(out);
    }
    free(files[2].written);
    text_free(&script);
    text_free(&data);
    return rc;
}
