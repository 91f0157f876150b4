#include "temp_store.h"

#include "store/calibration.h"
#include "store/trace.h"

#include <math.h>

TestSuite(calibration, .init = temp_begin, .fini = temp_end, .timeout = 60);

static struct calibration_row a_row(const char *path, double value)
{
    return (struct calibration_row){.path = path,
                                    .value = value,
                                    .stderr_ = value / 50,
                                    .unit = "s",
                                    .n = 400,
                                    .method = "ols",
                                    .r2 = 0.98,
                                    .holdout_error_frac = 0.03,
                                    .valid_from = 64,
                                    .valid_to = 4096};
}

Test(calibration, rows_come_back_sorted_by_path_and_exact)
{
    struct store *s = temp_open(STORE_WRITE);
    struct calibration_row in[] = {a_row("stages.prep.params.costs.hash.per_item", 1.0 / 3),
                                   a_row("stages.etl.params.costs.sort.fixed", 2e-9)};
    struct calibration_row *out;
    size_t n;

    in[1].r2 = in[1].valid_to = in[1].stderr_ = NAN;
    OK(calibration_save(s, "laptop", "abc", 0, in, 2, &err));
    OK(calibration_load(s, "laptop", arena, &out, &n, &err));
    cr_assert_eq(n, 2);
    cr_expect_str_eq(out[0].path, "stages.etl.params.costs.sort.fixed");
    cr_expect(isnan(out[0].r2) && isnan(out[0].valid_to) && isnan(out[0].stderr_));
    cr_expect_eq(out[1].value, 1.0 / 3);
    cr_expect_eq(out[1].n, 400);
    cr_expect_str_eq(out[1].unit, "s");
    cr_expect_str_eq(out[1].method, "ols");
    cr_expect_eq(out[1].holdout_error_frac, 0.03);
    cr_expect_eq(out[1].valid_from, 64);
    store_close(s);
}

Test(calibration, saving_again_replaces_the_set_and_keeps_the_history)
{
    struct store *s = temp_open(STORE_WRITE);
    struct calibration_row first[] = {a_row("a", 1), a_row("b", 2)}, second[] = {a_row("a", 10)}, *out;
    struct calibration_info info, *list;
    size_t n;

    OK(calibration_save(s, "laptop", "x", 0, first, 2, &err));
    OK(calibration_save(s, "laptop", "y", 0, second, 1, &err));
    OK(calibration_save(s, "cluster", "y", 0, second, 1, &err));
    OK(calibration_load(s, "laptop", arena, &out, &n, &err));
    cr_assert_eq(n, 1, "row b belongs to the older version");
    cr_expect_eq(out[0].value, 10);
    OK(calibration_info_load(s, "laptop", arena, &info, &err));
    cr_expect_eq(info.version, 2);
    cr_expect_str_eq(info.scenario_sha256, "y");
    OK(calibration_list(s, false, arena, &list, &n, &err));
    cr_assert_eq(n, 2);
    cr_expect_str_eq(list[0].name, "cluster");
    cr_expect_eq(list[1].version, 2);
    OK(calibration_list(s, true, arena, &list, &n, &err));
    cr_assert_eq(n, 3);
    cr_expect_eq(list[2].version, 1);
    cr_expect_eq(list[2].rows, 2);
    store_close(s);
}

Test(calibration, a_bad_row_leaves_the_old_set_in_force)
{
    struct store *s = temp_open(STORE_WRITE);
    struct calibration_row good[] = {a_row("a", 1)}, twice[] = {a_row("a", 2), a_row("a", 3)},
                           infinite[] = {a_row("a", INFINITY)}, *out;
    size_t n;

    OK(calibration_save(s, "laptop", "", 0, good, 1, &err));
    FAILS(calibration_save(s, "laptop", "", 0, twice, 2, &err), ERR_FAILED, "twice");
    FAILS(calibration_save(s, "laptop", "", 0, infinite, 1, &err), ERR_FAILED, "finite");
    FAILS(calibration_save(s, "laptop", "", 77, good, 1, &err), ERR_IO, "FOREIGN KEY");
    OK(calibration_load(s, "laptop", arena, &out, &n, &err));
    cr_assert_eq(n, 1);
    cr_expect_eq(out[0].value, 1);
    store_close(s);
}

