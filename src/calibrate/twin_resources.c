/*
 * twin_resources.c - cores and disks, from the spans of the profile that bear their names.
 */
#include "calibrate/twin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void twin_resource_alone(struct twin *t, const struct span *s)
{
    int threads;

    if (strcmp(s->stage, "disk") == 0) {
        twin_observe(strcmp(s->op, "disk_read") == 0 ? &t->disk_read : &t->disk_write,
                     fmax(s->end_s - s->start_s - s->cpu_s, 1e-9), 0, s->bytes_in);
        return;
    }
    threads = atoi(s->variant);
    if (threads >= 1 && threads <= TWIN_THREADS_MAX)
        tally_add(&t->speed[threads], s->cpu_s);
}

/* speed(k) = 1 / (1 + contention * (k - 1)): least squares through the origin, weighted by the spans' number.
 */
static void find_contention(struct twin *t)
{
    double sxx = 0, sxy = 0, var = 0, alone = t->speed[1].mean;

    for (int k = 2; k <= TWIN_THREADS_MAX && t->speed[1].n > 0; k++) {
        double x = k - 1, n = (double)t->speed[k].n;

        if (t->speed[k].n == 0)
            continue;
        sxx += n * x * x;
        sxy += n * x * (t->speed[k].mean / alone - 1);
        var += n * x * x * tally_variance(&t->speed[k]) / (alone * alone);
    }
    if (sxx > 0) {
        t->contention = fmax(0, sxy / sxx);
        t->contention_stderr = sqrt(var) / sxx;
    }
}

/* With u cores busy on average, one always, two are busy for u - 1 of the time: 2 (u - 1) / u of the CPU
 * time. */
static void find_slowdown(struct twin *t)
{
    double u = t->load.mean;

    t->slowdown = u > 1 ? 1 + t->contention * (u < 2 ? 2 * (u - 1) / u : u - 1) : 1;
}

static void cores_row(struct twin *t, const struct resource *r)
{
    struct calibration_row *row =
        twin_row(t, arena_printf(t->a, "resources.%s.contention", r->name), t->contention,
                 t->contention_stderr, "", (long)t->speed[2].n, "same work on one core and on several");

    twin_row_valid(row, NAN, NAN, 1, (double)r->count, NULL);
}

static void bandwidth_row(struct twin *t, const char *path, const struct cost_fit *f)
{
    double per_byte = f->cost.per_byte_s;

    if (per_byte > 1e-13)
        twin_row_valid(twin_row(t, path, 1 / per_byte, f->per_byte_stderr / (per_byte * per_byte), "bytes/s",
                                f->n, "robust regression"),
                       f->r2, f->holdout_error_frac, f->from, f->to, "bytes");
}

static void disk_rows(struct twin *t, const struct resource *r, const struct cost_fit *read,
                      const struct cost_fit *write)
{
    bandwidth_row(t, arena_printf(t->a, "resources.%s.read_bw", r->name), read);
    bandwidth_row(t, arena_printf(t->a, "resources.%s.write_bw", r->name), write);
    twin_row_valid(twin_row(t, arena_printf(t->a, "resources.%s.latency", r->name), read->cost.fixed_s,
                            read->fixed_stderr, "s", read->n, "robust regression"),
                   read->r2, read->holdout_error_frac, read->from, read->to, "bytes");
}

int twin_resource_rows(struct twin *t, struct err *err)
{
    const struct scenario *s = t->in->scenario;
    struct cost_fit read, write;
    bool disk = t->disk_read.alone_n >= 3 && t->disk_write.alone_n >= 3;

    find_contention(t);
    find_slowdown(t);
    if (disk) {
        TRY(fit_cost(t->disk_read.alone, t->disk_read.alone_n, false, true, &read, err));
        TRY(fit_cost(t->disk_write.alone, t->disk_write.alone_n, false, true, &write, err));
    }
    for (int i = 0; i < s->resources_n; i++) {
        if (s->resources[i].kind == RESOURCE_CORES && t->speed[1].n > 0)
            cores_row(t, &s->resources[i]);
        if (s->resources[i].kind == RESOURCE_DISK && disk)
            disk_rows(t, &s->resources[i], &read, &write);
    }
    return 0;
}
