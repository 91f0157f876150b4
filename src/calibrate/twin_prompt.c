/*
 * twin_prompt.c - how often what a question needs is among the first passages, and how alike searches in
 * different words for the same thing are.
 *
 * Each hop was searched for in several wordings, exactly.  F(k) is the share of searches that have the wanted
 * passage in the first k.  With m hops of w wordings, of which the share p_i finds the passage among those
 * that go into a prompt, the intra-class correlation is that of one-way analysis of variance (Fisher):
 *
 *     MSB = w sum (p_i - p)^2 / (m - 1),  MSW = w sum p_i (1 - p_i) / (m (w - 1))
 *     icc = (MSB - MSW) / (MSB + (w - 1) MSW)
 *
 * and its standard error, for small icc, sqrt(2 / (m w (w - 1))) (Donner, 1986).
 */
#include "calibrate/twin.h"
#include "models/prompt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 64 };

struct hop {
    int64_t item;
    long *place; /* of each wording, 0: not found */
    long n;
};

struct prompt_state {
    long at[PLACES + 1]; /* searches by the place of what was wanted */
    long n;
    struct hop *hops; /* in the order of the profile */
    size_t hops_n, hops_cap;
};

static struct hop *find_hop(struct prompt_state *p, int64_t item)
{
    for (size_t i = p->hops_n; i-- > 0;)
        if (p->hops[i].item == item)
            return &p->hops[i];
    if (p->hops_n == p->hops_cap) {
        p->hops_cap = 2 * p->hops_cap + 64;
        p->hops = xrealloc(p->hops, p->hops_cap, sizeof *p->hops);
    }
    p->hops[p->hops_n] = (struct hop){.item = item};
    return &p->hops[p->hops_n++];
}

static void alone(void *state, const struct span *s)
{
    struct prompt_state *p = state;
    struct hop *h;

    if (strcmp(s->op, "evidence") != 0 || s->items > PLACES)
        return;
    p->at[(long)s->items]++;
    p->n++;
    h = find_hop(p, s->item);
    h->place = xrealloc(h->place, (size_t)h->n + 1, sizeof *h->place);
    h->place[h->n++] = (long)s->items;
}

static struct json *evidence_curve(const struct prompt_state *p)
{
    struct json *list = json_new_array();
    long found = 0, told = 0;

    for (long k = 1; k <= PLACES; k++) {
        struct json *knot;

        found += p->at[k];
        if (k > 8 && k < told + told / 4 && k < PLACES) /* knots a quarter apart say enough */
            continue;
        knot = json_push(list, json_new_array());
        json_push(knot, json_new_number((double)k));
        json_push(knot, json_new_number((double)found / (double)p->n));
        told = k;
    }
    return list;
}

static double share_found(const struct hop *h, long passages)
{
    long found = 0;

    for (long i = 0; i < h->n; i++)
        found += h->place[i] > 0 && h->place[i] <= passages;
    return (double)found / (double)h->n;
}

static double correlation(const struct prompt_state *p, long passages)
{
    double m = (double)p->hops_n, w = (double)p->hops[0].n, mean = 0, between = 0, within = 0;

    for (size_t i = 0; i < p->hops_n; i++)
        mean += share_found(&p->hops[i], passages) / m;
    for (size_t i = 0; i < p->hops_n; i++) {
        double share = share_found(&p->hops[i], passages);

        between += w * (share - mean) * (share - mean) / (m - 1);
        within += w * share * (1 - share) / (m * (w - 1));
    }
    return between > 0 ? (between - within) / (between + (w - 1) * within) : 0;
}

static void free_hops(struct prompt_state *p)
{
    for (size_t i = 0; i < p->hops_n; i++)
        free(p->hops[i].place);
    free(p->hops);
}

static int rows(struct twin *t, const struct stage *stage, void *state, struct err *err)
{
    const struct prompt_cfg *c = stage->cfg;
    struct prompt_state *p = state;

    (void)err;
    if (p->n == 0)
        return 0;
    json_set(twin_params(t), arena_printf(t->a, "stages.%s.params.evidence", stage->name), evidence_curve(p));
    if (p->hops_n > 1 && p->hops[0].n > 1) {
        double w = (double)p->hops[0].n;

        twin_row(t, arena_printf(t->a, "stages.%s.params.icc_search", stage->name),
                 fmin(0.99, fmax(0, correlation(p, c->passages))),
                 sqrt(2 / ((double)p->hops_n * w * (w - 1))), "", p->n, "analysis of variance of wordings");
    }
    free_hops(p);
    return 0;
}

const struct twin_recipe twin_prompt = {
    .model = "prompt", .state_size = sizeof(struct prompt_state), .alone = alone, .rows = rows};
