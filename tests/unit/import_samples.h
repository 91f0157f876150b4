/*
 * A few records of every trace format, written for the tests: small, with the formats' traps in them.
 *
 * The files themselves stand in tests/fuzz/seeds/FORMAT/: what the unit tests read is also what the fuzzer
 * starts from.
 */
#ifndef IMPORT_SAMPLES_H
#define IMPORT_SAMPLES_H

#include "base/arena.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

struct sample {
    const char *format, *file; /* file: its name tells some formats something */
    int read, kept;
};

static const struct sample samples[] = {
    {"azure-llm", "azure.csv", 2, 2},
    {"burstgpt", "burst.csv", 2, 2},
    {"token-lengths", "lengths.csv", 1, 1},
    {"mooncake", "mooncake.jsonl", 2, 2},
    {"ragpulse", "rag.jsonl", 2, 2},
    {"ragpulse", "passages.jsonl", 2, 2},
    {"servegen", "chunk-1-dataset.json", 2, 1},
    {"servegen-windows", "chunk-1-trace.csv", 2, 2},
    {"vllm-bench", "sweep.jsonl", 2, 2},
    {"vllm-bench", "bench.json", 1, 1},
    {"llmservingsim-requests", "requests.jsonl", 2, 2},
    {"llm-ops", "ops.csv", 2, 2},
    {"llmservingsim-ops", "dense.csv", 2, 2},
    {"llmservingsim-ops", "attention.csv", 3, 3},
    {"vidur", "mlp.csv", 1, 1},
    {"vidur", "all_reduce.csv", 1, 1},
    {"aiconfigurator", "gemm_perf.csv", 1, 1},
    {"aiconfigurator", "nccl_perf.csv", 1, 1},
    {"splitwise", "perf.csv", 1, 1},
    {"spark", "eventlog", 6, 5},
    {"chrome", "trace.json", 7, 5},
    {"otlp", "spans.json", 2, 2},
    {"prometheus", "metrics.txt", 5, 5},
    {"vectordbbench", "result.json", 1, 1},
    {"db-prices", "dbPrices.json", 2, 2},
    {"fio", "fio.json", 1, 1},
    {"dlio-output", "0_output.json", 1, 1},
    {"cedar", "stats.yaml", 3, 3},
    {"dlio-workload", "unet3d_h100.yaml", 1, 1},
    {"hardware", "a100.yaml", 1, 1},
    {"pollux", "placements.csv", 1, 1},
    {"gavel", "gavel.csv", 1, 1},
    {"llm-foundry", "foundry.csv", 1, 1},
    {"pai-minibatch", "job.csv", 1, 1},
    {"mlperf-storage", "runs.csv", 1, 1},
    {"vm-noise", "fio_MiBps.csv", 2, 2},
    {"big-ann", "t1.csv", 1, 1},
    {"retrieval-quality", "odqa.csv", 1, 1},
    {"cedar-table", "ablation.csv", 1, 1},
    {"silicon-sample", "silicon.csv", 1, 1},
    {"engine-series", "timeseries.csv", 1, 1},
    {"attention-skew", "skew.csv", 1, 1},
    {"agent-rounds", "rounds.csv", 1, 1},
};
enum { SAMPLES = sizeof samples / sizeof *samples };

/* What the file holds, in the arena. */
static inline char *sample_text(const struct sample *sample, struct arena *a)
{
    const char *top = getenv("abs_srcdir");
    struct err failure = {0};
    char path[600], *text, *kept;

    snprintf(path, sizeof path, "%s/tests/fuzz/seeds/%s/%s", top != NULL ? top : ".", sample->format,
             sample->file);
    if (text_read_file(path, &text, NULL, &failure) != 0) {
        fprintf(stderr, "%s\n", failure.text);
        abort();
    }
    kept = arena_strdup(a, text);
    free(text);
    return kept;
}

#endif
