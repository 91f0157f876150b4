#include "study/rank.h"

#include <math.h>
#include <string.h>

static struct json *names_json(const struct study *st, opt_set set)
{
    struct json *list = json_new_array();

    for (int i = 0; i < st->n; i++)
        if (set >> i & 1)
            json_push(list, json_new_string(st->optimizations[i].name));
    return list;
}

static void owners_json(const struct scenario *s, const struct optimization *o, struct json *list)
{
    for (int i = 0; i < o->touches_n; i++) {
        const struct stage *st = scenario_stage(s, o->touches[i]);
        bool seen = st == NULL || st->owner[0] == '\0';

        JSON_EACH (v, list)
            seen = seen || strcmp(json_string(v), st->owner) == 0;
        if (!seen)
            json_push(list, json_new_string(st->owner));
    }
}

static void set_known(struct json *o, const char *key, bool known, const struct estimate *e)
{
    json_set(o, key, known ? estimate_json(e) : json_new_null());
}

static void figures_json(struct json *o, const struct ranked *r)
{
    const struct rank_difference *f = r->figure;
    struct estimate nothing = estimate_exact(0); /* no resource has a price */

    set_known(o, "throughput_gain", f[RANK_THROUGHPUT].known, &f[RANK_THROUGHPUT].gain);
    set_known(o, "latency_p95_gain", f[RANK_LATENCY_P95].known, &f[RANK_LATENCY_P95].gain);
    set_known(o, "latency_p95_delta_s", f[RANK_LATENCY_P95].known, &f[RANK_LATENCY_P95].delta);
    json_set(o, "cost_delta_usd_per_h", estimate_json(f[RANK_COST].known ? &f[RANK_COST].delta : &nothing));
    set_known(o, "cost_delta_usd_per_1m_units", f[RANK_COST_PER_1M].known, &f[RANK_COST_PER_1M].delta);
    set_known(o, "quality_delta", f[RANK_QUALITY].known, &f[RANK_QUALITY].delta);
    set_known(o, "power_delta_w", f[RANK_POWER].known, &f[RANK_POWER].delta);
}

/* Changes of what is taken: cores, GPUs or servers that work, bytes of disks, part of the bill and of power.
 */
static void parts_json(struct json *o, const struct estimate *part, bool costs, bool powers)
{
    json_set(o, "busy", estimate_json(&part[PART_BUSY]));
    json_set(o, "bytes_per_s", estimate_json(&part[PART_BYTES_PER_S]));
    set_known(o, "usd_per_h", costs, &part[PART_USD_PER_H]);
    set_known(o, "power_w", powers, &part[PART_WATT]);
}

static void components_json(struct json *o, const struct ranking *ranking, const struct ranked *r)
{
    bool costs = r->figure[RANK_COST].known, powers = r->figure[RANK_POWER].known;
    struct json *list = json_set_array(o, "delta_by_component");

    for (int i = 0; i < r->deltas_n; i++) {
        struct json *d = json_push(list, json_new_object());

        json_set_string(d, "component", r->deltas[i].stage);
        json_set_string(d, "owner", r->deltas[i].owner);
        json_set_number(d, "cpu_s", r->deltas[i].cpu_s);
        json_set_number(d, "bytes", r->deltas[i].disk_bytes);
        parts_json(d, r->deltas[i].part, costs, powers);
    }
    list = json_set_array(o, "delta_by_owner");
    for (int i = 0; i < ranking->owners_n; i++) {
        struct json *d = json_push(list, json_new_object());

        json_set_string(d, "owner", r->owners[i].owner);
        parts_json(d, r->owners[i].part, costs, powers);
    }
}

static void break_even_json(struct json *o, const struct ranking *ranking, const struct ranked *r)
{
    struct json *b = json_set_object(o, "break_even"), *list;

    json_set(b, "quality_delta", estimate_json(&r->break_even.quality));
    json_set_string(b, "text", r->break_even.text);
    list = json_set_array(b, "assumed");
    for (int i = 0; i < ranking->assumed_n; i++)
        json_push(list, json_new_string(ranking->assumed[i]));
}

static struct json *months_json(double months)
{
    return isfinite(months) ? json_new_number(months) : json_new_null();
}

