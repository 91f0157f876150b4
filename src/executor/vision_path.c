/*
 * vision_path.c - vision training as a path of the executor: twins of image_loader and image_training.
 */
#include "executor/kernels/jpeg.h"
#include "executor/path.h"
#include "executor/vision.h"

#include <math.h>

static const char *const kernels[VISION_STAGES] = {"image_loader", "image_training"};

/* What the costs depend on and the profile measures at one setting only (quality) is not among them. */
static const char *const switches[] = {"image_loader.workers",
                                       "image_loader.prefetch",
                                       "image_loader.batch",
                                       "image_loader.images",
                                       "image_loader.side_m??",
                                       "image_loader.run",
                                       "image_loader.output",
                                       "image_loader.crop_m??",
                                       "image_loader.decode",
                                       "image_loader.cache",
                                       "image_loader.cache_bytes",
                                       "image_loader.fuse",
                                       "image_loader.direct",
                                       "image_loader.ops",
                                       "image_training.conv",
                                       "image_training.channels?",
                                       "image_training.learning_rate",
                                       "horizon*",
                                       "edges*",
                                       "resources.*.count",
                                       NULL};

static bool matches(const struct scenario *s)
{
    return exec_is_chain(s, kernels, VISION_STAGES);
}

static int find_epochs(const struct scenario *s, const struct image_loader_cfg *c, long *epochs,
                       struct err *err)
{
    double n = s->horizon.kind == HORIZON_ITEMS ? s->horizon.items / (double)c->images : 0;

    *epochs = (long)n;
    if (n < 1 || n != floor(n))
        return err_set(err, ERR_SCENARIO,
                       "%s: $.horizon: the executor runs whole epochs of %ld images: {\"items\": %ld}, say",
                       s->file, c->images, 2 * c->images);
    return 0;
}

static int check(const struct scenario *s, const struct vision_plan *p, struct err *err)
{
    const char *loader = s->stages[VISION_LOAD].name;

    if (jpeg_missing() != NULL)
        return err_set(err, ERR_PROGRAM, "%s: stage \"%s\": %s", s->file, loader, jpeg_missing());
    if (p->load.output % 2 != 0)
        return err_set(err, ERR_SCENARIO,
                       "%s: stage \"%s\": output is %ld; the network halves it, so it has to be even",
                       s->file, loader, p->load.output);
    return 0;
}

static int plan(const struct scenario *s, const void *cfg, struct arena *a, const void **out, struct err *err)
{
    struct vision_plan *p = arena_array(a, 1, sizeof *p);

    (void)cfg;
    *p = (struct vision_plan){.load = *(const struct image_loader_cfg *)s->stages[VISION_LOAD].cfg,
                              .train = *(const struct image_training_cfg *)s->stages[VISION_TRAIN].cfg,
                              .seed = s->seed};
    for (int i = 0; i < VISION_STAGES; i++)
        p->stage_names[i] = s->stages[i].name;
    TRY(check(s, p, err));
    TRY(exec_buffers(s, VISION_STAGES, &p->buffer, err));
    *out = p;
    return find_epochs(s, &p->load, &p->epochs, err);
}

static int run(const void *plan, const struct exec_options *opt, struct span_log *log,
               struct exec_outcome *out, struct err *err)
{
    return vision_run(plan, opt, log, out, NULL, err);
}

static int profile(const void *plan, const struct exec_options *opt, struct span_log *log, struct err *err)
{
    return vision_profile(plan, opt, log, err);
}

const struct exec_path vision_path = {
    .name = "vision",
    .about = "a chain of image_loader and image_training",
    .example = "scenarios/local-vision.json",
    .switches = switches,
    .matches = matches,
    .plan = plan,
    .run = run,
    .profile = profile,
};
