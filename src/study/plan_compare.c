/*
 * What else could be bought: one server more, servers that come and go, hours paid otherwise, tokens of
 * others.
 */
#include "study/plan_parts.h"

#include "base/param.h"
#include "pipeline/edit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double HOURS_A_MONTH = 730;

/* ------------------------------------------------------------------ one away */

static int without(struct planner *p, int knob, struct plan_away *out, struct err *err)
{
    const struct plan_space *s = &p->out->space;
    const struct plan_setting *at = &p->out->recommended.setting;
    struct json *tree;
    int rc;

    out->path = s->knobs[knob].knob->paths[0];
    out->left = lround(plan_number(&s->knobs[knob], at->at[knob])) - 1;
    out->reach.why_not = "none is left";
    if (out->left < 1) {
        out->trial = (struct trial){.verdict = TRIAL_FAILS, .slack = -INFINITY, .why = "none is left"};
        return 0;
    }
    TRY(plan_tree_without(s, at, knob, &tree, err));
    rc = plan_trial(p, tree, 1, &out->trial, err);
    if (rc == 0)
        rc = plan_find_reach(p, tree, &out->trial, &out->reach, err);
    json_free(tree);
    return rc;
}

/* Upwards from the plan, one knob at a time, until any one may go. */
static int find_spare(struct planner *p, struct err *err)
{
    const struct plan_space *s = &p->out->space;
    struct plan_choice *c = &p->out->spare;
    struct json *tree;
    int rc;

    c->setting = p->out->recommended.setting;
    for (int i = 0; i < p->out->away_n; i++) {
        int k = 0;

        while (s->knobs[k].knob->paths[0] != p->out->away[i].path)
            k++;
        if (p->out->away[i].trial.verdict == TRIAL_MEETS)
            continue;
        if (c->setting.at[k] + 1 >= s->knobs[k].knob->n)
            return 0; /* the knob ends here */
        c->setting.at[k]++;
    }
    TRY(plan_tree(s, &c->setting, &tree, err));
    rc = plan_trial(p, tree, 1, &c->trial, err);
    json_free(tree);
    c->size = plan_size(s, &c->setting);
    c->found = rc == 0 && c->trial.verdict == TRIAL_MEETS;
    return rc;
}

int plan_find_away(struct planner *p, struct err *err)
{
    const struct plan_space *s = &p->out->space;

    p->out->away = arena_array(p->a, (size_t)s->n + 1, sizeof *p->out->away);
    for (int k = 0; k < s->n; k++)
        if (s->knobs[k].counts)
            TRY(without(p, k, &p->out->away[p->out->away_n++], err));
    return p->out->away_n > 0 ? find_spare(p, err) : 0;
}

/* ------------------------------------------------------------ servers that come and go */

static const struct process *changing_rate(const struct scenario *s)
{
    const struct workload *w = &s->workload;

    return w->kind == WORKLOAD_OPEN && w->streams_n == 1 ? w->streams[0].process : NULL;
}

/* The first knob that counts a resource whose servers may come and go. */
static const char *scaling_resource(const struct plan_space *space, const struct scenario *s, long *count)
{
    for (int k = 0; k < space->n; k++)
        for (int i = 0; i < s->resources_n; i++) {
            const struct resource *r = &s->resources[i];
            char path[200];

            snprintf(path, sizeof path, "resources.%s.count", r->name);
            if ((r->kind != RESOURCE_SERVERS && r->kind != RESOURCE_GPUS) ||
                !knob_sets(space->knobs[k].knob, path))
                continue;
            *count = r->count;
            return r->name;
        }
    return NULL;
}

struct policies {
    struct planner *p;
    const struct json *tree; /* the recommended deployment */
    const struct json *own;  /* "autoscale" of the scenario; NULL */
    const char *resource;
    long count;
};

static const char *of(const struct policies *q, const char *key)
{
    return arena_printf(q->p->a, "resources.%s.%s", q->resource, key);
}

static double own_number(const struct policies *q, const char *key, double fallback)
{
    const struct json *v = q->own != NULL ? json_get(q->own, key) : NULL;
    struct err none = {0};
    double x = fallback;

    if (v != NULL)
        param_read_real(v, strcmp(key, "max") == 0 || strcmp(key, "min") == 0 ? UNIT_NONE : UNIT_S, 0, 1e12,
                        "", &x, &none);
    return x;
}

/* A trial of `tree` with these settings of autoscaling, which it takes. */
static int try_policy(struct policies *q, const char *name, long count, struct json *autoscale,
                      struct err *err)
{
    struct plan_policy *out = &q->p->out->policies[q->p->out->policies_n];
    struct json *tree = json_copy(q->tree);
    const struct json *price = edit_get(tree, of(q, "price"));
    double usd = 0;
    struct err none = {0};
    int rc = edit_set(tree, of(q, "count"), json_new_number((double)count), err);

