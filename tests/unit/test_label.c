/* A new label on a table: what each way reads, works and writes, and what readers pay for it. */
#include "models/label.h"

#include "models/model.h"
#include "models/storage.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static const struct dataset_cfg data = {.partition_rows = 8000,
                                        .session_features = 2,
                                        .item_features = 1,
                                        .used_session_features = 1,
                                        .used_item_features = 1,
                                        .list_length = 4,
                                        .dense_features = 3};
static struct label_cfg cfg;
static struct item table, left;
static struct demand d;

static void begin(void)
{
    cfg = (struct label_cfg){.workers = 1,
                             .ratio_label_lz4 = 0.2,
                             .ratio_label_zstd = 0.07,
                             .ratio_key_time_zstd = 0.125,
                             .ratio_key_session_zstd = 0.25,
                             .ratio_key_log_zstd = 0.25};
    for (int i = 0; i < LABEL_OPS; i++)
        cfg.costs[i] = (struct cost){.fixed_s = 1e-3};
    table = (struct item){.count = 8000,
                          .rows = 8000,
                          .bytes = 6e5,
                          .encoded_bytes = 1.2e6,
                          .stripe_rows = 2000,
                          .order = ORDER_TIME,
                          .codec = CODEC_ZSTD,
                          .data = &data};
}

TestSuite(label, .init = begin);

static void ask(int layout, int align)
{
    cfg.layout = layout;
    cfg.align = align;
    d = (struct demand){0};
    left = table;
    model_find("label")->demand(&cfg, &table, NULL, &d, &left);
}

static double sum(enum role role, int op, bool requests)
{
    double s = 0;

    for (int i = 0; i < d.n; i++)
        if (d.phases[i].role == role && (op < 0 || d.phases[i].op == op))
            s += requests ? d.phases[i].requests : d.phases[i].amount;
    return s;
}

Test(label, a_full_copy_reads_and_writes_the_whole_table)
{
    ask(LABEL_FULL_COPY, LABEL_BY_POSITION);
    cr_expect_float_eq(sum(ROLE_DISK_READ, LABEL_READ, false), table.bytes, 1e-6);
    cr_expect_float_eq(sum(ROLE_DISK_READ, LABEL_READ, true), 4, 1e-9, "a request a stripe");
    cr_expect_float_eq(sum(ROLE_DISK_READ, LABEL_OPEN, false), 4096, 0, "112 + 32 * 10 streams * 4 stripes");
    cr_expect_float_eq(sum(ROLE_DISK_WRITE, -1, false), table.bytes, 1e-6);
    cr_expect_eq(left.delta, DELTA_NONE);
    cr_expect_float_eq(left.bytes, table.bytes, 0);
}

Test(label, operators_of_a_stripe_run_once_for_each)
{
    ask(LABEL_FULL_COPY, LABEL_BY_POSITION);
    cr_expect_float_eq(sum(ROLE_CPU, LABEL_DECODE, false), 4e-3, 1e-12);
    cr_expect_float_eq(sum(ROLE_CPU, LABEL_ENCODE, false), 4e-3, 1e-12);
    cr_expect_float_eq(sum(ROLE_CPU, LABEL_COMPRESS_ZSTD, false), 1e-3, 1e-12);
    cr_expect_float_eq(sum(ROLE_CPU, LABEL_OPEN, false), 1e-3, 1e-12);
    cr_expect_float_eq(sum(ROLE_CPU, LABEL_KEYS_ZSTD, false), 0, 0);
}

Test(label, what_is_asked_at_a_time_is_a_stripe)
{
    struct size_log sizes = {0};
    struct luck luck = {.seed = 1, .stage = 2, .sizes = &sizes};
    bool seen = false;

    cfg.layout = LABEL_FULL_COPY;
    d = (struct demand){0};
    left = table;
    model_find("label")->demand(&cfg, &table, &luck, &d, &left);
    for (int i = 0; i < sizes.n; i++)
        if (sizes.seen[i].op == LABEL_JOIN) {
            seen = true;
            cr_expect_float_eq(sizes.seen[i].items, 2000, 1e-9);
        }
    cr_expect(seen);
}

