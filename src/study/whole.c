#include "study/whole.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

#define LEAST 1e-3

/* ------------------------------------------------------------ what is delivered */

static const struct figure_def *figure_of(const struct outcome *o, int p)
{
    const struct pipeline *def = &o->scenario->pipelines[p];
    bool open = def->workload.kind == WORKLOAD_OPEN || def->workload.kind == WORKLOAD_TRACE;

    if (o->pipelines[p].has_goodput)
        return figure_find("goodput_per_s");
    return figure_find(open && o->pipelines[p].has_latency ? "latency_s.mean" : "throughput_per_s");
}

double whole_delivers(const struct whole *w, const struct outcome *o, long replication, int p)
{
    double x = figure_value(w->figure[p], o, replication, p);

    return w->figure[p]->better == BETTER_LOWER ? 1 / x : x;
}

void whole_judge(const struct whole *w, struct outcome *o)
{
    for (long r = 0; r < o->replications; r++) {
        double log_w = 0;

        for (int p = 0; p < w->n; p++) {
            double x = whole_delivers(w, o, r, p);

            log_w += w->weight[p] * log(isfinite(x) ? fmax(x, w->least[p]) : w->least[p]);
        }
        o->objective_rep[r] = exp(log_w);
    }
}

/* ------------------------------------------------------------ whose the bill is */

static double spend_of(const struct outcome_stage *s, long replications)
{
    double sum = 0;

    for (long r = 0; r < replications; r++)
        sum += s->part_rep[PART_USD_PER_H][r] / (double)replications;
    return sum;
}

static bool asks(const struct outcome_stage *caller, const char *called)
{
    for (int i = 0; i < caller->calls_n; i++)
        if (strcmp(caller->calls[i], called) == 0)
            return true;
    return false;
}

/* The questions that a stage asks in a second. */
static double questions_per_s(const struct outcome_stage *s)
{
    return s->calls_n > 0 ? s->throughput_per_s.mean * s->calls_per_visit.mean : 0;
}

/*
 * Adds to weight[] the pipelines' parts of `usd` that stage `called` costs: it is asked by stages of theirs,
 * or by stages that others ask in turn.  `depth` ends what could only be a circle, which calls never are.
 */
static void charge(const struct outcome *o, int called, double usd, int depth, double *weight)
{
    const struct outcome_stage *s = &o->stages[called];
    double all = 0;

    if (s->pipeline >= 0) {
        weight[s->pipeline] += usd;
        return;
    }
    for (int i = 0; i < o->stages_n; i++)
        all += asks(&o->stages[i], s->name) ? questions_per_s(&o->stages[i]) : 0;
    for (int i = 0; all > 0 && depth < o->stages_n && i < o->stages_n; i++)
        if (asks(&o->stages[i], s->name))
            charge(o, i, usd * questions_per_s(&o->stages[i]) / all, depth + 1, weight);
}

static double weigh_by_spend(const struct outcome *o, double *weight)
{
    double sum = 0;

    for (int i = 0; i < o->stages_n; i++)
        charge(o, i, spend_of(&o->stages[i], o->replications), 0, weight);
    for (int p = 0; p < o->pipelines_n; p++)
        sum += weight[p];
    return sum;
}

/* ------------------------------------------------------------ what the scenario says */

static int unknown_pipeline(const struct outcome *o, const char *file, const char *name, struct err *err)
{
    const char *names[WHOLE_PIPELINES_MAX], *near;

    for (int p = 0; p < o->pipelines_n; p++)
        names[p] = o->pipelines[p].name;
    near = text_nearest(name, names, (size_t)o->pipelines_n);
    return err_set(err, ERR_SCENARIO, "%s: $.objective.whole: no pipeline \"%s\"%s%s%s", file, name,
                   near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static int read_weights(const struct json *said, const char *file, const struct outcome *o, double *weight,
                        struct err *err)
{
    JSON_EACH (v, said) {
        int p = 0;

        while (p < o->pipelines_n && strcmp(o->pipelines[p].name, json_key(v)) != 0)
            p++;
        if (p == o->pipelines_n)
            return unknown_pipeline(o, file, json_key(v), err);
        if (json_type(v) != JSON_NUMBER || !(json_number(v) >= 0))
            return err_set(err, ERR_SCENARIO, "%s: $.objective.whole.%s: a weight of 0 or more is needed",
                           file, json_key(v));
        weight[p] = json_number(v);
    }
    return 0;
}

static int find_weights(const struct json *said, const char *file, const struct outcome *o, double *weight,
                        struct err *err)
{
    double sum = 0;

    if (json_type(said) == JSON_OBJECT) {
        TRY(read_weights(said, file, o, weight, err));
    } else if (json_string(said) == NULL || strcmp(json_string(said), "spend") != 0) {
        return err_set(err, ERR_SCENARIO,
                       "%s: $.objective.whole: \"spend\" is needed, or a weight for each pipeline", file);
    } else if (!o->has_cost || !(weigh_by_spend(o, weight) > 0)) {
        return err_set(
            err, ERR_SCENARIO,
            "%s: $.objective.whole: \"spend\" needs resources with prices; else give a weight for each "
            "pipeline",
            file);
    }
    for (int p = 0; p < o->pipelines_n; p++)
        sum += weight[p];
    if (!(sum > 0))
        return err_set(err, ERR_SCENARIO, "%s: $.objective.whole: all weights are 0", file);
    for (int p = 0; p < o->pipelines_n; p++)
        weight[p] /= sum;
    return 0;
}

int whole_of(const struct json *tree, const char *file, const struct outcome *base, struct arena *a,
             const struct whole **out, struct err *err)
{
    const struct json *said = json_get(json_get(tree, "objective"), "whole");
    struct whole *w;

    *out = NULL;
    if (said == NULL)
        return 0;
    w = ARENA_NEW(a, struct whole);
    w->n = base->pipelines_n;
    TRY(find_weights(said, file, base, w->weight, err));
    for (int p = 0; p < w->n; p++) {
        double sum = 0;

        w->name[p] = arena_strdup(a, base->pipelines[p].name);
        w->figure[p] = figure_of(base, p);
        for (long r = 0; r < base->replications; r++)
            sum += whole_delivers(w, base, r, p);
        w->least[p] = LEAST * sum / (double)base->replications;
        if (!(w->least[p] > 0))
            return err_set(
                err, ERR_SCENARIO,
                "%s: $.objective.whole: pipeline \"%s\" delivers nothing as it is (%s), so that no "
                "gain can be told",
                file, w->name[p], w->figure[p]->name);
    }
    *out = w;
    return 0;
}
