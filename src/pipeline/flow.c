#include "pipeline/flow_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --------------------------------------------------------------- build */

static void build_resources(struct flow *f)
{
    const struct scenario *s = f->s;

    f->resources = arena_array(f->sim->arena, (size_t)s->resources_n, sizeof *f->resources);
    for (int i = 0; i < s->resources_n; i++) {
        const struct resource *def = &s->resources[i];
        struct resource_rt *r = &f->resources[i];
        struct disk_spec disk = {.read_bw = def->read_bw,
                                 .write_bw = def->write_bw,
                                 .iops = def->iops,
                                 .latency_s = def->latency,
                                 .flow_cap = def->flow_cap};

        r->def = def;
        switch (def->kind) {
        case RESOURCE_CORES:
            r->cores = cores_new(f->sim, def->name, def->count, def->speeds);
            break;
        case RESOURCE_DISK:
            r->disk = disk_new(f->sim, def->name, &disk);
            break;
        case RESOURCE_LINK:
            r->link = link_new(f->sim, def->name, def->bandwidth, def->flow_cap);
            break;
        default:
            r->station = station_new(f->sim, def->name, def->count, def->queue_limit);
        }
    }
}

static void build_stages(struct flow *f)
{
    const struct scenario *s = f->s;

    f->stages = arena_array(f->sim->arena, (size_t)s->stages_n, sizeof *f->stages);
    for (int i = 0; i < s->stages_n; i++) {
        struct stage_rt *st = &f->stages[i];
        const struct stage *def = &s->stages[i];
        long workers = def->shape.workers;
        double capacity = def->in_capacity;

        *st = (struct stage_rt){.flow = f, .def = def, .index = i};
        st->op_s = arena_array(f->sim->arena, (size_t)model_operators(def->model, def->cfg), sizeof(double));
        if (workers == 0)
            continue;
        /* The first stage of a closed pipeline takes from the source itself: one item at hand is enough. */
        if (i == 0 && s->workload.kind == WORKLOAD_CLOSED)
            capacity = 1;
        st->in = buffer_new(f->sim, def->name, (long)capacity);
        st->workers = arena_array(f->sim->arena, (size_t)workers, sizeof *st->workers);
        for (long k = 0; k < workers; k++)
            st->workers[k].stage = st;
    }
}

/* -------------------------------------------------------------- results */

static void stage_result(struct stage_rt *st, double window_s, struct arena *a, struct flow_stage *out)
{
    double now = st->flow->sim->now, units = fmax(st->flow->units_out, 1e-300);
    long workers = st->def->shape.workers;
    int ops = model_operators(st->def->model, st->def->cfg);
    double busy = level_mean(&st->busy, now), blocked = level_mean(&st->blocked, now);

    out->throughput_per_s = window_s > 0 ? st->units_out / window_s : 0;
    out->wait_s = st->wait_s.mean;
    out->service_s = st->service_s.mean;
    out->op_s_per_unit = arena_array(a, (size_t)ops, sizeof(double));
    for (int i = 0; i < ops; i++)
        out->op_s_per_unit[i] = st->op_s[i] / units;
    out->disk_bytes_per_unit = st->disk_bytes / units;
    if (workers > 0) {
        out->utilization = busy / (double)workers;
        out->blocked_frac = blocked / (double)workers;
        out->starved_frac = fmax(0, 1 - out->utilization - out->blocked_frac);
        out->queue_mean = buffer_stats(st->in).length_mean;
        return;
    }
    for (int i = 0; i < ops; i++)
        out->utilization += window_s > 0 ? st->op_s[i] / window_s : 0;
    if (st->def->on[ROLE_SERVERS] >= 0)
        out->utilization /= (double)st->flow->s->resources[st->def->on[ROLE_SERVERS]].count;
    out->queue_mean =
        fmax(0, level_mean(&st->inside, now) -
                    (window_s > 0 ? st->service_s.mean * (double)st->service_s.n / window_s : 0));
    out->lost_frac = st->arrived_units > 0 ? st->lost_units / st->arrived_units : 0;
}

static double resource_utilization(const struct resource_rt *r)
{
    if (r->cores != NULL)
        return cores_stats(r->cores).busy_mean / (double)r->def->count;
    if (r->disk != NULL)
        return disk_stats(r->disk).utilization;
    if (r->link != NULL)
        return link_stats(r->link).utilization;
    return station_stats(r->station).busy_mean / (double)r->def->count;
}

/* Cores that share caches and memory are busy for longer than their work would take alone. */
static double resource_slowdown(const struct resource_rt *r, double window_s)
{
    struct cores_stats c;

    if (r->cores == NULL)
        return 1;
    c = cores_stats(r->cores);
    return c.work_s > 0 ? c.busy_mean * window_s / c.work_s : 1;
}

