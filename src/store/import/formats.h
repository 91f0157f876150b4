/* formats.h - the formats' table rows; formats.c lists them. */
#ifndef STORE_IMPORT_FORMATS_H
#define STORE_IMPORT_FORMATS_H

#include "store/import/import.h"

extern const struct importer azure_llm_importer, burstgpt_importer, token_lengths_importer, mooncake_importer,
    ragpulse_importer, servegen_importer, servegen_windows_importer, vllm_bench_importer,
    llmservingsim_ops_importer, llmservingsim_requests_importer, llm_ops_importer, vidur_importer,
    aiconfigurator_importer, splitwise_importer, spark_importer, chrome_importer, otlp_importer,
    prometheus_importer, vectordbbench_importer, db_prices_importer, fio_importer, dlio_output_importer,
    yaml_cedar_importer, yaml_dlio_importer, yaml_hardware_importer, pollux_importer, gavel_importer,
    llm_foundry_importer, pai_minibatch_importer, mlperf_storage_importer, vm_noise_importer,
    big_ann_importer, retrieval_importer, cedar_table_importer, silicon_sample_importer,
    engine_series_importer, attention_skew_importer, agent_rounds_importer, csv_map_importer,
    jsonl_map_importer;

#endif
