/* Units and traps of every format, on small samples; and the recorded files, where they are at hand. */
#include "import_helpers.h"
#include "import_samples.h"

#include <math.h>

TestSuite(import_formats, .init = temp_begin, .fini = temp_end);

static struct import_report report;

static void take(const char *file)
{
    struct store *s = temp_open(STORE_WRITE);
    bool found = false;

    for (int i = 0; i < SAMPLES; i++)
        if (strcmp(samples[i].file, file) == 0) {
            OK(import_into(s, write_text(file, sample_text(&samples[i], arena)), NULL, &report));
            found = true;
        }
    cr_assert(found, "no sample %s", file);
    store_close(s);
}

/* One value of the store against what the sample says, in SI units. */
static void gives(double expected, const char *sql)
{
    double found = ask_number(sql);

    cr_expect(fabs(found - expected) <= 1e-9 * fmax(1e-9, fabs(expected)), "%s gives %.17g, not %.17g", sql,
              found, expected);
}

static void figure_is(double expected, const char *name)
{
    char sql[120];

    snprintf(sql, sizeof sql, "SELECT value FROM figure WHERE name = '%s'", name);
    gives(expected, sql);
}

Test(import_formats, azure_times_are_wall_clock_text)
{
    take("azure.csv");
    gives(4.314579, "SELECT arrival_s FROM request WHERE seq = 1");
    gives(396, "SELECT input_tokens FROM request WHERE seq = 1");
    cr_expect_str_eq(ask("SELECT origin_unix_ns FROM import"), "1700158546680590000");
}

Test(import_formats, burstgpt_requests_without_answer_are_suspect)
{
    take("burst.csv");
    gives(2.5, "SELECT latency_s FROM request WHERE session = 's1'");
    cr_expect_str_eq(ask("SELECT class FROM request WHERE seq = 1"), "GPT-4");
    cr_expect_eq(report.suspect_n, 1);
}

Test(import_formats, mooncake_times_are_milliseconds_and_block_ids_exact)
{
    take("mooncake.jsonl");
    gives(1.5, "SELECT arrival_s FROM request WHERE seq = 0");
    cr_expect_str_eq(ask("SELECT block FROM prompt_block WHERE request = 0 AND position = 2"),
                     "9007199254740993", "beyond 2^53");
}

Test(import_formats, ragpulse_times_are_text_and_unsorted)
{
    take("rag.jsonl");
    gives(93, "SELECT arrival_s FROM request WHERE seq = 0");
    gives(7370, "SELECT block FROM prompt_block WHERE part = 'passages' AND position = 2");
    cr_expect_eq(report.suspect_n, 1);
    cr_expect_not_null(strstr(report.suspect[0].what, "not sorted"));
}

Test(import_formats, ragpulse_lengths_have_a_file_of_their_own)
{
    take("passages.jsonl");
    gives(286, "SELECT tokens FROM block_length WHERE part = 'passages' AND block = 1");
}

Test(import_formats, servegen_histograms_are_text_inside_json)
{
    take("chunk-1-dataset.json");
    gives(0.75, "SELECT value FROM figure WHERE name = 'input_tokens' AND at = 5");
}

Test(import_formats, servegen_windows_have_no_header)
{
    take("chunk-1-trace.csv");
    gives(8.34, "SELECT value FROM measurements WHERE name = 'requests_per_s' AND settings ->> "
                "'$.window_start_s' = 0");
    cr_expect_str_eq(ask("SELECT settings ->> '$.family' FROM measurement"), "Gamma");
}

Test(import_formats, a_benchmark_latency_has_the_unit_of_its_name)
{
    take("bench.json");
    figure_is(0.020, "ttft_p50_s");
    figure_is(0.9, "latency_p99_s");
    gives(0.25 + 0.1 + 0.2, "SELECT latency_s FROM request WHERE seq = 1");
    gives(20, "SELECT input_tokens FROM request WHERE seq = 1");
}

