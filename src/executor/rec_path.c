/*
 * rec_path.c - recommendation training as a path of the executor: twins of etl, storage, preprocess,
 * training.
 */
#include "executor/path.h"
#include "executor/rec.h"

#include <string.h>

static const char *const kernels[REC_STAGES] = {"etl", "storage", "preprocess", "training"};

/* Costs, ratios and what describes machines that this one is not (sends, layouts) are not among them. */
static const char *const switches[] = {"etl.workers",
                                       "etl.order",
                                       "etl.codec",
                                       "etl.stripe_rows",
                                       "storage.workers",
                                       "storage.projection",
                                       "storage.direct",
                                       "preprocess.workers",
                                       "preprocess.batch",
                                       "preprocess.crosses",
                                       "preprocess.dedup",
                                       "preprocess.fuse",
                                       "preprocess.cache",
                                       "preprocess.ops",
                                       "training.workers",
                                       "training.embedding_dim",
                                       "training.hidden",
                                       "training.table_rows",
                                       "training.learning_rate",
                                       "workload.dataset.*",
                                       "edges*",
                                       "resources.*.count",
                                       NULL};

static bool matches(const struct scenario *s)
{
    return exec_is_chain(s, kernels, REC_STAGES);
}

static int plan(const struct scenario *s, const void *cfg, struct arena *a, const void **out, struct err *err)
{
    struct rec_plan *p = arena_array(a, 1, sizeof *p);

    (void)cfg;
    *p = (struct rec_plan){.data = *s->workload.data,
                           .etl = *(const struct etl_cfg *)s->stages[REC_ETL].cfg,
                           .storage = *(const struct storage_cfg *)s->stages[REC_STORAGE].cfg,
                           .prep = *(const struct preprocess_cfg *)s->stages[REC_PREP].cfg,
                           .train = *(const struct training_cfg *)s->stages[REC_TRAIN].cfg,
                           .seed = s->seed};
    for (int i = 0; i < REC_STAGES; i++)
        p->stage_names[i] = s->stages[i].name;
    *out = p;
    return exec_buffers(s, REC_STAGES, p->buffers, err);
}

static int run(const void *plan, const struct exec_options *opt, struct span_log *log,
               struct exec_outcome *out, struct err *err)
{
    struct rec_result r;

    TRY(rec_run(plan, opt, log, &r, err));
    *out = (struct exec_outcome){.makespan_s = r.makespan_s,
                                 .units = r.samples,
                                 .throughput_per_s = r.throughput_per_s,
                                 .cpu_total_s = r.cpu_total_s,
                                 .stages_n = REC_STAGES,
                                 .cold = r.cold,
                                 .cache_note = r.cache_note};
    memcpy(out->stages, r.stages, sizeof r.stages);
    exec_figure_add(out, "table_bytes", "bytes", r.table_bytes);
    exec_figure_add(out, "read_bytes", "bytes", r.read_bytes);
    exec_figure_add(out, "first_loss", "", r.first_loss);
    exec_figure_add(out, "last_loss", "", r.last_loss);
    rec_result_free(&r);
    return 0;
}

static int profile(const void *plan, const struct exec_options *opt, struct span_log *log, struct err *err)
{
    return rec_profile(plan, opt, log, err);
}

const struct exec_path rec_path = {
    .name = "recommendation",
    .about = "a chain of etl, storage, preprocess and training over a data set",
    .example = "scenarios/quickstart.json",
    .switches = switches,
    .matches = matches,
    .plan = plan,
    .run = run,
    .profile = profile,
};
