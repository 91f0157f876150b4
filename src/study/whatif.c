#include "study/whatif.h"

#include <math.h>
#include <string.h>

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

static enum verdict judge(const struct whatif_figure *f)
{
    double rounding = 1e-6 * fabs(f->before.mean); /* what no table shows is no change */
    bool up = f->delta.lo > rounding, down = f->delta.hi < -rounding;

    if (!f->has_before || !f->has_after || (!up && !down))
        return VERDICT_SAME;
    return up == (f->def->better == BETTER_HIGHER) ? VERDICT_BETTER : VERDICT_WORSE;
}

static size_t count_figures(void)
{
    size_t n = 0;

    while (figures[n].name != NULL)
        n++;
    return n;
}

/* Keeps a figure that one side knows at least. */
static void keep(struct whatif *w, struct whatif_figure *f)
{
    if (f->def->aside || (!f->has_before && !f->has_after))
        return;
    f->verdict = judge(f);
    w->figures[w->figures_n++] = *f;
}

/* ---------------------------------------------------------- two simulations */

static void compare_pipeline(struct whatif *w, const struct outcome *before, const struct outcome *after,
                             int i)
{
    for (const struct figure_def *d = figures; d->name != NULL; d++) {
        struct whatif_figure f = {.def = d,
                                  .pipeline = before->pipelines_n > 1 ? before->pipelines[i].name : ""};

        f.has_before = figure_estimate(d, before, i, &f.before);
        f.has_after = figure_estimate(d, after, i, &f.after);
        if (f.has_before && f.has_after)
            figure_compare(d, before, after, i, &f.delta, &f.ratio);
        keep(w, &f);
    }
}

static struct whatif_side side_of(const struct outcome *o)
{
    return (struct whatif_side){o->scenario->name, o->scenario->sha256, o->bound.bottleneck};
}

void whatif_compare(const struct json *tree_before, const struct json *tree_after,
                    const struct outcome *before, const struct outcome *after, struct arena *a,
                    struct whatif *out)
{
    int pipelines = before->pipelines_n < after->pipelines_n ? before->pipelines_n : after->pipelines_n;

    *out = (struct whatif){
        .before = side_of(before), .after = side_of(after), .paired = true, .confidence = before->confidence};
    out->changes_n = changes_find(tree_before, tree_after, a, &out->changes);
    out->figures = arena_array(a, count_figures() * (size_t)pipelines, sizeof *out->figures);
    for (int i = 0; i < pipelines; i++)
        compare_pipeline(out, before, after, i);
}

/* ---------------------------------------------------------- two stored runs */

/* "latency_s.p95" in the metrics of a document. */
static bool read_figure(const struct json *metrics, const char *name, struct estimate *out)
{
    const char *dot = strchr(name, '.');
    char head[32];
    const struct json *v = NULL;

    if (strcmp(name, "stall_frac") == 0 && json_get(metrics, "latency_s") != NULL)
        return false; /* whoever serves requests as they come is meant to wait for them */
    if (dot == NULL) {
        v = json_get(metrics, name);
    } else if ((size_t)(dot - name) < sizeof head) {
        memcpy(head, name, (size_t)(dot - name));
        head[dot - name] = '\0';
        v = json_get(metrics, head) != NULL ? json_get(json_get(metrics, head), dot + 1) : NULL;
    }
    if (v == NULL || json_type(v) != JSON_OBJECT)
        return false;
    *out = (struct estimate){.mean = json_get_number(v, "mean", NAN),
                             .lo = json_get_number(v, "lo", NAN),
                             .hi = json_get_number(v, "hi", NAN),
                             .n = (long)json_get_number(v, "n", 0)};
    return isfinite(out->mean);
}

/* An interval that is not known (one replication) makes the difference as wide as can be. */
static double half_width(const struct estimate *e)
{
    return isfinite(e->hi) && isfinite(e->lo) ? (e->hi - e->lo) / 2 : INFINITY;
}

static void subtract(struct whatif_figure *f)
{
    double b = half_width(&f->before), a = half_width(&f->after), half = sqrt(a * a + b * b);
    double ratio = f->after.mean / f->before.mean;
    double relative = hypot(a / f->after.mean, b / f->before.mean);

    f->delta = (struct estimate){.mean = f->after.mean - f->before.mean, .n = f->after.n};
    f->delta.lo = f->delta.mean - half;
    f->delta.hi = f->delta.mean + half;
    f->ratio = (struct estimate){
        .mean = ratio, .lo = ratio * (1 - relative), .hi = ratio * (1 + relative), .n = f->after.n};
}

