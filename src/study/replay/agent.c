/*
 * agent.c - an agent's rounds, context and success in one trial of each task, from the two before.
 *
 *   rounds, context   their means over tasks, and the growth of the context a round, as in the trials seen
 *   success           a task's chance is drawn from a Beta law: its mean is the share solved, its intra-class
 *                     correlation what the two trials of a task have in common (models/answer.h),
 *
 *         icc = (P(both) - p^2) / (p (1 - p)),   P(all of n) = product over i < n of (a + i) / (a + b + i)
 *
 * The naive prediction takes trials for independent draws.  Intervals: tasks resampled with replacement.
 */
#include "study/replay.h"

#include "engine/rng.h"
#include "store/measurement.h"
#include "study/replay/tools.h"

#include <math.h>

enum { TASKS = 1024, TRIALS = 3, RESAMPLES = 2000, FIGURES = 6 };

struct trial {
    double rounds, first, context, solved; /* context in characters: of the first message, at the end */
    bool is_there;
};

struct tasks {
    struct trial of[TASKS][TRIALS];
    int list[TASKS], n; /* tasks with all trials */
};

static void add(struct tasks *t, const struct measured_row *row)
{
    double task = measured_number(row, "task"), number = measured_number(row, "trial");
    struct trial *x;

    if (!(task >= 0 && task < TASKS && number >= 0 && number < TRIALS))
        return;
    x = &t->of[(int)task][(int)number];
    x->is_there = true;
    x->solved = measured_figure(row, "reward") >= 1;
    x->rounds = fmax(x->rounds, measured_figure(row, "llm_round"));
    if (measured_number(row, "message") == 0)
        x->first = measured_figure(row, "content_chars");
    x->context =
        fmax(x->context, measured_figure(row, "context_chars") + measured_figure(row, "content_chars"));
}

/* Of the tasks drawn: means over the two trials seen, and what they say of the third and of all three. */
static void predict(const struct tasks *t, const int *drawn, double out[FIGURES], double naive[FIGURES])
{
    double n = (double)t->n, rounds = 0, context = 0, begun = 0, p = 0, both = 0, icc, s, a, b;

    for (int i = 0; i < t->n; i++) {
        const struct trial *x = t->of[drawn[i]];

        rounds += (x[0].rounds + x[1].rounds) / (2 * n);
        context += (x[0].context + x[1].context) / (2 * n);
        begun += (x[0].first + x[1].first) / (2 * n);
        p += (x[0].solved + x[1].solved) / (2 * n);
        both += x[0].solved * x[1].solved / n;
    }
    icc = fmin(0.99, fmax(1e-3, (both - p * p) / fmax(1e-9, p * (1 - p))));
    s = 1 / icc - 1;
    a = p * s;
    b = s - a;
    out[0] = naive[0] = rounds;
    out[1] = naive[1] = context;
    out[2] = naive[2] = p;
    out[3] = a / s * (a + 1) / (s + 1) * (a + 2) / (s + 2);
    naive[3] = p * p * p;
    out[4] = 1 - b / s * (b + 1) / (s + 1) * (b + 2) / (s + 2);
    naive[4] = 1 - (1 - p) * (1 - p) * (1 - p);
    out[5] = naive[5] = (context - begun) / rounds;
}

static void measure(const struct tasks *t, double out[FIGURES])
{
    double n = (double)t->n, begun = 0;

    for (int i = 0; i < t->n; i++) {
        const struct trial *x = t->of[t->list[i]];
        double solved = x[0].solved + x[1].solved + x[2].solved;

        out[0] += x[2].rounds / n;
        out[1] += x[2].context / n;
        begun += x[2].first / n;
        out[2] += x[2].solved / n;
        out[3] += (solved == 3) / n;
        out[4] += (solved > 0) / n;
    }
    out[5] = (out[1] - begun) / out[0];
}

/* What other tasks of the kind would have predicted, and what a trial of so few tasks may show. */
static void intervals(const struct tasks *t, uint64_t seed, struct estimate e[FIGURES], double noise[FIGURES],
                      struct arena *a)
{
    double *draws = arena_array(a, (size_t)FIGURES * RESAMPLES, sizeof *draws), p[FIGURES], unused[FIGURES];
    struct tally shown_log[FIGURES] = {{0}};
    int drawn[TASKS], shown[TASKS];
    struct rng r;

    rng_stream(&r, seed, 0, "replay.agent");
    for (int k = 0; k < RESAMPLES; k++) {
        double seen[FIGURES], shows[FIGURES];

        for (int i = 0; i < t->n; i++) {
            drawn[i] = t->list[rng_below(&r, (uint64_t)t->n)];
            shown[i] = t->list[rng_below(&r, (uint64_t)t->n)];
        }
        predict(t, drawn, seen, unused);
        predict(t, shown, shows, unused);
        for (int f = 0; f < FIGURES; f++) {
            draws[f * RESAMPLES + k] = log(fmax(1e-9, seen[f])) + log(fmax(1e-9, shows[f]));
            tally_add(&shown_log[f], log(fmax(1e-9, shows[f])));
        }
    }
    predict(t, t->list, p, unused);
    for (int f = 0; f < FIGURES; f++) {
        double middle = log(fmax(1e-9, p[f])), *x = &draws[f * RESAMPLES];

        noise[f] = sqrt(tally_variance(&shown_log[f]));
        e[f] = estimate_exact(p[f]);
        e[f].has_pred = true;
        e[f].pred_lo = exp(tools_quantile(x, RESAMPLES, 0.5 - REPLAY_LEVEL / 2) - middle);
        e[f].pred_hi = exp(tools_quantile(x, RESAMPLES, 0.5 + REPLAY_LEVEL / 2) - middle);
    }
}

static int run(struct replay *r, struct err *err)
{
    static const char *const names[FIGURES] = {
        "rounds in the third trial",     "characters of context in the third trial",
        "solved in the third trial",     "solved in all three trials",
        "solved in any of three trials", "growth of the context a round, third trial"};
    static const char *const units[FIGURES] = {"rounds", "characters", "ratio",
                                               "ratio",  "ratio",      "characters"};
    struct tasks *t = arena_alloc(r->arena, sizeof *t);
    struct estimate e[FIGURES];
    double p[FIGURES], naive[FIGURES], noise[FIGURES], m[FIGURES] = {0};

    for (size_t i = 0; i < r->c->files_n; i++) {
        struct measured_row *rows;
        int64_t id;
        size_t n;

        TRY(replay_import(r, r->c->files[i], &id, err));
        TRY(measured_load(r->store, id, r->arena, &rows, &n, err));
        for (size_t k = 0; k < n; k++)
            add(t, &rows[k]);
    }
    for (int i = 0; i < TASKS; i++)
        if (t->of[i][0].is_there && t->of[i][1].is_there && t->of[i][2].is_there)
            t->list[t->n++] = i;
    if (t->n < 2)
        return err_set(err, ERR_TRACE, "%s: no two tasks with three trials", r->c->path);
    predict(t, t->list, p, naive);
    measure(t, m);
    intervals(t, r->seed, e, noise, r->arena);
    for (int f = 0; f < FIGURES; f++)
        replay_emit(r, &(struct replay_figure){.name = names[f],
                                               .unit = units[f],
                                               .measured = m[f],
                                               .predicted = e[f],
                                               .naive = naive[f],
                                               .noise_frac = noise[f]});
    return 0;
}

const struct replay_kind replay_agent = {
    .name = "agent-rounds",
    .about = "an agent's rounds, context and success in one trial of each task, from two others",
    .run = run,
};
