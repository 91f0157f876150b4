#include "pipeline/flow_parts.h"

#include <math.h>
#include <string.h>

/* -------------------------------------------------------------- stages */

/* How many of it there were, on average. */
static double resource_servers(const struct resource_rt *r, double now)
{
    return r->desk != NULL ? level_mean(&r->servers, now) : (double)r->def->count;
}

/* What a stage without workers works on: the first of these that it has. */
static double servers_of(const struct stage_rt *st)
{
    static const enum role roles[] = {ROLE_SERVERS, ROLE_GPU, ROLE_CPU};

    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (st->def->on[roles[i]] >= 0)
            return resource_servers(&st->flow->resources[st->def->on[roles[i]]], st->flow->sim->now);
    return 1;
}

/* What it asked of each role; of a model that holds servers itself, the work it says it did there. */
static void stage_uses(const struct stage_rt *st, struct flow_stage *out)
{
    int ops = model_operators(st->def->model, st->def->cfg);
    enum role role = st->def->on[ROLE_SERVERS] >= 0 ? ROLE_SERVERS : ROLE_GPU;

    memcpy(out->used, st->used, sizeof out->used);
    for (int i = 0; st->host != NULL && out->used[role] == 0 && i < ops; i++)
        out->used[role] += st->op_s[i];
}

/* Waiting inside a model with state is the model's to tell; `figures` are what it tells. */
static void host_result(const struct stage_rt *st, struct arena *a, struct flow_stage *out)
{
    const struct server *server = st->def->model->server;

    out->wait_s = NAN;
    out->empty_frac = 1 - level_mean(&st->host->occupied, st->flow->sim->now);
    out->calls_per_visit = st->service_s.n > 0 ? (double)st->host->calls_made / (double)st->service_s.n : 0;
    out->figures = arena_array(a, FLOW_FIGURES, sizeof *out->figures);
    if (server->report != NULL)
        out->figures_n = server->report(st->host->state, out->figures, FLOW_FIGURES);
}

static void stage_result(struct stage_rt *st, double window_s, struct arena *a, struct flow_stage *out)
{
    const struct flow *f = st->flow;
    const struct line *line = st->line != NULL ? st->line : &f->lines[f->s->objective];
    double now = f->sim->now, units = fmax(line->units_out, 1e-300);
    long workers = st->def->shape.workers;
    int ops = model_operators(st->def->model, st->def->cfg);
    double busy = level_mean(&st->busy, now), blocked = level_mean(&st->blocked, now);

    out->throughput_per_s = window_s > 0 ? st->units_out / window_s : 0;
    out->wait_s = st->wait_s.mean;
    out->service_s = st->service_s.mean;
    out->op_s_per_unit = arena_array(a, (size_t)ops, sizeof(double));
    for (int i = 0; i < ops; i++)
        out->op_s_per_unit[i] = st->op_s[i] / units;
    for (int i = 0; window_s > 0 && i < ops; i++)
        out->busy += st->op_s[i] / window_s;
    out->disk_bytes_per_unit = st->disk_bytes / units;
    out->disk_bytes_per_s = window_s > 0 ? st->disk_bytes / window_s : 0;
    stage_uses(st, out);
    if (workers > 0) {
        out->utilization = busy / (double)workers;
        out->blocked_frac = blocked / (double)workers;
        out->starved_frac = fmax(0, 1 - out->utilization - out->blocked_frac);
        out->queue_mean = buffer_stats(st->in).length_mean;
        return;
    }
    out->lost_frac = st->arrived_units > 0 ? st->lost_units / st->arrived_units : 0;
    for (int i = 0; i < ops; i++)
        out->utilization += window_s > 0 ? st->op_s[i] / window_s : 0;
    out->utilization /= servers_of(st);
    out->queue_mean = level_mean(&st->inside, now);
    if (st->host != NULL) {
        host_result(st, a, out);
        return;
    }
    out->queue_mean = fmax(
        0, out->queue_mean - (window_s > 0 ? st->service_s.mean * (double)st->service_s.n / window_s : 0));
}

static double resource_utilization(const struct resource_rt *r, double now)
{
    if (r->desk != NULL)
        return desk_stats(r->desk).busy_mean / fmax(resource_servers(r, now), 1e-300);
    if (r->cores != NULL)
        return cores_stats(r->cores).busy_mean / (double)r->def->count;
    if (r->disk != NULL)
        return disk_stats(r->disk).utilization;
    if (r->link != NULL)
        return link_stats(r->link).utilization;
    return station_stats(r->station).busy_mean / (double)r->def->count;
}

