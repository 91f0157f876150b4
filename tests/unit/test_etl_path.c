#include "executor/etl_path.h"

#include "executor/columnar_layout.h"
#include "small_plan.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static struct etl_plan plan;
static struct exec_options opt;
static struct err err;
static char *folder;

static void begin(void)
{
    plan = (struct etl_plan){.tables = small_plan(),
                             .label = {.workers = 1, .layout = LABEL_FULL_COPY},
                             .names = {"etl", "label", "jobs"},
                             .buffers = {2, 2},
                             .digest = true};
    plan.tables.stage_names[REC_STORAGE] = "jobs";
    folder = small_folder();
    opt = (struct exec_options){.folder = folder, .pin = PIN_NONE};
}

static void end(void)
{
    small_remove(folder);
}

TestSuite(etl_path, .init = begin, .fini = end, .timeout = 60);

static struct etl_result run(void)
{
    struct etl_result r;

    cr_assert_eq(etl_run(&plan, &opt, NULL, &r, &err), 0, "%s", err.text);
    return r;
}

/* ------------------------------------------------------------------------------- same rows */

enum { COPY, POSITION, KEY, WAYS };

static void choose(int way)
{
    plan.label.layout = way == COPY ? LABEL_FULL_COPY : LABEL_DELTA;
    plan.label.align = way == KEY ? LABEL_BY_KEY : LABEL_BY_POSITION;
}

/* The stripes of partition 1 as a job reads them when the label was added in this way. */
static void read_back(int way, struct stripe *stripes, struct label_worker *label)
{
    struct etl_setup s;
    struct etl_worker table;
    struct job_worker job;
    struct span_buf *spans = span_log_thread(NULL, "", 0);
    char table_path[200], out[200];
    bool direct = false;
    double bytes;

    choose(way);
    snprintf(table_path, sizeof table_path, "%s/table", folder);
    snprintf(out, sizeof out, "%s/out", folder);
    cr_assert_eq(etl_setup_init(&s, &plan, &err), 0, "%s", err.text);
    cr_assert_eq(rawlog_open(&plan.tables.data, folder, &s.tables.logs, &err), 0, "%s", err.text);
    cr_assert_eq(rawlog_relabel(&plan.tables.data, &s.tables.logs, &err), 0, "%s", err.text);
    etl_worker_init(&table, &s.tables, spans);
    label_worker_init(label, &s, spans);
    job_worker_init(&job, &s, spans);
    cr_assert_eq(etl_worker_run(&table, 1, table_path, &direct, &bytes, &err), 0, "%s", err.text);
    cr_assert_eq(label_worker_run(label, 1, table_path, out, &direct, &bytes, &err), 0, "%s", err.text);
    cr_assert_eq(
        job_worker_open(&job, way == COPY ? out : table_path, way == COPY ? NULL : out, 0, &direct, &err), 0,
        "%s", err.text);
    for (long i = 0; i < s.tables.stripes; i++) {
        stripe_init(&stripes[i], &plan.tables.data, plan.tables.etl.stripe_rows);
        stripes[i].sequence = (uint64_t)i;
        cr_assert_eq(job_worker_run(&job, i, &stripes[i], &err), 0, "%s", err.text);
    }
    etl_worker_fini(&table);
    job_worker_fini(&job);
    label_worker_fini(label);
    span_buf_free(spans);
}

static void expect_equal(const struct stripe *a, const struct stripe *b, const char *what)
{
    struct columnar_shape s =
        columnar_shape_of(&plan.tables.data, plan.tables.data.partition_rows, plan.tables.etl.stripe_rows);

    cr_assert_eq(a->rows, b->rows);
    for (uint64_t i = 0; i < s.streams; i++) {
        size_t n = columnar_width(&s, i) * (size_t)a->rows;
        char name[64];

        columnar_name(&s, i, name, sizeof name);
        cr_expect_eq(
            memcmp(columnar_column(&s, (struct stripe *)a, i), columnar_column(&s, (struct stripe *)b, i), n),
            0, "%s: %s differs", what, name);
    }
}

Test(etl_path, delta_and_merge_on_read_give_the_rows_of_the_full_copy_bit_for_bit)
{
    for (int order = 0; order < 2; order++)
        for (int codec = 0; codec < CODECS; codec++) {
            struct stripe rows[WAYS][2];
            struct label_worker label;

            plan.tables.etl.order = order;
            plan.tables.etl.codec = codec;
            for (int way = 0; way < WAYS; way++)
                read_back(way, rows[way], &label);
            for (int i = 0; i < 2; i++) {
                expect_equal(&rows[COPY][i], &rows[POSITION][i], "by position");
                expect_equal(&rows[COPY][i], &rows[KEY][i], "by key");
            }
            for (int way = 0; way < WAYS; way++)
                for (int i = 0; i < 2; i++)
                    stripe_fini(&rows[way][i]);
        }
}