Test(import_formats, a_sweep_that_contradicts_itself_is_suspect)
{
    take("sweep.jsonl");
    gives(7.25,
          "SELECT value FROM measurements WHERE name = 'ttft_p50_s' AND settings ->> '$.concurrency' = 4");
    cr_assert_eq(report.suspect_n, 2);
    cr_expect_not_null(
        strstr(report.suspect[0].what, "TTFT at concurrency 4 (7.25 s) is above that at 8 (3.6 s)"), "%s",
        report.suspect[0].what);
    cr_expect_not_null(
        strstr(report.suspect[1].what, "throughput falls from 2/s at concurrency 4 to 1/s at 8"), "%s",
        report.suspect[1].what);
}

/* Arrival is Unix time, the rest another clock; the smallest distance aligns them, what is above is the
 * client's delay. */
Test(import_formats, two_clocks_in_one_file_are_aligned)
{
    take("requests.jsonl");
    gives(1.0, "SELECT arrival_s FROM request WHERE seq = 1");
    gives(0.5, "SELECT ttft_s FROM request WHERE seq = 0");
    gives(0.5, "SELECT ttft_s FROM request WHERE seq = 1");
    gives(0.25, "SELECT queue_s FROM request WHERE seq = 0");
    gives(0.25, "SELECT tpot_s FROM requests WHERE seq = 0");
}

Test(import_formats, our_own_operator_table)
{
    take("ops.csv");
    gives(0.041, "SELECT time_s FROM operator_costs WHERE op = 'prefill' AND chunk = 512");
    cr_expect_str_eq(ask("SELECT chunk FROM operator_costs WHERE op = 'decode'"), "");
}

Test(import_formats, llmservingsim_times_are_microseconds)
{
    take("dense.csv");
    gives(2.5e-6, "SELECT time_s FROM operator_costs WHERE tokens = 1");
    take("attention.csv");
    gives(8e-6,
          "SELECT time_s FROM operator_costs WHERE op = 'attention_decode' AND batch = 4 AND context = 16");
    gives(
        20e-6,
        "SELECT time_s FROM operator_costs WHERE op = 'attention_prefill' AND chunk = 256 AND context = 128");
    gives(30e-6, "SELECT time_s FROM operator_costs WHERE op = 'attention_mixed' AND variant = "
                 "'decodes=4,decode_context=512'");
    take("skew.csv");
    gives(47.25e-6, "SELECT time_s FROM operator_costs WHERE op = 'attention_uneven' AND batch = 2 AND "
                    "chunk = 0 AND variant = 'longs=1,longest=512,mean=320,even_us=46.5'");
}

Test(import_formats, vidur_times_are_milliseconds_and_sizes_bytes)
{
    take("mlp.csv");
    gives(1.5e-3, "SELECT time_s FROM operator_costs WHERE op = 'emb' AND tokens = 8 AND devices = 2");
    gives(0.25e-3, "SELECT time_sd_s FROM operator_costs WHERE op = 'emb'");
    take("all_reduce.csv");
    gives(2048, "SELECT bytes FROM operator_costs WHERE op = 'all_reduce'");
}

Test(import_formats, collective_messages_count_elements_not_bytes)
{
    take("nccl_perf.csv");
    gives(2048, "SELECT bytes FROM operator_costs WHERE op = 'all_reduce' AND devices = 8");
    gives(8.98e-6, "SELECT time_s FROM operator_costs");
    take("gemm_perf.csv");
    gives(2.5e-4,
          "SELECT time_s FROM operator_costs WHERE op = 'gemm' AND tokens = 128 AND hardware = 'H200'");
    gives(500, "SELECT power_w FROM operator_costs WHERE op = 'gemm'");
}

Test(import_formats, splitwise_gives_a_measurement_and_two_costs)
{
    take("perf.csv");
    gives(0.196, "SELECT time_s FROM operator_costs WHERE op = 'prefill' AND tokens = 1024");
    gives(0.0545, "SELECT time_s FROM operator_costs WHERE op = 'decode' AND context = 576");
    figure_is(7.168, "latency_s");
}

