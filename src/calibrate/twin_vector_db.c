/*
 * twin_vector_db.c - one search of each kind of index at each effort: its time, and which share it returns of
 * the passages that are wanted and that an exact search returns.
 *
 * Times are medians of searches alone, scaled by what searches of executions took at the effort as it
 * stands.  The share is what the prompt loop lives on: the nearest neighbours count more in it than the last
 * ones, as they do in what is wanted; the recall of all neighbours is told beside it.
 */
#include "calibrate/cells.h"
#include "calibrate/twin.h"
#include "models/vector_index.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS = INDEX_HNSW + 1, EFFORTS_MAX = 24 };
static const char *const kinds[KINDS] = {"flat", "ivf", "hnsw"};

struct effort {
    double effort, exact, kept, neighbours, hits; /* wanted and exactly found, of these returned; recall */
};

struct vector_state {
    struct cells times[KINDS]; /* x: effort */
    struct effort efforts[KINDS][EFFORTS_MAX];
    int efforts_n[KINDS];
    double in_place_s, in_place_n, log_sum, log_square;
};

/* "ivf/16" */
static int kind_of(const char *variant, double *effort)
{
    const char *slash = strchr(variant, '/');

    for (int k = 0; slash != NULL && k < KINDS; k++)
        if (strlen(kinds[k]) == (size_t)(slash - variant) &&
            strncmp(kinds[k], variant, (size_t)(slash - variant)) == 0) {
            *effort = strtod(slash + 1, NULL);
            return k;
        }
    return -1;
}

static struct effort *find_effort(struct vector_state *v, int kind, double effort)
{
    int i = 0;

    while (i < v->efforts_n[kind] && v->efforts[kind][i].effort != effort)
        i++;
    if (i == EFFORTS_MAX)
        return NULL;
    if (i == v->efforts_n[kind])
        v->efforts[kind][v->efforts_n[kind]++].effort = effort;
    return &v->efforts[kind][i];
}

static void alone(void *state, const struct span *s)
{
    struct vector_state *v = state;
    double effort;
    int kind = kind_of(s->variant, &effort);
    struct effort *e = kind >= 0 ? find_effort(v, kind, effort) : NULL;

    if (e == NULL)
        return;
    if (strcmp(s->op, "search") == 0)
        cells_add(&v->times[kind], effort, NAN, s->cpu_s);
    if (strcmp(s->op, "recall") == 0) {
        e->neighbours += s->items;
        e->hits += s->bytes_in;
    }
    if (strcmp(s->op, "evidence") == 0 && s->bytes_in > 0) {
        e->exact++;
        e->kept += s->items > 0;
    }
}

static void in_place(void *state, const struct span *s)
{
    struct vector_state *v = state;

    if (strcmp(s->op, "search") != 0 || !(s->cpu_s > 0))
        return;
    v->in_place_s += s->cpu_s;
    v->in_place_n++;
    v->log_sum += log(s->cpu_s);
    v->log_square += log(s->cpu_s) * log(s->cpu_s);
}

/* What searches in place take over what they take alone, at the effort of the scenario as it stands. */
static double factor_of(struct vector_state *v, const struct vector_db_cfg *c)
{
    struct cells *times = c->index < KINDS ? &v->times[c->index] : NULL;
    double effort = vector_effort(c);

    for (size_t i = 0; times != NULL && v->in_place_n > 0 && i < times->n; i++)
        if (times->cell[i].x == effort)
            return v->in_place_s / v->in_place_n / cell_median(&times->cell[i]);
    return 1;
}

static struct json *kind_rows(struct twin *t, const struct stage *stage, struct vector_state *v, int kind,
                              double factor)
{
    struct json *list = json_new_array();

    for (size_t i = 0; i < v->times[kind].n; i++) {
        struct cell *c = &v->times[kind].cell[i];
        const struct effort *e = find_effort(v, kind, c->x);
        struct json *row = json_push(list, json_new_array());

        json_push(row, json_new_number(c->x));
        json_push(row, json_new_number(factor * cell_median(c)));
        json_push(row, json_new_number(e->exact > 0 ? e->kept / e->exact : 1));
        fitting_remark(&t->out, "note", "stage \"%s\": %s at effort %g: recall %.3f, of what is wanted %.3f",
                       stage->name, kinds[kind], c->x, e->hits / e->neighbours,
                       e->exact > 0 ? e->kept / e->exact : 1);
    }
    return list;
}

static int rows(struct twin *t, const struct stage *stage, void *state, struct err *err)
{
    struct vector_state *v = state;
    double factor = factor_of(v, stage->cfg), n = v->in_place_n;
    struct json *searches = json_new_object();

    (void)err;
    for (int kind = 0; kind < KINDS; kind++) {
        if (v->times[kind].n > 0)
            json_set(searches, kinds[kind], kind_rows(t, stage, v, kind, factor));
        cells_free(&v->times[kind]);
    }
    json_set(twin_params(t), arena_printf(t->a, "stages.%s.params.searches", stage->name), searches);
    if (n > 1)
        twin_row(t, arena_printf(t->a, "stages.%s.params.cv", stage->name),
                 sqrt(fmax(0, v->log_square / n - v->log_sum / n * v->log_sum / n)), 0, "", (long)n,
                 "spread of searches in place");
    fitting_remark(&t->out, "note", "stage \"%s\": in place a search takes %.3f times what it takes alone",
                   stage->name, factor);
    return 0;
}

const struct twin_recipe twin_vector_db = {.model = "vector_db",
                                           .state_size = sizeof(struct vector_state),
                                           .alone = alone,
                                           .in_place = in_place,
                                           .rows = rows};
