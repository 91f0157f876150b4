#include "store/import/sweep.h"

#include "base/arena.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Repeated runs differ by some percent; what differs by more contradicts queueing. */
#define TOLERANCE 0.10

enum { POINTS_MAX = 100000 };

void sweep_add(struct sweep *s, struct import *im, const char *group, double concurrency,
               double throughput_per_s, double wait_s)
{
    if (!(concurrency > 0) || s->n == POINTS_MAX)
        return;
    if (s->n == s->size) {
        s->size = s->size == 0 ? 64 : 2 * s->size;
        s->point = xrealloc(s->point, s->size, sizeof *s->point);
    }
    if (s->n > 0 && strcmp(s->point[s->n - 1].group, group) == 0)
        group = s->point[s->n - 1].group;
    else
        group = arena_strdup(import_arena(im), group);
    s->point[s->n++] = (struct sweep_point){group, concurrency, throughput_per_s, wait_s};
}

static int compare(const void *a, const void *b)
{
    const struct sweep_point *p = a, *q = b;
    int order = strcmp(p->group, q->group);

    if (order == 0)
        order = (p->concurrency > q->concurrency) - (p->concurrency < q->concurrency);
    if (order == 0) /* repeated runs: qsort must not decide their order */
        order = (p->throughput_per_s > q->throughput_per_s) - (p->throughput_per_s < q->throughput_per_s);
    return order;
}

/* Points [0, n) are one group in order of concurrency. */
static void check_group(const struct sweep_point *p, size_t n, struct import *im, const char *wait_name)
{
    size_t best = 0;
    bool fell = false, jumped = false;

    for (size_t i = 1; i < n; i++) {
        if (p[i].concurrency > p[best].concurrency &&
            p[i].throughput_per_s < (1 - TOLERANCE) * p[best].throughput_per_s && !fell) {
            fell = true;
            import_suspect(im, 1, "throughput falls from %.3g/s at concurrency %g to %.3g/s at %g: %.200s",
                           p[best].throughput_per_s, p[best].concurrency, p[i].throughput_per_s,
                           p[i].concurrency, p->group);
        }
        if (p[i].throughput_per_s > p[best].throughput_per_s)
            best = i;
        if (p[i - 1].concurrency < p[i].concurrency && p[i - 1].wait_s > (1 + TOLERANCE) * p[i].wait_s &&
            !jumped) {
            jumped = true;
            import_suspect(im, 1, "%s at concurrency %g (%.3g s) is above that at %g (%.3g s): %.200s",
                           wait_name, p[i - 1].concurrency, p[i - 1].wait_s, p[i].concurrency, p[i].wait_s,
                           p->group);
        }
    }
}

void sweep_end(struct sweep *s, struct import *im, const char *wait_name)
{
    if (s->n > 0)
        qsort(s->point, s->n, sizeof *s->point, compare);
    for (size_t from = 0, to = 0; from < s->n; from = to) {
        while (to < s->n && strcmp(s->point[from].group, s->point[to].group) == 0)
            to++;
        check_group(s->point + from, to - from, im, wait_name);
    }
    free(s->point);
    *s = (struct sweep){0};
}
