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
        switch (def->is_held ? RESOURCE_SERVERS : def->kind) {
        case RESOURCE_CORES:
            r->cores = def->mem_bw > 0
                           ? cores_new_on_bus(f->sim, def->name, def->count, def->speeds, def->mem_bw)
                           : cores_new(f->sim, def->name, def->count, def->speeds);
            break;
        case RESOURCE_DISK:
            r->disk = disk_new(f->sim, def->name, &disk);
            break;
        case RESOURCE_LINK:
            r->link = link_new(f->sim, def->name, def->bandwidth, def->flow_cap);
            break;
        default:
            if (resource_changes(def)) {
                r->desk =
                    desk_new(f->sim, def->name,
                             &(struct desk_spec){.servers = def->count, .queue_limit = def->queue_limit});
                supply_begin(f, r);
                break;
            }
            r->station = station_new(f->sim, def->name, def->count, def->queue_limit);
        }
    }
}

static void build_stage(struct flow *f, int i)
{
    struct stage_rt *st = &f->stages[i];
    const struct stage *def = &f->s->stages[i];
    struct line *line = def->pipeline >= 0 ? &f->lines[def->pipeline] : NULL;
    long workers = def->shape.workers;
    double capacity = def->in_capacity;

    *st = (struct stage_rt){.flow = f, .line = line, .def = def, .index = i};
    st->op_s = arena_array(f->sim->arena, (size_t)model_operators(def->model, def->cfg), sizeof(double));
    if (workers == 0)
        return;
    /* The first stage of a closed pipeline takes from the source itself: one item at hand is enough. */
    if (line != NULL && i == line->def->first && line->def->workload.kind == WORKLOAD_CLOSED)
        capacity = 1;
    st->in = buffer_new(f->sim, def->name, (long)capacity);
    st->workers = arena_array(f->sim->arena, (size_t)workers, sizeof *st->workers);
    for (long k = 0; k < workers; k++)
        st->workers[k].stage = st;
    heap_init(&st->parked, f->sim->arena);
    if (def->shape.in_order)
        st->waiting_for_turn = arena_array(f->sim->arena, (size_t)workers, sizeof(struct worker *));
}

/*
 * Made infinitely fast to see what others gain: where nothing but the pipeline itself holds its items back,
 * they would go round for ever at one moment.
 */
static bool is_idle(const struct flow *f, const struct pipeline *p)
{
    bool comes_at_once = p->workload.kind == WORKLOAD_CLOSED ||
                         (p->workload.kind == WORKLOAD_CLIENTS && p->workload.think.mean == 0);

    return !p->is_objective && comes_at_once && !pipeline_takes_time(f->s, p);
}

static void build_line(struct flow *f, int i, struct arena *a)
{
    const struct flow_limits *limits = f->limits;
    struct line *l = &f->lines[i];
    bool steady;

    *l = (struct line){.flow = f, .def = &f->s->pipelines[i]};
    l->has_latency = pipeline_has_latency(l->def);
    l->latency.h = hist_new();
    steady = l->def->horizon.kind == HORIZON_STEADY;
    if (steady && limits->series_pieces > 0)
        l->series.room = (size_t)((limits->warmup + limits->measured) / limits->series_pieces);
    l->series.response = arena_array(a, l->series.room, sizeof(double));
    l->series.inside = arena_array(a, l->series.room, sizeof(double));
    level_start(&l->inside, 0, 0);
    if (is_idle(f, l->def)) {
        l->started = l->settled = l->ended = true;
        return;
    }
    f->unsettled += steady;
    f->to_end += !steady;
}

/*
 * What has an end of its own begins when the steady rest has settled, and ends the run; where nothing has,
 * the run ends when enough has been seen of each.
 */
static void build_lines(struct flow *f, struct arena *a)
{
    bool all_steady;

    f->lines = arena_array(f->sim->arena, (size_t)f->s->pipelines_n, sizeof *f->lines);
    for (int i = 0; i < f->s->pipelines_n; i++)
        build_line(f, i, a);
    all_steady = f->to_end == 0;
    f->measuring = f->unsettled == 0;
    for (int i = 0; i < f->s->pipelines_n; i++) {
        bool steady = f->lines[i].def->horizon.kind == HORIZON_STEADY && !f->lines[i].ended;

        f->lines[i].ends_run = f->lines[i].def->horizon.kind != HORIZON_STEADY || all_steady;
        f->to_end += steady && all_steady;
    }
}

/* --------------------------------------------------------------- run */

/* Nothing can happen any more, yet the horizon was not reached: a deadlock, or a source that ran dry. */
static int report_stuck(struct flow *f, double inside, struct err *err)
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
                   f->s->file, f->sim->now, inside, holds, waits[0] ? ": " : "", waits);
}

static void begin(struct flow *f, struct arena *a)
{
    const struct scenario *s = f->s;

    build_resources(f);
    build_lines(f, a);
    f->stages = arena_array(f->sim->arena, (size_t)s->stages_n, sizeof *f->stages);
    for (int i = 0; i < s->stages_n; i++)
        build_stage(f, i);
    for (int i = 0; i < s->stages_n; i++)
        if (s->stages[i].model->server != NULL)
            host_open(&f->stages[i]);
    for (int i = 0; i < s->stages_n; i++)
        stage_start(&f->stages[i]);
    for (int i = 0; i < s->pipelines_n; i++)
        if (!f->lines[i].started && (f->measuring || f->lines[i].def->horizon.kind == HORIZON_STEADY))
            source_start(&f->lines[i]);
    if (f->measuring)
        sample_begin(f);
}

static void end(struct flow *f)
{
    for (int i = 0; i < f->s->pipelines_n; i++) {
        struct line *l = &f->lines[i];

        hist_free(l->latency.h);
        hist_free(l->queue.h);
        hist_free(l->ttft.h);
        hist_free(l->tpot.h);
    }
    sim_free(f->sim);
}

static double units_inside(const struct flow *f)
{
    double sum = 0;

    for (int i = 0; i < f->s->pipelines_n; i++)
        sum += f->lines[i].inside.value;
    return sum;
}

int flow_run(const struct scenario *s, uint64_t seed, uint32_t replication, const struct flow_limits *limits,
             struct arena *a, struct flow_result *out, struct err *err)
{
    struct flow f = {.s = s, .limits = limits};
    bool by_clock = s->pipelines_n == 1 && s->horizon.kind == HORIZON_TIME, reached;
    double until = by_clock ? s->horizon.time_s : INFINITY;
    int rc = 0;

    f.sim = sim_new(seed, replication);
    f.sim->max_events = limits->max_events;
    f.sim->max_bytes = limits->max_bytes;
    f.sim->max_wall_s = limits->max_wall_s;
    if (limits->ties != 0)
        sim_random_ties(f.sim, limits->ties);
    begin(&f, a);
    sim_run(f.sim, until);
    reached = f.sim->stopping || f.sim->capped || (by_clock && f.sim->now >= until);
    if (!reached && units_inside(&f) > 1e-6)
        rc = report_stuck(&f, units_inside(&f), err);
    flow_assert_laws(&f);
    *out = (struct flow_result){0};
    if (rc == 0) {
        flow_collect(&f, a, out);
        sample_latency(&f, a, out);
    }
    end(&f);
    return rc;
}
