#include "pipeline/flow_parts.h"

#include <math.h>
#include <string.h>

/* ---------------------------------------------------------- accounting */

void account_enter(struct line *l, const struct item *it)
{
    l->entered_units += it->count;
    level_set(&l->inside, l->flow->sim->now, l->inside.value + it->count);
    l->born_area += it->count * it->born_s;
}

static void account_leave(struct line *l, const struct item *it)
{
    double now = l->flow->sim->now, since = l->flow->measure_from_s;
    double from = it->born_s > since ? it->born_s : since;

    l->left_units += it->count;
    level_set(&l->inside, now, l->inside.value - it->count);
    l->born_area -= it->count * from;
    l->sojourn_area += it->count * (now - from);
}

void spread_add(struct spread *s, double x)
{
    if (s->h == NULL)
        s->h = hist_new();
    tally_add(&s->t, x);
    hist_add(s->h, x);
}

static void spread_reset(struct spread *s)
{
    s->t = (struct tally){0};
    if (s->h != NULL)
        hist_reset(s->h);
}

/* ------------------------------------------------------ the end of warm-up */

static void line_begin_measuring(struct line *l, double now)
{
    l->measure_from_units = l->inside.value;
    if (!l->ends_run) /* jobs begin beside it now: what settled is what came before */
        l->series.room = l->series.n;
    l->pieces_out = l->units_out = l->good_units = 0;
    spread_reset(&l->latency);
    spread_reset(&l->queue);
    spread_reset(&l->ttft);
    spread_reset(&l->tpot);
    l->quality = l->usd = l->failed = (struct tally){0};
    l->born_area = l->inside.value * now; /* everyone inside counts from now on */
    l->sojourn_area = 0;
    level_start(&l->inside, now, l->inside.value);
}

static void stage_begin_measuring(struct stage_rt *st, double now)
{
    level_start(&st->busy, now, st->busy.value);
    level_start(&st->blocked, now, st->blocked.value);
    level_start(&st->inside, now, st->inside.value);
    st->wait_s = st->service_s = (struct tally){0};
    st->units_out = st->disk_bytes = st->lost_units = st->arrived_units = 0;
    memset(st->used, 0, sizeof st->used);
    memset(st->op_s, 0, sizeof(double) * (size_t)model_operators(st->def->model, st->def->cfg));
    if (st->in != NULL)
        buffer_begin_measuring(st->in);
    st->visits.came_area = st->inside.value * now;
    st->visits.sojourn_area = 0;
    if (st->host != NULL)
        host_begin_measuring(st);
}

static void begin_measuring(struct flow *f)
{
    double now = f->sim->now;

    f->measuring = true;
    f->measure_from_s = now;
    for (int i = 0; i < f->s->pipelines_n; i++)
        line_begin_measuring(&f->lines[i], now);
    for (int i = 0; i < f->s->stages_n; i++)
        stage_begin_measuring(&f->stages[i], now);
    for (int i = 0; i < f->s->resources_n; i++) {
        struct resource_rt *r = &f->resources[i];

        if (r->station != NULL)
            station_begin_measuring(r->station);
        if (r->supply != NULL)
            supply_begin_measuring(r, now);
        if (r->cores != NULL)
            cores_begin_measuring(r->cores);
        if (r->disk != NULL)
            disk_begin_measuring(r->disk);
        r->read = r->write = (struct disk_use){0};
        if (r->link != NULL)
            link_begin_measuring(r->link);
    }
    for (int i = 0; i < f->s->pipelines_n; i++)
        if (!f->lines[i].started)
            source_start(&f->lines[i]);
    sample_begin(f);
}

/* ---------------------------------------------------------------- sink */

void line_ends(struct line *l)
{
    if (l->ended)
        return;
    l->ended = true;
    l->ended_s = l->flow->sim->now;
    if (--l->flow->to_end == 0)
        sim_stop(l->flow->sim);
}

/* Beside the objective the other steady pipelines only have to show a tenth of what it shows. */
static double pieces_wanted(const struct line *l, double of_objective)
{
    return l->def->is_objective ? of_objective : ceil(of_objective / 10);
}

static void check_end(struct line *l)
{
    struct flow *f = l->flow;

    switch (l->def->horizon.kind) {
    case HORIZON_ITEMS:
        if (l->left_units + l->lost_units >= l->target_units * (1 - 1e-9))
            line_ends(l);
        return;
    case HORIZON_TIME:
        return; /* the clock ends it */
    default:
        break;
    }
    if (!l->settled && l->pieces_out >= pieces_wanted(l, f->limits->warmup)) {
        l->settled = true;
        if (--f->unsettled == 0)
            begin_measuring(f);
    } else if (f->measuring && l->ends_run && l->pieces_out >= pieces_wanted(l, f->limits->measured)) {
        line_ends(l);
    }
}

static void series_add(struct line *l, const struct item *it, double sojourn)
{
    struct series *s = &l->series;

    if (s->n == s->room)
        return;
    s->amount += l->has_latency ? sojourn : l->flow->sim->now - s->last_s;
    s->weight += l->has_latency ? 1 : it->count;
    s->inside_sum += l->inside.value;
    s->last_s = l->flow->sim->now;
    if (++s->pieces < l->flow->limits->series_pieces)
        return;
    s->response[s->n] = s->amount / s->weight;
    s->inside[s->n++] = s->inside_sum / s->pieces;
    s->pieces = s->amount = s->weight = s->inside_sum = 0;
}

void sink_receive(struct line *l, struct parcel *p)
{
    const struct item *it = &p->v.it;
    double sojourn = l->flow->sim->now - it->born_s;

    account_leave(l, it);
    l->in_flight_units -= it->count;
    l->pieces_out++;
    l->units_out += it->count;
    if (l->has_latency) {
        tally_add(&l->latency.t, sojourn);
        hist_add(l->latency.h, sojourn);
    }
    if (it->request != NULL)
        request_judge(l, it, sojourn);
    if (it->usd > 0)
        tally_add(&l->usd, it->usd);
    series_add(l, it, sojourn);
    check_end(l);
    source_again(l, p);
}

void sink_lose(struct line *l, struct parcel *p)
{
    const struct item *it = &p->v.it;

    account_leave(l, it);
    l->left_units -= it->count;
    l->lost_units += it->count;
    l->in_flight_units -= it->count;
    check_end(l);
    source_again(l, p);
}
