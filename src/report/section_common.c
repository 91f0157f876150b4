#include "report/sections.h"

#include "base/arena.h"
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NBSP "\xc2\xa0"

bool section_source(const struct review *r, const struct json *result, const char *command)
{
    double replications;
    struct text t = {0};

    if (result == NULL) {
        doc_block(r->d, DOC_MISSING,
                  "The store holds no such result for this scenario; \"foresight %s SCENARIO\" makes one.",
                  command);
        return false;
    }
    text_printf(&t, "From \"foresight %s\", version %s, seed %.0f",
                json_get_string(result, "command", command), json_get_string(result, "version", "?"),
                json_get_number(result, "seed", 0));
    replications = json_get_number(result, "replications", 0);
    if (replications > 0)
        text_printf(&t, ", %.0f replications", replications);
    text_printf(&t, ", scenario %.12s.", json_get_string(result, "scenario_sha256", "?"));
    doc_block(r->d, DOC_SOURCE, "%s", t.s);
    text_free(&t);
    return true;
}

const struct json *section_list(const struct json *result, const char *key)
{
    const struct json *v = result != NULL ? json_get(result, key) : NULL;

    return v != NULL && json_size(v) > 0 && (json_type(v) == JSON_ARRAY || json_type(v) == JSON_OBJECT)
               ? v
               : NULL;
}

void section_words(const struct json *v, struct text *out)
{
    bool first = true;
    char *compact;

    text_add(out, "");
    if (v == NULL)
        return;
    if (json_type(v) == JSON_STRING) {
        text_add(out, json_string(v));
        return;
    }
    if (json_type(v) == JSON_ARRAY) {
        JSON_EACH (c, v) {
            text_add(out, first ? "" : ", ");
            section_words(c, out);
            first = false;
        }
        return;
    }
    if (json_type(v) == JSON_OBJECT) {
        JSON_EACH (c, v) {
            text_printf(out, "%s%s = ", first ? "" : ", ", json_key(c));
            section_words(c, out);
            first = false;
        }
        return;
    }
    compact = json_compact(v);
    text_add(out, compact);
    free(compact);
}

const char *section_joined(const struct review *r, const struct json *v)
{
    struct text t = {0};
    const char *kept;

    section_words(v, &t);
    kept = arena_strdup(r->a, t.s);
    text_free(&t);
    return kept;
}

const char *section_short_path(const struct review *r, const char *path)
{
    const char *name = strncmp(path, "stages.", 7) == 0 ? path + 7 : path, *params = strstr(name, ".params.");

    if (name == path || params == NULL)
        return path;
    return arena_printf(r->a, "%.*s%s", (int)(params - name), name, params + strlen(".params"));
}

void cell_estimate(struct doc *d, struct estimate e, enum label_style style)
{
    char value[160], interval[140] = "", note[180] = "";

    if (isfinite(e.pred_lo) && isfinite(e.pred_hi)) /* spaces that do not break the line */
        snprintf(note, sizeof note, "prediction" NBSP "%s",
                 label_interval(interval, sizeof interval, estimate_widest(e), style));
    if (strcmp(label_interval(value, sizeof value, e, style), interval) == 0) /* it adds nothing */
        note[0] = '\0';
    doc_cell_note(d, label_estimate(value, sizeof value, e, style), note);
}

struct plot_point section_point(struct estimate e, double x)
{
    return (struct plot_point){e.mean, e.lo, e.hi, e.pred_lo, e.pred_hi, x};
}

struct time_axis section_time_axis(double most_s)
{
    static const struct {
        double from;
        struct time_axis axis;
    } units[] = {{7200, {1.0 / 3600, "h"}}, {300, {1.0 / 60, "min"}}, {1, {1, "s"}}, {1e-3, {1e3, "ms"}}};

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (most_s >= units[i].from)
            return units[i].axis;
    return (struct time_axis){1e6, "microseconds"};
}

const char *section_bottleneck(const struct json *run)
{
    const struct json *bound = section_list(run, "bound");

    return bound != NULL ? json_get_string(bound, "bottleneck", "") : "";
}

bool section_has_price(const struct json *result)
{
    const struct json *resources = section_list(result, "resources");

    if (resources != NULL)
        JSON_EACH (v, resources) {
            if (json_get_number(v, "cost_usd_per_h", 0) > 0)
                return true;
        }
    return estimate_is_known(estimate_read(section_list(result, "metrics"), "cost_usd_per_h"));
}
