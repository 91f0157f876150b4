#include "executor/kernels/etl.h"

#include "base/text.h"
#include "small_plan.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>

static struct dataset_cfg d;
static struct err err;
static char *folder;

static void begin(void)
{
    d = small_plan().data;
    folder = small_folder();
}

static void end(void)
{
    small_remove(folder);
}

TestSuite(rawlog, .init = begin, .fini = end);

static void parse(struct etl_kernel *k, const struct rawlog *logs, long partition)
{
    double bytes;

    cr_assert_eq(etl_parse(k, logs, partition, &bytes, &err), 0, "%s", err.text);
}

Test(rawlog, the_same_config_gives_the_same_bytes)
{
    struct rawlog first, again;
    char path[4000], *a, *b;
    size_t n, m;

    cr_assert_eq(rawlog_open(&d, folder, &first, &err), 0, "%s", err.text);
    rawlog_path(&first, 2, "features", path, sizeof path);
    cr_assert_eq(text_read_file(path, &a, &n, &err), 0);
    small_remove(first.folder);
    cr_assert_eq(rawlog_open(&d, folder, &again, &err), 0, "%s", err.text);
    cr_assert_eq(text_read_file(path, &b, &m, &err), 0);
    cr_expect(n == m && memcmp(a, b, n) == 0);
    cr_expect_float_eq(first.bytes, again.bytes, 0);
    free(a);
    free(b);
}

Test(rawlog, logs_are_found_again_and_half_written_ones_are_not)
{
    struct rawlog logs;
    struct stat before, after;
    char path[4000], done[4000];

    cr_assert_eq(rawlog_open(&d, folder, &logs, &err), 0);
    rawlog_path(&logs, 0, "features", path, sizeof path);
    snprintf(done, sizeof done, "%s/complete", logs.folder);
    stat(path, &before);
    d.used_item_features = 1;
    d.keep_frac = 0.1;
    cr_assert_eq(rawlog_open(&d, folder, &logs, &err), 0);
    stat(path, &after);
    cr_expect_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec,
                 "what a job uses of the data does not change them");
    unlink(done);
    truncate(path, 100);
    cr_assert_eq(rawlog_open(&d, folder, &logs, &err), 0);
    stat(path, &after);
    cr_expect_eq(before.st_size, after.st_size);
}

Test(rawlog, sessions_interleave_and_repeat_as_configured)
{
    struct rawlog logs;
    struct etl_kernel k;
    const struct row_table *t;
    long sessions = 0, stays = 0, repeats = 0, label_moves = 0, positives = 0;

    d.rows = d.partition_rows = 4096;
    cr_assert_eq(rawlog_open(&d, folder, &logs, &err), 0);
    etl_kernel_init(&k, &d, d.partition_rows);
    parse(&k, &logs, 0);
    for (long i = 0; i < k.labels.n; i++)
        label_moves += k.labels.entries[i].sample != k.parsed.sample[i];
    cr_expect_gt(label_moves, 4000, "labels come in another order than their samples");
    cr_assert_eq(etl_join(&k, &err), 0, "%s", err.text);
    t = etl_order(&k, ORDER_SESSION);
    for (long i = 0; i < t->rows; i++) {
        const uint64_t *ids = t->sparse_rows + (size_t)i * t->values;
        bool same = i > 0 && t->session[i] == t->session[i - 1];

        sessions += !same;
        stays += same;
        positives += t->label[i] > 0;
        if (same)
            repeats += memcmp(ids, ids - t->values, 6 * 5 * sizeof *ids) == 0;
        cr_assert(!same || t->time_us[i] > t->time_us[i - 1]);
    }
    cr_expect_float_eq((double)sessions, dataset_sessions(&d, ORDER_TIME, 4096), 20);
    cr_expect_float_eq((double)repeats / (double)stays, 0.9, 0.02);
    cr_expect_float_eq((double)positives / 4096, 0.3, 0.05);
    etl_kernel_fini(&k);
}

Test(rawlog, a_damaged_log_is_an_error_that_names_the_row)
{
    struct rawlog logs;
    struct etl_kernel k;
    char path[4000];
    double bytes;

    cr_assert_eq(rawlog_open(&d, folder, &logs, &err), 0);
    etl_kernel_init(&k, &d, d.partition_rows);
    rawlog_path(&logs, 1, "features", path, sizeof path);
    truncate(path, 20000);
    cr_expect_eq(etl_parse(&k, &logs, 1, &bytes, &err), ERR_IO);
    cr_expect(strstr(err.text, "row ") != NULL && strstr(err.text, "cut off") != NULL, "%s", err.text);
    rawlog_path(&logs, 2, "labels", path, sizeof path);
    truncate(path, 8 + 3 * 100); /* two bytes of sample id, one of label */
    parse(&k, &logs, 2);
    cr_expect_eq(etl_join(&k, &err), ERR_IO, "a sample without a label");
    unlink(path);
    cr_expect_lt(etl_parse(&k, &logs, 2, &bytes, &err), 0);
    etl_kernel_fini(&k);
}
