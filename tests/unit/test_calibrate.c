#include "calibrate/calibrate.h"

#include "calibrate/cost.h"
#include "calibrate/resolve.h"
#include "engine/replicate.h"
#include "engine/rng.h"
#include "models/etl.h"
#include "store/trace.h"
#include "temp_store.h"

#include <gsl/gsl_errno.h>
#include <math.h>

/*
 * Spans of the quickstart scenario made from laws that we know: what calibrate() makes of them must be those
 * laws. Every operator costs fixed + per item + per byte, all of another size; in its place, times a factor
 * of its stage, times the slowdown by the other core.
 */

static struct store *store;
static struct scenario *scenario;
static struct json *tree;
static struct resolver resolver;

static const double contention = 0.2, read_bw = 800e6, write_bw = 300e6, disk_latency = 2e-4;

static void begin(void)
{
    char path[4000];

    gsl_set_error_handler_off();
    temp_begin();
    store = temp_open(STORE_WRITE);
    snprintf(path, sizeof path, "%s/scenarios/quickstart.json", getenv("abs_srcdir"));
    OK(json_read(path, &tree, &err));
    resolve_open(temp_path, path, &resolver);
    OK(scenario_build(tree, path, &(struct scenario_options){.resolver = &resolver}, &scenario, &err));
}

static void end(void)
{
    scenario_free(scenario);
    resolve_close(&resolver);
    json_free(tree);
    store_close(store);
    temp_end();
}

TestSuite(calibrate, .init = begin, .fini = end);

/* --------------------------------------------------------------------------------- the known laws */

static struct cost law_of(int stage, int op)
{
    return (struct cost){.fixed_s = 2e-5 * (1 + op),
                         .per_item_s = 1e-8 * (1 + stage),
                         .per_byte_s = 4e-9 * (1 + op),
                         .cv = 0.03};
}

static double factor_of(int stage)
{
    static const double factors[] = {1.3, 0.9, 1.15, 1};

    return factors[stage];
}

/* Two cores share one third of the CPU time when 1.2 are busy on average: 2 (u - 1) / u. */
static const double load = 1.2;

static double slowdown(void)
{
    return 1 + contention * 2 * (load - 1) / load;
}

static struct span span_of(int stage, int op, double scale, struct rng *r)
{
    const struct stage *st = &scenario->stages[stage];
    const struct op_info *info = &st->model->ops[op];
    double n = floor(exp(log(2e3) + log(50) * rng_uniform(r))),
           m = floor(exp(log(2e4) + log(50) * rng_uniform(r)));
    struct span s = {.stage = st->name,
                     .op = info->name,
                     .variant = "",
                     .item = -1,
                     .items = n,
                     .bytes_in = m,
                     .bytes_out = m * (0.2 + 0.6 * rng_uniform(r))};
    struct cost law = law_of(stage, op);
    double items, bytes;

    /* What the operator counts is said by its model. */
    items = info->items == NULL                   ? 0
            : info->items_from == COUNT_BYTES_IN  ? s.bytes_in
            : info->items_from == COUNT_BYTES_OUT ? s.bytes_out
                                                  : n;
    bytes = info->bytes == NULL ? 0 : info->bytes_from == COUNT_BYTES_OUT ? s.bytes_out : s.bytes_in;
    s.cpu_s = cost_seconds(&law, items, bytes) * scale * rng_lognormal(r, 1, law.cv);
    s.end_s = s.start_s + 1.1 * s.cpu_s;
    return s;
}

enum { PER_OP = 150, SPANS_MAX = 8000 };

struct spans {
    struct span list[SPANS_MAX];
    size_t n;
};

static void push(struct spans *x, struct span s)
{
    cr_assert(x->n < SPANS_MAX);
    x->list[x->n++] = s;
}

static int64_t keep(const struct spans *x, const char *kind)
{
    struct trace_info info = {
        .name = "quickstart", .kind = kind, .scenario = scenario->name, .scenario_sha256 = scenario->sha256};
    int64_t id;

    OK(trace_create(store, &info, &id, &err));
    OK(trace_append(store, id, x->list, x->n, &err));
    return id;
}

