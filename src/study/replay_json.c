/*
 * replay_json.c - a replay as a document.
 */
#include "study/replay.h"

static void set_estimate(struct json *o, const char *key, const struct estimate *e)
{
    struct json *out = json_set_object(o, key);

    json_set_number(out, "mean", e->mean);
    json_set_number(out, "lo", e->lo);
    json_set_number(out, "hi", e->hi);
    json_set_number(out, "n", (double)e->n);
    if (e->has_pred) {
        json_set_number(out, "pred_lo", e->pred_lo);
        json_set_number(out, "pred_hi", e->pred_hi);
    }
}

static void add_figure(struct json *list, const struct replay_figure *f)
{
    struct json *o = json_push(list, json_new_object());

    json_set_string(o, "name", f->name);
    json_set_string(o, "unit", f->unit);
    json_set_number(o, "measured", f->measured);
    set_estimate(o, "predicted", &f->predicted);
    json_set_number(o, "error_frac", f->error_frac);
    json_set_bool(o, "inside_interval", f->inside_interval);
    json_set_number(o, "naive", f->naive);
    json_set_number(o, "naive_error_frac", f->naive_error_frac);
    json_set_number(o, "noise_frac", f->noise_frac);
    json_set_string(o, "regime", replay_regime_names[f->regime]);
    json_set_bool(o, "tail", f->tail);
    json_set_string(o, "order_group", f->group);
}

static void set_score(struct json *o, const struct replay_score *s)
{
    json_set_number(o, "median_abs_error_frac", s->median_error);
    json_set_number(o, "p90_abs_error_frac", s->p90_error);
    json_set_number(o, "naive_error_frac", s->naive_error);
    json_set_number(o, "noise_frac", s->noise);
    json_set_number(o, "skill", s->skill);
    json_set_number(o, "interval_coverage_frac", s->coverage);
    json_set_number(o, "interval_width_frac", s->width);
    json_set_number(o, "order_agreement_frac", s->order);
    json_set_number(o, "order_pairs", (double)s->pairs);
    json_set_number(o, "figures_scored", (double)s->figures);
}

/* Regimes that hold a figure, and tails. */
static void add_parts(struct json *o, const struct replay_score *apart)
{
    struct json *list = json_set_array(o, "regimes");

    for (int part = 0; part <= REGIMES; part++) {
        struct json *p;

        if (apart[part].figures == 0)
            continue;
        p = json_push(list, json_new_object());
        json_set_string(p, "regime", part == REGIMES ? "tails" : replay_regime_names[part]);
        set_score(p, &apart[part]);
    }
}

static void add_case(struct json *list, const struct replay_case *c)
{
    struct json *o = json_push(list, json_new_object()), *assumptions, *figures;

    json_set_string(o, "case", c->name);
    json_set_string(o, "title", c->title);
    json_set_string(o, "kind", c->kind);
    json_set_string(o, "source", c->source);
    json_set_string(o, "regime", replay_regime_names[c->regime]);
    json_set_bool(o, "counted", c->why_not_counted == NULL);
    json_set_string(o, "why_not_counted", c->why_not_counted);
    json_set_string(o, "calibrates_from", c->calibrates_from);
    json_set_string(o, "predicts", c->predicts);
    json_set_string(o, "naive", c->naive);
    json_set_string(o, "interval", c->interval);
    json_set_string(o, "lacking", c->lacking);
    json_set_string(o, "found", c->found);
    set_score(o, &c->score);
    add_parts(o, c->apart);
    assumptions = json_set_array(o, "assumptions");
    for (size_t i = 0; i < c->assumptions_n; i++) {
        struct json *a = json_push(assumptions, json_new_object());

        json_set_string(a, "what", c->assumptions[i].what);
        json_set_string(a, "because", c->assumptions[i].because);
    }
    figures = json_set_array(o, "figures");
    for (size_t i = 0; i < c->figures_n; i++)
        add_figure(figures, &c->figures[i]);
}

static void add_skipped(struct json *list, const struct replay_case *c)
{
    struct json *o = json_push(list, json_new_object());

    json_set_string(o, "case", c->name);
    json_set_string(o, "why", c->skipped);
}

struct json *replay_json(const struct replay_result *r)
{
    struct json *doc = json_new_object(), *cases, *skipped;

    json_set_string(doc, "format", "foresight.result");
    json_set_string(doc, "format_version", "1.0");
    json_set_string(doc, "command", "replay");
    json_set_string(doc, "version", PACKAGE_VERSION);
    cases = json_set_array(doc, "cases");
    skipped = json_set_array(doc, "skipped");
    for (size_t i = 0; i < r->n; i++)
        if (r->cases[i].skipped == NULL)
            add_case(cases, &r->cases[i]);
        else
            add_skipped(skipped, &r->cases[i]);
    set_score(doc, &r->summary);
    add_parts(doc, r->apart);
    json_set_number(doc, "counted_cases", (double)r->counted);
    json_set_number(doc, "positive_skill_cases", (double)r->skilled);
    json_set_bool(doc, "gate", r->gate);
    json_set_bool(doc, "goal", r->goal);
    return doc;
}
