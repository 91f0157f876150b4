#include "study/rank_parts.h"

#include <math.h>
#include <stdlib.h>

static const double HOURS_OF_MONTH = 730;

/* How much more work gets done: of an estate all of it, of one pipeline its goodput, or its throughput. */
static double work_gain(const struct work *w, const struct set_value *after, const struct set_value *before,
                        long r)
{
    if (w->st->whole != NULL)
        return after->objective[r] / before->objective[r];
    if (isfinite(before->figure[RANK_GOODPUT][r]))
        return after->figure[RANK_GOODPUT][r] / before->figure[RANK_GOODPUT][r];
    return after->figure[RANK_THROUGHPUT][r] / before->figure[RANK_THROUGHPUT][r];
}

static double months(double effort_usd, double usd_per_month)
{
    return usd_per_month > 0 ? effort_usd / usd_per_month : INFINITY;
}

static void pay_back(struct ranked *r)
{
    const struct estimate *worth = &r->money.worth_usd_per_month;
    const struct optimization *o = r->opt;

    r->money.has_payback = isfinite(o->effort_usd);
    r->money.payback_months = months(o->effort_usd, o->confidence * worth->mean);
    r->money.payback_soonest = months(o->effort_usd, o->confidence * worth->hi);
    r->money.payback_latest = months(o->effort_usd, o->confidence * worth->lo);
}

void rank_worth(struct work *w, struct ranked *r)
{
    const struct set_value *before = values_find(&w->values, NOTHING),
                           *after = values_find(&w->values, one(r->index));
    size_t reps = (size_t)w->st->replications, n = 0;
    double *cash = xcalloc(reps, sizeof *cash), *worth = xcalloc(reps, sizeof *worth);

    for (size_t i = 0; i < reps; i++) {
        double c0 = HOURS_OF_MONTH * before->figure[RANK_COST][i],
               c1 = HOURS_OF_MONTH * after->figure[RANK_COST][i];

        cash[n] = c1 - c0;
        worth[n] = c0 - c1 / work_gain(w, after, before, (long)i);
        n += isfinite(cash[n]) && isfinite(worth[n]);
    }
    r->money.known = n > 0;
    if (n > 0) {
        r->money.cash_usd_per_month = estimate_student(cash, n, w->st->confidence);
        r->money.worth_usd_per_month = estimate_student(worth, n, w->st->confidence);
        pay_back(r);
    }
    free(worth);
    free(cash);
}
