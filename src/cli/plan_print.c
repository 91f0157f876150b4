#include "cli/plan_print.h"

#include "cli/print.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ words */

/* "engines = 3, max_batch = 128"; in buf. */
static char *settings(char *buf, size_t size, const struct plan_space *s, const struct plan_setting *at,
                      bool sizes_only)
{
    char value[60];
    size_t n = 0;

    buf[0] = '\0';
    for (int k = 0; k < s->n && n < size; k++) {
        const struct knob *knob = s->knobs[k].knob;

        if (!sizes_only || s->knobs[k].is_size)
            n += (size_t)snprintf(buf + n, size - n, "%s%s = %s", n > 0 ? ", " : "", knob->name,
                                  knob_show(knob, at->at[k], value, sizeof value));
    }
    return buf;
}

static char *rate(char *buf, size_t size, double per_s)
{
    return units_format(buf, size, per_s, UNIT_PER_S);
}

static char *cost_of(char *buf, size_t size, const struct trial *t)
{
    if (t->cost.mean > 0)
        return print_estimate(buf, size, &t->cost, UNIT_USD_PER_H);
    snprintf(buf, size, "-");
    return buf;
}

static void slo_text(const struct plan *p, char *buf, size_t size)
{
    size_t n = 0;

    buf[0] = '\0';
    for (int i = 0; i < p->tester.limits_n && n < size; i++)
        n += (size_t)snprintf(buf + n, size - n, "%s%s", n > 0 ? ", " : "", p->tester.limits[i].text);
}

/* The tightest limit's figure: "latency_s.p95 0.43 s ±2 %". */
static char *tightest(char *buf, size_t size, const struct plan *p, const struct trial *t)
{
    const struct figure_def *def = p->tester.limits[t->tightest].figure.def;
    char value[60];

    if (!t->is_simulated)
        snprintf(buf, size, "%s", t->why != NULL ? t->why : "-");
    else
        snprintf(buf, size, "%s %s", def->name,
                 print_estimate(value, sizeof value, &t->figure[t->tightest], def->unit));
    return buf;
}

static const char *verdict_word(const struct trial *t)
{
    static const char *const words[] = {"breaks", "too close", "meets"};

    return words[t->verdict];
}

/* ------------------------------------------------------------------ answer */

static void answer_found(const struct plan *p, const char *scenario)
{
    char set[300], cost[60], per_s[40], slo[300], text[900];

    slo_text(p, slo, sizeof slo);
    settings(set, sizeof set, &p->space, &p->recommended.setting, false);
    snprintf(text, sizeof text, "%s: buy %s%s%s%s%s; that meets %s.", scenario, set,
             p->recommended.trial.cost.mean > 0 ? " for " : "",
             p->recommended.trial.cost.mean > 0 ? cost_of(cost, sizeof cost, &p->recommended.trial) : "",
             p->rate_per_s > 0 ? " at " : "",
             p->rate_per_s > 0 ? rate(per_s, sizeof per_s, p->rate_per_s) : "", slo);
    print_wrapped(text, 0);
}

static void answer_none(const struct plan *p, const char *scenario)
{
    char set[300], slo[300], text[1200], near[300];

    slo_text(p, slo, sizeof slo);
    snprintf(text, sizeof text, "%s: no setting of the knobs meets %s.", scenario, slo);
    print_wrapped(text, 0);
    if (!p->nearest.found)
        return;
    settings(set, sizeof set, &p->space, &p->nearest.setting, false);
    if (p->nearest.trial.is_simulated)
        snprintf(text, sizeof text, "Nearest comes %s: %s (%s); %s is %.0f %% busy.", set,
                 tightest(near, sizeof near, p, &p->nearest.trial), verdict_word(&p->nearest.trial),
                 p->nearest.trial.busiest, 100 * p->nearest.trial.busiest_frac);
    else
        snprintf(text, sizeof text, "Nearest comes %s: %s.", set,
                 tightest(near, sizeof near, p, &p->nearest.trial));
    print_wrapped(text, 0);
}

