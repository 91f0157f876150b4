#include "executor/rec.h"

#include "executor/span_log.h"
#include "small_plan.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>

static struct rec_plan plan;
static struct exec_options opt;
static struct err err;
static char *folder;

static void begin(void)
{
    plan = small_plan();
    folder = small_folder();
    opt = (struct exec_options){.folder = folder, .pin = PIN_NONE};
}

static void end(void)
{
    small_remove(folder);
}

TestSuite(execute, .init = begin, .fini = end, .timeout = 60);

static struct rec_result run(void)
{
    struct rec_result r;

    cr_assert_eq(rec_run(&plan, &opt, NULL, &r, &err), 0, "%s", err.text);
    return r;
}

static void expect_same_losses(const struct rec_result *a, const struct rec_result *b)
{
    cr_assert_eq(a->batches, b->batches);
    cr_expect_eq(memcmp(a->losses, b->losses, a->batches * sizeof *a->losses), 0);
}

Test(execute, everything_that_goes_in_comes_out)
{
    struct rec_result r = run();
    const struct exec_stage *etl = &r.stages[REC_ETL], *storage = &r.stages[REC_STORAGE];
    const struct exec_stage *prep = &r.stages[REC_PREP], *train = &r.stages[REC_TRAIN];

    cr_expect_float_eq(r.samples, 2 * 1536, 0);
    cr_expect_float_eq(r.throughput_per_s, r.samples / r.makespan_s, 1e-9);
    cr_expect(etl->items_in == 3 && etl->items_out == 3);
    cr_expect(storage->items_in == 3 && storage->items_out == 12, "two stripes a file, two epochs");
    cr_expect(prep->items_in == 12 && prep->items_out == r.batches);
    cr_expect(train->items_in == r.batches && train->items_out == r.batches);
    cr_expect_eq(r.batches, 12 * 4, "256 * 0.6 / 50 rows, rounded up, make 4 slices of a stripe");
    cr_expect_float_eq(storage->bytes_out, 2 * 1536 * dataset_row_bytes(&plan.data, false), 0.5);
    cr_expect_float_eq(r.read_bytes / (2 * r.table_bytes), 1, 0.2);
    for (int i = 0; i < REC_STAGES; i++)
        cr_expect(r.stages[i].busy_s > 0 && r.stages[i].cpu_s > 0 && r.stages[i].busy_s <= r.makespan_s);
    for (uint64_t i = 0; i < r.batches; i++)
        cr_expect(r.losses[i] > 0 && r.batch_latency_s[i] > 0);
    rec_result_free(&r);
}

Test(execute, workers_orders_of_arrival_and_tracing_do_not_change_the_training)
{
    struct rec_result one = run(), many;
    struct span_log *log = span_log_new();

    plan.etl.workers = plan.storage.workers = 2;
    plan.prep.workers = 3;
    plan.buffers[0] = plan.buffers[1] = plan.buffers[2] = 1;
    opt.spans = true;
    cr_assert_eq(rec_run(&plan, &opt, log, &many, &err), 0, "%s", err.text);
    expect_same_losses(&one, &many);
    rec_result_free(&one);
    rec_result_free(&many);
    span_log_free(log);
}

Test(execute, the_cache_replays_the_same_batches)
{
    struct rec_result fresh = run(), cached;

    plan.prep.cache = true;
    plan.prep.workers = 2;
    cached = run();
    expect_same_losses(&fresh, &cached);
    cr_expect_float_eq(cached.read_bytes / fresh.read_bytes, 0.5, 0.1, "the second epoch reads nothing");
    rec_result_free(&fresh);
    rec_result_free(&cached);
}

Test(execute, projection_reads_less_and_trains_the_same)
{
    struct rec_result all = run(), some;

    plan.etl.codec = CODEC_LZ4;
    plan.storage.projection = true;
    some = run();
    expect_same_losses(&all, &some);
    cr_expect_lt(some.stages[REC_STORAGE].bytes_out, 0.8 * all.stages[REC_STORAGE].bytes_out);
    rec_result_free(&all);
    rec_result_free(&some);
}

Test(execute, dedup_starts_equal_and_stays_close)
{
    struct rec_result plain = run(), dedup;

    plan.prep.dedup = true;
    dedup = run();
    cr_expect_eq(plain.first_loss, dedup.first_loss);
    cr_expect_float_eq(dedup.last_loss / plain.last_loss, 1, 1e-5);
    cr_expect_lt(dedup.stages[REC_PREP].bytes_out, plain.stages[REC_PREP].bytes_out);
    rec_result_free(&plain);
    rec_result_free(&dedup);
}

