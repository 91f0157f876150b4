#include "study/rank_parts.h"

#include "pipeline/constraint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int rank_value_of_quality(struct work *w, struct err *err)
{
    struct objective o;

    TRY(objective_read(w->out->base_scenario, &o, err));
    w->quality_usd = o.quality_usd;
    return 0;
}

/* -------------------------------------------------- what rests on guesses */

/* Parameters from which quality is computed, of whatever model: see `foresight models prompt`. */
static const char *const of_quality[] = {"p_all",      "p_none",   "p_distract", "distract", "icc_reader",
                                         "icc_search", "evidence", "rerank",     "ahead",    "hops",
                                         "freshness",  "recall",   NULL};

/* "stages.ask.params.p_distract" and "ask.evidence[0]"; a stage's "params" as a whole say how it answers,
 * too, where the stage is what answers. */
static bool is_of_quality(const struct scenario *s, const char *path)
{
    const char *dot = strrchr(path, '.');
    size_t n = dot != NULL ? strcspn(dot + 1, "[") : 0;
    bool found = false;

    for (int i = 0; dot != NULL && of_quality[i] != NULL; i++)
        found = found || (strlen(of_quality[i]) == n && strncmp(dot + 1, of_quality[i], n) == 0);
    for (int i = 0; dot != NULL && strcmp(dot, ".params") == 0 && i < s->stages_n; i++) {
        size_t len = strlen(s->stages[i].name);

        found = found || (strcmp(s->stages[i].model->name, "prompt") == 0 && (size_t)(dot - path) >= len &&
                          strncmp(dot - len, s->stages[i].name, len) == 0);
    }
    return found;
}

static void find_assumed(struct work *w)
{
    const struct scenario *s = w->out->base_scenario;

    w->out->assumed = arena_array(w->a, (size_t)s->assumed_n + 1, sizeof *w->out->assumed);
    w->out->assumed_n = 0;
    for (int i = 0; i < s->assumed_n; i++)
        if (is_of_quality(s, s->assumed[i]))
            w->out->assumed[w->out->assumed_n++] = s->assumed[i];
}

/* ------------------------------------------------------------ break-even */

/*
 * The change of quality with which one replication of the row does as well as the base:
 *
 *   (c1 - c0) / v               where the scenario says what quality is worth, v dollars for one unit of it
 *   q0 (c1 / c0 - 1)            else: a right answer costs as much as before, so that more of the base is
 *                               the alternative
 *   q0 (X0 / X1 - 1)            nothing has a price: as many right answers per second as before
 *   q0 ((C1 / (C0 g))^(1/w) - 1)    an estate (whole.h) of which the objective is the part w: right answers
 * in the place of answers, all its work costs as much as before
 *
 * c: dollars per unit of work, C: the bill, g: gain of the whole, X: throughput, q: quality; 0 before, 1
 * after.
 */
static double needed(const struct work *w, const struct set_value *after, const struct set_value *before,
                     long r, bool priced)
{
    double c0 = before->figure[RANK_COST_PER_1M][r] / 1e6, c1 = after->figure[RANK_COST_PER_1M][r] / 1e6;
    double q0 = before->figure[RANK_QUALITY][r];

    if (priced && w->quality_usd > 0)
        return (c1 - c0) / w->quality_usd;
    if (w->st->whole != NULL) {
        double bill = priced ? after->figure[RANK_COST][r] / before->figure[RANK_COST][r] : 1;
        double gain = after->objective[r] / before->objective[r];

        return q0 * (pow(bill / gain, 1 / w->st->whole->weight[w->out->base_scenario->objective]) - 1);
    }
    if (priced)
        return q0 * (c1 / c0 - 1);
    return q0 * (before->figure[RANK_THROUGHPUT][r] / after->figure[RANK_THROUGHPUT][r] - 1);
}

static const char *terms_of(struct work *w, bool priced)
{
    if (priced && w->quality_usd > 0)
        return arena_printf(w->a, "at %.3g usd for each right answer more", w->quality_usd);
    if (w->st->whole != NULL)
        return priced ? "or all work, right answers among it, costs more than now"
                      : "or all work, right answers among it, is less than now";
    return priced ? "or a right answer costs more than now"
                  : "or there are fewer right answers per second than now";
}

static const char *read_break_even(struct work *w, const struct ranked *r, bool priced)
{
    double least = 100 * r->break_even.quality.mean, before = 100 * w->out->before[RANK_QUALITY].delta.mean;
    const char *terms = terms_of(w, priced);
    const char *says =
        arena_printf(w->a, "assumed values give %+.1f", 100 * r->figure[RANK_QUALITY].delta.mean);

    if (before + least > 100)
        return arena_printf(w->a,
                            "cannot pay: quality would have to rise from %.1f to more than all (%s), %s",
                            before, says, terms);
    if (least > 0)
        return arena_printf(w->a, "pays if quality rises by more than %.1f points (%s), %s", least, says,
                            terms);
    if (least > -0.05)
        return arena_printf(w->a, "pays unless quality falls (%s), %s", says, terms);
    return arena_printf(w->a, "pays unless quality falls by more than %.1f points (%s), %s", -least, says,
                        terms);
}

/* Whether quality moves at all: by more than luck, and by more than nothing. */
static bool moves(const struct work *w, const struct rank_difference *quality)
{
    const struct estimate *d = &quality->delta;

    return quality->known && !(d->lo <= 0 && d->hi >= 0) &&
           fabs(d->mean) > INDIFFERENT / 2 * w->out->before[RANK_QUALITY].delta.mean;
}

void rank_break_even(struct work *w, struct ranked *r)
{
    const struct set_value *before = values_find(&w->values, NOTHING),
                           *after = values_find(&w->values, one(r->index));
    bool priced = r->figure[RANK_COST_PER_1M].known;
    size_t reps = (size_t)w->st->replications, n = 0;
    double *x;

    find_assumed(w);
    if (w->out->assumed_n == 0 || !moves(w, &r->figure[RANK_QUALITY]))
        return;
    x = xcalloc(reps, sizeof *x);
    for (size_t i = 0; i < reps; i++) {
        x[n] = needed(w, after, before, (long)i, priced);
        n += isfinite(x[n]);
    }
    r->break_even.applies = n > 0;
    if (n > 0) {
        r->break_even.quality = estimate_student(x, n, w->st->confidence);
        r->break_even.text = read_break_even(w, r, priced);
    }
    free(x);
}

const char *rank_verdict(const struct ranked *r)
{
    const struct estimate *e = &r->end_to_end_gain;
    double lo = e->has_pred ? e->pred_lo : e->lo, hi = e->has_pred ? e->pred_hi : e->hi;

    if (r->break_even.applies)
        return "assumed: break-even";
    if (e->lo > 1 - INDIFFERENT && e->hi < 1 + INDIFFERENT)
        return "no effect";
    if (lo > 1)
        return "helps";
    if (hi < 1)
        return "hurts";
    return "too close to call";
}
