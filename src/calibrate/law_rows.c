#include "calibrate/law_rows.h"

#include "calibrate/distribution.h"

#include <math.h>
#include <string.h>

/* {"empirical": [[0, ..], .., [1, ..]]} */
static void keep_quantiles(struct fitting *f, const char *param, const struct law *law)
{
    struct json *doc = fitting_document(f), *params = json_get_mutable(doc, "params"), *list;

    if (params == NULL)
        params = json_set_object(doc, "params");
    list = json_set_array(json_set_object(params, param), "empirical");
    for (size_t i = 0; i < law->n; i++) {
        struct json *pair = json_push(list, json_new_array());

        json_push(pair, json_new_number(law->at != NULL ? law->at[i] : (double)i / (double)(law->n - 1)));
        json_push(pair, json_new_number(law->values[i]));
    }
}

int law_rows(struct fitting *f, const char *path, const char *param, bool is_set, const double *value, size_t n,
             double limit, const char *unit, struct err *err)
{
    struct sample *s = arena_array(f->a, n + 1, sizeof *s);
    struct samples all = {.s = s, .n = n, .unit = unit};
    struct distribution_options o = {.seed = 1};
    struct distribution d;

    for (size_t i = 0; i < n; i++)
        s[i] = (struct sample){fmin(value[i], limit), value[i] >= limit ? INFINITY : value[i], 1};
    if (distribution_choose(&all, &o, f->a, &d, err) != 0)
        return err_at(err, "%s", path);
    d.fit.r2 = isfinite(d.fit.r2) ? d.fit.r2 : NAN;
    if (d.law.kind == LAW_EMPIRICAL && is_set) {
        keep_quantiles(f, param, &d.law);
        path = arena_printf(f->a, "fits.%s.%s", f->target, param);
    }
    if (d.law.kind == LAW_EXPONENTIAL) /* written {"exponential": "1ms"} */
        d.fit.param[0].name = "exponential";
    else
        path = arena_printf(f->a, "%s.%s", path, law_kind_name(d.law.kind));
    fitting_fit(f, path, &d.fit, "");
    return 0;
}
