#include "study/rank_parts.h"

#include <math.h>

enum { DRAWS = 8, DRAW_REPLICATIONS = 2 };

/* Objective of the base and of each optimization alone under one draw of the parameters. */
static int drawn_gains(struct work *w, uint32_t draw, double *log_gains, struct err *err)
{
    struct study st = *w->st;
    struct set_values v;

    st.parameter_draw = draw;
    st.replications = DRAW_REPLICATIONS;
    values_init(&v, &st, w->a);
    values_want(&v, NOTHING);
    for (int i = 0; i < st.n; i++)
        values_want(&v, one(i));
    TRY(values_simulate(&v, w->out->base_scenario->stages_n, NULL, err));
    for (int i = 0; i < st.n; i++)
        log_gains[i] = log(values_find(&v, one(i))->mean / values_find(&v, NOTHING)->mean);
    return 0;
}

int rank_predict_gains(struct work *w, struct err *err)
{
    struct tally t[OPTS_MAX] = {{0}};
    double gains[OPTS_MAX], student = student_quantile(1 - (1 - w->st->confidence) / 2, DRAWS - 1);

    if (!w->opt->uncertainty || w->out->base_scenario->calibrations_n == 0)
        return 0;
    for (uint32_t draw = 1; draw <= DRAWS; draw++) {
        TRY(drawn_gains(w, draw, gains, err));
        for (int i = 0; i < w->st->n; i++)
            tally_add(&t[i], gains[i]);
    }
    for (int k = 0; k < w->out->n; k++) {
        struct estimate *e = &w->out->list[k].end_to_end_gain;
        double half = (e->hi - e->lo) / 2 / e->mean;
        double sd =
            sqrt(tally_variance(&t[w->out->list[k].index]) + w->opt->discrepancy * w->opt->discrepancy);

        half = sqrt(half * half + student * student * sd * sd);
        e->has_pred = true;
        e->pred_lo = e->mean * exp(-half);
        e->pred_hi = e->mean * exp(half);
    }
    return 0;
}

/* How much the gains move, by the bound, when one uncertain value is raised by its standard error. */
static int bound_gains(const struct work *w, const char *bump, double *log_gains, struct err *err)
{
    struct scenario_options so = {.resolver = w->st->resolver, .bump = bump};
    double base = 0;

    for (int i = -1; i < w->st->n; i++) {
        struct json *tree = json_copy(w->st->tree);
        struct arena *a = arena_new();
        struct scenario *s = NULL;
        struct bound b = {0};
        int rc = i >= 0 ? optimization_apply(tree, &w->st->optimizations[i], err) : 0;

        if (rc == 0)
            rc = scenario_build(tree, w->st->file, &so, &s, err);
        if (rc == 0)
            bound_compute(s, a, &b);
        scenario_free(s);
        arena_free(a);
        json_free(tree);
        TRY(rc);
        if (i < 0)
            base = b.throughput_per_s;
        else
            log_gains[i] = log(b.throughput_per_s / base);
    }
    return 0;
}

int rank_next_measurement(struct work *w, struct err *err)
{
    const struct scenario *s = w->out->base_scenario;
    double plain[OPTS_MAX], bumped[OPTS_MAX], most = 0;

    if (s->uncertain_n == 0)
        return 0;
    TRY(bound_gains(w, NULL, plain, err));
    for (int u = 0; u < s->uncertain_n; u++) {
        double moved = 0;

        TRY(bound_gains(w, s->uncertain[u], bumped, err));
        for (int i = 0; i < w->st->n; i++)
            moved += fabs(bumped[i] - plain[i]);
        if (moved > most) {
            most = moved;
            w->out->next_path = arena_strdup(w->a, s->uncertain[u]);
        }
    }
    if (w->out->next_path != NULL)
        w->out->next_why =
            arena_printf(w->a,
                         "one standard error of it moves the gains by %.2g %% in sum, more than any "
                         "other calibrated value does",
                         100 * most);
    return 0;
}
