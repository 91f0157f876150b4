#include "cli/rank_print_parts.h"

#include <math.h>
#include <stdio.h>

enum { CELL = 10 };

/* ------------------------------------------------------------ every pipeline */

/* "+41.2\302\2610.3", percent. */
static void percent(const struct estimate *gain, bool known)
{
    double mean = 100 * (gain->mean - 1), half = 100 * (gain->hi - gain->lo) / 2;
    char buf[60];

    if (!known || !isfinite(mean))
        snprintf(buf, sizeof buf, "-");
    else if (fabs(mean) < 0.05 && half < 0.05)
        snprintf(buf, sizeof buf, "0");
    else
        snprintf(buf, sizeof buf,
                 fabs(mean) < 99.5 && half < 9.95 ? "%+.1f\302\261%.1f" : "%+.0f\302\261%.0f", mean, half);
    rank_cell(buf, CELL);
}

static void print_block(const struct ranking *r, int from, int to)
{
    int name = rank_name_width(r);
    char buf[60];

    printf("  %-*s", name, "optimization");
    rank_cell("whole", CELL);
    for (int p = from; p < to; p++)
        rank_cell(r->whole->name[p], CELL);
    printf("\n  %-*s", name, "weight");
    rank_cell("", CELL);
    for (int p = from; p < to; p++) {
        snprintf(buf, sizeof buf, "%.1f %%", 100 * r->whole->weight[p]);
        rank_cell(buf, CELL);
    }
    putchar('\n');
    for (int i = 0; i < r->n; i++) {
        printf("  %-*s", name, r->list[i].opt->name);
        percent(&r->list[i].end_to_end_gain, true);
        for (int p = from; p < to; p++)
            percent(&r->list[i].pipelines[p].gain, r->list[i].pipelines[p].known);
        putchar('\n');
    }
}

void print_estate(const struct ranking *r)
{
    int fit = (RANK_WIDTH - 2 - rank_name_width(r)) / CELL - 1;

    if (r->whole == NULL)
        return;
    puts("\nWhat each does to all pipelines, in % of what they deliver (requests within the\n"
         "SLO, else units per second); the whole weighs them by these shares");
    for (int from = 0; from<r->whole->n; from += fit> 0 ? fit : 1)
        print_block(r, from, from + fit < r->whole->n && fit > 0 ? from + fit : r->whole->n);
}

/* -------------------------------------------------------------------- money */

static void usd(const struct estimate *e)
{
    double half = (e->hi - e->lo) / 2;
    char buf[60];

    if (fabs(e->mean) < 0.5 && half < 0.5)
        snprintf(buf, sizeof buf, "0");
    else
        snprintf(buf, sizeof buf, "%+.0f\302\261%.0f", e->mean, half);
    rank_cell(buf, 15);
}

/* What the interval of the worth says. */
static const char *pays(const struct estimate *worth)
{
    if (fabs(worth->mean) < 0.5 && worth->hi - worth->lo < 1)
        return "nothing";
    if (worth->lo > 0)
        return "pays";
    return worth->hi < 0 ? "costs more" : "cannot tell";
}

static void payback(const struct ranked *o)
{
    char buf[80];

    if (!o->money.has_payback)
        snprintf(buf, sizeof buf, "-");
    else if (!isfinite(o->money.payback_months))
        snprintf(buf, sizeof buf, "never");
    else if (!isfinite(o->money.payback_latest))
        snprintf(buf, sizeof buf, "%.2g mo, or never", o->money.payback_months);
    else
        snprintf(buf, sizeof buf, "%.2g mo (%.2g..%.2g)", o->money.payback_months, o->money.payback_soonest,
                 o->money.payback_latest);
    rank_cell(buf, 22);
}

static bool any_effort(const struct ranking *r)
{
    bool any = false;

    for (int i = 0; i < r->n; i++)
        any = any || r->list[i].money.has_payback;
    return any;
}

void print_money(const struct ranking *r)
{
    int name = rank_name_width(r);
    bool efforts = any_effort(r), any = false;

    for (int i = 0; i < r->n; i++)
        any = any || r->list[i].money.known;
    if (!any)
        return;
    puts("\nUsd per month of 730 h: cash is what the bill changes by, worth what the same\n"
         "work would cost less");
    printf("  %-*s", name, "optimization");
    rank_cell("cash", 15);
    rank_cell("worth", 15);
    if (efforts)
        rank_cell("payback", 13 + 22);
    putchar('\n');
    for (int i = 0; i < r->n; i++) {
        if (!r->list[i].money.known)
            continue;
        printf("  %-*s", name, r->list[i].opt->name);
        usd(&r->list[i].money.cash_usd_per_month);
        usd(&r->list[i].money.worth_usd_per_month);
        rank_cell(pays(&r->list[i].money.worth_usd_per_month), 13);
        if (efforts)
            payback(&r->list[i]);
        putchar('\n');
    }
}