static void money_json(struct json *o, const struct ranked *r)
{
    const struct rank_money *m = &r->money;
    struct json *e;

    set_known(o, "cash_usd_per_month", m->known, &m->cash_usd_per_month);
    set_known(o, "worth_usd_per_month", m->known, &m->worth_usd_per_month);
    if (!isfinite(r->opt->effort_usd) && !isfinite(r->opt->effort_weeks))
        return;
    e = json_set_object(o, "effort");
    if (isfinite(r->opt->effort_usd))
        json_set_number(e, "usd", r->opt->effort_usd);
    if (isfinite(r->opt->effort_weeks))
        json_set_number(e, "weeks", r->opt->effort_weeks);
    json_set_number(e, "confidence", r->opt->confidence);
    if (!m->known || !m->has_payback)
        return;
    e = json_set_object(o, "payback_months");
    json_set(e, "mean", months_json(m->payback_months));
    json_set(e, "lo", months_json(m->payback_soonest));
    json_set(e, "hi", months_json(m->payback_latest));
}

static void pipelines_json(struct json *o, const struct whole *w, const struct ranked *r)
{
    struct json *list = json_set_array(o, "pipelines");

    for (int p = 0; p < w->n; p++) {
        struct json *line = json_push(list, json_new_object());

        json_set_string(line, "name", w->name[p]);
        json_set_string(line, "figure", w->figure[p]->name);
        set_known(line, "gain", r->pipelines[p].known, &r->pipelines[p].gain);
    }
}

static struct json *ranked_json(const struct ranking *ranking, const struct ranked *r)
{
    struct json *o = json_new_object(), *list = json_new_array();

    json_set_string(o, "name", r->opt->name);
    json_set_string(o, "about", r->opt->about);
    json_set(o, "touches", list);
    for (int i = 0; i < r->opt->touches_n; i++)
        json_push(list, json_new_string(r->opt->touches[i]));
    owners_json(ranking->base_scenario, r->opt, json_set_array(o, "owners"));
    json_set(o, "local_gain", estimate_json(&r->local_gain));
    json_set(o, "end_to_end_gain", estimate_json(&r->end_to_end_gain));
    json_set(o, "share_frac", estimate_json(&r->share));
    figures_json(o, r);
    money_json(o, r);
    if (ranking->whole != NULL)
        pipelines_json(o, ranking->whole, r);
    components_json(o, ranking, r);
    json_set_string(o, "verdict", r->verdict);
    if (r->break_even.applies)
        break_even_json(o, ranking, r);
    json_set_string(o, "why", r->why);
    return o;
}

static void alike_json(struct json *doc, const struct ranking *r)
{
    struct json *list = json_set_array(doc, "cannot_tell_apart");

    for (int i = 0; i < r->alike_n; i++) {
        struct json *o = json_push(list, json_new_object()), *names;

        json_set_string(o, "figure", r->alike[i].figure);
        names = json_set_array(o, "rows");
        for (int k = 0; k < r->alike[i].n; k++)
            json_push(names, json_new_string(r->alike[i].names[k]));
    }
}

static void speedups_json(struct json *doc, const struct ranking *r)
{
    struct json *list = json_set_array(doc, "speedup_curves");

    for (int i = 0; i < r->speedups_n; i++) {
        struct json *o = json_push(list, json_new_object()), *points;

        json_set_string(o, "stage", r->speedups[i].stage);
        points = json_set_array(o, "points");
        for (int k = 0; k < SPEEDUP_POINTS; k++) {
            struct json *p = json_push(points, json_new_object());

            json_set_number(p, "spared_frac", speedup_points[k]);
            json_set(p, "end_to_end_gain", estimate_json(&r->speedups[i].gain[k]));
        }
    }
}

static void steps_json(const struct study *st, struct json *doc, const struct ranking *r)
{
    struct json *list = json_set_array(doc, "steps");
    opt_set before = 0;

    for (int i = 0; i < r->steps_n; i++) {
        struct json *o = json_push(list, json_new_object());

        json_set(o, "adds", names_json(st, r->steps[i].set & ~before));
        json_set(o, "step_gain", estimate_json(&r->steps[i].step));
        json_set(o, "gain", estimate_json(&r->steps[i].gain));
        before = r->steps[i].set;
    }
}

