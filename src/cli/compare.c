#include "cli/compare.h"

#include "cli/print.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char marks[] = {[VERDICT_SAME] = ' ', [VERDICT_BETTER] = '+', [VERDICT_WORSE] = '-'};
static const char *const words[] = {
    [VERDICT_SAME] = "", [VERDICT_BETTER] = "better", [VERDICT_WORSE] = "worse"};

static char *show_value(char *buf, size_t size, bool known, const struct estimate *e, enum unit unit)
{
    if (known)
        return units_format(buf, size, e->mean, unit);
    snprintf(buf, size, "-");
    return buf;
}

/* "-12.3 % ±0.4": of the figure before; differences of shares and of quality stay as they are. */
static char *show_delta(char *buf, size_t size, const struct whatif_figure *f)
{
    double scale = f->before.mean, half = (f->delta.hi - f->delta.lo) / 2;

    if (!f->has_before || !f->has_after)
        snprintf(buf, size, "%s", f->has_after ? "new" : "gone");
    else if (f->def->unit == UNIT_NONE || f->def->unit == UNIT_FRAC || scale == 0)
        snprintf(buf, size, "%+.3g \302\261%.2g", f->delta.mean, half);
    else
        snprintf(buf, size, "%+.1f %% \302\261%.1g", 100 * f->delta.mean / fabs(scale),
                 100 * half / fabs(scale));
    return buf;
}

static void figure_label(char *buf, size_t size, const struct whatif_figure *f)
{
    if (f->pipeline[0] != '\0')
        snprintf(buf, size, "%.30s: %s", f->pipeline, f->def->name);
    else
        snprintf(buf, size, "%s", f->def->name);
}

/* ------------------------------------------------------------------- text */

static void print_changes(const struct whatif *w)
{
    char before[60], after[60];

    for (size_t i = 0; i < w->changes_n; i++) {
        const struct change *c = &w->changes[i];

        if (c->mark == '~')
            printf("  ~ %s: %s -> %s\n", c->path, json_brief(c->before, before, sizeof before),
                   json_brief(c->after, after, sizeof after));
        else
            printf("  %c %s: %s\n", c->mark, c->path,
                   json_brief(c->before != NULL ? c->before : c->after, before, sizeof before));
    }
    if (w->changes_n == 0)
        printf("  %s\n", strcmp(w->before.sha256, w->after.sha256) == 0
                             ? "the same scenario"
                             : "what was changed is not stored with runs");
}

static void print_text(const struct whatif *w)
{
    char label[80], before[40], after[40], delta[60];

    printf("%s\n", w->before.name);
    print_changes(w);
    printf("\n    %-24s %12s %12s   %s\n", "", "before", "after", "change");
    for (size_t i = 0; i < w->figures_n; i++) {
        const struct whatif_figure *f = &w->figures[i];

        figure_label(label, sizeof label, f);
        printf("  %c %-24s %12s %12s   %-18s %s\n", marks[f->verdict], label,
               show_value(before, sizeof before, f->has_before, &f->before, f->def->unit),
               show_value(after, sizeof after, f->has_after, &f->after, f->def->unit),
               show_delta(delta, sizeof delta, f), words[f->verdict]);
    }
    if (strcmp(w->before.bottleneck, w->after.bottleneck) == 0)
        printf("\nThe limit was and stays %s.\n", w->before.bottleneck);
    else
        printf("\nThe limit moves from %s to %s.\n", w->before.bottleneck, w->after.bottleneck);
    if (!w->paired)
        printf("Two stored runs: their luck is taken as independent.\n");
}

/* --------------------------------------------------------------- markdown */

/* Names are data: a bar would end a cell, a backtick the code, a newline the table. */
static void put_cell(const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("|`*_<>[]\\&", *text) != NULL)
            printf("\\");
        putchar((unsigned char)*text < ' ' ? ' ' : *text);
    }
}

static void print_markdown(const struct whatif *w)
{
    char label[80], before[60], after[60], delta[60];

    printf("**foresight: ");
    put_cell(w->before.name);
    printf("**\n\n");
    for (size_t i = 0; i < w->changes_n; i++) {
        const struct change *c = &w->changes[i];

        printf("- `%c` ", c->mark);
        put_cell(c->path);
        printf(": ");
        put_cell(c->before != NULL ? json_brief(c->before, before, sizeof before) : "none");
        printf(" \342\206\222 ");
        put_cell(c->after != NULL ? json_brief(c->after, after, sizeof after) : "none");
        putchar('\n');
    }
    printf("\n| | before | after | change | |\n|---|---:|---:|---:|---|\n");
    for (size_t i = 0; i < w->figures_n; i++) {
        const struct whatif_figure *f = &w->figures[i];

        figure_label(label, sizeof label, f);
        printf("| ");
        put_cell(label);
        printf(" | %s | %s | %s | %s |\n",
               show_value(before, sizeof before, f->has_before, &f->before, f->def->unit),
               show_value(after, sizeof after, f->has_after, &f->after, f->def->unit),
               show_delta(delta, sizeof delta, f), words[f->verdict]);
    }
    printf("\nLimit: ");
    put_cell(w->before.bottleneck);
    printf(" \342\206\222 ");
    put_cell(w->after.bottleneck);
    putchar('\n');
}

int compare_show(const struct args *args, const char *command, const struct whatif *w, struct err *err)
{
    const char *format = args_get(args, "format", "text");

    if (strcmp(format, "text") != 0 && strcmp(format, "markdown") != 0)
        return err_set(err, ERR_USAGE, "%s: --format %s: allowed are text and markdown", command, format);
    if (args->json)
        print_document(whatif_json(command, w));
    else if (strcmp(format, "markdown") == 0)
        print_markdown(w);
    else
        print_text(w);
    if (args_has(args, "detailed-exitcode") && whatif_differs(w))
        return err_set(err, ERR_DIFFERS, "%s: there are differences", command);
    return 0;
}
