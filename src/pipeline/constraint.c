#include "pipeline/constraint.h"

#include "pipeline/edit.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------- one comparison */

static const char *trimmed(struct arena *a, const char *from, const char *to)
{
    char *s;

    while (from < to && isspace((unsigned char)*from))
        from++;
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    s = arena_alloc(a, (size_t)(to - from) + 1);
    memcpy(s, from, (size_t)(to - from));
    return s;
}

static int parse_one(const char *text, const char *where, const struct scenario *s, struct arena *a,
                     struct constraint *out, struct err *err)
{
    const char *sign = text + strcspn(text, "<>"), *behind = sign + 1;

    if (*sign == '\0' || sign == text)
        return err_set(
            err, ERR_SCENARIO,
            "%s: \"%.80s\" is no comparison; write FIGURE <= QUANTITY or FIGURE >= QUANTITY, as in "
            "\"latency_s.p95 <= 2s\"",
            where, text);
    behind += *behind == '=';
    out->text = text;
    out->is_at_least = *sign == '>';
    if (figure_place_read(trimmed(a, text, sign), s, &out->figure, err) != 0 ||
        units_parse(trimmed(a, behind, behind + strlen(behind)), out->figure.def->unit, &out->limit, err) !=
            0) {
        err_at(err, "%s: \"%.80s\"", where, text);
        return err->code = ERR_SCENARIO;
    }
    return 0;
}

/* Where the next comparison begins: behind a comma or the word `and`, or the text's end. */
static const char *part_end(const char *p, const char **next)
{
    for (; *p != '\0'; p++) {
        if (*p == ',') {
            *next = p + 1;
            return p;
        }
        if (isspace((unsigned char)p[0]) && strncmp(p + 1, "and", 3) == 0 && isspace((unsigned char)p[4])) {
            *next = p + 4;
            return p;
        }
    }
    *next = p;
    return p;
}

static struct constraint *grown(struct arena *a, const struct constraint *list, int n)
{
    struct constraint *more = arena_array(a, (size_t)n + 1, sizeof *more);

    if (n > 0)
        memcpy(more, list, (size_t)n * sizeof *more);
    return more;
}

int constraints_parse(const char *text, const char *where, const struct scenario *s, struct arena *a,
                      struct constraint **list, int *n, struct err *err)
{
    const char *p = text, *end, *next;

    do {
        end = part_end(p, &next);
        *list = grown(a, *list, *n);
        TRY(parse_one(trimmed(a, p, end), where, s, a, &(*list)[*n], err));
        ++*n;
        p = next;
    } while (*end != '\0');
    return 0;
}

int constraints_read(const struct scenario *s, struct arena *a, struct constraint **list, int *n,
                     struct err *err)
{
    const struct json *v = json_get(s->tree, "constraints");
    int i = 0;

    *list = NULL;
    *n = 0;
    if (v == NULL)
        return 0;
    if (json_type(v) != JSON_ARRAY)
        return err_set(err, ERR_SCENARIO,
                       "%s: $.constraints: %s found; a list is needed, as in [\"latency_s.p95 <= 2s\"]",
                       s->file, json_type_name(json_type(v)));
    JSON_EACH (c, v) {
        const char *where = arena_printf(a, "%s: $.constraints[%d]", s->file, i++);

        if (json_string(c) == NULL)
            return err_set(err, ERR_SCENARIO, "%s: %s found; text is needed, as in \"latency_s.p95 <= 2s\"",
                           where, json_type_name(json_type(c)));
        TRY(constraints_parse(json_string(c), where, s, a, list, n, err));
    }
    return 0;
}

double constraint_slack(const struct constraint *c, double value)
{
    double scale = c->limit != 0 ? fabs(c->limit) : 1;

    return (c->is_at_least ? value - c->limit : c->limit - value) / scale;
}

/* ----------------------------------------------------------- objective */

const char *const objective_keys[] = {"maximize", "minimize", "quality_usd", "whole", NULL};

static int check_objective(const struct scenario *s, const struct json *o, struct err *err)
{
    char where[240];

    if (json_type(o) != JSON_OBJECT)
        return err_set(
            err, ERR_SCENARIO,
            "%s: $.objective: %s found; an object is needed: {\"maximize\": FIGURE}, {\"minimize\": "
            "FIGURE}, {\"quality_usd\": ..}",
            s->file, json_type_name(json_type(o)));
    snprintf(where, sizeof where, "%.200s: $.objective", s->file);
    TRY(known_keys(o, objective_keys, where, err));
    if (json_get(o, "maximize") != NULL && json_get(o, "minimize") != NULL)
        return err_set(err, ERR_SCENARIO, "%s: $.objective: either \"maximize\" or \"minimize\"", s->file);
    return 0;
}

static int read_figure(const struct scenario *s, const struct json *v, struct objective *out, struct err *err)
{
    if (json_string(v) == NULL)
        return err_set(err, ERR_SCENARIO, "%s: $.objective.%s: the name of a figure is needed", s->file,
                       json_key(v));
    out->is_given = true;
    if (figure_place_read(json_string(v), s, &out->figure, err) != 0)
        return err_at(err, "%s: $.objective.%s", s->file, json_key(v));
    return 0;
}

static int read_quality(const struct scenario *s, const struct json *v, struct objective *out,
                        struct err *err)
{
    if (json_type(v) != JSON_NUMBER || !(json_number(v) > 0))
        return err_set(
            err, ERR_SCENARIO,
            "%s: $.objective.quality_usd: a positive number is needed: dollars that one more unit of "
            "quality is worth, for each unit of work",
            s->file);
    out->quality_usd = json_number(v);
    return 0;
}

int objective_read(const struct scenario *s, struct objective *out, struct err *err)
{
    const struct json *o = json_get(s->tree, "objective"), *v;
    bool by_itself = s->workload.kind == WORKLOAD_OPEN || s->workload.kind == WORKLOAD_TRACE;

    *out = (struct objective){.figure = {figure_find(by_itself ? "latency_s.mean" : "throughput_per_s"), -1},
                              .is_maximized = !by_itself};
    if (o == NULL)
        return 0;
    TRY(check_objective(s, o, err));
    v = json_get(o, "quality_usd");
    if (v != NULL)
        TRY(read_quality(s, v, out, err));
    v = json_get(o, "maximize");
    if (v != NULL)
        out->is_maximized = true;
    else if ((v = json_get(o, "minimize")) != NULL)
        out->is_maximized = false;
    return v != NULL ? read_figure(s, v, out, err) : 0;
}

double objective_score(const struct objective *o, const struct outcome *outcome, long replication)
{
    double x = figure_place_value(&o->figure, outcome, replication);

    return o->is_maximized ? x : -x;
}
