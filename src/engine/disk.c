/*
 * The clock of request starts says when the next request may begin; an
 * operation of r requests moves it r / iops ahead.  Its bytes flow from its
 * first start on, and it is not done before its last request has started and
 * paid the latency: many requests in one operation overlap, as on a real queue.
 */
#include "engine/link.h"

#include "engine/stats.h"

#include <math.h>

struct operation {
    struct disk *disk;
    struct link *medium;
    double bytes, earliest_s; /* not done before */
    event_fn *done;
    void *self;
    uint64_t arg;
    struct operation *next; /* in the list of those free for reuse */
};

struct disk {
    struct sim *sim;
    struct disk_spec spec;
    struct link *read, *write; /* the same one when the medium is shared */
    double next_start_s;
    struct operation *free;
    double start_s, requests, start_backlog_s; /* measuring: since when, asked for, already promised then */
};

struct disk *disk_new(struct sim *sim, const char *name, const struct disk_spec *spec)
{
    struct disk *d = ARENA_NEW(sim->arena, struct disk);

    ASSERT(spec->iops >= 0 && spec->latency_s >= 0);
    d->sim = sim;
    d->spec = *spec;
    d->read = d->write = link_new(sim, name, spec->read_bw, spec->flow_cap);
    if (spec->write_bw > 0)
        d->write = link_new(sim, name, spec->write_bw, spec->flow_cap);
    disk_begin_measuring(d);
    return d;
}

static void finish(struct sim *sim, void *self, uint64_t arg)
{
    struct operation *op = self, ended = *op;

    (void)arg;
    op->next = ended.disk->free;
    ended.disk->free = op;
    ended.done(sim, ended.self, ended.arg);
}

static void transferred(struct sim *sim, void *self, uint64_t arg)
{
    struct operation *op = self;

    if (op->earliest_s > sim->now)
        sim_at(sim, op->earliest_s, PRIO_NORMAL, finish, op, 0);
    else
        finish(sim, op, arg);
}

static void begin(struct sim *sim, void *self, uint64_t arg)
{
    struct operation *op = self;

    (void)sim;
    (void)arg;
    link_send(op->medium, op->bytes, transferred, op, 0);
}

static struct operation *operation_new(struct disk *d)
{
    struct operation *op = d->free;

    if (op == NULL)
        return ARENA_NEW(d->sim->arena, struct operation);
    d->free = op->next;
    return op;
}

static void submit(struct disk *d, struct link *medium, double requests, double bytes, event_fn *done,
                   void *self, uint64_t arg)
{
    double start = d->sim->now, between = d->spec.iops > 0 ? 1 / d->spec.iops : 0;
    struct operation *op = operation_new(d);

    ASSERT(requests >= 0 && requests < INFINITY && bytes >= 0 && done != NULL);
    if (requests > 0 && between > 0) {
        start = fmax(start, d->next_start_s);
        d->next_start_s = start + requests * between;
    }
    *op = (struct operation){
        .disk = d, .medium = medium, .bytes = bytes, .done = done, .self = self, .arg = arg};
    op->earliest_s = start + fmax(0, requests - 1) * between + d->spec.latency_s;
    d->requests += requests;
    sim_at(d->sim, start + d->spec.latency_s, PRIO_NORMAL, begin, op, 0);
}

void disk_read(struct disk *d, double requests, double bytes, event_fn *done, void *self, uint64_t arg)
{
    submit(d, d->read, requests, bytes, done, self, arg);
}

void disk_write(struct disk *d, double requests, double bytes, event_fn *done, void *self, uint64_t arg)
{
    submit(d, d->write, requests, bytes, done, self, arg);
}

/* Request starts already given away beyond the clock, in seconds. */
static double backlog(const struct disk *d)
{
    return fmax(0, d->next_start_s - d->sim->now);
}

void disk_begin_measuring(struct disk *d)
{
    link_begin_measuring(d->read);
    if (d->write != d->read)
        link_begin_measuring(d->write);
    d->start_s = d->sim->now;
    d->requests = 0;
    d->start_backlog_s = backlog(d);
}

struct link_stats disk_stats(const struct disk *d)
{
    struct link_stats s = link_stats(d->read);
    double elapsed = d->sim->now - d->start_s, started = d->requests;

    if (d->write != d->read) {
        struct link_stats w = link_stats(d->write);

        s.utilization = fmax(s.utilization, w.utilization);
        s.flows_mean += w.flows_mean;
        s.bytes += w.bytes;
    }
    if (d->spec.iops > 0) {
        started += (d->start_backlog_s - backlog(d)) * d->spec.iops;
        if (elapsed > 0)
            s.utilization = fmax(s.utilization, started / d->spec.iops / elapsed);
    }
    s.requests = started;
    return s;
}
