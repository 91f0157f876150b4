/*
 * bench_executor.c - what the executor delivers on this machine, as JSON lines.
 *
 * The baseline of the quickstart, then one change at a time; and what recording
 * spans costs: at most 2 % of the throughput is the promise, and the last line
 * says what it is, with its interval.  Runs of different variants alternate, so
 * that a machine that slows down does not favour the first.
 */
#include "engine/stats.h"
#include "executor/rec.h"
#include "executor/span_log.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 3 };

static struct rec_plan baseline(void)
{
    return (struct rec_plan){
        .data = {.rows = 98304,
                 .partition_rows = 8192,
                 .session_samples = 16,
                 .repeat_prob = 0.9,
                 .active_sessions = 500,
                 .session_features = 24,
                 .item_features = 16,
                 .used_session_features = 16,
                 .used_item_features = 8,
                 .list_length = 10,
                 .dense_features = 64,
                 .vocabulary = 100000,
                 .zipf = 1.05,
                 .positive_frac = 0.2,
                 .keep_frac = 0.25,
                 .epochs = 3,
                 .seed = 1},
        .etl = {.workers = 1, .order = ORDER_TIME, .codec = CODEC_ZSTD, .stripe_rows = 4096},
        .storage = {.workers = 1, .direct = true},
        .prep = {.workers = 1, .batch = 256, .crosses = 24},
        .train = {.workers = 1, .embedding_dim = 16, .table_rows = 2000, .hidden = 64, .learning_rate = 0.05},
        .stage_names = {"etl", "storage", "preprocess", "train"},
        .buffers = {2, 2, 4},
        .seed = 1,
    };
}

static void filter_first(struct rec_plan *p)
{
    static const int chain[] = {PREP_FILTER, PREP_HASH, PREP_CROSS, PREP_CLIP, PREP_BUCKETIZE};

    memcpy(p->prep.chain, chain, sizeof chain);
    p->prep.chain_n = 5;
}

static void dedup(struct rec_plan *p)
{
    p->prep.dedup = true;
}

static void cluster(struct rec_plan *p)
{
    p->etl.order = ORDER_SESSION;
}

static void cluster_and_dedup(struct rec_plan *p)
{
    cluster(p);
    dedup(p);
}

static void projection(struct rec_plan *p)
{
    p->storage.projection = true;
}

static void lz4(struct rec_plan *p)
{
    p->etl.codec = CODEC_LZ4;
}

static void uncompressed(struct rec_plan *p)
{
    p->etl.codec = CODEC_NONE;
}

static void fuse(struct rec_plan *p)
{
    p->prep.fuse = true;
}

static void cache(struct rec_plan *p)
{
    p->prep.cache = true;
}

static void two_workers(struct rec_plan *p)
{
    p->prep.workers = 2;
}

static void batch_512(struct rec_plan *p)
{
    p->prep.batch = 512;
}

static const struct variant {
    const char *name;
    void (*edit)(struct rec_plan *);
    bool spans;
} variants[] = {
    {"baseline", NULL, true},
    {"baseline without spans", NULL, false},
    {"dedup", dedup, true},
    {"cluster", cluster, true},
    {"cluster and dedup", cluster_and_dedup, true},
    {"projection", projection, true},
    {"lz4", lz4, true},
    {"uncompressed", uncompressed, true},
    {"fuse", fuse, true},
    {"filter first", filter_first, true},
    {"cache", cache, true},
    {"2 preprocessing workers", two_workers, true},
    {"batch 512", batch_512, true},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

static int run_variant(const struct variant *v, const char *folder, int round, double *throughput_per_s)
{
    struct rec_plan plan = baseline();
    struct exec_options opt = {.folder = folder, .spans = v->spans, .pin = PIN_NONE};
    struct span_log *log = span_log_new();
    struct rec_result r;
    struct err err = {0};

    if (v->edit != NULL)
        v->edit(&plan);
    if (rec_run(&plan, &opt, log, &r, &err) != 0) {
        fprintf(stderr, "%s: %s\n", v->name, err.text);
        span_log_free(log);
        return 1;
    }
    printf("{\"bench\": \"executor\", \"variant\": \"%s\", \"round\": %d, \"throughput_per_s\": %.0f, "
           "\"makespan_s\": %.4f, \"cpu_s\": [%.3f, %.3f, %.3f, %.3f], \"table_bytes\": %.0f, "
           "\"read_bytes\": %.0f, \"last_loss\": %.6f}\n",
           v->name, round, r.throughput_per_s, r.makespan_s, r.stages[0].cpu_s, r.stages[1].cpu_s,
           r.stages[2].cpu_s, r.stages[3].cpu_s, r.table_bytes, r.read_bytes, r.last_loss);
    fflush(stdout);
    *throughput_per_s = r.throughput_per_s;
    rec_result_free(&r);
    span_log_free(log);
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* The first two variants differ in nothing but the spans. */
static int measure_overhead(const char *folder)
{
    enum { PAIRS = 8 };
    double with[PAIRS], without[PAIRS];
    struct estimate e;
    int bad = 0;

    for (int i = 0; i < PAIRS && bad == 0; i++) {
        bad += run_variant(&variants[i % 2], folder, ROUNDS + i, i % 2 == 0 ? &with[i] : &without[i]);
        bad += run_variant(&variants[1 - i % 2], folder, ROUNDS + i, i % 2 == 0 ? &without[i] : &with[i]);
    }
    if (bad == 0) {
        e = estimate_ratio(without, with, PAIRS, 0.95);
        printf("{\"bench\": \"executor\", \"what\": \"overhead of spans\", \"overhead_frac\": %.4f, \"lo\": "
               "%.4f, "
               "\"hi\": %.4f, \"pairs\": %d}\n",
               e.mean - 1, e.lo - 1, e.hi - 1, PAIRS);
    }
    return bad;
}

/* With the argument "overhead" only that is measured. */
int main(int argc, char **argv)
{
    int rounds = argc > 1 && strcmp(argv[1], "overhead") == 0 ? 0 : ROUNDS;
    char folder[] = "bench-executor-XXXXXX";
    double unused;
    int bad = 0;

    if (mkdtemp(folder) == NULL) {
        perror(folder);
        return 1;
    }
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < VARIANTS; i++)
            bad += run_variant(&variants[i], folder, round, &unused);
    bad += measure_overhead(folder);
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return bad != 0;
}
