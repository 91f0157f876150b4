/*
 * export.h - settings of a scenario as the options of the programs that it stands for.
 *
 *     llm_serving            vllm serve ...            engine arguments (docs.vllm.ai, 0.8 to 0.20)
 *     spark                  spark-submit --conf ...   spark.apache.org/docs/latest/configuration.html
 *     loader, preprocess     DataLoader(...)           pytorch.org/docs/stable/data.html
 *
 * What the scenario leaves at a default of ours is written out too: defaults of two programs need not agree.
 * Names that stand in the scenario are data: whatever is no plain word is replaced.
 */
#ifndef STUDY_EXPORT_H
#define STUDY_EXPORT_H

#include "pipeline/scenario.h"

struct export_line {
    const char *stage, *program; /* "vllm", "spark", "dataloader" */
    const char *text;            /* the command or call, on one line */
    const char *note;            /* what it cannot say; NULL */
};

/* In `a`; *n lines, one for each stage of those kinds. */
void export_scenario(const struct scenario *s, struct arena *a, struct export_line **lines, int *n);

#endif