Test(import_formats, spark_has_milliseconds_and_nanoseconds_in_one_task)
{
    take("eventlog");
    gives(0.8, "SELECT run_s FROM spark_task");
    gives(0.5, "SELECT cpu_s FROM spark_task");
    gives(0.02, "SELECT gc_s FROM spark_task");
    gives(0.005, "SELECT fetch_wait_s FROM spark_task");
    gives(0.002, "SELECT shuffle_write_s FROM spark_task");
    gives(2.5, "SELECT launch_s FROM spark_task");
    gives(2, "SELECT wall_s FROM spark_jobs");
    gives(0, "SELECT parent FROM spark_job_stage WHERE stage = 1");
    gives(12, "SELECT cores FROM spark_executors");
    gives(130, "SELECT bytes_in FROM spans WHERE stage = 'stage-0'");
}

Test(import_formats, chrome_times_are_microseconds_far_from_zero)
{
    take("trace.json");
    gives(21e-6, "SELECT wall_s FROM spans WHERE op = 'aten::empty'");
    gives(100.5e-6, "SELECT start_s FROM spans WHERE stage = 'collective'");
    gives(1000.25e-6, "SELECT wall_s FROM spans WHERE stage = 'collective'");
    gives(3, "SELECT item FROM spans WHERE stage = 'step'");
    gives(10e-6, "SELECT wall_s FROM spans WHERE op = 'b'");
    cr_expect_str_eq(ask("SELECT origin_unix_ns FROM import"), "1623143093496523000");
}

Test(import_formats, otlp_times_are_integers_beyond_2_to_the_53)
{
    take("spans.json");
    gives(2, "SELECT wall_s FROM spans WHERE op = 'chat'");
    gives(1.000000001, "SELECT start_s FROM spans WHERE op = 'chat'");
    gives(120, "SELECT input_tokens FROM request");
    gives(30, "SELECT output_tokens FROM request");
    cr_expect_str_eq(ask("SELECT stage FROM spans WHERE op = 'retrieve'"), "rag");
    cr_assert_eq(report.unknown_n, 1);
    cr_expect_str_eq(report.unknown[0].what, "gen_ai.new.thing");
}

Test(import_formats, prometheus_histograms_keep_their_buckets)
{
    take("metrics.txt");
    gives(3, "SELECT value FROM figure WHERE name = 'bucket' AND at = 0.1");
    gives(5, "SELECT value FROM figure WHERE name = 'bucket' AND at > 1e300");
    gives(2, "SELECT value FROM measurements WHERE settings ->> '$.metric' = 'vllm:running'");
}

Test(import_formats, vector_database_sweeps_become_points)
{
    take("result.json");
    gives(
        0.2,
        "SELECT value FROM measurements WHERE name = 'latency_mean_s' AND settings ->> '$.concurrency' = 10");
    gives(0.95, "SELECT value FROM figure WHERE name = 'recall_frac'");
    cr_expect_eq(report.suspect_n, 1, "throughput halves");
    take("dbPrices.json");
    figure_is(0.159, "price_usd_per_h");
}

Test(import_formats, fio_latencies_are_ns_or_us_by_their_name)
{
    take("fio.json");
    figure_is(250e-6, "completion_mean_s");
    figure_is(900e-6, "completion_quantile_s");
    figure_is(300e-6, "latency_mean_s");
    figure_is(2048, "bytes_per_s");
    figure_is(2, "runtime_s");
    gives(0.99, "SELECT at FROM figure WHERE name = 'completion_quantile_s'");
}

Test(import_formats, storage_benchmarks)
{
    take("0_output.json");
    gives(0.5, "SELECT value FROM figure WHERE name = 'load_s' AND at = 1");
    figure_is(0.925, "accelerator_utilization_frac");
    take("runs.csv");
    figure_is(3556.0 * 1048576, "io_bytes_per_s");
    gives(197.5, "SELECT value FROM figure WHERE name = 'epoch_s' AND at = 1");
    take("fio_MiBps.csv");
    gives(195.0 * 1048576, "SELECT max(value) - 1048576 FROM figure WHERE name = 'throughput_bytes_per_s'");
    gives(1, "SELECT max(value) FROM figure WHERE name = 'start_s'");
}