static double bus_utilization(const struct resource_rt *r)
{
    return r->cores != NULL ? cores_stats(r->cores).bus_utilization : 0;
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

/* ---------------------------------------------------------------- laws */

/* Sums of n times up to `now` are off by so much, which counts where a stage takes no time at all. */
static double rounding(double n, double now)
{
    return 1e-15 * (n + 1) * (now + 1e-9);
}

/* Flow balance and Little's law of one pipeline: the area under what is inside is the sum of the stays. */
static void assert_line(const struct line *l)
{
    double now = l->flow->sim->now, inside = l->inside.value;
    double area = level_area(&l->inside, now), stays = l->sojourn_area + inside * now - l->born_area;

    ASSERT(fabs(l->entered_units - l->left_units - l->lost_units - inside) <=
           1e-6 * fmax(1, l->entered_units));
    ASSERT(fabs(area - stays) <= 1e-6 * fmax(fabs(area), inside * now) + rounding(l->entered_units, now));
}

/* The same for the visits of a stage without workers, called or in the flow. */
static void assert_stage(const struct stage_rt *st)
{
    const struct visits *v = &st->visits;
    double now = st->flow->sim->now, inside = st->inside.value;
    double area = level_area(&st->inside, now), stays = v->sojourn_area + inside * now - v->came_area;

    if (st->workers != NULL)
        return;
    ASSERT((double)(v->came - v->left) == inside);
    ASSERT(fabs(area - stays) <= 1e-6 * fmax(fabs(area), inside * now) + rounding((double)v->came, now));
    if (st->host != NULL && st->def->model->server->assert_laws != NULL)
        st->def->model->server->assert_laws(st->host->state);
}

/* What must hold in every run, whatever the scenario. */
void flow_assert_laws(struct flow *f)
{
    for (int i = 0; i < f->s->pipelines_n; i++)
        assert_line(&f->lines[i]);
    for (int i = 0; i < f->s->stages_n; i++)
        assert_stage(&f->stages[i]);
    for (int i = 0; i < f->s->resources_n; i++)
        ASSERT(resource_utilization(&f->resources[i], f->sim->now) <= 1 + 1e-9 &&
               bus_utilization(&f->resources[i]) <= 1 + 1e-9);
}

/* --------------------------------------------------------------- lines */

static void spread_figures(const struct spread *s, double out[4])
{
    out[0] = s->t.n > 0 ? s->t.mean : NAN;
    for (int i = 1; i < 4; i++)
        out[i] = s->t.n > 0 ? hist_quantile(s->h, (double[]){0, .5, .95, .99}[i]) : NAN;
}

/* The last stage waiting for something to do. */
static double stall_of(const struct line *l, const struct flow_stage *stages)
{
    int last = l->def->last;
    const struct stage_rt *st = &l->flow->stages[last];

    if (st->workers != NULL)
        return stages[last].starved_frac;
    return st->host != NULL ? stages[last].empty_frac : 1 - stages[last].utilization;
}

static void line_result(const struct line *l, const struct flow_stage *stages, struct flow_line *out)
{
    const struct flow *f = l->flow;
    bool steady = l->def->horizon.kind == HORIZON_STEADY;
    double until = l->ended && !steady ? l->ended_s : f->sim->now, window = until - f->measure_from_s;

    out->units = l->units_out;
    out->units_before = l->measure_from_units;
    out->pieces = (uint64_t)l->pieces_out;
    out->throughput_per_s = window > 0 ? l->units_out / window : 0;
    out->makespan_s = steady ? until : until - l->started_s;
    spread_figures(&l->latency, out->latency_s);
    spread_figures(&l->queue, out->queue_s);
    spread_figures(&l->ttft, out->ttft_s);
    spread_figures(&l->tpot, out->tpot_s);
    out->quality = l->quality.n > 0 ? l->quality.mean : NAN;
    out->usd_per_unit = l->usd.n > 0 ? l->usd.mean * (double)l->usd.n / fmax(l->units_out, 1e-300) : 0;
    out->failed_frac = l->failed.mean;
    out->goodput_per_s = window > 0 ? l->good_units / window : 0;
    out->stall_frac = stall_of(l, stages);
    out->series_response = l->series.response;
    out->series_inside = l->series.inside;
    out->series_n = l->series.n;
}

static struct disk_use per_second(struct disk_use use, double window_s)
{
    return window_s > 0 ? (struct disk_use){use.requests / window_s, use.bytes / window_s}
                        : (struct disk_use){0};
}

static void resource_result(const struct resource_rt *r, double now, double window_s,
                            struct flow_resource *out)
{
    *out = (struct flow_resource){.utilization = resource_utilization(r, now),
                                  .slowdown = resource_slowdown(r, window_s),
                                  .servers = resource_servers(r, now),
                                  .bus_utilization = bus_utilization(r),
                                  .read_per_s = per_second(r->read, window_s),
                                  .write_per_s = per_second(r->write, window_s)};
}

void flow_collect(struct flow *f, struct arena *a, struct flow_result *out)
{
    const struct scenario *s = f->s;
    double window = f->sim->now - f->measure_from_s;

    out->events = f->sim->events;
    out->cap = f->sim->cap;
    out->stages = arena_array(a, (size_t)s->stages_n, sizeof *out->stages);
    for (int i = 0; i < s->stages_n; i++)
        stage_result(&f->stages[i], window, a, &out->stages[i]);
    out->lines = arena_array(a, (size_t)s->pipelines_n, sizeof *out->lines);
    for (int i = 0; i < s->pipelines_n; i++)
        line_result(&f->lines[i], out->stages, &out->lines[i]);
    out->resources = arena_array(a, (size_t)s->resources_n, sizeof *out->resources);
    for (int i = 0; i < s->resources_n; i++)
        resource_result(&f->resources[i], f->sim->now, window, &out->resources[i]);
}
