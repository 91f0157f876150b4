#include "study/reconcile.h"

#include <math.h>

static struct json *figures_json(const struct reconciled *r)
{
    struct json *list = json_new_array();

    for (int i = 0; i < r->figures_n; i++) {
        const struct reconcile_figure *f = &r->figure[i];
        struct json *o = json_push(list, json_new_object());

        json_set_string(o, "name", f->def->name);
        json_set_string(o, "unit", units_name(f->def->unit));
        json_set(o, "predicted", estimate_json(&f->predicted));
        json_set(o, "achieved", estimate_json(&f->achieved));
        json_set_number(o, "error_frac", f->predicted.mean / f->achieved.mean - 1);
        json_set_bool(o, "inside_interval", f->inside);
    }
    return list;
}

static struct json *params_json(const struct reconciled *r)
{
    struct json *list = json_new_array();

    for (int i = 0; i < r->params_n; i++) {
        const struct reconcile_param *p = &r->param[i];
        struct json *o = json_push(list, json_new_object());

        json_set_string(o, "path", p->path);
        json_set_string(o, "unit", units_name(p->unit));
        json_set_number(o, "used", p->used);
        json_set_number(o, "used_stderr", p->used_stderr);
        json_set_number(o, "achieved", p->achieved);
        json_set_number(o, "stderr", p->stderr_);
        json_set_number(o, "n", (double)p->n);
        json_set_number(o, "z", p->z);
        json_set(o, "explained_frac", p->was_tried ? json_new_number(p->explained) : json_new_null());
        json_set(o, "with_it", p->was_tried ? estimate_json(&p->with) : json_new_null());
    }
    return list;
}

struct json *reconciled_json(const struct scenario *s, const struct reconciled *r)
{
    struct json *doc = result_document("reconcile", s);

    json_set_string(doc, "run", r->run);
    json_set_string(doc, "trace", r->achieved.trace);
    json_set_number(doc, "trace_id", (double)r->achieved.trace_id);
    json_set_string(doc, "achieved_from", r->achieved.from);
    json_set_number(doc, "observed", (double)r->achieved.observed);
    json_set(doc, "figures", figures_json(r));
    json_set_number(doc, "inside", r->inside_n);
    json_set(doc, "explained_figure",
             r->worst >= 0 ? json_new_string(r->figure[r->worst].def->name) : json_new_null());
    json_set(doc, "parameters", params_json(r));
    json_set(doc, "most_off", r->most >= 0 ? json_new_string(r->param[r->most].path) : json_new_null());
    json_set(doc, "explained_by_all_frac",
             isfinite(r->explained_by_all) ? json_new_number(r->explained_by_all) : json_new_null());
    return doc;
}