Test(import_formats, yaml_formats)
{
    take("stats.yaml");
    gives(0.026494331,
          "SELECT value FROM measurements WHERE name = 'latency_s' AND at = 0 AND settings ->> '$.variant' "
          "= 'baseline'");
    gives(5e-6,
          "SELECT value FROM measurements WHERE name = 'latency_s' AND settings ->> '$.variant' = 'SMP'");
    figure_is(5.5e-10, "read_s_per_byte");
    take("unet3d_h100.yaml");
    figure_is(146600628, "record_bytes");
    cr_expect_str_eq(
        ask("SELECT settings ->> '$.accelerator' FROM measurement WHERE subject = 'training workload'"),
        "h100");
    take("a100.yaml");
    figure_is(312e12, "bf16_flop_per_s");
    gives(358612992, "SELECT value FROM figure WHERE name = 'nccl_memory_bytes' AND at = 2");
}

Test(import_formats, zero_means_not_measured_in_big_ann)
{
    take("t1.csv");
    figure_is(250e-6, "latency_mean_s");
    figure_is(102400, "index_bytes");
    cr_expect_str_eq(ask("SELECT count(*) FROM figure WHERE name = 'build_s'"), "0");
}

/* ----------------------------------------------------- the recorded files */

struct recorded {
    const char *file, *format;
    int read, kept;
    const char *sql; /* a figure of the description, or NULL */
    double expected;
};

/* Rows and figures as the description of the recordings gives them. */
static const struct recorded recorded[] = {
    {"azure-llm-2023/AzureLLMInferenceTrace_conv.csv", "azure-llm", 14248, 14248, NULL, 0},
    {"azure-llm-2023/AzureLLMInferenceTrace_code.csv", "azure-llm", 7300, 7300, NULL, 0},
    {"mooncake-fast25/conversation_trace.jsonl", "mooncake", 7851, 7851, NULL, 0},
    {"ragpulse/0_trace.jsonl", "ragpulse", 5167, 5167, NULL, 0},
    {"ragpulse/2_passages.jsonl", "ragpulse", 2913, 2913, NULL, 0},
    {"vidur/compute/a100/meta-llama/Llama-2-7b-hf/mlp.csv", "vidur", 1044, 1044,
     "SELECT count(*) FROM cost_op WHERE hardware <> 'a100' OR model <> 'Llama-2-7b-hf'", 0},
    {"vidur/a100_attention.csv.gz", "vidur", 14658, 14658, NULL, 0},
    {"vidur/network/a100_dgx/all_reduce.csv", "vidur", 6958, 6958, NULL, 0},
    {"llmservingsim/profile/RTXPRO6000/Qwen/Qwen3-32B/tp2/attention.csv", "llmservingsim-ops", 19364, 19364,
     "SELECT min(devices) FROM cost_op", 2},
    {"llmservingsim/bench/RTXPRO6000/Qwen3-32B/requests.jsonl", "llmservingsim-requests", 300, 300,
     "SELECT round(avg(tpot_s) * 1e3, 1) FROM requests", 80.3},
    {"aiconfigurator/h200_sxm/vllm-0.22.0/gemm_perf.csv", "aiconfigurator", 35742, 35742, NULL, 0},
    /* Read as elements, the bus of eight H200 carries 300 to 450 GB/s; read as bytes, half of it. */
    {"aiconfigurator/h200_sxm/nccl-2.26.2/nccl_perf.csv", "aiconfigurator", 1008, 1008,
     "SELECT max(bytes * 1.75 / time_s) BETWEEN 300e9 AND 500e9 FROM operator_costs WHERE op = 'all_reduce' "
     "AND devices "
     "= 8 AND variant LIKE '%half%'",
     1},
    {"aiconfigurator/silicon_sample.csv.gz", "silicon-sample", 3908, 3908, NULL, 0},
    {"inferencex-slo/qwen3.5.jsonl", "vllm-bench", 45, 45,
     "SELECT count(*) > 0 FROM import_note WHERE kind = 'suspect' AND what LIKE 'median TTFT at concurrency "
     "4 %above "
     "that at 8%'",
     1},
    {"big-ann/neurips21/t1.csv", "big-ann", 410, 410, NULL, 0},
    /* Its blank lines are none; sixteen rows lack a column. */
    {"big-ann/neurips23/streaming/res_final_runbook_AzureD8lds_v5.csv", "big-ann", 22, 6, NULL, 0},
    {"vectordbbench/Milvus/result_20250509_standard_milvus.json", "vectordbbench", 54, 54, NULL, 0},
    {"mlperf-storage-v1.0/runs.csv", "mlperf-storage", 425, 425, NULL, 0},
    {"mlperf-storage-v1.0/HPE_E1000_unet3d_h100_run-1_0_output.json", "dlio-output", 5, 5, NULL, 0},
    {"dlio-workloads/unet3d_a100.yaml", "dlio-workload", 1, 1,
     "SELECT value FROM figure WHERE name = 'compute_s'", 0.636},
    {"cedar/coco/coco_local_stats.yaml", "cedar", 8, 8, NULL, 0},
    {"spark-eventlogs/nds_q72_dataproc_2_2.gz", "spark", 27321, 13659, "SELECT count(*) FROM spark_task",
     13504},
    {"spark-eventlogs/eventlog_4nodes_8cores_dynamic_alloc.gz", "spark", 665, 324,
     "SELECT count(*) FROM spark_executors", 15},
    {"spark-eventlogs/xgboost_eventlog.gz", "spark", 379, 187, "SELECT count(*) FROM spark_task", 155},
    {"kineto-resnet50/resnet50_num_workers_0/worker0.1623143566756.pt.trace.json.gz", "chrome", 75718, 44666,
     "SELECT round(avg(wall_s) * 1e3) FROM spans WHERE stage = 'loader'", 45},
    {"kineto-resnet50/resnet50_num_workers_4/worker0.1623213129365.pt.trace.json.gz", "chrome", 71424, 41906,
     "SELECT round(avg(wall_s) * 1e4) FROM spans WHERE stage = 'loader'", 14},
    {"hta-kineto/trace_diff/control/control.json.gz", "chrome", 109123, 74937,
     "SELECT count(*) > 0 FROM spans WHERE stage = 'collective'", 1},
    {"gavel/physical_cluster_throughputs.csv.gz", "gavel", 8550, 8550, NULL, 0},
    {"pollux/bert/placements.csv", "pollux", 540, 540, NULL, 0},
    {"llm-foundry/train_throughput.csv", "llm-foundry", 139, 139, NULL, 0},
    {"splitwise/perf_model.csv", "splitwise", 840, 840, NULL, 0},
    {"servegen/deepseek-r1/chunk-35-trace.csv", "servegen-windows", 144, 144, NULL, 0},
    {"servegen/deepseek-r1/chunk-35-dataset.json.gz", "servegen", 4, 4,
     "SELECT round(sum(value), 6) FROM figure WHERE name = 'input_tokens' AND measurement = 0", 1},
};

