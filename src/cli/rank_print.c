#include "cli/rank_print_parts.h"

#include "cli/color.h"
#include "cli/print.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CELL = 12, OWNER = 11 };

/* ---------------------------------------------------------------- words */

/* Characters, not bytes. */
int rank_width_of(const char *s)
{
    int n = 0;

    for (; *s != '\0'; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

/* Right-justified; text that is too long is printed whole. */
void rank_cell(const char *s, int width)
{
    printf("%*s%s", width > rank_width_of(s) ? width - rank_width_of(s) : 0, "", s);
}

/* A gain as "1.42x ±1 %"; an interval that says nothing is left out. */
char *rank_gain(char *buf, size_t size, const struct estimate *e)
{
    double half = 100 * (e->hi - e->lo) / 2 / e->mean;

    if (half >= 0.05)
        snprintf(buf, size, "%.3fx \302\261%.1f %%", e->mean, half);
    else
        snprintf(buf, size, "%.3fx", e->mean);
    return buf;
}

int rank_name_width(const struct ranking *r)
{
    int widest = 12;

    for (int i = 0; i < r->n; i++)
        if (rank_width_of(r->list[i].opt->name) > widest)
            widest = rank_width_of(r->list[i].opt->name);
    return widest;
}

/* -------------------------------------------------------------- figures */

static const struct {
    enum rank_figure figure;
    const char *head;
    double scale; /* 0: relative, in percent of the base; else of the difference */
} columns[] = {{RANK_THROUGHPUT, "throughput", 0},
               {RANK_LATENCY_P95, "latency p95", 0},
               {RANK_COST_PER_1M, "usd per 1M", 0},
               {RANK_QUALITY, "quality", 100}};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* "+41.2±0.3": percent, or points. */
static void figure_cell(const struct ranking *r, const struct ranked *o, int column)
{
    const struct rank_difference *f = &o->figure[columns[column].figure];
    double base = r->before[columns[column].figure].delta.mean;
    double scale = columns[column].scale != 0 ? columns[column].scale : 100 / fabs(base);
    double mean = scale * f->delta.mean, half = scale * (f->delta.hi - f->delta.lo) / 2;
    char buf[60];

    if (!f->known || !isfinite(mean))
        snprintf(buf, sizeof buf, "-");
    else if (!isfinite(half))
        snprintf(buf, sizeof buf, "%+.1f", mean);
    else if (fabs(mean) < 0.05 && half < 0.05)
        snprintf(buf, sizeof buf, "0");
    else
        snprintf(buf, sizeof buf, "%+.1f\302\261%.1f", mean, half);
    rank_cell(buf, CELL);
}

/* Whether the scenario or any of its variants knows the figure. The bill of an estate over one pipeline's
 * units says nothing. */
static bool is_known(const struct ranking *r, int column)
{
    bool known = r->before[columns[column].figure].known;

    for (int i = 0; i < r->n; i++)
        known = known || r->list[i].figure[columns[column].figure].known;
    return known && (r->whole == NULL || columns[column].figure != RANK_COST_PER_1M);
}

static int known_columns(const struct ranking *r)
{
    int n = 0;

    for (int c = 0; c < COLUMNS; c++)
        n += is_known(r, c);
    return n;
}

static void print_heads(const struct ranking *r, int name)
{
    printf("  %-*s", name, "optimization");
    for (int c = 0; c < COLUMNS; c++)
        if (is_known(r, c))
            rank_cell(columns[c].head, CELL);
    printf("  verdict\n  %-*s", name, "as it is");
    for (int c = 0; c < COLUMNS; c++) {
        const struct rank_difference *f = &r->before[columns[c].figure];
        char buf[60] = "-";

        if (f->known && columns[c].figure == RANK_QUALITY)
            snprintf(buf, sizeof buf, "%.1f", 100 * f->delta.mean);
        else if (f->known)
            units_format(buf, sizeof buf, f->delta.mean, rank_figure(columns[c].figure)->unit);
        if (is_known(r, c))
            rank_cell(buf, CELL);
    }
    printf("\n  %-*s", name, "");
    for (int c = 0; c < COLUMNS; c++)
        if (is_known(r, c))
            rank_cell(columns[c].scale != 0 ? "points" : "%", CELL);
    putchar('\n');
}

static const char *short_verdict(const struct ranked *o)
{
    return o->break_even.applies ? "break-even" : o->verdict;
}

static void print_figures(const struct ranking *r)
{
    int name = rank_name_width(r), before_verdict = 2 + name + known_columns(r) * CELL + 2;

    print_heads(r, name);
    for (int i = 0; i < r->n; i++) {
        const char *verdict = short_verdict(&r->list[i]);

        printf("  %-*s", name, r->list[i].opt->name);
        for (int c = 0; c < COLUMNS; c++)
            if (is_known(r, c))
                figure_cell(r, &r->list[i], c);
        if (before_verdict + rank_width_of(verdict) > RANK_WIDTH && strcmp(verdict, "too close to call") == 0)
            verdict = "too close";
        printf("  %s%s%s\n", paint_verdict(verdict), verdict, paint_end());
    }
}

static void print_break_evens(const struct ranking *r)
{
    char text[2000];
    bool any = false;
    size_t n;

    for (int i = 0; i < r->n; i++) {
        if (!r->list[i].break_even.applies)
            continue;
        if (!any)
            puts("\nBreak-even, as quality rests on assumed values:");
        any = true;
        snprintf(text, sizeof text, "%s %s.", r->list[i].opt->name, r->list[i].break_even.text);
        print_wrapped(text, 2);
    }
    if (!any)
        return;
    n = (size_t)snprintf(text, sizeof text, "Assumed:");
    for (int i = 0; i < r->assumed_n && n < sizeof text; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s %s", i > 0 ? "," : "", r->assumed[i]);
    print_wrapped(text, 2);
}

/* Several groups of a figure stand in one line each. */
static void print_alike(const struct ranking *r)
{
    char text[2000];

    if (r->alike_n == 0)
        return;
    puts("\nCannot be told apart (neighbours whose paired difference may be zero):");
    for (int i = 0; i < r->alike_n; i++) {
        size_t n = (size_t)snprintf(text, sizeof text, "%s:", r->alike[i].figure);

        for (int k = 0; k < r->alike[i].n && n < sizeof text; k++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", k > 0 ? " ~ " : " ",
                                  strcmp(r->alike[i].names[k], "base") == 0 ? "as-it-is"
                                                                            : r->alike[i].names[k]);
        print_wrapped(text, 2);
    }
}

/* ---------------------------------------------------------------- gains */

static void print_gains(const struct ranking *r)
{
    char a[60], b[60];
    int name = rank_name_width(r);

    printf("\n  %-*s  %-16s %-16s %8s  %s\n", name, "optimization", "local gain", "end-to-end gain", "share",
           "verdict");
    for (int i = 0; i < r->n; i++) {
        const struct ranked *o = &r->list[i];

        rank_gain(a, sizeof a, &o->local_gain);
        rank_gain(b, sizeof b, &o->end_to_end_gain);
        printf("  %-*s  %s%*s %s%*s %6.1f %%  %s%s%s\n", name, o->opt->name, a, 16 - rank_width_of(a), "", b,
               16 - rank_width_of(b), "", 100 * o->share.mean, paint_verdict(short_verdict(o)),
               short_verdict(o), paint_end());
        print_wrapped(o->why, 4);
        if (o->end_to_end_gain.has_pred)
            printf("    prediction interval %.3f .. %.3f\n", o->end_to_end_gain.pred_lo,
                   o->end_to_end_gain.pred_hi);
    }
}

static void print_together(const struct study *st, const struct ranking *r)
{
    char a[60], text[4000];
    size_t n =
        (size_t)snprintf(text, sizeof text, "Best together: %s with", rank_gain(a, sizeof a, &r->best_gain));

    for (int i = 0; i < st->n && n < sizeof text; i++)
        if (r->best >> i & 1)
            n += (size_t)snprintf(text + n, sizeof text - n, " %s", st->optimizations[i].name);
    if (n < sizeof text)
        snprintf(text + n, sizeof text - n, "%s; then the limit is %s.", r->best == 0 ? " nothing" : "",
                 r->after_best);
    putchar('\n');
    print_wrapped(text, 0);
    if (r->next_path != NULL) {
        snprintf(text, sizeof text, "Measure next: %s (%s).", r->next_path, r->next_why);
        print_wrapped(text, 0);
    }
    for (int i = 0; i < r->interactions_n && i < 3; i++) {
        const struct interaction *x = &r->interactions[i];

        snprintf(text, sizeof text, "Interaction: %s + %s: %s what the product of their gains says.",
                 st->optimizations[x->a].name, st->optimizations[x->b].name,
                 rank_gain(a, sizeof a, &x->effect));
        print_wrapped(text, 0);
    }
}

/* ------------------------------------------------------- who pays, who gains */

static const struct {
    const char *head;
    double least; /* what is less is not worth a matrix */
} parts[STAGE_PARTS] = {{"busy cores, GPUs, servers", 0.005},
                        {"bytes of disks per second", 1},
                        {"usd per hour", 0.0005},
                        {"watts", 0.05}};

/* A thousandth of the largest change is noise beside it. */
static double least_of(const struct ranking *r, enum stage_part p)
{
    double largest = 0;

    for (int i = 0; i < r->n; i++)
        for (int k = 0; k < r->owners_n; k++)
            largest = fmax(largest, fabs(r->list[i].owners[k].part[p].mean));
    return fmax(parts[p].least, 1e-3 * largest);
}

static bool matters(const struct estimate *e, double least)
{
    return fabs(e->mean) >= least && !(e->lo <= 0 && e->hi >= 0);
}

static void owner_cell(const struct estimate *e, enum stage_part p, double least, int width)
{
    char buf[60], sign = e->mean < 0 ? '-' : '+';
    double size = fabs(e->mean);

    if (!matters(e, least))
        snprintf(buf, sizeof buf, ".");
    else if (p == PART_BYTES_PER_S)
        snprintf(buf, sizeof buf, "%c%.3g %cB/s", sign, size / (size >= 1e9 ? 1e9 : 1e6),
                 size >= 1e9 ? 'G' : 'M');
    else
        snprintf(buf, sizeof buf, "%+.3g", e->mean);
    rank_cell(buf, width);
}

static const char *owner_name(const struct ranking *r, int k)
{
    const char *owner = r->list[0].owners[k].owner;

    return owner[0] != '\0' ? owner : "(no owner)";
}

static int owner_width(const struct ranking *r)
{
    int width = OWNER;

    for (int k = 0; k < r->owners_n; k++)
        if (rank_width_of(owner_name(r, k)) + 2 > width)
            width = rank_width_of(owner_name(r, k)) + 2;
    return width;
}

static bool matters_to_any(const struct ranking *r, const struct ranked *o, enum stage_part p, double least)
{
    bool any = false;

    for (int k = 0; k < r->owners_n; k++)
        any = any || matters(&o->owners[k].part[p], least);
    return any;
}

/* As many owners as fit beside the names, then the next ones; rows that nobody would notice are left out. */
static void print_part(const struct ranking *r, enum stage_part p)
{
    int name = rank_name_width(r), width = owner_width(r), fit = (RANK_WIDTH - 2 - name) / width;
    double least = least_of(r, p);

    if (fit < 1)
        fit = 1;
    for (int from = 0; from < r->owners_n; from += fit) {
        printf("  %-*s", name, "");
        for (int k = from; k < r->owners_n && k < from + fit; k++)
            rank_cell(owner_name(r, k), width);
        printf("\n");
        for (int i = 0; i < r->n; i++) {
            if (!matters_to_any(r, &r->list[i], p, least))
                continue;
            printf("  %-*s", name, r->list[i].opt->name);
            for (int k = from; k < r->owners_n && k < from + fit; k++)
                owner_cell(&r->list[i].owners[k].part[p], p, least, width);
            putchar('\n');
        }
    }
}

static void print_owners(const struct ranking *r)
{
    static const enum stage_part order[] = {PART_USD_PER_H, PART_BUSY, PART_BYTES_PER_S, PART_WATT};
    bool any_owner = r->owners_n > 1 || (r->n > 0 && r->list[0].owners[0].owner[0] != '\0');

    for (size_t i = 0; any_owner && i < sizeof order / sizeof *order; i++) {
        bool any = false;

        for (int k = 0; k < r->n; k++)
            any = any || matters_to_any(r, &r->list[k], order[i], least_of(r, order[i]));
        if (!any)
            continue;
        printf("\nWho pays, who gains: %s (. none that can be told)\n", parts[order[i]].head);
        print_part(r, order[i]);
    }
}

/* ------------------------------------------------------------ speed-ups */

static bool changes_anything(const struct speedup *s)
{
    return fabs(s->gain[SPEEDUP_POINTS - 1].mean - 1) >= 0.0005;
}

static void print_speedups(const struct ranking *r)
{
    char a[60];
    int rest = 0;

    printf("\nIf one stage took less time, the whole would gain (virtual speed-up)\n  %-16s", "stage");
    for (int k = 0; k < SPEEDUP_POINTS; k++) {
        snprintf(a, sizeof a, "%.0f %% less", 100 * speedup_points[k]);
        rank_cell(a, 16);
    }
    putchar('\n');
    for (int i = 0; i < r->speedups_n; i++) {
        if (!changes_anything(&r->speedups[i])) {
            rest++;
            continue;
        }
        printf("  %-16s", r->speedups[i].stage);
        for (int k = 0; k < SPEEDUP_POINTS; k++)
            rank_cell(rank_gain(a, sizeof a, &r->speedups[i].gain[k]), 16);
        putchar('\n');
    }
    if (rest > 0) {
        printf("  nothing to gain:");
        for (int i = 0; i < r->speedups_n; i++)
            if (!changes_anything(&r->speedups[i]))
                printf(" %s", r->speedups[i].stage);
        putchar('\n');
    }
}

void print_ranking(const struct study *st, const struct ranking *r)
{
    char head[4000];

    snprintf(head, sizeof head, "%s: %d optimizations; gains are of %s; limited by %s",
             r->base_scenario->name, r->n, r->gain_of, r->limited_by);
    print_wrapped(head, 0);
    printf("Paired differences from %ld replications, with %.0f %% intervals.\n", st->replications,
           100 * st->confidence);
    if (r->screened_n > 0) {
        snprintf(
            head, sizeof head,
            "%ld combinations simulated; %ld pairs screened out: by the bounds they are together what they "
            "are apart.",
            r->sets, r->screened_n);
        print_wrapped(head, 0);
    }
    print_estate(r);
    if (known_columns(r) > 1) { /* else the gains say it all */
        putchar('\n');
        print_figures(r);
    }
    print_break_evens(r);
    print_alike(r);
    print_gains(r);
    print_together(st, r);
    print_money(r);
    print_owners(r);
    print_speedups(r);
}
