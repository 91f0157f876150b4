#include "study/validate.h"

#include "executor/host.h"

#include <math.h>

static struct json *figure_json(const struct validate_figure *f)
{
    struct json *o = json_new_object();

    json_set_string(o, "name", f->name);
    json_set_string(o, "unit", f->unit);
    json_set(o, "measured", estimate_json(&f->measured));
    json_set(o, "predicted", estimate_json(&f->predicted));
    json_set_number(o, "error_frac", f->error_frac);
    json_set_bool(o, "inside_interval", f->inside_interval);
    return o;
}

static struct json *stage_json(const struct validate_stage *s)
{
    struct json *o = json_new_object();

    json_set_string(o, "name", s->name);
    for (int k = 0; k < VALIDATE_PARTS; k++) {
        struct json *part;

        if (!s->known[k])
            continue;
        part = json_set_object(o, validate_part_names[k]);
        json_set(part, "measured_s", estimate_json(&s->measured_s[k]));
        json_set_number(part, "predicted_s", s->predicted_s[k]);
        json_set_number(part, "error_frac", s->error_frac[k]);
    }
    if (isfinite(s->wait_measured_s.mean) && isfinite(s->wait_predicted_s)) {
        struct json *wait = json_set_object(o, "wait");

        json_set(wait, "measured_s", estimate_json(&s->wait_measured_s));
        json_set_number(wait, "predicted_s", s->wait_predicted_s);
    }
    return o;
}

static struct json *variant_json(const struct validate_variant *v, struct arena *a)
{
    struct json *o = json_new_object(), *list;

    json_set_string(o, "name", v->name);
    list = json_set_array(o, "figures");
    for (int k = 0; k < v->figures_n; k++)
        json_push(list, figure_json(&v->figures[k]));
    list = json_set_array(o, "stages");
    for (int k = 0; k < v->stages_n; k++)
        json_push(list, stage_json(&v->stages[k]));
    json_set_string(o, "why", validation_why(v, a));
    for (int k = 0; k < v->runs[0].result.figures_n; k++)
        json_set_number(o, v->runs[0].result.figures[k].name, v->runs[0].result.figures[k].value);
    return o;
}

static void set_scores(struct json *doc, const struct validation *v)
{
    const struct {
        const char *key;
        double value;
    } scores[] = {
        {"median_abs_error_frac", v->median_error},
        {"p90_abs_error_frac", v->p90_error},
        {"median_abs_error_all_figures_frac", v->median_error_all},
        {"speedup_median_abs_error_frac", v->median_speedup_error},
        {"speedup_p90_abs_error_frac", v->p90_speedup_error},
        {"latency_p95_median_abs_error_frac", v->latency_p95_error},
        {"kendall_tau", v->kendall_tau},
        {"separated_pairs", v->pairs},
        {"top_choice_regret_frac", v->top_choice_regret},
        {"local_choice_regret_frac", v->local_choice_regret},
        {"interval_coverage_frac", v->coverage},
        {"interval_coverage_all_figures_frac", v->coverage_all},
        {"interval_width_frac", v->width},
        {"drift_frac", v->drift_frac},
        {"profile_drift_frac", v->profile_drift_frac},
        {"disturbed_frac", v->disturbed_frac},
    };

    for (size_t i = 0; i < sizeof scores / sizeof *scores; i++)
        json_set_number(doc, scores[i].key, scores[i].value);
    json_set_string(doc, "top_choice", v->top_choice);
    json_set_string(doc, "local_choice", v->local_choice);
    json_set_string(doc, "measured_best", v->measured_best);
}

struct json *validation_json(const struct study *st, const struct scenario *s, const struct validation *v)
{
    struct json *doc = result_document("validate", s), *list, *o;
    struct arena *a = arena_new();

    json_set_number(doc, "seed", (double)st->seed);
    json_set_number(doc, "profile_trace_id", (double)v->profile);
    json_set_number(doc, "discrepancy_frac", v->discrepancy);
    list = json_set_array(doc, "variants");
    for (int i = 0; i < v->n; i++)
        json_push(list, variant_json(&v->variants[i], a));
    list = json_set_array(doc, "speedups");
    for (int i = 1; i < v->n; i++) {
        o = json_push(list, json_new_object());
        json_set_string(o, "name", v->variants[i].name);
        json_set(o, "measured", estimate_json(&v->variants[i].speedup_measured));
        json_set(o, "predicted", estimate_json(&v->variants[i].speedup_predicted));
        json_set_number(o, "error_frac", v->variants[i].speedup_error_frac);
    }
    list = json_set_array(doc, "left_out");
    for (int i = 0; i < v->left_out_n; i++) {
        o = json_push(list, json_new_object());
        json_set_string(o, "name", v->left_out[i].name);
        json_set_string(o, "why", v->left_out[i].why);
    }
    set_scores(doc, v);
    json_set_string(doc, "storage", v->variants[0].runs[0].result.cache_note);
    json_set(doc, "host", host_describe());
    arena_free(a);
    return doc;
}
