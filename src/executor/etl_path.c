#include "executor/etl_path.h"

#include <string.h>

static const char *const kernels[ETL_STAGES] = {"etl", "label", "storage"};

static const char *const switches[] = {"etl.workers",        "etl.order",
                                       "etl.codec",          "etl.stripe_rows",
                                       "label.workers",      "label.layout",
                                       "label.align",        "storage.workers",
                                       "storage.projection", "storage.direct",
                                       "workload.dataset.*", "edges*",
                                       "resources.*.count",  NULL};

struct exec_cfg {
    bool digest;
};

#define T struct exec_cfg
static const struct param params[] = {
    BOOL(T, digest, "false",
         "Hash the rows that jobs read, to show that they are the same; costs the readers time"),
    PARAMS_END};
#undef T

static bool matches(const struct scenario *s)
{
    return exec_is_chain(s, kernels, ETL_STAGES);
}

static int plan(const struct scenario *s, const void *cfg, struct arena *a, const void **out, struct err *err)
{
    struct etl_plan *p = arena_array(a, 1, sizeof *p);

    p->tables = (struct rec_plan){.data = *s->workload.data,
                                  .etl = *(const struct etl_cfg *)s->stages[ETL_STAGE_TABLE].cfg,
                                  .storage = *(const struct storage_cfg *)s->stages[ETL_STAGE_READ].cfg,
                                  .seed = s->seed};
    p->tables.stage_names[REC_ETL] = s->stages[ETL_STAGE_TABLE].name;
    p->tables.stage_names[REC_STORAGE] = s->stages[ETL_STAGE_READ].name;
    p->label = *(const struct label_cfg *)s->stages[ETL_STAGE_LABEL].cfg;
    p->digest = ((const struct exec_cfg *)cfg)->digest;
    for (int i = 0; i < ETL_STAGES; i++)
        p->names[i] = s->stages[i].name;
    *out = p;
    return exec_buffers(s, ETL_STAGES, p->buffers, err);
}

static int run(const void *plan, const struct exec_options *opt, struct span_log *log,
               struct exec_outcome *out, struct err *err)
{
    const struct etl_plan *p = plan;
    struct etl_result r;

    TRY(etl_run(p, opt, log, &r, err));
    *out = (struct exec_outcome){.makespan_s = r.makespan_s,
                                 .units = r.rows,
                                 .throughput_per_s = r.rows / r.makespan_s,
                                 .cpu_total_s = r.cpu_total_s,
                                 .stages_n = ETL_STAGES,
                                 .cold = r.cold,
                                 .cache_note = r.cache_note};
    memcpy(out->stages, r.stages, sizeof r.stages);
    exec_figure_add(out, "table_bytes", "bytes", r.table_bytes);
    exec_figure_add(out, "label_bytes", "bytes", r.label_bytes);
    exec_figure_add(out, "read_bytes", "bytes", r.read_bytes);
    if (p->digest) /* as many bits as a number in JSON holds */
        exec_figure_add(out, "digest", "", (double)(r.digest >> 11));
    return 0;
}

static int profile(const void *plan, const struct exec_options *opt, struct span_log *log, struct err *err)
{
    return etl_profile(plan, opt, log, err);
}

const struct exec_path etl_path = {
    .name = "etl",
    .about = "a chain of etl, label and storage over a data set",
    .example = "scenarios/local-etl.json",
    .switches = switches,
    .params = params,
    .cfg_size = sizeof(struct exec_cfg),
    .matches = matches,
    .plan = plan,
    .run = run,
    .profile = profile,
};