/* What must hold in every run, whatever the scenario. */
static void assert_laws(struct flow *f)
{
    double now = f->sim->now, window = now - f->measure_from_s;
    double inside = f->inside.value, scale = fmax(1, f->entered_units);
    double area = level_mean(&f->inside, now) * window;
    double sojourns = f->sojourn_area + inside * now - f->born_area;

    ASSERT(fabs(f->entered_units - f->left_units - f->lost_units - inside) <=
           1e-6 * scale);                                                          /* flow balance */
    ASSERT(fabs(area - sojourns) <= 1e-6 * fmax(fabs(area), inside * now + 1e-9)); /* Little's law */
    for (int i = 0; i < f->s->resources_n; i++)
        ASSERT(resource_utilization(&f->resources[i]) <= 1 + 1e-9);
}

static void collect(struct flow *f, struct arena *a, struct flow_result *out)
{
    const struct scenario *s = f->s;
    double window = f->sim->now - f->measure_from_s;
    const struct flow_stage *last;

    out->units = f->units_out;
    out->units_before = f->measure_from_units;
    out->pieces = (uint64_t)f->pieces_out;
    out->throughput_per_s = window > 0 ? f->units_out / window : 0;
    out->makespan_s = f->sim->now;
    out->events = f->sim->events;
    out->cap = f->sim->cap;
    out->series_response = f->series.response;
    out->series_inside = f->series.inside;
    out->series_n = f->series.n;
    out->latency_s[0] = f->latency_s.n > 0 ? f->latency_s.mean : NAN;
    for (int i = 1; i < 4; i++)
        out->latency_s[i] =
            f->latency_s.n > 0 ? hist_quantile(f->latency, (double[]){0, .5, .95, .99}[i]) : NAN;
    out->stages = arena_array(a, (size_t)s->stages_n, sizeof *out->stages);
    for (int i = 0; i < s->stages_n; i++)
        stage_result(&f->stages[i], window, a, &out->stages[i]);
    out->resource_utilization = arena_array(a, (size_t)s->resources_n, sizeof(double));
    for (int i = 0; i < s->resources_n; i++)
        out->resource_utilization[i] = resource_utilization(&f->resources[i]);
    out->resource_slowdown = arena_array(a, (size_t)s->resources_n, sizeof(double));
    for (int i = 0; i < s->resources_n; i++)
        out->resource_slowdown[i] = resource_slowdown(&f->resources[i], window);
    last = &out->stages[s->stages_n - 1];
    out->stall_frac =
        f->stages[s->stages_n - 1].def->shape.workers > 0 ? last->starved_frac : 1 - last->utilization;
}

/* Nothing can happen any more, yet the horizon was not reached: a deadlock, or a source that ran dry. */
static int report_stuck(struct flow *f, struct err *err)
{
    char holds[300] = "", waits[500];
    size_t n = 0;

    for (int i = 0; i < f->s->stages_n && n < sizeof holds - 80; i++) {
        const struct stage_rt *st = &f->stages[i];

        n += (size_t)snprintf(holds + n, sizeof holds - n, "%s%.40s holds %g", i ? "; " : "", st->def->name,
                              st->inside.value);
    }
    sim_waiting(f->sim, waits, sizeof waits);
    return err_set(err, ERR_FAILED,
                   "%s: the simulation came to a halt at %g s with %g units inside (%s)%s%s; a batch that "
                   "never fills, or "
                   "stages that wait for each other",
                   f->s->file, f->sim->now, f->inside.value, holds, waits[0] ? ": " : "", waits);
}

int flow_run(const struct scenario *s, uint64_t seed, uint32_t replication, const struct flow_limits *limits,
             struct arena *a, struct flow_result *out, struct err *err)
{
    struct flow f = {.s = s, .limits = limits};
    double until = s->horizon.kind == HORIZON_TIME ? s->horizon.time_s : INFINITY;
    bool reached;
    int rc = 0;

    f.sim = sim_new(seed, replication);
    f.sim->max_events = limits->max_events;
    f.sim->max_bytes = limits->max_bytes;
    f.sim->max_wall_s = limits->max_wall_s;
    if (limits->ties != 0)
        sim_random_ties(f.sim, limits->ties);
    f.has_latency = scenario_has_latency(s);
    if (s->horizon.kind == HORIZON_STEADY && limits->series_pieces > 0)
        f.series.room = (size_t)((limits->warmup + limits->measured) / limits->series_pieces);
    f.series.response = arena_array(a, f.series.room, sizeof(double));
    f.series.inside = arena_array(a, f.series.room, sizeof(double));
    f.latency = hist_new();
    level_start(&f.inside, 0, 0);
    build_resources(&f);
    build_stages(&f);
    f.measuring = s->horizon.kind != HORIZON_STEADY;
    for (int i = 0; i < s->stages_n; i++)
        stage_start(&f.stages[i]);
    source_start(&f);
    sim_run(f.sim, until);
    reached = f.sim->stopping || f.sim->capped || (s->horizon.kind == HORIZON_TIME && f.sim->now >= until);
    if (!reached && f.inside.value > 1e-6)
        rc = report_stuck(&f, err);
    assert_laws(&f);
    *out = (struct flow_result){0};
    if (rc == 0)
        collect(&f, a, out);
    hist_free(f.latency);
    sim_free(f.sim);
    return rc;
}