Test(calibration, it_outlives_the_trace_it_came_from)
{
    struct store *s = temp_open(STORE_WRITE);
    struct trace_info trace = {.name = "t", .kind = "exec"};
    struct calibration_row row = a_row("a", 1);
    struct calibration_info info;
    int64_t id;

    OK(trace_create(s, &trace, &id, &err));
    OK(calibration_save(s, "laptop", "", id, &row, 1, &err));
    OK(calibration_info_load(s, "laptop", arena, &info, &err));
    cr_expect_eq(info.trace_id, id);
    OK(trace_remove(s, id, &err));
    OK(calibration_info_load(s, "laptop", arena, &info, &err));
    cr_expect_eq(info.trace_id, 0);
    cr_expect_eq(info.rows, 1);
    store_close(s);
}

Test(calibration, hostile_names_survive_and_missing_ones_get_a_suggestion)
{
    struct store *s = temp_open(STORE_WRITE);
    struct calibration_row row = a_row("a", 1), *out;
    size_t n;

    FAILS(calibration_load(s, "laptop", arena, &out, &n, &err), ERR_USAGE, "holds no calibrations yet");
    for (int i = 0; i < HOSTILE; i++) {
        struct calibration_row in = {
            .path = hostile[i], .unit = hostile[i], .method = hostile[i], .value = i};

        OK(calibration_save(s, hostile[i], hostile[i], 0, &in, 1, &err));
        OK(calibration_load(s, hostile[i], arena, &out, &n, &err));
        cr_assert_eq(n, 1);
        cr_expect_str_eq(out[0].path, hostile[i]);
        cr_expect_str_eq(out[0].method, hostile[i]);
    }
    OK(calibration_save(s, "laptop", "", 0, &row, 1, &err));
    FAILS(calibration_load(s, "labtop", arena, &out, &n, &err), ERR_USAGE, "did you mean \"laptop\"?");
    OK(calibration_remove(s, "laptop", &err));
    FAILS(calibration_remove(s, "laptop", &err), ERR_USAGE, "no calibration");
    store_close(s);
}

Test(calibration, what_stands_beside_the_parameters_comes_back)
{
    struct store *s = temp_open(STORE_WRITE);
    struct trace_info info = {.name = "sweep", .kind = "import"};
    struct calibration_row row = a_row("a", 1);
    struct calibration_source source = {
        .path = "a", .view = "operator_costs", .what = "op=gemm", .first = 3, .last = 40, .n = 12};
    struct calibration_cov cov = {"b", "a", -0.25};
    struct calibration_remark remark = {"suspect", "saturated from 40 clients on"};
    struct calibration_extra in = {.target = "llm_serving",
                                   .document = "{\"ops\":[]}",
                                   .sources = &source,
                                   .covs = &cov,
                                   .remarks = &remark,
                                   .sources_n = 1,
                                   .covs_n = 1,
                                   .remarks_n = 1},
                             out;
    struct calibration_row *rows;
    size_t n;

    OK(trace_create(s, &info, &source.trace_id, &err));
    row.valid_of = "tokens";
    OK(calibration_save_with(s, "gpu", "", source.trace_id, &row, 1, &in, &err));
    OK(trace_remove(s, source.trace_id, &err));
    OK(calibration_extra_load(s, "gpu", arena, &out, &err));
    OK(calibration_load(s, "gpu", arena, &rows, &n, &err));
    cr_expect_str_eq(rows[0].valid_of, "tokens");
    cr_expect_str_eq(out.target, "llm_serving");
    cr_expect_str_eq(out.document, "{\"ops\":[]}");
    cr_assert(out.sources_n == 1 && out.covs_n == 1 && out.remarks_n == 1);
    cr_expect_eq(out.sources[0].trace_id, 0, "the trace is gone");
    cr_expect_str_eq(out.sources[0].trace, "sweep", "its name stays");
    cr_expect_str_eq(out.sources[0].what, "op=gemm");
    cr_expect_eq(out.sources[0].last, 40);
    cr_expect_str_eq(out.covs[0].a, "a");
    cr_expect_eq(out.covs[0].covariance, -0.25);
    cr_expect_str_eq(out.remarks[0].text, "saturated from 40 clients on");

    in.document = "{broken";
    FAILS(calibration_save_with(s, "gpu", "", 0, &row, 1, &in, &err), ERR_IO, "json_valid");
    store_close(s);
}