/* --------------------------------------------------------------- the table */

static void choice_line(const struct plan *p, const char *label, const struct plan_choice *c)
{
    char set[300], cost[60], figure[120];

    printf("  %-12s %-14s ", label, c->found ? cost_of(cost, sizeof cost, &c->trial) : "none");
    if (!c->found)
        printf("%s\n", c->trial.why != NULL ? c->trial.why : "no setting of the knobs is enough");
    else
        printf("%s\n", settings(set, sizeof set, &p->space, &c->setting, true));
    if (c->found && c->trial.is_simulated)
        printf("  %-27s %s\n", "", tightest(figure, sizeof figure, p, &c->trial));
}

static void print_growth(const struct plan *p)
{
    for (int i = 0; i < p->growth_n; i++) {
        char label[40];

        snprintf(label, sizeof label, "%gx traffic", p->growth[i].factor);
        choice_line(p, label, &p->growth[i].choice);
    }
}

static void print_gap(const struct plan *p)
{
    double a = p->recommended.trial.cost.mean, b = p->lower.trial.cost.mean;
    bool by_cost = p->minimize == PLAN_CHEAPEST && b > 0 && a != b;
    char text[300];

    if (!p->lower.found)
        return;
    if (!by_cost) {
        a = p->recommended.size;
        b = p->lower.size;
    }
    snprintf(text, sizeof text,
             "gap: %+.0f %% %s over the ideal, in which nothing ever waits (%s then limits)",
             100 * (a / b - 1), by_cost ? "of cost" : "in number", p->lower.trial.bottleneck);
    if (isfinite(a / b))
        print_wrapped(text, 2);
}

static void print_reach(const char *what, const struct plan_reach *r)
{
    if (r->known)
        printf("  %-28s %+.0f %% of traffic (%+.1f .. %+.1f %%)\n", what, 100 * (r->factor.mean - 1),
               100 * (r->factor.lo - 1), 100 * (r->factor.hi - 1));
    else if (r->why_not != NULL)
        printf("  %-28s %s\n", what, r->why_not);
}

static void print_curve(const struct plan *p)
{
    const struct plan_curve *c = &p->curve;
    char at[40], lo[40], hi[40];

    if (!c->has_knee)
        return;
    printf("  %-28s %s (%s .. %s): there throughput\n  %-28s over latency is largest (Kleinrock 1979)\n",
           "knee of the load curve", rate(at, sizeof at, c->knee_per_s.mean),
           rate(lo, sizeof lo, c->knee_per_s.lo), rate(hi, sizeof hi, c->knee_per_s.hi), "");
}

/* "one of pool away" for resources.pool.count. */
static void away_label(char *buf, size_t size, const char *path)
{
    const char *from = strncmp(path, "resources.", 10) == 0 ? path + 10 : path;
    int n = (int)(strrchr(from, '.') != NULL ? strrchr(from, '.') - from : (long)strlen(from));

    snprintf(buf, size, "one of %.*s away", n < 40 ? n : 40, from);
}

static void print_away(const struct plan *p)
{
    char label[120], figure[120], set[300], cost[60];

    for (int i = 0; i < p->away_n; i++) {
        away_label(label, sizeof label, p->away[i].path);
        printf("  %s: %s, %s\n", label, verdict_word(&p->away[i].trial),
               tightest(figure, sizeof figure, p, &p->away[i].trial));
        if (p->away[i].trial.verdict != TRIAL_MEETS)
            print_reach("    it then takes", &p->away[i].reach);
    }
    if (p->away_n > 0 && p->spare.found)
        printf("  %-28s %s  %s\n", "meets it with one away",
               settings(set, sizeof set, &p->space, &p->spare.setting, true),
               p->spare.trial.cost.mean > 0 ? cost_of(cost, sizeof cost, &p->spare.trial) : "");
    else if (p->away_n > 0)
        printf("  %-28s nothing within the knobs\n", "meets it with one away");
}

