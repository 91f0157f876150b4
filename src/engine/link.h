/*
 * link.h - bandwidth shared fairly: links and disks.
 *
 * Link: flows share the capacity equally (max-min), none above `flow_cap`.
 * Disk: each operation first waits for its turn among `iops` operation starts
 * per second and pays `latency_s`; then its bytes share the read or the write
 * bandwidth.  An operation may stand for several requests (requests >= 0); then
 * its bytes flow while the later ones start, and it is done when both are.
 */
#ifndef ENGINE_LINK_H
#define ENGINE_LINK_H

#include "engine/sim.h"

struct link;
struct link *link_new(struct sim *sim, const char *name, double bytes_per_s, double flow_cap /* 0: none */);
void link_send(struct link *l, double bytes, event_fn *done, void *self, uint64_t arg);
void link_begin_measuring(struct link *l);

struct disk_spec {
    double read_bw, write_bw; /* bytes/s; write_bw 0: the same medium as reads, one shared bandwidth */
    double iops;              /* request starts per second; 0: unlimited */
    double latency_s;         /* of one operation */
    double flow_cap;          /* bytes/s of one stream; 0: none */
};
struct disk;
struct disk *disk_new(struct sim *sim, const char *name, const struct disk_spec *spec);
void disk_read(struct disk *d, double requests, double bytes, event_fn *done, void *self, uint64_t arg);
void disk_write(struct disk *d, double requests, double bytes, event_fn *done, void *self, uint64_t arg);
void disk_begin_measuring(struct disk *d);

struct link_stats {
    double utilization, flows_mean; /* time averages since measuring began */
    double bytes;                   /* carried since then */
    double requests;                /* disks */
};
struct link_stats link_stats(const struct link *l);
struct link_stats disk_stats(const struct disk *d); /* utilization: the larger of bandwidth and iops */

#endif
