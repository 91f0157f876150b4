/* Links and disks by hand. */
#include "engine/link.h"

#include <criterion/criterion.h>
#include <math.h>

struct log {
    double when[64];
    size_t n;
};

static void note(struct sim *sim, void *self, uint64_t arg)
{
    struct log *log = self;

    log->when[arg] = sim->now;
    log->n++;
}

Test(link, flows_share_the_capacity)
{
    struct sim *sim = sim_new(1, 0);
    struct link *l = link_new(sim, "net", 100, 0);
    struct log log = {.n = 0};
    struct link_stats s;

    link_send(l, 100, note, &log, 0);
    link_send(l, 300, note, &log, 1);
    link_send(l, 0, note, &log, 2);
    sim_run(sim, 8);
    cr_expect_float_eq(log.when[0], 2, 1e-12);
    cr_expect_float_eq(log.when[1], 4, 1e-12);
    cr_expect_eq(log.when[2], 0);
    s = link_stats(l);
    cr_expect_float_eq(s.bytes, 400, 1e-9);
    cr_expect_float_eq(s.utilization, 0.5, 1e-12);
    cr_expect_float_eq(s.flows_mean, (2 * 2 + 2) / 8.0, 1e-12);
    sim_free(sim);
}

/* Capacity 100, cap 40: one or two flows are capped, three and more share. */
Test(link, no_flow_exceeds_its_cap)
{
    struct sim *sim = sim_new(1, 0);
    struct link *l = link_new(sim, "net", 100, 40);
    struct log log = {.n = 0};

    link_send(l, 80, note, &log, 0);
    sim_run(sim, INFINITY);
    cr_expect_float_eq(log.when[0], 2, 1e-12);
    cr_expect_float_eq(link_stats(l).utilization, 0.4, 1e-12);
    for (uint64_t i = 1; i <= 4; i++)
        link_send(l, i < 3 ? 25 : 65, note, &log, i);
    sim_run(sim, INFINITY);
    cr_expect_float_eq(log.when[1], 3, 1e-12);
    cr_expect_float_eq(log.when[2], 3, 1e-12);
    cr_expect_float_eq(log.when[3], 4, 1e-12, "two left: 40 each, not 50");
    sim_free(sim);
}

Test(disk, pays_latency_then_bandwidth)
{
    struct sim *sim = sim_new(1, 0);
    const struct disk_spec spec = {.read_bw = 100, .latency_s = 0.5};
    struct disk *d = disk_new(sim, "ssd", &spec);
    struct log log = {.n = 0};

    disk_read(d, 1, 100, note, &log, 0);
    disk_write(d, 1, 100, note, &log, 1);
    disk_read(d, 1, 0, note, &log, 2);
    sim_run(sim, INFINITY);
    cr_expect_float_eq(log.when[0], 2.5, 1e-12, "one medium for both");
    cr_expect_float_eq(log.when[1], 2.5, 1e-12);
    cr_expect_float_eq(log.when[2], 0.5, 1e-12);
    cr_expect_float_eq(disk_stats(d).bytes, 200, 1e-9);
    sim_free(sim);
}

Test(disk, reads_and_writes_may_have_their_own_bandwidth)
{
    struct sim *sim = sim_new(1, 0);
    const struct disk_spec spec = {.read_bw = 100, .write_bw = 50, .flow_cap = 80};
    struct disk *d = disk_new(sim, "ssd", &spec);
    struct log log = {.n = 0};
    struct link_stats s;

    disk_read(d, 1, 80, note, &log, 0);
    disk_write(d, 1, 100, note, &log, 1);
    sim_run(sim, INFINITY);
    cr_expect_float_eq(log.when[0], 1, 1e-12);
    cr_expect_float_eq(log.when[1], 2, 1e-12);
    s = disk_stats(d);
    cr_expect_float_eq(s.bytes, 180, 1e-9);
    cr_expect_float_eq(s.utilization, 1, 1e-12, "the writes");
    cr_expect_float_eq(s.flows_mean, 1.5, 1e-12);
    sim_free(sim);
}

Test(disk, requests_start_one_after_another)
{
    struct sim *sim = sim_new(1, 0);
    const struct disk_spec spec = {.read_bw = 1e9, .iops = 10, .latency_s = 0.01};
    struct disk *d = disk_new(sim, "hdd", &spec);
    struct log log = {.n = 0};
    struct link_stats s;

    for (uint64_t i = 0; i < 20; i++)
        disk_read(d, 1, 0, note, &log, i);
    sim_run(sim, 1);
    cr_expect_float_eq(disk_stats(d).utilization, 1, 1e-9);
    cr_expect_float_eq(disk_stats(d).requests, 10, 1e-9);
    sim_run(sim, 4);
    for (size_t i = 0; i < 20; i++)
        cr_expect_float_eq(log.when[i], (double)i / 10 + 0.01, 1e-12);
    s = disk_stats(d);
    cr_expect_float_eq(s.utilization, 0.5, 1e-9);
    cr_expect_float_eq(s.requests, 20, 1e-9);
    disk_begin_measuring(d);
    sim_run(sim, 5);
    cr_expect_eq(disk_stats(d).requests, 0);
    sim_free(sim);
}

/* Bytes flow while later requests start: the slower of the two decides. */
Test(disk, many_requests_overlap_with_their_bytes)
{
    struct sim *sim = sim_new(1, 0);
    const struct disk_spec spec = {.read_bw = 1000, .iops = 100};
    struct disk *d = disk_new(sim, "hdd", &spec);
    struct log log = {.n = 0};

    disk_read(d, 201, 1000, note, &log, 0);
    sim_run(sim, INFINITY);
    cr_expect_float_eq(log.when[0], 2, 1e-9, "200 starts after the first");
    disk_read(d, 50, 5000, note, &log, 1);
    sim_run(sim, INFINITY);
    cr_expect_float_eq(log.when[1], 2.01 + 5, 1e-9, "the bandwidth");
    disk_read(d, 0, 1000, note, &log, 2);
    sim_run(sim, INFINITY);
    cr_expect_float_eq(log.when[2], 2.01 + 5 + 1, 1e-9, "no request, no turn");
    sim_free(sim);
}