    if (price != NULL)
        param_read_real(price, UNIT_USD_PER_H, 0, 1e9, "", &usd, &none);
    if (rc == 0 && autoscale != NULL)
        rc = edit_set(tree, of(q, "autoscale"), json_copy(autoscale), err);
    if (rc == 0 && autoscale != NULL)
        rc = edit_set(tree, of(q, "billing"), json_new_string("elastic"), err);
    if (rc == 0 && autoscale != NULL && q->p->opt->elastic_premium > 0)
        rc = edit_set(tree, of(q, "price"), json_new_number(usd * q->p->opt->elastic_premium), err);
    out->name = name;
    if (rc == 0)
        rc = plan_trial(q->p, tree, 1, &out->trial, err);
    q->p->out->policies_n += rc == 0;
    json_free(autoscale);
    json_free(tree);
    return rc;
}

static int try_reactive(struct policies *q, double target, struct err *err)
{
    struct json *a = json_new_object();
    double most = fmax(own_number(q, "max", 2.0 * (double)q->count), (double)q->count),
           least = fmin(own_number(q, "min", 1), (double)q->count);

    json_set_number(a, "period", own_number(q, "period", 60));
    json_set_number(a, "delay", own_number(q, "delay", 60));
    json_set_number(a, "target", target);
    json_set_number(a, "min", least);
    json_set_number(a, "max", most);
    return try_policy(q, arena_printf(q->p->a, "reactive at %.0f %%", 100 * target), q->count, a, err);
}

/* The fewest servers that meet the limits at a rate that stays; 0: not with up to `most`. */
static int fewest_at(struct policies *q, double rate, double cv, long most, long *out, struct err *err)
{
    struct json *tree = json_copy(q->tree), *law = json_new_object();
    long low = 0, high = most;
    struct trial t;
    int rc = 0;

    *out = 0;
    if (!(rate > 0)) {
        *out = 1;
        json_free(law);
        json_free(tree);
        return 0;
    }
    if (cv == 1) {
        json_set_number(law, "exponential", 1 / rate);
    } else {
        struct json *of_gaps = json_set_object(law, "gamma");

        json_set_number(of_gaps, "mean", 1 / rate);
        json_set_number(of_gaps, "cv", cv);
    }
    rc = edit_set(tree, "workload.open.arrivals", law, err);
    if (rc == 0)
        rc = edit_set(tree, "horizon", json_new_string("steady"), err);
    while (rc == 0 && high - low > 1) {
        long half = (low + high) / 2;

        rc = edit_set(tree, of(q, "count"), json_new_number((double)half), err);
        if (rc == 0)
            rc = plan_trial(q->p, tree, 1, &t, err);
        if (rc == 0 && t.verdict == TRIAL_MEETS)
            high = half;
        else
            low = half;
    }
    *out = high;
    json_free(tree);
    return rc;
}

static int try_schedule(struct policies *q, const struct process *rates, struct err *err)
{
    struct json *a = json_new_object(), *list = json_set_array(a, "schedule");
    long first = 1, most = 1;

    for (int i = 0; i < rates->n; i++) {
        long n;
        int rc = fewest_at(q, rates->rate_per_s[i], rates->cv, 2 * q->count, &n, err);

        if (rc != 0) {
            json_free(a);
            return rc;
        }
        json_push(list, json_new_number((double)n));
        first = i == 0 ? n : first;
        most = n > most ? n : most;
    }
    json_set_number(a, "period", rates->length_s[0]);
    json_set_number(a, "min", 1);
    json_set_number(a, "max", (double)most);
    return try_policy(q, "by the schedule", first, a, err);
}

static int compare_policies(struct policies *q, const struct scenario *s, struct err *err)
{
    const struct process *rates = changing_rate(s);

    TRY(try_policy(q, "fixed at the peak", q->count, NULL, err));
    TRY(try_reactive(q, 0.6, err));
    TRY(try_reactive(q, 0.8, err));
    if (rates != NULL && rates->kind == PROCESS_SCHEDULE)
        TRY(try_schedule(q, rates, err));
    return 0;
}

int plan_find_policies(struct planner *p, struct err *err)
{
    struct scenario_options so = {.resolver = p->st->resolver};
    struct policies q = {.p = p};
    struct scenario *s = NULL;
    struct json *tree;
    int rc;

    TRY(plan_tree(&p->out->space, &p->out->recommended.setting, &tree, err));
    rc = scenario_build(tree, p->st->file, &so, &s, err);
    if (rc == 0) {
        scenario_scale_traffic(s, p->out->base_factor);
        q.tree = tree;
        q.resource = scaling_resource(&p->out->space, s, &q.count);
        q.own = q.resource != NULL ? edit_get(p->st->tree, of(&q, "autoscale")) : NULL;
        if (q.resource != NULL && (changing_rate(s) != NULL || s->workload.kind == WORKLOAD_TRACE)) {
            p->out->policies_for = arena_strdup(p->a, q.resource);
            rc = compare_policies(&q, s, err);
        }
    }
    scenario_free(s);
    json_free(tree);
    return rc;
}

/* -------------------------------------------------------------------- billing */

