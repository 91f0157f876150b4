#include "study/plan.h"

#include <math.h>
#include <string.h>

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

static struct json *number_or_null(double x)
{
    return isfinite(x) ? json_new_number(x) : json_new_null();
}

/* What a trial found of each limit, and how it was called. */
static void set_trial(struct json *o, const struct plan *p, const struct trial *t)
{
    static const char *const verdicts[] = {"fails", "too close to call", "meets"};
    struct json *list;

    json_set_string(o, "verdict", verdicts[t->verdict]);
    if (t->why != NULL)
        json_set_string(o, "why", t->why);
    if (!t->is_simulated)
        return;
    list = json_set_array(o, "figures");
    for (int i = 0; i < p->tester.limits_n; i++) {
        struct json *f = json_push(list, json_new_object());

        json_set_string(f, "name", p->tester.limits[i].figure.def->name);
        json_set_string(f, "limit", p->tester.limits[i].text);
        json_set(f, "value", estimate_json(&t->figure[i]));
    }
    json_set(o, "throughput_per_s", estimate_json(&t->throughput));
    json_set_string(o, "busiest", t->busiest);
    json_set_number(o, "busiest_frac", t->busiest_frac);
    json_set_number(o, "replications", (double)t->replications);
}

static struct json *choice_json(const struct plan *p, const struct plan_choice *c)
{
    struct json *o = json_new_object();

    json_set(o, "set", c->found ? plan_set_json(&p->space, &c->setting) : json_new_null());
    if (!c->found)
        return o;
    json_set(o, "cost_usd_per_h", estimate_json(&c->trial.cost));
    json_set_number(o, "size", c->size);
    set_trial(o, p, &c->trial);
    return o;
}

static struct json *lower_json(const struct plan *p)
{
    const struct plan_choice *c = &p->lower;
    struct json *o = json_new_object();

    json_set(o, "set", c->found ? plan_set_json(&p->space, &c->setting) : json_new_null());
    if (!c->found)
        return o;
    json_set(o, "cost_usd_per_h", estimate_json(&c->trial.cost));
    json_set_number(o, "size", c->size);
    json_set(o, "capacity_per_s", number_or_null(c->trial.capacity_per_s));
    json_set_string(o, "bottleneck", c->trial.bottleneck);
    return o;
}

static void set_reach(struct json *o, const char *key, const struct plan_reach *r)
{
    struct estimate more = r->factor;

    if (!r->known) {
        json_set(o, key, json_new_null());
        return;
    }
    more.mean -= 1;
    more.lo -= 1;
    more.hi -= 1;
    json_set(o, key, estimate_json(&more));
}

static void set_growth(struct json *doc, const struct plan *p)
{
    struct json *list = json_set_array(doc, "growth");

    for (int i = 0; i < p->growth_n; i++) {
        const struct plan_growth *g = &p->growth[i];
        struct json *o = choice_json(p, &g->choice);

        json_set_number(o, "factor", g->factor);
        if (!g->choice.found && g->choice.trial.why != NULL)
            json_set_string(o, "why", g->choice.trial.why);
        json_push(list, o);
    }
}

static void set_curve(struct json *doc, const struct plan_curve *c)
{
    struct json *list = json_set_array(doc, "load_curve");

    json_set(doc, "knee_per_s", c->has_knee ? estimate_json(&c->knee_per_s) : json_new_null());
    for (int i = 0; i < c->n; i++) {
        struct json *o = json_push(list, json_new_object());

        json_set_number(o, "rate_per_s", c->rate_per_s[i]);
        json_set_number(o, "throughput_per_s", c->throughput_per_s[i]);
        json_set(o, "latency_s", number_or_null(c->latency_s[i]));
    }
}

static void set_away(struct json *doc, const struct plan *p)
{
    struct json *o = json_set_object(doc, "one_away"), *list = json_set_array(o, "cases");

    for (int i = 0; i < p->away_n; i++) {
        struct json *one = json_push(list, json_new_object());

        json_set_string(one, "path", p->away[i].path);
        json_set_number(one, "left", (double)p->away[i].left);
        set_trial(one, p, &p->away[i].trial);
        set_reach(one, "headroom_frac", &p->away[i].reach);
    }
    json_set(o, "n_plus_1", choice_json(p, &p->spare));
}

static void set_policies(struct json *doc, const struct plan *p)
{
    struct json *list = json_set_array(doc, "autoscaling");

    for (int i = 0; i < p->policies_n; i++) {
        struct json *o = json_push(list, json_new_object());

        json_set_string(o, "policy", p->policies[i].name);
        json_set_string(o, "resource", p->policies_for);
        json_set(o, "cost_usd_per_h", estimate_json(&p->policies[i].trial.cost));
        json_set_number(o, "servers_mean", p->policies[i].trial.servers);
        set_trial(o, p, &p->policies[i].trial);
    }
}