Test(label, a_delta_by_position_reads_the_ids_and_writes_the_labels)
{
    ask(LABEL_DELTA, LABEL_BY_POSITION);
    cr_expect_float_eq(sum(ROLE_DISK_READ, LABEL_READ, false), 8 * 8000 * 0.125 + 4 * 4095, 1e-6,
                       "on average a block more than the ids of a stripe");
    cr_expect_float_eq(sum(ROLE_DISK_WRITE, -1, false), 4096, 0, "2240 bytes are one block");
    cr_expect_float_eq(sum(ROLE_CPU, LABEL_DECODE, false), 0, 0);
    cr_expect_eq(left.delta, DELTA_BY_POSITION);
    cr_expect_float_eq(left.delta_bytes, 4096, 0);
    cr_expect_float_eq(left.bytes, table.bytes, 0, "the table stays as it is");
    table.order = ORDER_SESSION;
    ask(LABEL_DELTA, LABEL_BY_POSITION);
    cr_expect_float_eq(sum(ROLE_DISK_READ, LABEL_READ, false), 8 * 8000 * 0.25 + 4 * 4095, 1e-6);
}

Test(label, a_delta_by_key_reads_nothing_of_the_table)
{
    ask(LABEL_DELTA, LABEL_BY_KEY);
    cr_expect_float_eq(sum(ROLE_DISK_READ, -1, false), 0, 0);
    cr_expect_float_eq(sum(ROLE_CPU, LABEL_JOIN, false) + sum(ROLE_CPU, LABEL_OPEN, false), 0, 0);
    cr_expect_float_eq(left.delta_bytes, 5 * 4096, 0, "2240 + 16000 bytes");
    cr_expect_eq(left.delta, DELTA_BY_KEY);
}

Test(label, very_many_stripes_fit_into_one_demand)
{
    table.stripe_rows = 8;
    ask(LABEL_FULL_COPY, LABEL_BY_POSITION);
    cr_expect_float_eq(sum(ROLE_DISK_READ, LABEL_READ, true), 1000, 1e-6);
    cr_expect_float_eq(sum(ROLE_DISK_READ, LABEL_READ, false), table.bytes, 1e-3);
    cr_expect_float_eq(sum(ROLE_CPU, LABEL_DECODE, false), 1, 1e-9);
}

Test(label, readers_of_a_table_with_a_delta_pay_for_the_merge)
{
    struct storage_cfg reader = {.workers = 1, .direct = true};
    const struct model *m = model_find("storage");
    double bytes_plain;

    for (int i = 0; i < STORAGE_OPS; i++)
        reader.costs[i] = (struct cost){.per_item_s = 1e-6};
    d = (struct demand){0};
    left = table;
    m->demand(&reader, &table, NULL, &d, &left);
    bytes_plain = sum(ROLE_DISK_READ, -1, false);
    cr_expect_float_eq(sum(ROLE_CPU, STORAGE_MERGE_KEY, false), 0, 0);
    table.delta = DELTA_BY_KEY;
    table.delta_bytes = 20480;
    d = (struct demand){0};
    m->demand(&reader, &table, NULL, &d, &left);
    cr_expect_float_eq(sum(ROLE_DISK_READ, -1, false), bytes_plain + 20480, 1e-6);
    cr_expect_float_eq(sum(ROLE_CPU, STORAGE_MERGE_KEY, false), 8e-3, 1e-12);
    cr_expect_float_eq(sum(ROLE_CPU, STORAGE_DELTA_KEY, false), 8e-3, 1e-12);
    cr_expect_float_eq(sum(ROLE_CPU, STORAGE_MERGE_POSITION, false), 0, 0);
}
