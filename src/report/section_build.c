#include "base/arena.h"
#include "base/json.h"
#include "report/sections.h"

#include <math.h>
#include <string.h>

/* ------------------------------------------------------------ waterfall */

static void waterfall(const struct review *r, const struct json *steps)
{
    size_t n = json_size(steps), i = 1;
    const char **names = arena_array(r->a, n + 2, sizeof *names);
    struct plot_point *step = arena_array(r->a, n + 2, sizeof *step),
                      *whole = arena_array(r->a, n + 2, sizeof *whole);
    struct plot_series series[] = {{.name = "as it is, and all together", .points = whole},
                                   {.name = "one step", .points = step}};
    struct plot p = {.kind = PLOT_RANGES,
                     .slug = "waterfall",
                     .title = "What each step of the chosen set adds",
                     .x_title = "gain over the pipeline as it is",
                     .labels = names,
                     .rows = n + 2,
                     .series = series,
                     .n_series = 2,
                     .reference = 1};
    double before = 1;

    names[0] = "as it is";
    for (size_t k = 0; k < n + 2; k++)
        step[k] = whole[k] = section_point(estimate_of(NAN), NAN);
    whole[0] = (struct plot_point){1, 0, 1, NAN, NAN, NAN};
    JSON_EACH (s, steps) {
        double after = estimate_read(s, "gain").mean;

        names[i] = section_joined(r, json_get(s, "adds"));
        step[i] = (struct plot_point){after, fmin(before, after), fmax(before, after), NAN, NAN, NAN};
        before = after;
        i++;
    }
    names[i] = "all of them";
    whole[i] = (struct plot_point){before, 0, before, NAN, NAN, NAN};
    doc_plot(r->d, &p,
             "The best set that was found, built up step by step, each time what adds most. The order is one "
             "of many: "
             "what a step is worth depends on those before it, which is why the table of shares does not use "
             "one.");
}

static void step_table(const struct review *r, const struct json *steps)
{
    static const char *const heads[] = {"<Step", ">It adds", ">With all before it", NULL};

    doc_table(r->d, heads);
    JSON_EACH (s, steps) {
        doc_row(r->d);
        doc_cell(r->d, "%s", section_joined(r, json_get(s, "adds")));
        cell_estimate(r->d, estimate_read(s, "step_gain"), LABEL_GAIN);
        cell_estimate(r->d, estimate_read(s, "gain"), LABEL_GAIN);
    }
    doc_table_end(r->d);
}

void section_build(struct review *r)
{
    const struct json *steps = section_list(r->rank, "steps");

    if (!section_source(r, r->rank, "rank"))
        return;
    if (steps == NULL) {
        doc_block(r->d, DOC_MISSING, "No set of optimizations beats the pipeline as it is.");
        return;
    }
    waterfall(r, steps);
    step_table(r, steps);
}

/* ---------------------------------------------------------------- front */

/* What throughput is traded against: the first of these in which the points differ. */
struct trade {
    const char *key, *title, *head;
    enum label_style style;
};
static const struct trade trades[] = {{"cost_usd_per_h", "cost (USD per hour)", ">Cost", LABEL_USD_PER_H},
                                      {"quality", "quality", ">Quality", LABEL_NUMBER}};

static bool differs(const struct json *list, const char *key)
{
    double lo = INFINITY, hi = -INFINITY;

    if (list != NULL)
        JSON_EACH (v, list) {
            double x = estimate_read(v, key).mean;

            lo = isfinite(x) ? fmin(lo, x) : lo;
            hi = isfinite(x) ? fmax(hi, x) : hi;
        }
    return hi - lo > 1e-6 * fabs(hi);
}

static struct plot_series points_of(const struct review *r, const struct json *list, const char *key,
                                    const char *name, enum plot_style style)
{
    size_t n = 0, room = list != NULL ? json_size(list) : 0;
    struct plot_point *p = arena_array(r->a, room + 1, sizeof *p);

    if (list != NULL)
        JSON_EACH (v, list) {
            double x = estimate_read(v, key).mean;

            if (isfinite(x))
                p[n++] = section_point(estimate_of(estimate_read(v, "throughput_per_s").mean), x);
        }
    return (struct plot_series){.name = name, .points = p, .n = n, .style = style};
}

static void front_plot(const struct review *r, const struct json *front, const struct json *behind,
                       const struct trade *t)
{
    struct plot_series series[] = {points_of(r, behind, t->key, "beaten by another", STYLE_POINTS),
                                   points_of(r, front, t->key, "on the front", STYLE_POINTS)};
    struct plot p = {.kind = PLOT_LINES,
                     .slug = strcmp(t->key, "quality") == 0 ? "front-quality" : "front-cost",
                     .title = "Throughput of each evaluated set against what it costs or gives up",
                     .x_title = t->title,
                     .y_title = arena_printf(r->a, "throughput (%s)", "per s"),
                     .series = series,
                     .n_series = 2,
                     .from_zero = true,
                     .reference = NAN};

    series[0].shade = 7;
    series[1].shade = 6;
    doc_plot(
        r->d, &p,
        "Every evaluated set is a point. On the front are those that no other beats in throughput, cost and "
        "quality at once: which of them is right is a decision, not a calculation.");
}

static void front_table(const struct review *r, const struct json *front)
{
    enum { MOST = 12 };
    static const char *const heads[] = {"<Set", ">Throughput", ">Cost", ">Quality", NULL};
    size_t n = 0;

    doc_table(r->d, heads);
    JSON_EACH (v, front) {
        const char *names = section_joined(r, json_get(v, "apply")), *set = "";
        char cost[160];

        if (n++ == MOST)
            break;
        if (section_list(v, "set") != NULL)
            set = section_joined(r, json_get(v, "set"));
        doc_row(r->d);
        doc_cell_note(r->d, names[0] != '\0' ? names : "as it is", set);
        cell_estimate(r->d, estimate_read(v, "throughput_per_s"), LABEL_PER_S);
        doc_cell(r->d, "%s",
                 estimate_is_known(estimate_read(v, "cost_usd_per_h"))
                     ? label_estimate(cost, sizeof cost, estimate_read(v, "cost_usd_per_h"), LABEL_USD_PER_H)
                     : "no prices");
        cell_estimate(r->d, estimate_read(v, "quality"), LABEL_NUMBER);
    }
    doc_table_end(r->d);
    if (json_size(front) > MOST)
        doc_block(r->d, DOC_HINT, "%zu more sets are on the front.", json_size(front) - MOST);
}

void section_front(struct review *r)
{
    const struct json *from = r->search != NULL ? r->search : r->rank;
    const struct json *front = section_list(from, "front"), *behind = section_list(from, "behind_front");
    double evaluated = from != NULL ? json_get_number(from, "evaluated", NAN) : NAN;
    bool traded = false;

    if (!section_source(r, from, "search"))
        return;
    if (front == NULL) {
        doc_block(r->d, DOC_MISSING, "No sets were compared; \"foresight search SCENARIO\" does.");
        return;
    }
    if (isfinite(evaluated))
        doc_block(r->d, DOC_PARA, "%.0f sets were evaluated; %zu of them are on the front.", evaluated,
                  json_size(front));
    for (size_t i = 0; i < sizeof trades / sizeof trades[0]; i++)
        if (differs(front, trades[i].key) || differs(behind, trades[i].key)) {
            front_plot(r, front, behind, &trades[i]);
            traded = true;
        }
    if (!traded)
        doc_block(r->d, DOC_PARA, "They differ in neither cost nor quality, so the fastest is the best.");
    front_table(r, front);
}
