#include "store/import/sweep.h"

#include "base/arena.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Repeated runs differ by some percent; what differs by more contradicts queueing. */
#define TOLERANCE 0.10

/*
 * Of the clients, throughput x latency must account for this share (fewer: the load was not kept up, or most
 * of the run was start and end) and for no more than that one (more answers than anybody waited for; medians
 * stand in for means where a file gives no means, hence the width).
 */
#define BUSY_LEAST 0.75
#define BUSY_MOST  1.15

enum { POINTS_MAX = 100000 };

void sweep_add(struct sweep *s, struct import *im, const char *group, double concurrency,
               double throughput_per_s, double wait_s, double latency_s)
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
    s->point[s->n++] = (struct sweep_point){group, concurrency, throughput_per_s, wait_s, latency_s};
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

/* The point of the group that is farthest from Little's law. */
static void check_little(const struct sweep_point *p, size_t n, struct import *im)
{
    double worst = 1, busy;
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        busy = p[i].throughput_per_s * p[i].latency_s / p[i].concurrency;
        if (fabs(busy - 1) > fabs(worst - 1)) { /* not when the latency is NAN */
            worst = busy;
            at = i;
        }
    }
    if (worst < BUSY_LEAST || worst > BUSY_MOST)
        import_suspect(
            im, 1,
            "Little's law: throughput x latency (%.3g/s x %.3g s) makes %.3g busy clients of %g: %.200s",
            p[at].throughput_per_s, p[at].latency_s, worst * p[at].concurrency, p[at].concurrency, p->group);
}

void sweep_end(struct sweep *s, struct import *im, const char *wait_name)
{
    if (s->n > 0)
        qsort(s->point, s->n, sizeof *s->point, compare);
    for (size_t from = 0, to = 0; from < s->n; from = to) {
        while (to < s->n && strcmp(s->point[from].group, s->point[to].group) == 0)
            to++;
        check_group(s->point + from, to - from, im, wait_name);
        check_little(s->point + from, to - from, im);
    }
    free(s->point);
    *s = (struct sweep){0};
}