static void front_point_json(const struct study *st, const struct rank_point *p, struct json *list)
{
    struct json *o = json_push(list, json_new_object());

    json_set(o, "apply", names_json(st, p->set));
    json_set_object(o, "set");
    json_set(o, "gain", estimate_json(&p->gain));
    json_set(o, "throughput_per_s", estimate_json(&p->throughput));
    set_known(o, "cost_usd_per_h", isfinite(p->cost.mean), &p->cost);
    set_known(o, "quality", isfinite(p->quality.mean), &p->quality);
}

/* The front in full, as search tells it; of the sets behind it only what a plot needs. */
static void front_json(const struct study *st, struct json *doc, const struct ranking *r)
{
    enum { MOST_BEHIND = 400 };
    struct json *front = json_set_array(doc, "front"), *behind = json_set_array(doc, "behind_front");
    int stride = 1 + r->points_n / MOST_BEHIND;

    json_set_number(doc, "evaluated", r->points_n);
    for (int i = 0; i < r->points_n; i++) {
        const struct rank_point *p = &r->points[i];
        struct json *o;

        if (p->front) {
            front_point_json(st, p, front);
        } else if (i % stride == 0) {
            o = json_push(behind, json_new_object());
            json_set_number(o, "throughput_per_s", p->throughput.mean);
            json_set_number(o, "gain", p->gain.mean);
            json_set_number(o, "cost_usd_per_h", p->cost.mean);
            json_set_number(o, "quality", p->quality.mean);
        }
    }
}

static void interactions_json(struct json *doc, const struct study *st, const struct ranking *r)
{
    struct json *list = json_set_array(doc, "interactions");

    for (int i = 0; i < r->interactions_n; i++) {
        struct json *o = json_push(list, json_new_object());

        json_set(o, "pair",
                 names_json(st, (opt_set)1 << r->interactions[i].a | (opt_set)1 << r->interactions[i].b));
        json_set(o, "effect", estimate_json(&r->interactions[i].effect));
    }
    if (r->screened_n == 0)
        return;
    list = json_set_array(doc, "interactions_screened");
    for (long i = 0; i < r->screened_n; i++) {
        struct json *o = json_push(list, json_new_object());

        json_set(o, "pair", names_json(st, (opt_set)1 << r->screened[i].a | (opt_set)1 << r->screened[i].b));
        json_set_number(o, "bound_effect", exp(r->screened[i].bound_effect));
    }
}

static void whole_json(struct json *doc, const struct whole *w)
{
    struct json *list;

    if (w == NULL)
        return;
    list = json_set_array(doc, "whole");
    for (int p = 0; p < w->n; p++) {
        struct json *line = json_push(list, json_new_object());

        json_set_string(line, "pipeline", w->name[p]);
        json_set_string(line, "figure", w->figure[p]->name);
        json_set_number(line, "weight_frac", w->weight[p]);
    }
}

struct json *ranking_json(const struct study *st, const struct ranking *r)
{
    struct json *doc = outcome_json(&r->base), *list, *o;

    json_set_string(doc, "command", "rank");
    json_set_string(doc, "gain_of", r->gain_of);
    whole_json(doc, r->whole);
    json_set_number(doc, "combinations_simulated", (double)r->sets);
    list = json_set_array(doc, "optimizations");
    for (int i = 0; i < r->n; i++)
        json_push(list, ranked_json(r, &r->list[i]));
    alike_json(doc, r);
    speedups_json(doc, r);
    interactions_json(doc, st, r);
    o = json_set_object(doc, "best");
    json_set(o, "apply", names_json(st, r->best));
    json_set(o, "gain", estimate_json(&r->best_gain));
    json_set_string(json_set_object(doc, "after_best"), "bottleneck", r->after_best);
    steps_json(st, doc, r);
    front_json(st, doc, r);
    if (r->next_path != NULL) {
        o = json_set_object(doc, "next_measurement");
        json_set_string(o, "path", r->next_path);
        json_set_string(o, "why", r->next_why);
    }
    return doc;
}
