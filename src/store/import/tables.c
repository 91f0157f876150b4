/*
 * tables.c - published tables of measurements, each a list of its columns.
 *
 * The number behind a figure turns its unit into SI.
 */
#include "store/import/formats.h"
#include "store/import/measured.h"

#include <string.h>

#define MIB (1024.0 * 1024.0)
#define END                                                                                                  \
    {                                                                                                        \
        NULL, NULL, COLUMN_END, 0                                                                            \
    }

/* Defines NAME_importer from the tables given; the first whose header line fits is used. */
#define IMPORTER(id, format, about, unit_text, ...)                                                          \
    static const struct measured_table id##_tables[] = {__VA_ARGS__};                                        \
    static int id##_sniff(const struct import_head *h)                                                       \
    {                                                                                                        \
        for (size_t i = 0; i < sizeof id##_tables / sizeof *id##_tables; i++)                                \
            if (measured_begins(h, &id##_tables[i]))                                                         \
                return 80;                                                                                   \
        return 0;                                                                                            \
    }                                                                                                        \
    static int id##_run(struct import *im, struct err *err)                                                  \
    {                                                                                                        \
        return run_first(im, id##_tables, sizeof id##_tables / sizeof *id##_tables, err);                    \
    }                                                                                                        \
    const struct importer id##_importer = {                                                                  \
        .name = format, .help = about, .units = unit_text, .sniff = id##_sniff, .run = id##_run}

static int run_first(struct import *im, const struct measured_table *tables, size_t n, struct err *err)
{
    struct import_head h;
    char head[1025];

    TRY(source_peek(import_source(im), &h.text, &h.n, sizeof head - 1, err));
    memcpy(head, h.text, h.n);
    head[h.n] = '\0';
    h.text = head;
    for (size_t i = 0; i < n; i++)
        if (measured_begins(&h, &tables[i]))
            return measured_import(im, &tables[i], err);
    return import_refuse(im, 1, 0, err, "the header line is not the expected one: %s...", tables[0].header);
}

/* ----------------------------------------------------------- training speed */

static const struct measured_column pollux[] = {{"placement", "placement", TEXT, 1},
                                                {"local_bsz", "local_batch", NUMBER, 1},
                                                {"step_time", "step_s", FIGURE, 1},
                                                {"sync_time", "sync_s", FIGURE, 1},
                                                END};
IMPORTER(pollux, "pollux", "Pollux placements (CSV): step and gradient-sync time by placement and batch",
         "seconds; digit n of the placement is the GPUs on node n",
         {"placement,local_bsz,step_time,sync_time", "training step", pollux, NULL, NULL});

static const struct measured_column gavel[] = {{"gpu", "gpu", TEXT, 1},
                                               {"job", "job", TEXT, 1},
                                               {"num_gpus", "gpus", NUMBER, 1},
                                               {"colocated_job", "colocated_job", TEXT, 1},
                                               {"colocated_num_gpus", "colocated_gpus", NUMBER, 1},
                                               {"steps_per_s", "steps_per_s", FIGURE, 1},
                                               {"colocated_steps_per_s", "colocated_steps_per_s", FIGURE, 1},
                                               END};
IMPORTER(gavel, "gavel", "Gavel throughputs (CSV): training speed by GPU, count and co-located job",
         "steps a second; 0 means that the pair did not fit",
         {"gpu,job,num_gpus,colocated_job,", "training step", gavel, NULL, NULL});

static const struct measured_column foundry[] = {{"Section", "cluster", TEXT, 1},
                                                 {"Model", "model", TEXT, 1},
                                                 {"SeqLen (T)", "sequence_tokens", NUMBER, 1},
                                                 {"# GPUs", "gpus", NUMBER, 1},
                                                 {"GPU", "gpu", TEXT, 1},
                                                 {"MFU", "mfu_frac", FIGURE, 0.01},
                                                 {"HFU", "hfu_frac", FIGURE, 0.01},
                                                 {"Model TFLOP", "model_flop_per_s_per_gpu", FIGURE, 1e12},
                                                 {"MicroBatchSize", "micro_batch", NUMBER, 1},
                                                 {"GradAccum", "grad_accum", NUMBER, 1},
                                                 {"GlobalBatchSize", "global_batch", NUMBER, 1},
                                                 {"Throughput (S/s)", "sequences_per_s", FIGURE, 1},
                                                 {"Throughput (T/s)", "tokens_per_s", FIGURE, 1},
                                                 {"Throughput (T/s/GPU)", "tokens_per_s_per_gpu", FIGURE, 1},
                                                 {"GlobalBatchSize (T)", "global_batch_tokens", NUMBER, 1},
                                                 {"Precision", "precision", TEXT, 1},
                                                 {"MP Mode", "mp_mode", TEXT, 1},
                                                 {"Sharding Strategy", "sharding", TEXT, 1},
                                                 {"Activation Checkpointing", "checkpointing", TEXT, 1},
                                                 {"Activation CPUOffload", "cpu_offload", TEXT, 1},
                                                 {"NumParams", "parameters", NUMBER, 1},
                                                 END};
IMPORTER(llm_foundry, "llm-foundry", "llm-foundry training throughput (CSV)",
         "MFU and HFU in %, TFLOP/s per GPU; throughputs are rounded to integers upstream",
         {"Section,Model,SeqLen (T),# GPUs,", "training", foundry, NULL, NULL});

static const struct measured_column minibatch[] = {{"", "row", UNUSED, 1},
                                                   {"worker", "worker", NUMBER, 1},
                                                   {"gpu", "gpu_frac", NUMBER, 0.01},
                                                   {"time", "iteration", NUMBER, 1},
                                                   {"batch_time_norm", "batch_time_normalized", FIGURE, 1},
                                                   END};
IMPORTER(pai_minibatch, "pai-minibatch", "Alibaba PAI mini-batch times (CSV): stragglers of one training job",
         "batch_time_norm has no unit; gpu in % of one GPU",
         {",worker,gpu,time,batch_time_norm", "training step", minibatch, NULL, NULL});

/* ------------------------------------------------------------------ storage */

static const struct measured_column storage[] = {
    {"division", "division", TEXT, 1},
    {"submitter", "submitter", TEXT, 1},
    {"system", "system", TEXT, 1},
    {"run_path", "run_path", TEXT, 1},
    {"model", "model", TEXT, 1},
    {"accelerator", "accelerator", TEXT, 1},
    {"num_accelerators", "accelerators", NUMBER, 1},
    {"num_hosts", "hosts", NUMBER, 1},
    {"au_mean_pct", "accelerator_utilization_frac", FIGURE, 0.01},
    {"au_stdev_pct", "accelerator_utilization_sd_frac", FIGURE, 0.01},
    {"samples_per_s", "samples_per_s", FIGURE, 1},
    {"samples_per_s_stdev", "samples_sd_per_s", FIGURE, 1},
    {"io_MiB_per_s", "io_bytes_per_s", FIGURE, MIB},
    {"num_files_train", "files", NUMBER, 1},
    {"num_samples_per_file", "samples_per_file", NUMBER, 1},
    {"record_bytes", "record_bytes", NUMBER, 1},
    {"record_bytes_stdev", "record_sd_bytes", NUMBER, 1},
    {"batch_size", "batch", NUMBER, 1},
    {"read_threads", "read_threads", NUMBER, 1},
    {"prefetch_size", "prefetch", NUMBER, 1},
    {"computation_time_s", "compute_s", NUMBER, 1},
    {"epochs", "epochs", NUMBER, 1},
    {"host_cpu_count", "host_cpus", NUMBER, 1},
    {"host_memory_GB", "host_memory_bytes", NUMBER, 1024.0 * MIB},
    {"cpu_model", "cpu", TEXT, 1},
    {"au_per_epoch_pct", "epoch_utilization_frac", LIST, 0.01},
    {"epoch_s", "epoch_s", LIST, 1},
    END};
IMPORTER(mlperf_storage, "mlperf-storage",
         "MLPerf Storage runs (CSV): accelerator utilization and throughput",
         "utilization in %, io in MiB/s (upstream says MB/s), memory in GiB; accelerators are emulated",
         {"division,submitter,system,run_path,", "training storage", storage, NULL, NULL});

static const struct measured_column noise_mib[] = {{"value", "throughput_bytes_per_s", FIGURE, MIB},
                                                   {"runtime", "runtime_s", FIGURE, 1},
                                                   {"starttime", "start_s", TIME, 1},
                                                   {"VM_id", "vm", NUMBER, 1},
                                                   END};
static const struct measured_column noise_iops[] = {{"value", "ios_per_s", FIGURE, 1},
                                                    {"runtime", "runtime_s", FIGURE, 1},
                                                    {"starttime", "start_s", TIME, 1},
                                                    {"VM_id", "vm", NUMBER, 1},
                                                    END};
static const struct measured_column noise_ms[] = {{"value", "latency_mean_s", FIGURE, 1e-3},
                                                  {"runtime", "runtime_s", FIGURE, 1},
                                                  {"starttime", "start_s", TIME, 1},
                                                  {"VM_id", "vm", NUMBER, 1},
                                                  END};

static int noise_sniff(const struct import_head *h)
{
    return strncmp(h->text, "value,runtime,starttime,VM_id", 29) == 0 ? 95 : 0;
}

/* The unit of `value` stands in the file's name only. */
static int noise_run(struct import *im, struct err *err)
{
    static const struct {
        const char *ending;
        const struct measured_column *columns;
    } unit[] = {{"MiBps", noise_mib}, {"IOPS", noise_iops}, {"ms", noise_ms}};
    const char *base = import_base(im);
    size_t n = strlen(base);

    for (int i = 0; i < 3; i++) {
        size_t e = strlen(unit[i].ending);

        if (n > e && strcmp(base + n - e, unit[i].ending) == 0)
            return measured_import(im,
                                   &(struct measured_table){.header = "",
                                                            .subject = "cloud machine",
                                                            .columns = unit[i].columns,
                                                            .repeated = unit[i].columns[0].name},
                                   err);
    }
    return import_refuse(
        im, 1, 0, err,
        "the unit of the column \"value\" is told by the end of the file's name: _MiBps, _IOPS or "
        "_ms");
}

const struct importer vm_noise_importer = {
    .name = "vm-noise",
    .help = "Azure VM noise (CSV): one benchmark repeated on cloud machines for months",
    .units = "value in MiB/s, IO/s or ms, as the file's name ends",
    .sniff = noise_sniff,
    .run = noise_run,
};

/* ------------------------------------------------------------ vector search */

/* indexsize is a resident-set difference in units of 1024 bytes. */
static const struct measured_column big_ann[] = {{"algorithm", "algorithm", TEXT, 1},
                                                 {"parameters", "parameters", TEXT, 1},
                                                 {"dataset", "dataset", TEXT, 1},
                                                 {"count", "k", NUMBER, 1},
                                                 {"qps", "queries_per_s", POSITIVE, 1},
                                                 {"distcomps", "distance_computations", POSITIVE, 1},
                                                 {"build", "build_s", POSITIVE, 1},
                                                 {"indexsize", "index_bytes", POSITIVE, 1024},
                                                 {"queriessize", "queries_size", UNUSED, 1},
                                                 {"mean_ssd_ios", "ssd_ios_mean", POSITIVE, 1},
                                                 {"mean_latency", "latency_mean_s", POSITIVE, 1e-6},
                                                 {"track", "track", TEXT, 1},
                                                 {"recall/ap", "recall_frac", FIGURE, 1},
                                                 END};
IMPORTER(big_ann, "big-ann", "Big-ANN results (CSV): recall against throughput",
         "latency in us, index size in KiB; 0 and negative values mean not measured",
         {"algorithm,parameters,dataset,count,qps,", "vector search", big_ann, NULL, NULL});

static const struct measured_column odqa[] = {{"model", "model", TEXT, 1},
                                              {"Top5", "hit_at_5_frac", FIGURE, 0.01},
                                              {"Top20", "hit_at_20_frac", FIGURE, 0.01},
                                              {"Top100", "hit_at_100_frac", FIGURE, 0.01},
                                              {"Top500", "hit_at_500_frac", FIGURE, 0.01},
                                              {"Top1000", "hit_at_1000_frac", FIGURE, 0.01},
                                              END};
static const struct measured_column beir[] = {{"model", "model", TEXT, 1},
                                              {"dataset", "dataset", TEXT, 1},
                                              {"nDCG@10", "ndcg_at_10_frac", FIGURE, 1},
                                              {"R@100", "recall_at_100_frac", FIGURE, 1},
                                              {"R@1000", "recall_at_1000_frac", FIGURE, 1},
                                              END};
IMPORTER(retrieval, "retrieval-quality", "retrieval quality against k (CSV): open-domain QA, BEIR",
         "open-domain QA in %, BEIR as fractions",
         {"model,Top5,Top20,", "retrieval quality", odqa, NULL, NULL},
         {"model,dataset,nDCG@10,", "retrieval quality", beir, NULL, NULL});

/* ------------------------------------------------------------ preprocessing */

static const struct measured_column cedar_throughput[] = {{"Pipeline", "pipeline", TEXT, 1},
                                                          {"System", "system", TEXT, 1},
                                                          {"Throughput", "samples_per_s", FIGURE, 1},
                                                          END};
static const struct measured_column cedar_ablation[] = {
    {"Pipeline", "pipeline", TEXT, 1}, {"Setup", "setup", TEXT, 1}, {"Runtime", "runtime_s", FIGURE, 1}, END};
IMPORTER(cedar_table, "cedar-table", "cedar end-to-end throughput and ablation (CSV)",
         "samples a second, seconds",
         {"Pipeline,System,Throughput", "input pipeline", cedar_throughput, NULL, NULL},
         {"Pipeline,Setup,Runtime", "input pipeline", cedar_ablation, NULL, NULL});

/* ------------------------------------------------------------------ serving */

static const struct measured_column silicon[] = {
    {"id", "id", TEXT, 1},
    {"silicon_data_source", "source", UNUSED, 1},
    {"backend", "engine", TEXT, 1},
    {"backend_version", "engine_version", TEXT, 1},
    {"model_path", "model", TEXT, 1},
    {"system", "hardware", TEXT, 1},
    {"precision", "precision", TEXT, 1},
    {"mode", "mode", TEXT, 1},
    {"isl", "input_tokens", NUMBER, 1},
    {"osl", "output_tokens", NUMBER, 1},
    {"gemm_quant_mode", "gemm_quant", TEXT, 1},
    {"moe_quant_mode", "moe_quant", TEXT, 1},
    {"batch_size", "concurrency", NUMBER, 1},
    {"tp_size", "tp", NUMBER, 1},
    {"pp_size", "pp", NUMBER, 1},
    {"attention_dp_size", "attention_dp", NUMBER, 1},
    {"moe_tp_size", "moe_tp", NUMBER, 1},
    {"moe_ep_size", "moe_ep", NUMBER, 1},
    {"prefill_batch_size", "prefill_batch", NUMBER, 1},
    {"prefill_num_workers", "prefill_workers", NUMBER, 1},
    {"prefill_tp_size", "prefill_tp", NUMBER, 1},
    {"prefill_pp_size", "prefill_pp", NUMBER, 1},
    {"prefill_attention_dp_size", "prefill_attention_dp", NUMBER, 1},
    {"prefill_moe_tp_size", "prefill_moe_tp", NUMBER, 1},
    {"prefill_moe_ep_size", "prefill_moe_ep", NUMBER, 1},
    {"decode_batch_size", "decode_batch", NUMBER, 1},
    {"decode_num_workers", "decode_workers", NUMBER, 1},
    {"decode_tp_size", "decode_tp", NUMBER, 1},
    {"decode_pp_size", "decode_pp", NUMBER, 1},
    {"decode_attention_dp_size", "decode_attention_dp", NUMBER, 1},
    {"decode_moe_tp_size", "decode_moe_tp", NUMBER, 1},
    {"decode_moe_ep_size", "decode_moe_ep", NUMBER, 1},
    {"silicon_ttft_ms", "ttft_s", FIGURE, 1e-3},
    {"silicon_tpot_ms", "tpot_s", FIGURE, 1e-3},
    END};
IMPORTER(silicon_sample, "silicon-sample", "measured serving results collected by aiconfigurator (CSV)",
         "TTFT and TPOT in ms; batch_size is the concurrency",
         {"id,silicon_data_source,", "serving", silicon, NULL, NULL});

static const struct measured_column engine_series[] = {
    {"t", "t_s", FIGURE, 1},
    {"prompt_throughput", "prompt_tokens_per_s", FIGURE, 1},
    {"gen_throughput", "output_tokens_per_s", FIGURE, 1},
    {"running", "running", FIGURE, 1},
    {"waiting", "waiting", FIGURE, 1},
    {"kv_cache_pct", "kv_cache_frac", FIGURE, 0.01},
    END};
IMPORTER(engine_series, "engine-series", "state of a serving engine once a second (CSV)",
         "seconds, tokens a second, requests, % of the KV cache",
         {"t,prompt_throughput,gen_throughput,", "engine state", engine_series, NULL, NULL});

static const struct measured_column rounds[] = {{"task_id", "task", NUMBER, 1},
                                                {"trial", "trial", NUMBER, 1},
                                                {"reward", "reward", FIGURE, 1},
                                                {"msg", "message", NUMBER, 1},
                                                {"role", "role", TEXT, 1},
                                                {"llm_round", "llm_round", FIGURE, 1},
                                                {"tool", "tool", TEXT, 1},
                                                {"content_chars", "content_chars", FIGURE, 1},
                                                {"tool_arg_chars", "tool_arg_chars", FIGURE, 1},
                                                {"context_chars_before", "context_chars", FIGURE, 1},
                                                END};
IMPORTER(agent_rounds, "agent-rounds", "rounds of a tool-using agent (CSV): one message a row, lengths only",
         "characters, about 4 a token; no times",
         {"task_id,trial,reward,msg,role,", "agent round", rounds, NULL, NULL});
