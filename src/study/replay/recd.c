/*
 * recd.c - three gains from one cause: duplicates within sessions.
 *
 * When the S samples of a session lie together and a session feature repeats
 * from one to the next with probability d, a batch holds 1 / f of its values:
 *
 *   f = S / (1 + (S - 1) (1 - d))
 *
 * A part of the system of which a share is work on session features then gains
 * 1 / (1 - share + share / f), where the share is of bytes (storage), of reading
 * and preprocessing work (reader) or of step time (trainer).  The paper gives
 * the gains, not the shares, so what can be said is a region: for a pair (S, d)
 * the share that each part needs, which must not exceed what it can have.
 *
 * Figures are the gains at the middle of the ranges, intervals their 5 and 95 %
 * over draws from the ranges; `found` says in which part of (S, d) all three
 * gains come out at once.
 */
#include "engine/rng.h"
#include "study/replay/tools.h"

#include <math.h>

enum { DRAWS = 2000, PARTS_MAX = 8, GRID = 60 };

struct range {
    double low, high;
};

struct part {
    const char *name;
    double measured;
    struct range share;
};

struct work {
    struct replay *r;
    struct range samples, repeat;
    struct part parts[PARTS_MAX];
    size_t n;
};

static double dedup_factor(double samples, double repeat)
{
    return samples / (1 + (samples - 1) * (1 - repeat));
}

static double gain(double share, double factor)
{
    return 1 / (1 - share + share / factor);
}

static int read_range(struct work *w, const struct json *obj, const char *where, const char *key,
                      struct range *out, struct err *err)
{
    const struct json *v = json_get(obj, key);

    *out = (struct range){json_number(json_at(v, 0)), json_number(json_at(v, 1))};
    if (json_size(v) != 2 || !(out->low <= out->high))
        return err_set(err, ERR_SCENARIO, "%s: %s.%s: a range [from, to] is needed", w->r->c->path, where,
                       key);
    return 0;
}

static int read_parts(struct work *w, struct err *err)
{
    TRY(read_range(w, w->r->params, "$.params", "samples_per_session", &w->samples, err));
    TRY(read_range(w, w->r->params, "$.params", "repeat_probability", &w->repeat, err));
    JSON_EACH (f, json_get(w->r->c->spec, "figures")) {
        const char *where = arena_printf(w->r->arena, "$.figures[%zu]", w->n);
        struct part *p = &w->parts[w->n];

        if (w->n == PARTS_MAX)
            return err_set(err, ERR_SCENARIO, "%s: $.figures: at most %d", w->r->c->path, PARTS_MAX);
        TRY(replay_text(w->r, f, where, "name", &p->name, err));
        TRY(replay_number(w->r, f, where, "measured", &p->measured, err));
        TRY(read_range(w, f, where, "share", &p->share, err));
        w->n++;
    }
    return 0;
}

/* Can every part reach its gain at this factor with a share it may have? */
static bool all_come_out(const struct work *w, double factor)
{
    for (size_t i = 0; i < w->n; i++) {
        double needed = (1 - 1 / w->parts[i].measured) / (1 - 1 / factor);

        if (!(needed >= w->parts[i].share.low && needed <= w->parts[i].share.high))
            return false;
    }
    return true;
}

static double at(struct range r, double frac)
{
    return r.low + (r.high - r.low) * frac;
}

static const char *region(const struct work *w)
{
    double low_d[2] = {NAN, NAN}, low_f = INFINITY, high_f = 0;
    size_t inside = 0;

    for (int i = 0; i < GRID; i++)
        for (int k = 0; k < GRID; k++) {
            double s = at(w->samples, (i + 0.5) / GRID), d = at(w->repeat, (k + 0.5) / GRID);
            double f = dedup_factor(s, d);

            if (!all_come_out(w, f))
                continue;
            inside++;
            low_f = fmin(low_f, f);
            high_f = fmax(high_f, f);
            if (i == 0 || i == GRID - 1)
                low_d[i != 0] = isnan(low_d[i != 0]) ? d : low_d[i != 0];
        }
    if (inside == 0)
        return "no pair of samples per session and repeat probability lets all gains come out at once";
    return arena_printf(
        w->r->arena,
        "all gains come out at once in %.0f %% of the region, where 1 value of %.1f to %.1f is "
        "distinct: from d = %.2f at S = %g, from d = %.2f at S = %g",
        100.0 * (double)inside / (GRID * GRID), low_f, high_f, low_d[0], w->samples.low, low_d[1],
        w->samples.high);
}

static int run(struct replay *r, struct err *err)
{
    struct work w = {.r = r};
    double *value = arena_array(r->arena, DRAWS, sizeof *value), middle;

    TRY(read_parts(&w, err));
    middle = dedup_factor(at(w.samples, 0.5), at(w.repeat, 0.5));
    for (size_t i = 0; i < w.n; i++) {
        const struct part *p = &w.parts[i];
        struct replay_figure f = {.name = p->name,
                                  .unit = "times",
                                  .measured = p->measured,
                                  .naive = 1,
                                  .noise_frac = NAN,
                                  .group = "parts"};

        for (uint32_t k = 0; k < DRAWS; k++) {
            struct rng g;
            double s, d;

            rng_keyed(&g, r->seed, k, i, 0, 0);
            s = at(w.samples, rng_uniform(&g));
            d = at(w.repeat, rng_uniform(&g));
            value[k] = gain(at(p->share, rng_uniform(&g)), dedup_factor(s, d));
        }
        f.predicted = estimate_exact(gain(at(p->share, 0.5), middle));
        f.predicted.has_pred = true;
        f.predicted.pred_lo = tools_quantile(value, DRAWS, 0.5 - REPLAY_LEVEL / 2);
        f.predicted.pred_hi = tools_quantile(value, DRAWS, 0.5 + REPLAY_LEVEL / 2);
        replay_emit(r, &f);
    }
    r->c->found = region(&w);
    return 0;
}

const struct replay_kind replay_recd = {
    .name = "recd",
    .about = "three gains from one cause: duplicates within sessions, and the region where all come out",
    .run = run,
};
