#include "engine/net.h"

#include "engine/law_check.h"
#include "engine/stats.h"

#include <math.h>
#include <string.h>

struct flow {
    double left, rate, cap, share, since_s; /* left at since_s; share: the rate in the making */
    int link[NET_HOPS], at[NET_HOPS];       /* its place in the list of each link */
    int links_n;
    bool marked, fixed;
    event_id finish;
    event_fn *done;
    void *self;
    uint64_t arg;
    int next_free; /* + 1 */
};

struct net_link {
    const char *name;
    double bytes_per_s, room; /* room: not yet given away, while rates are reckoned */
    int *flow, flows_n, flows_room, unfixed;
    bool marked;
    struct level rate, flows;
    double moved, steps; /* bytes of finished stretches since measuring began */
};

struct net {
    struct sim *sim;
    struct net_link *link;
    struct flow *flow;
    int links_n, links_room, flows_n, flows_room, free; /* free: + 1 */
    int *touched_link, *touched_flow, touched_links_n, touched_flows_n;
    double start_s;
    uint64_t reckoned;
};

static void *doubled(struct net *n, void *old, int count, int *room, size_t size)
{
    int more = *room ? 2 * *room : 8;
    void *grown = arena_array(n->sim->arena, (size_t)more, size);

    if (count > 0)
        memcpy(grown, old, (size_t)count * size);
    *room = more;
    return grown;
}

struct net *net_new(struct sim *sim)
{
    struct net *n = ARENA_NEW(sim->arena, struct net);

    n->sim = sim;
    n->start_s = sim->now;
    return n;
}

int net_link(struct net *n, const char *name, double bytes_per_s)
{
    ASSERT(bytes_per_s > 0 && bytes_per_s < INFINITY);
    if (n->links_n == n->links_room) {
        n->link = doubled(n, n->link, n->links_n, &n->links_room, sizeof *n->link);
        n->touched_link = arena_array(n->sim->arena, (size_t)n->links_room, sizeof(int));
    }
    n->link[n->links_n] =
        (struct net_link){.name = arena_strdup(n->sim->arena, name), .bytes_per_s = bytes_per_s};
    level_start(&n->link[n->links_n].rate, n->sim->now, 0);
    level_start(&n->link[n->links_n].flows, n->sim->now, 0);
    return n->links_n++;
}

/* ------------------------------------------------------- who is concerned */

static void mark_link(struct net *n, int link)
{
    if (n->link[link].marked)
        return;
    n->link[link].marked = true;
    n->touched_link[n->touched_links_n++] = link;
}

/* From the marked links over their flows to all links that share with them. */
static void mark_all(struct net *n)
{
    for (int i = 0; i < n->touched_links_n; i++) {
        const struct net_link *l = &n->link[n->touched_link[i]];

        for (int k = 0; k < l->flows_n; k++) {
            struct flow *f = &n->flow[l->flow[k]];

            if (f->marked)
                continue;
            f->marked = true;
            n->touched_flow[n->touched_flows_n++] = l->flow[k];
            for (int h = 0; h < f->links_n; h++)
                mark_link(n, f->link[h]);
        }
    }
}

/* ---------------------------------------------------------- water-filling */

static void fix(struct net *n, struct flow *f, double share)
{
    f->fixed = true;
    f->share = share;
    n->reckoned++;
    for (int h = 0; h < f->links_n; h++) {
        struct net_link *l = &n->link[f->link[h]];

        l->room = fmax(0, l->room - share);
        l->unfixed--;
    }
}

/* The link where an equal share of what is left is least. */
static int narrowest(const struct net *n, double *share)
{
    int found = -1;

    *share = INFINITY;
    for (int i = 0; i < n->touched_links_n; i++) {
        const struct net_link *l = &n->link[n->touched_link[i]];

        if (l->unfixed > 0 && l->room / l->unfixed < *share) {
            *share = l->room / l->unfixed;
            found = n->touched_link[i];
        }
    }
    return found;
}

/* Flows whose cap is below the share take their cap first; then the narrowest link is shared out. */
static bool fix_capped(struct net *n, double share)
{
    bool any = false;

    for (int i = 0; i < n->touched_flows_n; i++) {
        struct flow *f = &n->flow[n->touched_flow[i]];

        if (f->fixed || f->cap > share)
            continue;
        fix(n, f, f->cap);
        any = true;
    }
    return any;
}

static void fill(struct net *n)
{
    double share;
    int narrow;

    for (int i = 0; i < n->touched_links_n; i++) {
        struct net_link *l = &n->link[n->touched_link[i]];

        l->room = l->bytes_per_s;
        l->unfixed = l->flows_n;
    }
    while ((narrow = narrowest(n, &share)) >= 0) {
        const struct net_link *l = &n->link[narrow];

        if (fix_capped(n, share))
            continue;
        for (int k = 0; k < l->flows_n; k++)
            if (!n->flow[l->flow[k]].fixed)
                fix(n, &n->flow[l->flow[k]], share);
    }
}

/* --------------------------------------------------------------- changes */

static void finish(struct sim *sim, void *self, uint64_t arg);

/* The bytes of the stretch that ends now. */
static void settle(struct net *n, struct flow *f)
{
    double moved = f->rate * (n->sim->now - f->since_s);

    f->left = fmax(0, f->left - moved);
    for (int h = 0; h < f->links_n; h++) {
        struct net_link *l = &n->link[f->link[h]];

        l->moved += moved - f->rate * fmax(0, n->start_s - f->since_s);
        l->steps++;
    }
    f->since_s = n->sim->now;
}