Test(etl_path, the_new_label_is_another_and_stands_at_its_sample)
{
    struct stripe rows[2];
    struct label_worker label;
    struct labels log;
    struct rawlog logs;
    double bytes = 0;
    long ones = 0;

    plan.tables.etl.order = ORDER_SESSION;
    read_back(POSITION, rows, &label);
    cr_assert_eq(rawlog_open(&plan.tables.data, folder, &logs, &err), 0);
    labels_init(&log, plan.tables.data.partition_rows);
    cr_assert_eq(labels_parse(&log, &logs, 1, RAWLOG_RELABELS, &bytes, &err), 0, "%s", err.text);
    for (long k = 0; k < log.n; k++) /* a plain search, no index */
        for (int i = 0; i < 2; i++)
            for (long r = 0; r < rows[i].rows; r++)
                if (rows[i].sample[r] == log.entries[k].sample)
                    cr_expect_eq(rows[i].label[r], log.entries[k].label);
    for (int i = 0; i < 2; i++) {
        for (long r = 0; r < rows[i].rows; r++)
            ones += rows[i].label[r] == 1;
        stripe_fini(&rows[i]);
    }
    cr_expect_float_eq((double)ones / 512, plan.tables.data.positive_frac, 0.1);
    labels_fini(&log);
}

Test(etl_path, jobs_read_the_same_whoever_works_and_however_the_label_is_kept)
{
    uint64_t digest = run().digest;

    for (int way = 0; way < WAYS; way++)
        for (int workers = 1; workers < 4; workers += 2) {
            choose(way);
            plan.tables.etl.workers = plan.label.workers = plan.tables.storage.workers = workers;
            plan.buffers[0] = plan.buffers[1] = 1;
            plan.tables.etl.codec = way; /* none, lz4, zstd: the rows do not know */
            cr_expect_eq(run().digest, digest);
        }
    plan.tables.data.positive_frac = 0.31; /* another log */
    cr_expect_neq(run().digest, digest);
}

/* -------------------------------------------------------------------------------- bytes */

Test(etl_path, everything_that_goes_in_comes_out)
{
    struct etl_result copy = run(), delta;
    const struct exec_stage *s = copy.stages;

    cr_expect_float_eq(copy.rows, 2 * 1536, 0);
    cr_expect(s[0].items_in == 3 && s[0].items_out == 3 && s[1].items_in == 3 && s[1].items_out == 3);
    cr_expect(s[2].items_in == 6 && s[2].items_out == 12, "three files, two stripes, two epochs");
    cr_expect_float_eq(copy.label_bytes / copy.table_bytes, 1, 0.02, "a copy is as large as the table");
    cr_expect_float_eq(s[1].disk_bytes / (2 * copy.table_bytes), 1, 0.1, "read once and written once");
    for (int i = 0; i < ETL_STAGES; i++)
        cr_expect(s[i].busy_s > 0 && s[i].cpu_s > 0 && s[i].busy_s <= copy.makespan_s);
    choose(POSITION);
    delta = run();
    cr_expect_float_eq(delta.label_bytes, 3 * 4096, 0, "a disk block a partition");
    cr_expect_lt(delta.stages[1].disk_bytes, s[1].disk_bytes / 4);
    choose(KEY);
    delta = run();
    cr_expect_float_eq(delta.stages[1].disk_bytes, delta.label_bytes, 0, "nothing of the table is read");
    cr_expect_eq(small_files_left(folder), 0);
}

Test(etl_path, a_damaged_delta_is_told)
{
    struct delta_writer *w = delta_writer_new(512, 256);
    struct delta_reader *r = delta_reader_new(512, 256);
    float labels[512] = {1};
    char path[200];
    bool direct = false;
    double bytes;
    FILE *f;

    snprintf(path, sizeof path, "%s/delta", folder);
    delta_begin(w, LABEL_BY_POSITION, CODEC_NONE);
    delta_add(w, labels, 256 * sizeof *labels);
    delta_add(w, labels + 256, 256 * sizeof *labels);
    cr_assert_eq(delta_write(w, path, &direct, &bytes, &err), 0, "%s", err.text);
    cr_assert_eq(delta_read(r, path, &direct, &bytes, &err), 0, "%s", err.text);
    cr_assert_eq(delta_unpack(r, &err), 0, "%s", err.text);
    f = fopen(path, "r+b");
    fseek(f, 1500, SEEK_SET);
    fputc('x', f);
    fclose(f);
    cr_assert_eq(delta_read(r, path, &direct, &bytes, &err), 0, "%s", err.text);
    cr_expect_eq(delta_unpack(r, &err), ERR_IO);
    cr_expect_not_null(strstr(err.text, "checksum"), "%s", err.text);
    f = fopen(path, "r+b");
    fputc('x', f);
    fclose(f);
    cr_expect_eq(delta_read(r, path, &direct, &bytes, &err), ERR_IO);
    cr_expect_not_null(strstr(err.text, path), "%s", err.text);
    delta_writer_free(w);
    delta_reader_free(r);
}

Test(etl_path, the_profile_measures_every_operator_alone)
{
    struct span_log *log = span_log_new();
    const struct span *s;
    size_t n;

    opt.spans = true;
    cr_assert_eq(etl_profile(&plan, &opt, log, &err), 0, "%s", err.text);
    s = span_log_merge(log, &n);
    for (int i = 0; label_op_names[i] != NULL; i++)
        cr_expect_geq(small_count_spans(s, n, "label", label_op_names[i]), 6, "%s", label_op_names[i]);
    for (int i = 0; storage_op_names[i] != NULL; i++)
        cr_expect_geq(small_count_spans(s, n, "jobs", storage_op_names[i]), 6, "%s", storage_op_names[i]);
    cr_expect_geq(small_count_spans(s, n, "etl", "compress_zstd"), 6);
    cr_expect_gt(small_count_spans(s, n, "disk", "disk_read"), 10);
    cr_expect_gt(small_count_spans(s, n, "cores", "speed"), 2);
    cr_expect_eq(small_files_left(folder), 0);
    span_log_free(log);
}
