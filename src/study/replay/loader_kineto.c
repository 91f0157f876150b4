/*
 * loader_kineto.c - the same training with 0 and with 4 loader workers, profiled.
 *
 * Without workers the trainer loads a batch itself: a step is loading and
 * computing, one after the other.  With W workers loading is beside computing:
 *
 *   step = max(compute, load / W),   compute = step without workers - load
 *
 * Both come from the profile without workers; the one with workers is predicted.
 * The profiler is the same in both, and records six steps, of which the first
 * and the last are cut.
 */
#include "store/view.h"
#include "study/replay/tools.h"

#include <math.h>
#include <string.h>

enum { STEPS_MAX = 64 };

struct profile {
    double step_s[STEPS_MAX], load_s[STEPS_MAX];
    size_t steps, loads;
};

static int read_profile(struct replay *r, const char *file, struct profile *p, struct err *err)
{
    struct view_column c[] = {{.name = "stage"}, {.name = "wall_s"}};
    int64_t trace;
    size_t n;

    *p = (struct profile){0};
    TRY(replay_import(r, file, &trace, err));
    TRY(view_load(r->store, "spans", trace, c, 2, r->arena, &n, err));
    for (size_t i = 0; i < n; i++) {
        if (strcmp(c[0].text[i], "step") == 0 && p->steps < STEPS_MAX)
            p->step_s[p->steps++] = c[1].real[i];
        if (strcmp(c[0].text[i], "loader") == 0 && p->loads < STEPS_MAX)
            p->load_s[p->loads++] = c[1].real[i];
    }
    if (p->steps < 3 || p->loads < 3)
        return err_set(err, ERR_TRACE, "%s: three steps and loader spans are needed", file);
    return 0;
}

static int run(struct replay *r, struct err *err)
{
    struct profile without, with;
    double workers, step, load, sd = 0;

    if (r->c->files_n != 2)
        return err_set(err, ERR_SCENARIO, "%s: $.files: two profiles are needed", r->c->path);
    TRY(replay_number(r, r->params, "$.params", "workers", &workers, err));
    TRY(read_profile(r, r->c->files[0], &without, err));
    TRY(read_profile(r, r->c->files[1], &with, err));
    step = tools_median(without.step_s, without.steps);
    load = tools_median(without.load_s, without.loads);
    for (size_t i = 0; i < without.steps; i++)
        sd += pow(log(without.step_s[i] / step), 2);
    sd = sqrt(sd / (double)(without.steps - 1));
    replay_emit(r, &(struct replay_figure){.name = "step with 4 workers",
                                           .unit = "s",
                                           .measured = tools_median(with.step_s, with.steps),
                                           .predicted = replay_estimate(fmax(step - load, load / workers), sd,
                                                                        (double)without.steps - 1),
                                           .naive = step,
                                           .noise_frac = sd});
    return 0;
}

const struct replay_kind replay_loader_kineto = {
    .name = "loader-kineto",
    .about = "a profile without loader workers predicts the one with them",
    .run = run,
};
