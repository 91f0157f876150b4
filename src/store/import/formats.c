/* formats.c - every trace format there is; help prints them in this order. */
#include "store/import/formats.h"

#include <stddef.h>

const struct importer *const importers[] = {
    &azure_llm_importer,
    &burstgpt_importer,
    &token_lengths_importer,
    &mooncake_importer,
    &ragpulse_importer,
    &llm_ops_importer,
    &llmservingsim_ops_importer,
    &vidur_importer,
    &aiconfigurator_importer,
    &spark_importer,
    &chrome_importer,
    &pollux_importer,
    &gavel_importer,
    &llm_foundry_importer,
    &pai_minibatch_importer,
    &mlperf_storage_importer,
    &vm_noise_importer,
    &big_ann_importer,
    &retrieval_importer,
    &cedar_table_importer,
    &silicon_sample_importer,
    &engine_series_importer,
    &attention_skew_importer,
    &agent_rounds_importer,
    &csv_map_importer,
    &jsonl_map_importer,
    NULL,
};
