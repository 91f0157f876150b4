/*
 * import_files.h - trace files of any size for bench_import: shaped like real ones, drawn from a counter.
 *
 * Each writer adds one record to the file, number `i`; records grow neither with i nor with the file.
 */
#ifndef IMPORT_FILES_H
#define IMPORT_FILES_H

#include <stdint.h>
#include <stdio.h>
#include <zlib.h>

struct file_kind {
    const char *name, *file, *head, *tail; /* head and tail: around the records */
    void (*record)(char *out, size_t size, long i);
    long records; /* of the file that is timed */
};

/* A number that looks drawn: the finalizer of splitmix64. */
static inline uint64_t drawn(uint64_t x)
{
    x = (x + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* As Kineto writes them, arguments and all. */
static inline void kineto_record(char *out, size_t size, long i)
{
    static const char *const op[] = {"aten::empty",      "aten::convolution",
                                     "aten::add_",       "aten::batch_norm",
                                     "cudaLaunchKernel", "volta_scudnn_128x64_relu_interior_nn_v1"};
    static const char *const cat[] = {"Operator", "Operator", "Operator", "Operator", "Runtime", "Kernel"};
    unsigned k = (unsigned)(drawn((uint64_t)i) % 6);

    snprintf(
        out, size,
        "%s  {\n    \"ph\": \"X\", \"cat\": \"%s\", \n    \"name\": \"%s\", \"pid\": 5555, \"tid\": "
        "\"5555\",\n"
        "    \"ts\": %lld, \"dur\": %u,\n    \"args\": {\n      \"Device\": 5555, \"External id\": %ld,\n"
        "      \"Trace name\": \"PyTorch Profiler\", \"Trace iteration\": 0,\n      \"Input Dims\": [[64, 3, "
        "224, "
        "224], [], []], \"Call stack\": \"torch/autograd/profiler.py(611): "
        "__init__;torch/profiler/profiler.py(312): "
        "step;train.py(54): <module>\", \"Input type\": [\"float\", \"Int\", \"\"]\n    }\n  }\n",
        i > 0 ? "," : "", cat[k], op[k], 1623212760127829LL + 25 * (long long)i,
        (unsigned)(drawn((uint64_t)~i) % 900), i);
}

static inline void spark_record(char *out, size_t size, long i)
{
    long long launch = 1751493929737LL + 3 * (long long)i;
    unsigned run = 50 + (unsigned)(drawn((uint64_t)i) % 4000);

    snprintf(
        out, size,
        "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":%ld,\"Stage Attempt ID\":0,\"Task "
        "Type\":\"ShuffleMapTask\","
        "\"Task End Reason\":{\"Reason\":\"Success\"},\"Task Info\":{\"Task "
        "ID\":%ld,\"Index\":%ld,\"Attempt\":0,"
        "\"Launch Time\":%lld,\"Executor ID\":\"%ld\",\"Host\":\"worker-%ld\",\"Locality\":\"PROCESS_LOCAL\","
        "\"Speculative\":false,\"Getting Result Time\":0,\"Finish "
        "Time\":%lld,\"Failed\":false,\"Killed\":false,"
        "\"Accumulables\":[{\"ID\":1,\"Name\":\"internal.metrics.executorDeserializeTime\",\"Update\":546,"
        "\"Value\":"
        "546,\"Internal\":true,\"Count Failed "
        "Values\":true},{\"ID\":3,\"Name\":\"internal.metrics.executorRunTime\","
        "\"Update\":%u,\"Value\":%u,\"Internal\":true,\"Count Failed Values\":true}]},\"Task Executor "
        "Metrics\":{"
        "\"JVMHeapMemory\":0,\"JVMOffHeapMemory\":0,\"OnHeapExecutionMemory\":0},\"Task "
        "Metrics\":{\"Executor "
        "Deserialize Time\":5,\"Executor Deserialize CPU Time\":369846703,\"Executor Run "
        "Time\":%u,\"Executor CPU "
        "Time\":%u000000,\"Peak Execution Memory\":0,\"Result Size\":2318,\"JVM GC Time\":%u,\"Result "
        "Serialization "
        "Time\":7,\"Memory Bytes Spilled\":0,\"Disk Bytes Spilled\":0,\"Shuffle Read Metrics\":{\"Remote "
        "Blocks "
        "Fetched\":3,\"Local Blocks Fetched\":1,\"Fetch Wait Time\":2,\"Remote Bytes Read\":%u,\"Remote "
        "Bytes Read To "
        "Disk\":0,\"Local Bytes Read\":4096,\"Total Records Read\":811},\"Shuffle Write Metrics\":{\"Shuffle "
        "Bytes "
        "Written\":93322,\"Shuffle Write Time\":2000000,\"Shuffle Records Written\":640},\"Input "
        "Metrics\":{\"Bytes "
        "Read\":8388608,\"Records Read\":40960},\"Output Metrics\":{\"Bytes Written\":0,\"Records "
        "Written\":0},"
        "\"Updated Blocks\":[]}}\n",
        i / 200, i, i % 200, launch, i % 8, i % 8, launch + run + 20, run, run, run, run / 2, run / 20,
        run * 17);
}

static inline void csv_record(char *out, size_t size, long i)
{
    snprintf(out, size, "2023-11-16 %02ld:%02ld:%02ld.%07ld,%u,%u\n", i / 360000 % 24, i / 6000 % 60,
             i / 100 % 60, i % 100 * 100000, (unsigned)(drawn((uint64_t)i) % 4000),
             (unsigned)(drawn((uint64_t)~i) % 600));
}

static inline void jsonl_record(char *out, size_t size, long i)
{
    int n = snprintf(out, size,
                     "{\"timestamp\": %ld, \"input_length\": %u, \"output_length\": %u, \"hash_ids\": [",
                     3 * i, (unsigned)(drawn((uint64_t)i) % 16000), (unsigned)(drawn((uint64_t)~i) % 600));

    for (int k = 0; k < 16; k++)
        n += snprintf(out + n, size - (size_t)n, "%s%ld", k > 0 ? ", " : "", 8 * i + k);
    snprintf(out + n, size - (size_t)n, "]}\n");
}

static const struct file_kind file_kinds[] = {
    {"chrome", "kineto.json", "{\n\"schemaVersion\": 1,\n\"traceEvents\": [\n", "]}\n", kineto_record,
     100000},
    {"spark", "eventlog", "", "", spark_record, 40000},
    {"azure-llm", "arrivals.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\n", "", csv_record, 500000},
    {"mooncake", "requests.jsonl", "", "", jsonl_record, 40000},
};
enum { FILE_KINDS = sizeof file_kinds / sizeof *file_kinds };

/* Writes records until there are `records` of them or `bytes` are written (0: no such limit); gzip when
 * packed. */
static inline int write_file(const struct file_kind *k, const char *path, long records, int64_t bytes,
                             int packed)
{
    gzFile f = gzopen(path, packed ? "wb6" : "wbT");
    char record[4000];
    int64_t written = 0;

    if (f == NULL)
        return -1;
    gzputs(f, k->head);
    for (long i = 0; (records == 0 || i < records) && (bytes == 0 || written < bytes); i++) {
        k->record(record, sizeof record, i);
        written += gzputs(f, record);
    }
    gzputs(f, k->tail);
    return gzclose(f) == Z_OK ? 0 : -1;
}

#endif