static void push_machine(struct spans *x, struct rng *r)
{
    for (int i = 0; i < 40; i++) {
        double noise = rng_lognormal(r, 1, 0.01), bytes = 1e5 * (1 + i);

        push(x, (struct span){"cores", "work", i % 2 ? "1" : "2", -1, 0, 0, 2,
                              noise * (i % 2 ? 1 : 1 + contention), NAN, NAN, NAN});
        push(x, (struct span){"disk", "disk_read", "", -1, 0, 0, (disk_latency + bytes / read_bw) * noise, 0,
                              NAN, bytes, NAN});
        push(x, (struct span){"disk", "disk_write", "", -1, 0, 0, (disk_latency + bytes / write_bw) * noise,
                              0, NAN, bytes, NAN});
    }
}

static void push_ratios(struct spans *x)
{
    static const char *const variants[] = {"lz4/time", "zstd/time", "lz4/session", "zstd/session/used"};
    static const double ratios[] = {0.8, 0.6, 0.5, 0.25};
    static const double slopes[] = {0, -0.1, 0, 0}; /* larger stripes compress better */

    for (int i = 0; i < 4; i++)
        for (int k = 1; k < 5; k++)
            push(x, (struct span){"etl", i % 2 ? "compress_zstd" : "compress_lz4", variants[i], -1, 0, 0, 1,
                                  NAN, NAN, 1e6 * k, 1e6 * k * ratios[i] * pow(k, slopes[i])});
}

static int64_t profile(bool machine)
{
    static struct spans x;
    struct rng r;

    x.n = 0;
    rng_stream(&r, 1, 0, "profile");
    for (int s = 0; s < scenario->stages_n; s++)
        for (int op = 0; op < model_operators(scenario->stages[s].model, scenario->stages[s].cfg); op++)
            for (int i = 0; i < PER_OP; i++)
                push(&x, span_of(s, op, 1, &r));
    if (machine) {
        push_machine(&x, &r);
        push_ratios(&x);
    }
    return keep(&x, "profile");
}

/* An execution in which `load` cores are busy; `skip`: an operator it does not run. */
static int64_t execution(uint32_t k, const char *skip)
{
    static struct spans x;
    double cpu = 0;
    struct rng r;

    x.n = 0;
    rng_stream(&r, 2, k, "execution");
    for (int s = 0; s < scenario->stages_n; s++)
        for (int op = 0; op < model_operators(scenario->stages[s].model, scenario->stages[s].cfg); op++)
            for (int i = 0; i < PER_OP; i++) {
                struct span span = span_of(s, op, factor_of(s) * slowdown(), &r);

                if (skip != NULL && strcmp(span.op, skip) == 0)
                    continue;
                cpu += span.cpu_s;
                push(&x, span);
            }
    for (size_t i = 0; i < x.n; i++) { /* end to end, so that the whole takes cpu / load */
        x.list[i].start_s = 0;
        x.list[i].end_s = cpu / load;
    }
    return keep(&x, "exec");
}

static struct calibration calibrated(int64_t profile_id, const int64_t *runs, int runs_n)
{
    struct calibrate_input in = {.scenario = scenario,
                                 .tree = tree,
                                 .resolver = &resolver,
                                 .name = "mine",
                                 .store = store,
                                 .profile = profile_id,
                                 .runs = runs,
                                 .runs_n = runs_n};
    struct calibration c;

    OK(calibrate(&in, arena, &c, &err));
    return c;
}

static const struct calibration_row *row(const struct calibration *c, const char *path)
{
    const struct calibration_row *found = NULL;

    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->rows[i].path, path) == 0)
            found = &c->rows[i];
    cr_assert_not_null(found, "no row %s", path);
    return found;
}

static void expect_row(const struct calibration *c, const char *path, double truth, double relative)
{
    const struct calibration_row *r = row(c, path);

    cr_expect(fabs(r->value - truth) <= relative * fabs(truth), "%s: %g, it was %g", path, r->value, truth);
    cr_expect(isfinite(r->stderr_) && r->stderr_ >= 0, "%s: standard error %g", path, r->stderr_);
}