static void set_billing(struct json *doc, const struct plan_billing *b)
{
    struct json *o;

    if (!b->known)
        return;
    o = json_set_object(doc, "billing");
    json_set_number(o, "committed_usd_per_h", b->committed_usd_per_h);
    json_set_number(o, "used_frac", b->used_frac);
    json_set(o, "even_premium", number_or_null(b->even_premium));
    if (b->premium > 0) {
        json_set_number(o, "premium", b->premium);
        json_set_number(o, "even_hours_per_month", b->even_hours);
    }
}

static void set_hosted(struct json *doc, const struct plan *p)
{
    struct json *list = json_set_array(doc, "hosted");

    for (int i = 0; i < p->hosted_n; i++) {
        struct json *o = json_push(list, json_new_object());

        json_set_string(o, "offer", p->hosted[i].preset);
        json_set_string(o, "source", p->hosted[i].source);
        json_set_string(o, "stage", p->hosted[i].stage);
        json_set_string(o, "assumed", "times to the first and between further tokens");
        json_set(o, "cost_usd_per_h", estimate_json(&p->hosted[i].trial.cost));
        json_set(o, "even_rate_per_s", number_or_null(p->hosted[i].even_rate_per_s));
        set_trial(o, p, &p->hosted[i].trial);
    }
}

static void set_exports(struct json *doc, const struct plan *p)
{
    struct json *list = json_set_array(doc, "export");

    for (int i = 0; i < p->exports_n; i++) {
        struct json *o = json_push(list, json_new_object());

        json_set_string(o, "stage", p->exports[i].stage);
        json_set_string(o, "program", p->exports[i].program);
        json_set_string(o, "text", p->exports[i].text);
        if (p->exports[i].note != NULL)
            json_set_string(o, "note", p->exports[i].note);
    }
}

static void set_space(struct json *doc, const struct plan *p)
{
    struct json *list = json_set_array(doc, "knobs");
    char text[60];

    json_set_string(doc, "knobs_from", p->space.why);
    for (int k = 0; k < p->space.n; k++) {
        const struct plan_knob *knob = &p->space.knobs[k];
        struct json *o = json_push(list, json_new_object());

        json_set_string(o, "name", knob->knob->name);
        json_set_number(o, "values", knob->knob->n);
        json_set_string(o, "from", knob_show(knob->knob, 0, text, sizeof text));
        json_set_string(o, "to", knob_show(knob->knob, knob->knob->n - 1, text, sizeof text));
        json_set_bool(o, "by_bisection", k == p->space.line);
    }
}

static void set_around(struct json *doc, const struct plan *p)
{
    set_reach(doc, "headroom_frac", &p->headroom);
    set_growth(doc, p);
    set_curve(doc, &p->curve);
    set_away(doc, p);
    set_policies(doc, p);
    set_billing(doc, &p->billing);
    set_hosted(doc, p);
    set_exports(doc, p);
}

struct json *plan_json(const struct study *st, const struct scenario *s, const struct plan *p)
{
    struct json *doc = result_document("plan", s), *list;

    json_set_number(doc, "seed", (double)st->seed);
    json_set(doc, "rate_per_s", p->rate_per_s > 0 ? json_new_number(p->rate_per_s) : json_new_null());
    list = json_set_array(doc, "slo");
    for (int i = 0; i < p->tester.limits_n; i++)
        json_push(list, json_new_string(p->tester.limits[i].text));
    json_set_string(doc, "minimize", p->minimize == PLAN_FEWEST ? "count" : "cost");
    set_space(doc, p);
    json_set(doc, "lower_bound", lower_json(p));
    json_set(doc, "recommended", choice_json(p, &p->recommended));
    json_set_bool(doc, "meets_slo", p->recommended.found);
    if (!p->recommended.found)
        json_set(doc, "nearest", choice_json(p, &p->nearest));
    json_set_bool(doc, "next_below_too_close_to_call", p->too_close_below);
    json_set_bool(doc, "monotone", p->is_monotone);
    if (p->draws > 0) {
        json_set_number(doc, "parameter_draws", p->draws);
        json_set_number(doc, "parameter_draws_met", p->draws_met);
    }
    json_set_number(doc, "simulated", p->tried);
    json_set_number(doc, "ruled_out", p->ruled_out);
    if (p->horizon_note != NULL)
        json_set_string(doc, "horizon_note", p->horizon_note);
    if (p->recommended.found)
        set_around(doc, p);
    return doc;
}
