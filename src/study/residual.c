#include "study/residual.h"

#include <math.h>
#include <stdlib.h>

static const double LEFT = 0.01;

static double left_of(const struct bound *b, const double *units_per_s, int n, int p, int resource)
{
    double left = 1;

    for (int q = 0; q < n; q++)
        left -= q != p ? units_per_s[q] * b[q].resource_demand[resource] : 0;
    return fmax(left, LEFT);
}

static void lower(struct residual *r, double per_s, const char *limit)
{
    if (per_s < r->per_s)
        *r = (struct residual){per_s, limit};
}

void residual_capacities(const struct scenario *s, const double *units_per_s, struct residual *out)
{
    int n = s->pipelines_n;
    struct bound *b = xcalloc((size_t)n, sizeof *b);
    struct arena *a = arena_new();

    for (int p = 0; p < n; p++)
        bound_of_pipeline(s, p, a, &b[p]);
    for (int p = 0; p < n; p++) {
        out[p] = (struct residual){INFINITY, "nothing"};
        for (int i = 0; i < s->stages_n; i++)
            lower(&out[p], b[p].stage_per_s[i], s->stages[i].name);
        for (int k = 0; k < s->resources_n; k++)
            if (b[p].resource_demand[k] > 0)
                lower(&out[p], left_of(b, units_per_s, n, p, k) / b[p].resource_demand[k],
                      s->resources[k].name);
    }
    arena_free(a);
    free(b);
}