static void expect_ops(const struct calibration *c, double (*scale)(int stage))
{
    char path[200];

    for (int s = 0; s < scenario->stages_n; s++) {
        const struct stage *st = &scenario->stages[s];

        for (int op = 0; op < model_operators(st->model, st->cfg); op++) {
            struct cost law = law_of(s, op);
            const struct op_info *info = &st->model->ops[op];

            snprintf(path, sizeof path, "stages.%s.params.costs.%s.fixed", st->name, info->name);
            expect_row(c, path, law.fixed_s * scale(s), 0.25);
            if (info->items != NULL) {
                snprintf(path, sizeof path, "stages.%s.params.costs.%s.per_item", st->name, info->name);
                expect_row(c, path, law.per_item_s * scale(s), 0.15);
            }
            if (info->bytes != NULL) {
                snprintf(path, sizeof path, "stages.%s.params.costs.%s.per_byte", st->name, info->name);
                expect_row(c, path, law.per_byte_s * scale(s), 0.2);
            }
            snprintf(path, sizeof path, "stages.%s.params.costs.%s.cv", st->name, info->name);
            expect_row(c, path, law.cv, 0.4);
        }
    }
}

static double no_factor(int stage)
{
    (void)stage;
    return 1;
}

/* -------------------------------------------------------------------------------------- the tests */

Test(calibrate, operators_alone_give_back_their_laws)
{
    struct calibration c = calibrated(profile(true), NULL, 0);
    const struct dataset_cfg *d = scenario->workload.data;
    double partition_bytes = (double)d->partition_rows * dataset_row_bytes(d, false);

    expect_ops(&c, no_factor);
    expect_row(&c, "resources.host.contention", contention, 0.05);
    expect_row(&c, "resources.disk.read_bw", read_bw, 0.05);
    expect_row(&c, "resources.disk.write_bw", write_bw, 0.05);
    expect_row(&c, "resources.disk.latency", disk_latency, 0.1);
    expect_row(&c, "stages.etl.params.ratio_time_lz4", 0.8, 1e-9);
    expect_row(&c, "stages.etl.params.ratio_time_zstd", 0.6 * pow(partition_bytes / 1e6, -0.1), 1e-7);
    expect_row(&c, "stages.etl.params.slope_time_zstd", -0.1, 1e-7);
    expect_row(&c, "stages.etl.params.ratio_rows", 4096, 0);
    expect_row(&c, "stages.etl.params.ratio_session_lz4", 0.5, 1e-9);
    expect_row(&c, "stages.etl.params.used_ratio_session_zstd", 0.25, 1e-9);
    cr_expect_str_eq(row(&c, "stages.etl.params.costs.join.per_item")->valid_of, "items");
    cr_expect_str_eq(row(&c, "resources.disk.read_bw")->valid_of, "bytes");
    cr_expect(row(&c, "stages.etl.params.costs.join.per_item")->valid_from > 0);
    cr_expect(isnan(c.baseline_measured_per_s), "nothing was executed");
    cr_assert(c.extra.remarks_n > 0);
    cr_expect_not_null(strstr(c.extra.remarks[0].text, "no execution"), "%s", c.extra.remarks[0].text);
}

Test(calibrate, executions_give_the_factor_between_alone_and_in_place)
{
    int64_t runs[3] = {execution(0, NULL), execution(1, NULL), execution(2, NULL)};
    struct calibration c = calibrated(profile(true), runs, 3);
    const struct calibration_row *r;

    expect_ops(&c, factor_of);
    r = row(&c, "stages.prep.params.costs.hash.per_item");
    cr_expect(r->holdout_error_frac < 0.03, "the last execution is predicted to %g", r->holdout_error_frac);
    cr_expect_not_null(strstr(r->method, "in place"), "%s", r->method);
    cr_expect(c.baseline_measured_per_s > 0 && c.baseline_predicted_per_s > 0);
    cr_expect(row(&c, DISCREPANCY_PATH)->value >= 0);
}