static void change_rate(struct net *n, struct flow *f)
{
    if (f->share == f->rate)
        return;
    settle(n, f);
    for (int h = 0; h < f->links_n; h++) {
        struct net_link *l = &n->link[f->link[h]];

        level_set(&l->rate, n->sim->now, l->flows_n == 0 ? 0 : l->rate.value + f->share - f->rate);
    }
    f->rate = f->share;
    if (f->finish != 0)
        sim_cancel(n->sim, f->finish);
    f->finish = sim_after(n->sim, f->left / f->rate, finish, n, (uint64_t)(f - n->flow));
}

static void reckon(struct net *n)
{
    mark_all(n);
    fill(n);
    for (int i = 0; i < n->touched_flows_n; i++) {
        struct flow *f = &n->flow[n->touched_flow[i]];

        change_rate(n, f);
        f->marked = f->fixed = false;
    }
    for (int i = 0; i < n->touched_links_n; i++)
        n->link[n->touched_link[i]].marked = false;
    n->touched_links_n = n->touched_flows_n = 0;
}

static void leave_link(struct net *n, int flow, int hop)
{
    struct flow *f = &n->flow[flow];
    struct net_link *l = &n->link[f->link[hop]];
    int last = l->flow[--l->flows_n];
    struct flow *moved = &n->flow[last];

    l->flow[f->at[hop]] = last;
    for (int h = 0; h < moved->links_n; h++)
        if (moved->link[h] == f->link[hop])
            moved->at[h] = f->at[hop];
    level_set(&l->rate, n->sim->now, l->flows_n == 0 ? 0 : l->rate.value - f->rate);
    level_set(&l->flows, n->sim->now, (double)l->flows_n);
    mark_link(n, f->link[hop]);
}

static void finish(struct sim *sim, void *self, uint64_t arg)
{
    struct net *n = self;
    struct flow *f = &n->flow[arg], ended;

    settle(n, f);
    for (int h = 0; h < f->links_n; h++)
        leave_link(n, (int)arg, h);
    ended = *f;
    f->next_free = n->free;
    n->free = (int)arg + 1;
    reckon(n);
    ended.done(sim, ended.self, ended.arg);
}

static int flow_new(struct net *n)
{
    int flow = n->free - 1;

    if (n->free != 0) {
        n->free = n->flow[flow].next_free;
        return flow;
    }
    if (n->flows_n == n->flows_room) {
        n->flow = doubled(n, n->flow, n->flows_n, &n->flows_room, sizeof *n->flow);
        n->touched_flow = arena_array(n->sim->arena, (size_t)n->flows_room, sizeof(int));
    }
    return n->flows_n++;
}

static void join_link(struct net *n, int flow, int hop)
{
    struct flow *f = &n->flow[flow];
    struct net_link *l = &n->link[f->link[hop]];

    if (l->flows_n == l->flows_room)
        l->flow = doubled(n, l->flow, l->flows_n, &l->flows_room, sizeof(int));
    f->at[hop] = l->flows_n;
    l->flow[l->flows_n++] = flow;
    level_set(&l->flows, n->sim->now, (double)l->flows_n);
    mark_link(n, f->link[hop]);
}

int net_send(struct net *n, const int *links, int links_n, double bytes, double cap, event_fn *done,
             void *self, uint64_t arg)
{
    int flow = flow_new(n);
    struct flow *f = &n->flow[flow];

    ASSERT(links_n >= 1 && links_n <= NET_HOPS && bytes >= 0 && bytes < INFINITY && cap >= 0 && done != NULL);
    *f = (struct flow){
        .left = bytes, .cap = cap > 0 ? cap : INFINITY, .since_s = n->sim->now, .links_n = links_n};
    f->done = done;
    f->self = self;
    f->arg = arg;
    for (int h = 0; h < links_n; h++) {
        ASSERT(links[h] >= 0 && links[h] < n->links_n && !n->link[links[h]].marked);
        f->link[h] = links[h];
        join_link(n, flow, h);
    }
    reckon(n);
    return flow;
}

double net_rate(const struct net *n, int flow)
{
    return n->flow[flow].rate;
}

/* ------------------------------------------------------------ statistics */

void net_begin_measuring(struct net *n)
{
    n->start_s = n->sim->now;
    for (int i = 0; i < n->links_n; i++) {
        struct net_link *l = &n->link[i];

        level_start(&l->rate, n->sim->now, l->rate.value);
        level_start(&l->flows, n->sim->now, l->flows.value);
        l->moved = l->steps = 0;
    }
}

/* Work conservation: what the flows got is the integral of the link's rate, and no link carried more than it
 * can. */
struct net_stats net_stats(const struct net *n, int link)
{
    const struct net_link *l = &n->link[link];
    double now = n->sim->now, moved = l->moved, carried = level_area(&l->rate, now);

    for (int k = 0; k < l->flows_n; k++) {
        const struct flow *f = &n->flow[l->flow[k]];

        moved += f->rate * (now - fmax(f->since_s, n->start_s));
    }
    ASSERT(law_holds(carried, moved, now * l->bytes_per_s, l->steps));
    ASSERT(carried <= l->bytes_per_s * (now - n->start_s) * (1 + 1e-9));
    return (struct net_stats){.utilization = level_mean(&l->rate, now) / l->bytes_per_s,
                              .flows_mean = level_mean(&l->flows, now),
                              .bytes = carried};
}

uint64_t net_reckoned(const struct net *n)
{
    return n->reckoned;
}