Test(execute, every_operator_leaves_a_span_that_counts_what_it_did)
{
    struct span_log *log = span_log_new();
    struct rec_result r;
    const struct span *s;
    size_t n;

    opt.spans = true;
    cr_assert_eq(rec_run(&plan, &opt, log, &r, &err), 0, "%s", err.text);
    s = span_log_merge(log, &n);
    cr_expect_eq(small_count_spans(s, n, "etl", "compress_zstd"), 3);
    cr_expect_eq(small_count_spans(s, n, "storage", "decode"), 12);
    cr_expect_eq(small_count_spans(s, n, "preprocess", "hash"), (int)r.batches);
    cr_expect_eq(small_count_spans(s, n, "train", "mlp"), (int)r.batches);
    for (size_t i = 0; i < n; i++) {
        cr_expect(s[i].start_s >= 0 && s[i].end_s >= s[i].start_s && s[i].end_s <= r.makespan_s + 1);
        cr_expect(s[i].cpu_s >= 0 && (i == 0 || s[i].start_s >= s[i - 1].start_s));
        if (strcmp(s[i].op, "parse") == 0)
            cr_expect_float_eq(s[i].items, 512, 0);
        if (strcmp(s[i].op, "hash") == 0)
            cr_expect_float_eq(s[i].items, 64 * 6 * 5, 0, "rows * used features * list length");
        if (strcmp(s[i].op, "compress_zstd") == 0)
            cr_expect_float_eq(s[i].bytes_in, 512 * dataset_row_bytes(&plan.data, false), 0);
    }
    rec_result_free(&r);
    span_log_free(log);
}

Test(execute, a_full_disk_ends_every_thread_with_an_error)
{
    struct rec_result r = run();
    const struct rlimit small = {16384, 16384};

    rec_result_free(&r);
    plan.etl.workers = plan.prep.workers = 2;
    setrlimit(RLIMIT_FSIZE, &small);
    cr_expect_eq(rec_run(&plan, &opt, NULL, &r, &err), ERR_IO);
    cr_expect(strstr(err.text, "stage \"etl\"") != NULL, "%s", err.text);
    cr_expect_eq(small_files_left(folder), 0);
}

Test(execute, a_damaged_log_ends_every_thread_with_an_error)
{
    struct rec_result r = run();
    char command[300];

    rec_result_free(&r);
    snprintf(command, sizeof command, "for f in %s/raw-*/00001.features; do truncate -s 10000 $f; done",
             folder);
    cr_assert_eq(system(command), 0);
    plan.storage.workers = plan.prep.workers = 2;
    cr_expect_eq(rec_run(&plan, &opt, NULL, &r, &err), ERR_IO);
    cr_expect(strstr(err.text, "00001.features") != NULL, "%s", err.text);
    cr_expect_eq(small_files_left(folder), 0);
}

Test(execute, a_plan_it_cannot_run_is_refused)
{
    struct rec_result r;

    plan.etl.stripe_rows = 100;
    cr_expect_eq(rec_run(&plan, &opt, NULL, &r, &err), ERR_SCENARIO);
    plan = small_plan();
    plan.buffers[1] = 0;
    cr_expect_eq(rec_run(&plan, &opt, NULL, &r, &err), ERR_SCENARIO);
    plan = small_plan();
    opt.folder = "/proc/no-such-folder";
    cr_expect_lt(rec_run(&plan, &opt, NULL, &r, &err), 0);
}

Test(execute, the_profile_measures_every_operator_alone_in_several_sizes)
{
    static const char *const etl[] = {
        "parse",         "join",         "order_time",    "order_session", "encode",
        "compress_none", "compress_lz4", "compress_zstd", "write",         NULL};
    static const char *const storage[] = {
        "read", "decompress_none", "decompress_lz4", "decompress_zstd", "decode", NULL};
    struct span_log *log = span_log_new();
    const struct span *s;
    size_t n;

    opt.spans = true;
    cr_assert_eq(rec_profile(&plan, &opt, log, &err), 0, "%s", err.text);
    s = span_log_merge(log, &n);
    for (int i = 0; etl[i] != NULL; i++)
        cr_expect_geq(small_count_spans(s, n, "etl", etl[i]), 6, "%s", etl[i]);
    for (int i = 0; storage[i] != NULL; i++)
        cr_expect_geq(small_count_spans(s, n, "storage", storage[i]), 6, "%s", storage[i]);
    for (int i = 0; prep_op_names[i] != NULL; i++)
        cr_expect_geq(small_count_spans(s, n, "preprocess", prep_op_names[i]), 6, "%s", prep_op_names[i]);
    for (int i = 0; train_op_names[i] != NULL; i++)
        cr_expect_geq(small_count_spans(s, n, "train", train_op_names[i]), 6, "%s", train_op_names[i]);
    cr_expect_gt(small_count_spans(s, n, "disk", "disk_read"), 10);
    cr_expect_gt(small_count_spans(s, n, "cores", "speed"), 2);
    cr_expect_eq(small_files_left(folder), 0);
    span_log_free(log);
}
