#include "study/export.h"

#include "base/param.h"
#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A parameter of the stage as a number: of choices the place in their list. */
static double number_of(const struct stage *st, const char *name)
{
    const struct param *p = param_find(st->model->params, name);
    const char *at;

    if (p == NULL)
        return NAN;
    at = (const char *)st->cfg + p->offset;
    switch (p->type) {
    case PARAM_REAL:
        return *(const double *)(const void *)at;
    case PARAM_INT:
        return (double)*(const long *)(const void *)at;
    case PARAM_BOOL:
        return *(const bool *)(const void *)at;
    case PARAM_CHOICE:
        return *(const int *)(const void *)at;
    default:
        return NAN;
    }
}

static bool is_choice(const struct stage *st, const char *name, const char *value)
{
    const struct param *p = param_find(st->model->params, name);
    double at = number_of(st, name);

    return p != NULL && p->type == PARAM_CHOICE && isfinite(at) && strcmp(p->choices[(int)at], value) == 0;
}

/* What stands before the value of a parameter, and the value. */
static void option(struct text *t, const struct stage *st, const char *before, const char *param)
{
    text_printf(t, "%s%.10g", before, number_of(st, param));
}

/* -------------------------------------------------------------------- vLLM */

static bool is_word(const char *s)
{
    if (s[0] == '\0' || s[0] == '-')
        return false;
    for (; *s != '\0'; s++)
        if (!isalnum((unsigned char)*s) && strchr("._/-", *s) == NULL)
            return false;
    return true;
}

/* What the stage says it serves; a shape written out has no name. */
static const char *served(const struct scenario *s, const struct stage *st)
{
    const struct json *stages = json_get(s->tree, "stages"), *params, *model;

    if (stages == NULL)
        return "MODEL";
    JSON_EACH (v, stages)
        if (strcmp(json_get_string(v, "name", ""), st->name) == 0) {
            params = json_get(v, "params");
            model = params != NULL ? json_get(params, "model") : NULL;
            return model != NULL && json_string(model) != NULL && is_word(json_string(model))
                       ? json_string(model)
                       : "MODEL";
        }
    return "MODEL";
}

static void vllm(const struct scenario *s, const struct stage *st, struct text *t, const char **note)
{
    double replicas = number_of(st, "replicas"), ep = number_of(st, "ep");
    double gpus = number_of(st, "tp") * number_of(st, "pp") * ep;

    if (replicas == 0 && st->on[ROLE_GPU] >= 0) /* as many as the accelerators allow */
        replicas = fmax(1, floor((double)s->resources[st->on[ROLE_GPU]].count / gpus));
    text_printf(t, "vllm serve %s", served(s, st));
    option(t, st, " --tensor-parallel-size ", "tp");
    if (number_of(st, "pp") > 1)
        option(t, st, " --pipeline-parallel-size ", "pp");
    if (replicas * ep > 1)
        text_printf(t, " --data-parallel-size %.0f", replicas * ep);
    if (ep > 1)
        text_add(t, " --enable-expert-parallel");
    option(t, st, " --max-num-seqs ", "max_batch");
    option(t, st, " --max-num-batched-tokens ", "max_tokens");
    text_add(t, is_choice(st, "policy", "chunked") ? " --enable-chunked-prefill"
                                                   : " --no-enable-chunked-prefill");
    text_add(t,
             number_of(st, "prefix_cache") != 0 ? " --enable-prefix-caching" : " --no-enable-prefix-caching");
    option(t, st, " --block-size ", "block_tokens");
    option(t, st, " --gpu-memory-utilization ", "memory_utilization");
    if (number_of(st, "kv_blocks") > 0)
        option(t, st, " --num-gpu-blocks-override ", "kv_blocks");
    if (is_choice(st, "weights", "fp8"))
        text_add(t, " --quantization fp8");
    if (is_choice(st, "kv_cache", "fp8"))
        text_add(t, " --kv-cache-dtype fp8");
    if (number_of(st, "async_scheduling") != 0)
        text_add(t, " --async-scheduling");
    if (number_of(st, "cuda_graphs") == 0)
        text_add(t, " --enforce-eager");
    if (number_of(st, "draft_tokens") > 0)
        option(t, st, " --speculative-config.num_speculative_tokens ", "draft_tokens");
    if (is_choice(st, "policy", "disaggregated"))
        *note = "disaggregated: prompts and answers on instances of their own need --kv-transfer-config";
    else if (number_of(st, "draft_tokens") > 0)
        *note = "speculative decoding also needs the draft model: --speculative-config.model";
}