static struct whatif_side side_of_run(const struct json *doc)
{
    return (struct whatif_side){
        json_get_string(doc, "scenario", ""), json_get_string(doc, "scenario_sha256", ""),
        json_get(doc, "bound") != NULL ? json_get_string(json_get(doc, "bound"), "bottleneck", "") : ""};
}

int whatif_compare_runs(const struct json *before, const struct json *after, struct arena *a,
                        struct whatif *out, struct err *err)
{
    const struct json *b = json_get(before, "metrics"), *m = json_get(after, "metrics");

    if (b == NULL || m == NULL)
        return err_set(
            err, ERR_USAGE,
            "diff: the stored result of `%s` has no metrics; `foresight runs list` shows which runs "
            "there are",
            json_get_string(b == NULL ? before : after, "command", "?"));
    *out = (struct whatif){.before = side_of_run(before), .after = side_of_run(after), .confidence = NAN};
    out->figures = arena_array(a, count_figures(), sizeof *out->figures);
    for (const struct figure_def *d = figures; d->name != NULL; d++) {
        struct whatif_figure f = {.def = d, .pipeline = ""};

        f.has_before = read_figure(b, d->name, &f.before);
        f.has_after = read_figure(m, d->name, &f.after);
        if (f.has_before && f.has_after)
            subtract(&f);
        keep(out, &f);
    }
    return 0;
}

bool whatif_differs(const struct whatif *w)
{
    for (size_t i = 0; i < w->figures_n; i++)
        if (w->figures[i].verdict != VERDICT_SAME || w->figures[i].has_before != w->figures[i].has_after)
            return true;
    return w->changes_n > 0;
}

/* ---------------------------------------------------------------- document */

static struct json *copy_or_null(const struct json *v)
{
    return v != NULL ? json_copy(v) : json_new_null();
}

static struct json *estimate_or_null(bool known, const struct estimate *e)
{
    return known ? estimate_json(e) : json_new_null();
}

static struct json *figure_json(const struct whatif_figure *f)
{
    static const char *const verdicts[] = {"no change", "better", "worse"};
    struct json *o = json_new_object();
    bool both = f->has_before && f->has_after;

    json_set_string(o, "name", f->def->name);
    json_set_string(o, "unit", units_name(f->def->unit));
    if (f->pipeline[0] != '\0')
        json_set_string(o, "pipeline", f->pipeline);
    json_set(o, "before", estimate_or_null(f->has_before, &f->before));
    json_set(o, "after", estimate_or_null(f->has_after, &f->after));
    json_set(o, "delta", estimate_or_null(both, &f->delta));
    json_set(o, "ratio", estimate_or_null(both && isfinite(f->ratio.mean), &f->ratio));
    json_set_string(o, "verdict", verdicts[f->verdict]);
    return o;
}

static void set_side(struct json *doc, const char *key, const struct whatif_side *s)
{
    struct json *o = json_set_object(doc, key);

    json_set_string(o, "scenario", s->name);
    json_set_string(o, "scenario_sha256", s->sha256);
    json_set_string(o, "bottleneck", s->bottleneck);
}

struct json *whatif_json(const char *command, const struct whatif *w)
{
    struct json *doc = json_new_object(), *list;

    json_set_string(doc, "format", "foresight.result");
    json_set_string(doc, "format_version", "1.0");
    json_set_string(doc, "command", command);
    json_set_string(doc, "version", PACKAGE_VERSION);
    json_set_string(doc, "scenario", w->before.name);
    json_set_bool(doc, "paired", w->paired);
    set_side(doc, "before", &w->before);
    set_side(doc, "after", &w->after);
    list = json_set_array(doc, "changes");
    for (size_t i = 0; i < w->changes_n; i++) {
        struct json *o = json_push(list, json_new_object());

        json_set_string(o, "mark", (char[]){w->changes[i].mark, '\0'});
        json_set_string(o, "path", w->changes[i].path);
        json_set(o, "before", copy_or_null(w->changes[i].before));
        json_set(o, "after", copy_or_null(w->changes[i].after));
    }
    list = json_set_array(doc, "figures");
    for (size_t i = 0; i < w->figures_n; i++)
        json_push(list, figure_json(&w->figures[i]));
    return doc;
}
