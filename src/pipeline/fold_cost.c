#include "pipeline/fold.h"

#include <math.h>
#include <string.h>

/* ------------------------------------------------------------ one resource in one replication */

static double price_of_one(const struct resource *r)
{
    return r->price / (double)r->count;
}

enum { HOURS_A_MONTH = 730 };

/* Of bytes that are kept, used or not. */
static double kept_per_h(const struct resource *r)
{
    return r->billing == BILLING_OWNED ? 0 : r->capacity * 1e-12 * r->tb_month_usd / HOURS_A_MONTH;
}

/* Of requests and of bytes that travel. */
static double asked_per_h(const struct resource *r, const struct flow_resource *used)
{
    if (r->billing == BILLING_OWNED)
        return 0;
    return 3600 *
           (1e-3 * (used->read_per_s.requests * r->read_usd + used->write_per_s.requests * r->write_usd) +
            1e-12 * (used->read_per_s.bytes * r->read_tb_usd + used->write_per_s.bytes * r->write_tb_usd));
}

/* What an hour of it costs in cash: elastic ones by what was used, or by what an autoscaler held. */
static double paid_per_h(const struct resource *r, const struct flow_resource *used)
{
    double by_the_hour = r->price;

    if (r->billing == BILLING_OWNED)
        return 0;
    if (r->billing == BILLING_ELASTIC)
        by_the_hour = price_of_one(r) * used->servers * (r->autoscale != NULL ? 1 : used->utilization);
    return by_the_hour + kept_per_h(r) + asked_per_h(r, used);
}

/* What an hour of the part that nobody used is worth: freed, but not saved, unless it is elastic. */
static double idle_per_h(const struct resource *r, const struct flow_resource *used)
{
    if (r->billing == BILLING_ELASTIC && r->autoscale == NULL)
        return 0;
    return price_of_one(r) * used->servers * (1 - used->utilization);
}

static double power_w(const struct resource *r, const struct flow_resource *used)
{
    return used->servers * (r->idle_w + (r->active_w - r->idle_w) * used->utilization);
}

typedef double per_resource_fn(const struct resource *r, const struct flow_resource *used);

/* Sum over the resources, of each replication. */
static struct estimate fold_sum(struct folder *f, per_resource_fn *fn)
{
    for (long r = 0; r < f->n; r++) {
        f->x[r] = 0;
        for (int i = 0; i < f->s->resources_n; i++)
            f->x[r] += fn(&f->s->resources[i], &f->results[r].resources[i]);
    }
    return fold(f);
}

static double mean_of(const struct folder *f, int resource, per_resource_fn *fn)
{
    double sum = 0;

    for (long r = 0; r < f->n; r++)
        sum += fn(&f->s->resources[resource], &f->results[r].resources[resource]);
    return sum / (double)f->n;
}

/* ------------------------------------------------------------ what is paid */

/* Whatever happens. */
static double fixed_per_h(const struct scenario *s)
{
    double sum = 0;

    for (int i = 0; i < s->resources_n; i++)
        sum += (s->resources[i].billing == BILLING_COMMITTED ? s->resources[i].price : 0) +
               kept_per_h(&s->resources[i]);
    return sum;
}

static bool pays_by_use(const struct resource *r)
{
    return r->billing == BILLING_ELASTIC || r->read_usd + r->write_usd + r->read_tb_usd + r->write_tb_usd > 0;
}

/* Of one replication: by the hour, and beside that what was paid for by use. */
static double cash_per_h(const struct folder *f, long r)
{
    double sum = fixed_per_h(f->s);

    for (int i = 0; i < f->s->resources_n; i++) {
        const struct resource *res = &f->s->resources[i];

        if (pays_by_use(res))
            sum += paid_per_h(res, &f->results[r].resources[i]) - kept_per_h(res) -
                   (res->billing == BILLING_COMMITTED ? res->price : 0);
    }
    for (int i = 0; i < f->s->pipelines_n; i++) {
        const struct flow_line *l = &f->results[r].lines[i];

        if (l->usd_per_unit > 0)
            sum += 3600 * l->usd_per_unit * l->throughput_per_s;
    }
    return sum;
}

/* The figure of every replication that stands in x, for comparisons. */
static double *keep_replications(const struct folder *f)
{
    double *kept = arena_array(f->a, (size_t)f->n, sizeof *kept);

    memcpy(kept, f->x, (size_t)f->n * sizeof *kept);
    return kept;
}