/* ------------------------------------------------------------------- Spark */

static void spark(const struct scenario *s, const struct stage *st, struct text *t, const char **note)
{
    (void)s;
    (void)note;
    text_add(t, "spark-submit");
    if (number_of(st, "max_executors") > 0) {
        text_add(t, " --conf spark.dynamicAllocation.enabled=true");
        option(t, st, " --conf spark.dynamicAllocation.minExecutors=", "min_executors");
        option(t, st, " --conf spark.dynamicAllocation.maxExecutors=", "max_executors");
        option(t, st, " --conf spark.dynamicAllocation.schedulerBacklogTimeout=", "backlog");
        option(t, st, "s --conf spark.dynamicAllocation.executorIdleTimeout=", "idle");
        text_add(t, "s");
    } else {
        option(t, st, " --conf spark.executor.instances=", "executors");
    }
    option(t, st, " --conf spark.executor.cores=", "slots");
    text_add(t, is_choice(st, "order", "fair") ? " --conf spark.scheduler.mode=FAIR"
                                               : " --conf spark.scheduler.mode=FIFO");
    if (number_of(st, "coalesce_bytes") > 0) {
        text_add(t, " --conf spark.sql.adaptive.coalescePartitions.enabled=true");
        option(t, st, " --conf spark.sql.adaptive.advisoryPartitionSizeInBytes=", "coalesce_bytes");
        text_add(t, "b");
    }
    if (number_of(st, "speculation") > 0) {
        text_add(t, " --conf spark.speculation=true");
        option(t, st, " --conf spark.speculation.quantile=", "speculation_quantile");
        option(t, st, " --conf spark.speculation.multiplier=", "speculation_multiplier");
    }
}

/* -------------------------------------------------------------- DataLoader */

static void dataloader(const struct scenario *s, const struct stage *st, struct text *t, const char **note)
{
    double prefetch = number_of(st, "prefetch");

    (void)s;
    option(t, st, "DataLoader(dataset, batch_size=", "batch");
    option(t, st, ", num_workers=", "workers");
    if (prefetch > 0)
        option(t, st, ", prefetch_factor=", "prefetch");
    if (isfinite(number_of(st, "in_order")))
        text_printf(t, ", in_order=%s", number_of(st, "in_order") != 0 ? "True" : "False");
    if (isfinite(number_of(st, "shuffled")))
        text_printf(t, ", shuffle=%s", number_of(st, "shuffled") != 0 ? "True" : "False");
    text_add(t, ")");
    if (number_of(st, "offload") > 0)
        *note = "some operators run on remote cores: a DataLoader has no option for that";
}

/* --------------------------------------------------------------------- all */

static const struct exporter {
    const char *model, *program;
    void (*write)(const struct scenario *s, const struct stage *st, struct text *t, const char **note);
} exporters[] = {{"llm_serving", "vllm", vllm},
                 {"spark", "spark", spark},
                 {"loader", "dataloader", dataloader},
                 {"preprocess", "dataloader", dataloader}};

void export_scenario(const struct scenario *s, struct arena *a, struct export_line **lines, int *n)
{
    *lines = arena_array(a, (size_t)s->stages_n + 1, sizeof **lines);
    *n = 0;
    for (int i = 0; i < s->stages_n; i++)
        for (size_t k = 0; k < sizeof exporters / sizeof *exporters; k++) {
            struct text t = {0};
            const char *note = NULL;

            if (strcmp(s->stages[i].model->name, exporters[k].model) != 0)
                continue;
            exporters[k].write(s, &s->stages[i], &t, &note);
            (*lines)[(*n)++] = (struct export_line){arena_strdup(a, s->stages[i].name), exporters[k].program,
                                                    arena_strdup(a, t.s), note};
            text_free(&t);
        }
}
