#include "study/details.h"

#include "base/json.h"

int details_json(const struct study *st, const struct scenario *base, struct json **out, struct err *err)
{
    struct json *doc = result_document("report", base);
    struct arena *a = arena_new();
    struct outcome o;
    int rc = variant_simulate(st, base, st->threads, a, &o, err);

    json_set_number(doc, "seed", (double)st->seed);
    json_set_number(doc, "replications", (double)st->replications);
    json_set_number(doc, "confidence", st->confidence);
    json_set_string(doc, "unit", base->unit);
    if (rc == 0)
        rc = timeline_json(st, base, &o, doc, err);
    if (rc == 0)
        rc = load_curve_json(st, base, &o, doc, err);
    if (rc == 0)
        rc = sensitivity_json(st, base, &o, doc, err);
    arena_free(a);
    if (rc == 0)
        *out = doc;
    else
        json_free(doc);
    return rc;
}
