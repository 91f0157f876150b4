/*
 * cores.h - processor sharing: threads on the cores of a host, streams on a GPU.
 *
 * n jobs on c cores each progress at
 *
 *     rate(n) = min(1, c / n) * speed(min(n, c))
 *
 * where speed(k) is how fast one core runs while k are busy, relative to one
 * alone: 1, and less when cores share caches, memory bandwidth or hardware
 * threads (measured: `foresight exec --profile`).  No job exceeds one core.
 * Virtual time, O(log n) per job, and one event per change of the job in front.
 *
 * Cores may stand in front of a memory bus (bus.h): then work brings bytes along and waits for them.
 */
#ifndef ENGINE_CORES_H
#define ENGINE_CORES_H

#include "engine/sim.h"

struct cores;

/* `speed` has count entries, speed[k-1] for k busy cores; NULL means all 1. Copied. */
struct cores *cores_new(struct sim *sim, const char *name, long count, const double *speed);

/* The same in front of a bus of so many bytes per second. */
struct cores *cores_new_on_bus(struct sim *sim, const char *name, long count, const double *speed,
                               double bytes_per_s);

/* Asks for `work_s` seconds of one core running alone; calls back when done. work_s = 0 calls back at once,
 * in order. */
void cores_use(struct cores *c, double work_s, event_fn *done, void *self, uint64_t arg);
/* Work that moves `bytes` over the bus meanwhile; without a bus they cost nothing. */
void cores_use_memory(struct cores *c, double work_s, double bytes, event_fn *done, void *self, uint64_t arg);

void cores_begin_measuring(struct cores *c);

struct cores_stats {
    double busy_mean;       /* cores busy, time average: utilization = busy_mean / count */
    double jobs_mean;       /* jobs present */
    double work_s;          /* work finished or in progress, in alone-core seconds */
    double bus_utilization; /* 0 without a bus */
    uint64_t done;
};
struct cores_stats cores_stats(const struct cores *c);

#endif