static void fold_cash(struct folder *f)
{
    struct outcome *o = f->o;
    double fixed = fixed_per_h(f->s);
    bool varies = false;

    for (long r = 0; r < f->n; r++) {
        f->x[r] = cash_per_h(f, r);
        varies = varies || f->x[r] != fixed;
    }
    o->has_cost = fixed > 0 || varies;
    if (o->has_cost)
        o->cash_usd_per_h_rep = keep_replications(f);
    o->cost_usd_per_h = varies ? fold(f) : estimate_exact(fixed);
    for (long r = 0; r < f->n; r++)
        f->x[r] = f->results[r].lines[f->s->objective].makespan_s / 3600 * cash_per_h(f, r);
    o->cost_usd = fold(f);
    for (long r = 0; r < f->n; r++)
        f->x[r] = cash_per_h(f, r) / 3600 / f->results[r].lines[f->s->objective].throughput_per_s * 1e6;
    o->cost_per_1m = fold(f);
}

static void fold_resource_costs(struct folder *f)
{
    struct outcome *o = f->o;

    for (int i = 0; i < o->resources_n; i++) {
        const struct resource *def = &f->s->resources[i];

        o->resources[i].cost_usd_per_h = def->billing == BILLING_COMMITTED && !pays_by_use(def)
                                             ? def->price + kept_per_h(def)
                                             : mean_of(f, i, paid_per_h);
        o->resources[i].billing = def->has_billing ? billing_names[def->billing] : NULL;
        o->resources[i].idle_usd_per_h = mean_of(f, i, idle_per_h);
        o->resources[i].power_w = mean_of(f, i, power_w);
        o->resources[i].servers = 0;
        for (long r = 0; resource_changes(def) && r < f->n; r++)
            o->resources[i].servers += f->results[r].resources[i].servers / (double)f->n;
        o->has_billing = o->has_billing || def->has_billing;
        o->has_power = o->has_power || def->idle_w > 0 || def->active_w > 0;
    }
    if (o->has_billing)
        o->idle_usd_per_h = fold_sum(f, idle_per_h);
    if (o->has_power) {
        o->power_w = fold_sum(f, power_w);
        o->power_w_rep = keep_replications(f);
    }
}

/* ------------------------------------------------------------ who pays */

/* How much of a resource's use in one replication was a stage's. */
static double share_of(const struct folder *f, long r, int stage, int resource)
{
    double own = 0, all = 0;

    for (int i = 0; i < f->s->stages_n; i++)
        for (enum role k = 0; k < ROLES; k++)
            if (f->s->stages[i].on[k] == resource) {
                all += f->results[r].stages[i].used[k];
                own += i == stage ? f->results[r].stages[i].used[k] : 0;
            }
    return all > 0 ? own / all : 0;
}

static double stage_sum(const struct folder *f, long r, int stage, per_resource_fn *fn)
{
    double sum = 0;

    for (int i = 0; i < f->s->resources_n; i++)
        sum += share_of(f, r, stage, i) * fn(&f->s->resources[i], &f->results[r].resources[i]);
    return sum;
}

/* What each stage takes, replication by replication. */
static void fold_parts(struct folder *f, int stage)
{
    struct outcome_stage *out = &f->o->stages[stage];

    for (int k = 0; k < STAGE_PARTS; k++)
        out->part_rep[k] = arena_array(f->a, (size_t)f->n, sizeof(double));
    for (long r = 0; r < f->n; r++) {
        out->part_rep[PART_BUSY][r] = f->results[r].stages[stage].busy;
        out->part_rep[PART_BYTES_PER_S][r] = f->results[r].stages[stage].disk_bytes_per_s;
        out->part_rep[PART_USD_PER_H][r] = stage_sum(f, r, stage, paid_per_h);
        out->part_rep[PART_WATT][r] = stage_sum(f, r, stage, power_w);
    }
}

static struct estimate owner_sum(struct folder *f, const char *owner, per_resource_fn *fn)
{
    for (long r = 0; r < f->n; r++) {
        f->x[r] = 0;
        for (int i = 0; i < f->s->stages_n; i++)
            if (strcmp(f->s->stages[i].owner, owner) == 0)
                f->x[r] += stage_sum(f, r, i, fn);
    }
    return fold(f);
}

/* A resource is paid for, idle hours included, by those who use it, in proportion to their use. */
static void fold_owners(struct folder *f)
{
    struct outcome *o = f->o;

    o->owners = arena_array(f->a, (size_t)f->s->stages_n, sizeof *o->owners);
    for (int i = 0; (o->has_cost || o->has_power) && i < f->s->stages_n; i++) {
        const char *owner = f->s->stages[i].owner;
        int k = 0;

        while (k < o->owners_n && strcmp(o->owners[k].name, owner) != 0)
            k++;
        if (owner[0] == '\0' || k < o->owners_n)
            continue;
        o->owners[k].name = owner;
        o->owners[k].cost_usd_per_h = owner_sum(f, owner, paid_per_h);
        o->owners[k].power_w = owner_sum(f, owner, power_w);
        o->owners_n++;
    }
}

void fold_cost(struct folder *f)
{
    fold_cash(f);
    fold_resource_costs(f);
    fold_owners(f);
    for (int i = 0; i < f->s->stages_n; i++)
        fold_parts(f, i);
}