void plan_find_billing(struct planner *p)
{
    const struct trial *t = &p->out->recommended.trial;
    struct plan_billing *b = &p->out->billing;

    if (!(t->committed_usd_per_h > 0))
        return;
    b->known = true;
    b->committed_usd_per_h = t->committed_usd_per_h;
    b->used_frac = t->used_usd_per_h / t->committed_usd_per_h;
    b->even_premium = 1 / b->used_frac;
    b->premium = p->opt->elastic_premium;
    if (b->premium > 0)
        b->even_hours = HOURS_A_MONTH / b->premium;
}

/* ------------------------------------------------------------- tokens of others */

static struct json *stage_in(struct json *list, const char *name)
{
    for (size_t i = 0; list != NULL && i < json_size(list); i++)
        if (strcmp(json_get_string(json_at(list, i), "name", ""), name) == 0)
            return json_at_mutable(list, i);
    return NULL;
}

static struct json *mutable_stage(struct json *tree, const char *name)
{
    struct json *stage = stage_in(json_get_mutable(tree, "stages"), name),
                *pipelines = json_get_mutable(tree, "pipelines");

    for (size_t i = 0; stage == NULL && pipelines != NULL && i < json_size(pipelines); i++)
        stage = stage_in(json_get_mutable(json_at_mutable(pipelines, i), "stages"), name);
    return stage;
}

/* The stage as somebody else's interface. */
static void host(struct json *stage, const struct json *offer)
{
    double input = json_get_number(offer, "input_price", 0);
    struct json *params;

    json_set_string(stage, "model", "llm_hosted");
    json_remove(stage, "on");
    json_remove(stage, "preset");
    json_remove(stage, "calibration");
    params = json_set_object(stage, "params");
    json_set_number(params, "input_price", input);
    json_set_number(params, "output_price", json_get_number(offer, "output_price", 0));
    json_set_number(params, "cached_price", json_get_number(offer, "cached_price", input));
}

static bool is_used(const struct json *tree, const char *resource)
{
    struct stage_walk w = STAGE_WALK;
    const struct json *stage;

    while ((stage = tree_stage_next(tree, &w)) != NULL)
        if (json_get(stage, "on") != NULL)
            JSON_EACH (on, json_get(stage, "on"))
                if (json_string(on) != NULL && strcmp(json_string(on), resource) == 0)
                    return true;
    return false;
}

/* A resource that nobody is on is not bought. */
static void drop_unused(struct json *tree)
{
    struct json *resources = json_get_mutable(tree, "resources");

    JSON_EACH (r, resources)
        if (!is_used(tree, json_key(r)))
            json_set_number(json_get_mutable(resources, json_key(r)), "price", 0);
}

static int try_offer(struct planner *p, const struct json *tree, const struct json *stage,
                     const struct json *offer, const char *source, struct err *err)
{
    struct plan_hosted *out = &p->out->hosted[p->out->hosted_n];
    const char *name = json_get_string(stage, "name", "");
    struct json *copy = json_copy(tree);
    double per_request;
    int rc;

    host(mutable_stage(copy, name), offer);
    drop_unused(copy);
    out->preset = arena_strdup(p->a, json_get_string(offer, "name", "?"));
    out->source = source;
    out->stage = arena_strdup(p->a, name);
    rc = plan_trial(p, copy, 1, &out->trial, err);
    json_free(copy);
    if (rc != 0 || !out->trial.is_simulated)
        return rc;
    per_request = out->trial.cost.mean / 3600 / out->trial.throughput.mean;
    out->even_rate_per_s = per_request > 0 ? p->out->recommended.trial.cost.mean / 3600 / per_request : NAN;
    p->out->hosted_n++;
    return 0;
}

static int try_offers(struct planner *p, const struct json *tree, const struct json *stage,
                      const struct json *prices, struct err *err)
{
    const struct json *params = json_get(stage, "params");
    const char *model = params != NULL ? json_get_string(params, "model", "") : "";
    const char *source = arena_printf(p->a, "%s (%s)", json_get_string(prices, "source", "?"),
                                      json_get_string(prices, "date", "?"));

    JSON_EACH (offer, json_get(prices, "offers")) {
        const char *same = json_get_string(offer, "same_as", NULL);

        if (p->out->hosted_n < HOSTED_MAX && (same == NULL || strcmp(same, model) == 0))
            TRY(try_offer(p, tree, stage, offer, source, err));
    }
    return 0;
}

int plan_find_hosted(struct planner *p, struct err *err)
{
    const struct resolver *r = p->st->resolver;
    const struct json *prices = NULL, *stage;
    struct stage_walk w = STAGE_WALK;
    struct err none = {0};
    struct json *tree;
    int rc = 0;

    if (r == NULL || r->document == NULL ||
        r->document(r->ctx, "prices-llm-hosted", p->a, &prices, &none) != 0 || prices == NULL)
        return 0; /* no prices, no comparison */
    TRY(plan_tree(&p->out->space, &p->out->recommended.setting, &tree, err));
    while (rc == 0 && (stage = tree_stage_next(tree, &w)) != NULL)
        if (strcmp(json_get_string(stage, "model", ""), "llm_serving") == 0) {
            rc = try_offers(p, tree, stage, prices, err);
            break;
        }
    json_free(tree);
    return rc;
}