static void print_policies(const struct plan *p)
{
    char cost[60], figure[120];

    if (p->policies_n == 0)
        return;
    printf("\nAutoscaling of %s (elastic hours%s):\n", p->policies_for,
           p->billing.premium > 0 ? "" : " at the committed price");
    for (int i = 0; i < p->policies_n; i++) {
        const struct trial *t = &p->policies[i].trial;

        printf("  %-20s %-16s %-9s %s\n", p->policies[i].name, cost_of(cost, sizeof cost, t), verdict_word(t),
               tightest(figure, sizeof figure, p, t));
        if (t->servers > 0)
            printf("  %-20s %.1f servers on average\n", "", t->servers);
    }
}

static void print_billing(const struct plan_billing *b)
{
    char text[400];

    if (!b->known || !(b->used_frac > 0))
        return;
    snprintf(text, sizeof text,
             "Of the hours paid for %.0f %% are used: hours that are paid as they are used would be cheaper "
             "as long "
             "as one costs less than %.2f committed ones.",
             100 * b->used_frac, b->even_premium);
    putchar('\n');
    print_wrapped(text, 0);
    if (b->premium > 0) {
        snprintf(
            text, sizeof text,
            "At %.2f times the price of a committed hour, commitment pays from %.0f of the 730 hours of a "
            "month on.",
            b->premium, b->even_hours);
        print_wrapped(text, 0);
    }
}

static void print_hosted(const struct plan *p)
{
    char cost[60], even[40];

    if (p->hosted_n == 0)
        return;
    printf("\nSomebody else's tokens in the place of \"%s\":\n", p->hosted[0].stage);
    for (int i = 0; i < p->hosted_n; i++) {
        const struct plan_hosted *h = &p->hosted[i];

        printf("  %-26s %-22s", h->preset, cost_of(cost, sizeof cost, &h->trial));
        if (isfinite(h->even_rate_per_s))
            printf(" own is cheaper above %s", rate(even, sizeof even, h->even_rate_per_s));
        putchar('\n');
    }
    print_wrapped("Prices:", 2);
    print_wrapped(p->hosted[0].source, 4);
    print_wrapped("How fast others answer is not known here: limits of time are not judged.", 2);
}

static void print_exports(const struct plan *p)
{
    if (p->exports_n > 0)
        printf("\nThe same as options:\n");
    for (int i = 0; i < p->exports_n; i++) {
        print_wrapped_with(p->exports[i].text, 2,
                           strncmp(p->exports[i].program, "data", 4) == 0 ? "" : " \\");
        if (p->exports[i].note != NULL)
            print_wrapped(p->exports[i].note, 4);
    }
}

static void print_how(const struct plan *p)
{
    char text[600];

    snprintf(text, sizeof text, "Knobs: %s. %d settings simulated, %d ruled out without.", p->space.why,
             p->tried, p->ruled_out);
    putchar('\n');
    print_wrapped(text, 0);
    if (p->too_close_below)
        print_wrapped("The next smaller one is too close to call: the safe side is taken.", 0);
    if (p->draws > 0) {
        snprintf(text, sizeof text,
                 "Of %d draws of the calibrated parameters within their errors it meets the SLO in %d.",
                 p->draws, p->draws_met);
        print_wrapped(text, 0);
    }
    if (!p->is_monotone)
        print_wrapped("More is not always better here: the line was walked one by one.", 0);
    if (p->horizon_note != NULL)
        print_wrapped(p->horizon_note, 0);
}

void print_plan(const struct plan *p, const char *scenario)
{
    if (p->recommended.found)
        answer_found(p, scenario);
    else
        answer_none(p, scenario);
    putchar('\n');
    choice_line(p, "ideal", &p->lower);
    if (p->recommended.found) {
        print_growth(p);
        print_gap(p);
        print_reach("headroom before it breaks", &p->headroom);
        print_curve(p);
        print_away(p);
        print_policies(p);
        print_billing(&p->billing);
        print_hosted(p);
        print_exports(p);
    }
    print_how(p);
}
