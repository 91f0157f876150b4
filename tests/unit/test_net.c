/* Flows over several links: max-min fairness by its definition, conservation, and only what is touched. */
#include "engine/link.h"
#include "engine/net.h"
#include "engine/rng.h"

#include <criterion/criterion.h>
#include <math.h>

enum { LINKS = 9, MOST = 400 };

struct play {
    struct sim *sim;
    struct net *net;
    struct rng rng;
    double capacity[LINKS];
    struct {
        int flow, links[NET_HOPS], links_n;
        double cap, bytes;
        bool present;
    } job[MOST];
    int begun, done;
    double bytes[LINKS]; /* sent over each link */
};

/* No link carries too much, and each flow is at its cap or has a full link on which none has more. */
static void check_fair(const struct play *p)
{
    double load[LINKS] = {0}, most[LINKS] = {0};

    for (int j = 0; j < p->begun; j++)
        for (int h = 0; p->job[j].present && h < p->job[j].links_n; h++) {
            double rate = net_rate(p->net, p->job[j].flow);

            load[p->job[j].links[h]] += rate;
            most[p->job[j].links[h]] = fmax(most[p->job[j].links[h]], rate);
        }
    for (int l = 0; l < LINKS; l++)
        cr_assert(load[l] <= p->capacity[l] * (1 + 1e-9), "link %d carries %g of %g", l, load[l],
                  p->capacity[l]);
    for (int j = 0; j < p->begun; j++) {
        double rate = p->job[j].present ? net_rate(p->net, p->job[j].flow) : 0;
        bool held = p->job[j].cap > 0 && rate >= p->job[j].cap * (1 - 1e-9);

        for (int h = 0; h < p->job[j].links_n; h++) {
            int l = p->job[j].links[h];

            held = held || (load[l] >= p->capacity[l] * (1 - 1e-9) && rate >= most[l] * (1 - 1e-9));
        }
        cr_assert(held || !p->job[j].present, "flow %d has %g and could have more", j, rate);
    }
}

static void arrived(struct sim *sim, void *self, uint64_t job)
{
    struct play *p = self;

    (void)sim;
    cr_assert(p->job[job].present);
    p->job[job].present = false;
    p->done++;
    check_fair(p);
}

static void begin(struct sim *sim, void *self, uint64_t arg)
{
    struct play *p = self;
    int j = p->begun++, first = (int)rng_below(&p->rng, LINKS);

    (void)arg;
    p->job[j].links_n = 1 + (int)rng_below(&p->rng, 4);
    p->job[j].cap = rng_below(&p->rng, 3) ? 0 : 1 + 10 * rng_uniform(&p->rng);
    p->job[j].bytes = 40 * rng_exponential(&p->rng);
    for (int h = 0; h < p->job[j].links_n; h++) {
        p->job[j].links[h] = (first + 2 * h) % LINKS;
        p->bytes[p->job[j].links[h]] += p->job[j].bytes;
    }
    p->job[j].present = true;
    p->job[j].flow = net_send(p->net, p->job[j].links, p->job[j].links_n, p->job[j].bytes, p->job[j].cap,
                              arrived, p, (uint64_t)j);
    check_fair(p);
    if (p->begun < MOST)
        sim_after(sim, rng_exponential(&p->rng), begin, p, 0);
}

Test(net, shares_are_max_min_fair_and_every_byte_arrives)
{
    struct play *p = xcalloc(1, sizeof *p);

    p->sim = sim_new(1, 0);
    p->net = net_new(p->sim);
    rng_stream(&p->rng, 3, 0, "net");
    for (int l = 0; l < LINKS; l++) {
        p->capacity[l] = 5 + 50 * rng_uniform(&p->rng);
        cr_assert_eq(net_link(p->net, "link", p->capacity[l]), l);
    }
    sim_after(p->sim, 0, begin, p, 0);
    sim_run(p->sim, INFINITY);
    cr_expect_eq(p->done, MOST);
    for (int l = 0; l < LINKS; l++) {
        struct net_stats s = net_stats(p->net, l);

        cr_expect_float_eq(s.bytes, p->bytes[l], 1e-9 * p->bytes[l]);
        cr_expect(s.utilization > 0 && s.utilization <= 1);
    }
    sim_free(p->sim);
    free(p);
}

static void note(struct sim *sim, void *self, uint64_t job)
{
    ((double *)self)[job] = sim->now;
}

struct sender {
    struct link *link;
    struct net *net;
    double *link_s, *net_s, bytes;
    uint64_t job;
};

static void send_both(struct sim *sim, void *self, uint64_t arg)
{
    struct sender *s = self;

    (void)sim;
    (void)arg;
    link_send(s->link, s->bytes, note, s->link_s, s->job);
    net_send(s->net, (int[]){0}, 1, s->bytes, 0, note, s->net_s, s->job);
}

Test(net, one_link_alone_is_a_link)
{
    enum { JOBS = 300 };
    struct sim *sim = sim_new(1, 0);
    struct net *net = net_new(sim);
    struct link *link = link_new(sim, "link", 10, 0);
    double link_s[JOBS] = {0}, net_s[JOBS] = {0}, at = 0;
    struct sender sender[JOBS];
    struct rng r;

    net_link(net, "link", 10);
    rng_stream(&r, 1, 0, "one");
    for (uint64_t j = 0; j < JOBS; j++) {
        sender[j] = (struct sender){link, net, link_s, net_s, 9 * rng_exponential(&r), j};
        sim_at(sim, at += rng_exponential(&r), PRIO_NORMAL, send_both, &sender[j], 0);
    }
    sim_run(sim, 100);
    net_begin_measuring(net);
    link_begin_measuring(link);
    sim_run(sim, INFINITY);
    for (int j = 0; j < JOBS; j++)
        cr_assert_float_eq(net_s[j], link_s[j], 1e-9 * link_s[j], "job %d: %g and %g", j, net_s[j],
                           link_s[j]);
    cr_expect_float_eq(net_stats(net, 0).bytes, link_stats(link).bytes, 1e-6);
    cr_expect_float_eq(net_stats(net, 0).flows_mean, link_stats(link).flows_mean, 1e-9);
    sim_free(sim);
}

static void nothing(struct sim *sim, void *self, uint64_t arg)
{
    (void)sim;
    (void)self;
    (void)arg;
}

Test(net, who_shares_nothing_with_a_change_is_left_alone)
{
    struct sim *sim = sim_new(1, 0);
    struct net *net = net_new(sim);
    uint64_t before;

    for (int l = 0; l < 4; l++)
        net_link(net, "link", 10);
    for (int k = 0; k < 50; k++)
        net_send(net, (int[]){0, 1}, 2, 100, 0, nothing, NULL, 0);
    before = net_reckoned(net);
    net_send(net, (int[]){2, 3}, 2, 100, 0, nothing, NULL, 0);
    cr_expect_eq(net_reckoned(net), before + 1);
    net_send(net, (int[]){3, 1}, 2, 100, 0, nothing, NULL, 0); /* joins both sides */
    cr_expect_eq(net_reckoned(net), before + 1 + 52);
    sim_free(sim);
}