static void check_recorded(const char *folder, const struct recorded *k)
{
    struct store *s = temp_open(STORE_WRITE);
    char path[600];

    snprintf(path, sizeof path, "%s/%s", folder, k->file);
    if (access(path, R_OK) != 0) {
        cr_log_info("skipped: %s is not there", path);
    } else {
        OK(import_into(s, path, NULL, &report));
        cr_expect_str_eq(report.format, k->format, "%s", k->file);
        cr_expect_eq(report.read, k->read, "%s: read %d", k->file, (int)report.read);
        cr_expect_eq(report.kept, k->kept, "%s: kept %d", k->file, (int)report.kept);
        cr_expect_eq(report.unknown_n, 0, "%s: %s", k->file,
                     report.unknown_n > 0 ? report.unknown[0].what : "");
        if (k->sql != NULL)
            gives(k->expected, k->sql);
    }
    store_close(s);
    unlink(temp_path);
}

Test(import_formats, recorded_files_have_the_rows_and_figures_of_their_description, .timeout = 120)
{
    const char *folder = getenv("FORESIGHT_TRACES");

    if (folder == NULL)
        cr_skip_test("FORESIGHT_TRACES names no folder of recorded traces");
    for (size_t i = 0; i < sizeof recorded / sizeof *recorded; i++)
        check_recorded(folder, &recorded[i]);
}