Test(calibrate, an_operator_that_was_not_executed_gets_the_factor_of_its_stage)
{
    int64_t runs[2] = {execution(0, "clip"), execution(1, "clip")};
    struct calibration c = calibrated(profile(true), runs, 2);

    expect_ops(&c, factor_of);
    cr_expect_not_null(strstr(row(&c, "stages.prep.params.costs.clip.fixed")->method, "as its stage"));
}

/* Saved and resolved again, the rows are what the scenario runs on. */
Test(calibrate, a_saved_calibration_is_what_the_scenario_runs_on)
{
    struct calibration c = calibrated(profile(true), NULL, 0);
    struct scenario *s = NULL;
    struct resolver fresh;
    double discrepancy = NAN;

    OK(calibration_save(store, "quickstart", scenario->sha256, 0, c.rows, c.n, &err));
    resolve_open(temp_path, scenario->file, &fresh);
    OK(scenario_build(tree, "q", &(struct scenario_options){.resolver = &fresh}, &s, &err));
    cr_expect_eq(s->warnings_n, 0, "%s", s->warnings_n ? s->warnings[0].text : "");
    cr_expect_eq(s->calibrations_n, 1);
    cr_expect(s->uncertain_n > 10);
    cr_expect_eq(((const struct etl_cfg *)s->stages[0].cfg)->costs[ETL_JOIN].per_item_s,
                 row(&c, "stages.etl.params.costs.join.per_item")->value);
    cr_expect_eq(s->resources[0].contention, row(&c, "resources.host.contention")->value);
    OK(resolve_discrepancy(&fresh, s, DISCREPANCY_PATH, &discrepancy, &err));
    cr_expect_eq(discrepancy, 0);
    scenario_free(s);
    resolve_close(&fresh);
}

static int build_one(void *ctx, uint32_t i, struct err *e)
{
    struct scenario *s = NULL;
    int rc = scenario_build(tree, "q", &(struct scenario_options){.resolver = ctx}, &s, e);

    if (rc == 0 && s->calibrations_n != 1)
        rc = err_set(e, ERR_FAILED, "build %u found %d calibrations", i, s->calibrations_n);
    if (rc == 0)
        scenario_free(s);
    return rc;
}

/* Studies build their variants in threads, all with one resolver. */
Test(calibrate, several_threads_resolve_with_one_resolver)
{
    struct calibration c = calibrated(profile(true), NULL, 0);
    struct resolver fresh;

    OK(calibration_save(store, "quickstart", scenario->sha256, 0, c.rows, c.n, &err));
    resolve_open(temp_path, scenario->file, &fresh);
    OK(replicate_run(0, 100, 4, build_one, &fresh, &err));
    resolve_close(&fresh);
}

Test(calibrate, without_the_machine_s_own_measurements_resources_stay_as_they_are)
{
    struct calibration c = calibrated(profile(false), NULL, 0);

    expect_ops(&c, no_factor);
    for (size_t i = 0; i < c.n; i++)
        cr_expect_neq(strncmp(c.rows[i].path, "resources.", 10), 0, "%s", c.rows[i].path);
}

Test(calibrate, a_missing_profile_is_an_error_that_says_so)
{
    struct calibrate_input in = {.scenario = scenario,
                                 .tree = tree,
                                 .resolver = &resolver,
                                 .name = "mine",
                                 .store = store,
                                 .profile = 4711};
    struct calibration c;
    int rc = calibrate(&in, arena, &c, &err);

    cr_assert(rc != 0);
    cr_expect_not_null(strstr(err.text, "4711"), "%s", err.text);
}

Test(calibrate, a_profile_of_nothing_known_is_an_error)
{
    static struct spans x;
    struct calibrate_input in = {
        .scenario = scenario, .tree = tree, .resolver = &resolver, .name = "mine", .store = store};
    struct calibration c;

    push(&x, (struct span){"somewhere", "else", "", -1, 0, 0, 1, 1, 1, 1, 1});
    in.profile = keep(&x, "profile");
    cr_expect_neq(calibrate(&in, arena, &c, &err), 0);
    cr_expect_not_null(strstr(err.text, "profile"), "%s", err.text);
}
