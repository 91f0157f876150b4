/* From a recording to parameters: files with known laws are imported and fitted, as the command does it. */
#include "calibrate/fit_model.h"
#include "calibrate/recipes.h"
#include "calibrate/resolve_rows.h"
#include "engine/rng.h"
#include "import_helpers.h"
#include "models/fits.h"
#include "store/trace.h"

#include <gsl/gsl_errno.h>
#include <math.h>

static void begin(void)
{
    gsl_set_error_handler_off(); /* as the program does */
    temp_begin();
}

TestSuite(fit_model, .init = begin, .fini = temp_end, .timeout = 120);

static struct fitting fitted;

static int64_t import_text(struct store *s, const char *name, const char *text)
{
    struct import_report r;

    cr_assert_eq(import_into(s, write_text(name, text), NULL, &r), 0, "%s", err.text);
    return r.trace_id;
}

static void fit(struct store *s, const char *target, int64_t trace, const char *where)
{
    struct fit_model_input in = {
        .store = s, .target = target, .traces = &trace, .traces_n = 1, .where = where};

    cr_assert_eq(fit_model(&in, arena, &fitted, &err), 0, "%s", err.text);
}

static const struct calibration_row *row(const char *path)
{
    for (size_t i = 0; i < fitted.n; i++)
        if (strcmp(fitted.rows[i].path, path) == 0)
            return &fitted.rows[i];
    for (size_t i = 0; i < fitted.n; i++)
        cr_log_info("%s", fitted.rows[i].path);
    cr_assert_fail("no row %s", path);
    return NULL;
}

/* Within four standard errors: once in 16,000 tests by chance, and the seeds are fixed. */
static void is_near(const char *path, double truth)
{
    const struct calibration_row *r = row(path);

    cr_expect(r->stderr_ > 0, "%s has no standard error", path);
    cr_expect(fabs(r->value - truth) < 4 * r->stderr_, "%s: %g +- %g, true %g", path, r->value, r->stderr_,
              truth);
}

static bool is_remarked(const char *kind, const char *word)
{
    for (size_t i = 0; i < fitted.extra.remarks_n; i++)
        if (strcmp(fitted.extra.remarks[i].kind, kind) == 0 &&
            strstr(fitted.extra.remarks[i].text, word) != NULL)
            return true;
    return false;
}

/* ------------------------------------------------------------------ the contract */

Test(fit_model, every_row_of_a_contract_names_a_recipe_its_view_and_a_parameter)
{
    const char *names[64];
    size_t n = fits_names(names, 64);
    struct store *s;

    cr_assert_eq(store_open(temp_path, STORE_WRITE, &s, &err), 0);
    store_close(s);
    cr_assert_geq(n, 5);
    for (size_t i = 0; i < n; i++)
        for (const struct fit_info *f = fits_find(names[i]); f->param != NULL; f++) {
            const struct recipe *r = recipe_find(f->method);
            const struct model *m = model_find(names[i]);

            cr_assert_not_null(r, "%s.%s: no recipe \"%s\"", names[i], f->param, f->method);
            cr_expect_str_eq(r->view, f->view, "%s.%s", names[i], f->param);
            cr_expect(ask_number(arena_printf(arena, "SELECT count(*) FROM sqlite_schema WHERE name = '%s'",
                                              f->view)) == 1,
                      "%s", f->view);
            if (m != NULL &&
                (strcmp(f->method, "operator table") == 0 || strcmp(f->method, "service law") == 0 ||
                 strcmp(f->method, "recall curve") == 0))
                cr_expect_not_null(param_find(m->params, f->param), "%s has no parameter %s", names[i],
                                   f->param);
        }
}

Test(fit_model, what_cannot_be_fitted_is_said)
{
    struct store *s = temp_open(STORE_WRITE);
    int64_t trace = import_text(s, "ops.csv", "op,tokens,batch,chunk,context,time_s\ngemm,1,,,,1e-5\n");
    struct fit_model_input in = {.store = s, .target = "lnik", .traces = &trace, .traces_n = 1};

    cr_expect_eq(fit_model(&in, arena, &fitted, &err), ERR_USAGE);
    cr_expect_not_null(strstr(err.text, "did you mean \"link\""), "%s", err.text);
    in.target = "station";
    cr_expect_eq(fit_model(&in, arena, &fitted, &err), ERR_USAGE);
    cr_expect_not_null(strstr(err.text, "hold none"), "%s", err.text);
    in.where = "gemm";
    cr_expect_eq(fit_model(&in, arena, &fitted, &err), ERR_USAGE);
    cr_expect_not_null(strstr(err.text, "no NAME=VALUE"), "%s", err.text);
    store_close(s);
}

/* ------------------------------------------------------------------ operators */

/* 20 us, and 0.1 us a token; each measured time is off by 1 %. */
static double gemm_s(double tokens)
{
    return 20e-6 + 0.1e-6 * tokens;
}

static int64_t import_operators(struct store *s)
{
    struct text t = {0};
    struct rng r;
    int64_t id;

    rng_stream(&r, 1, 0, "test");
    text_add(&t, "op,tokens,batch,chunk,context,time_s\n");
    for (int i = 0; i < 120; i++) {
        double tokens = round(pow(2, i / 10.0));

        text_printf(&t, "gemm,%.0f,,,,%.9g\n", tokens, gemm_s(tokens) * rng_lognormal(&r, 1, 0.01));
    }
    for (int b = 0; b < 8; b++)
        for (int c = 0; c < 10; c++)
            text_printf(&t, "decode_attention,,%d,,%d,%.9g\n", 1 << b, 16 << c,
                        (5e-6 + 1e-9 * (1 << b) * (16 << c)) * rng_lognormal(&r, 1, 0.01));
    id = import_text(s, "ops.csv", t.s);
    text_free(&t);
    return id;
}

/* Products of many shapes at a known peak, bandwidth, filling size and overhead, each time off by 3 %. */
Test(fit_model, matrix_products_give_back_the_roofline)
{
    static const char *const name[] = {"peak", "bandwidth", "half_size", "overhead"};
    static const double truth[] = {200e12, 1.5e12, 40e3, 5e-6};
    struct store *s = temp_open(STORE_WRITE);
    struct text t = {0};
    struct rng r;

    rng_stream(&r, 3, 0, "test");
    text_add(&t, "framework,version,device,op_name,kernel_source,gemm_dtype,m,n,k,latency\n");
    for (int shape = 0; shape < 120; shape++)
        for (int i = 0; i < 15; i++) {
            double m = 1 << i, n = 256 << (shape % 6), k = 256 << (shape / 6 % 5);
            double computing = 2 * m * n * k / truth[0] * (1 + truth[2] / (m * n));
            double moving = 2 * (m * k + k * n + m * n) / truth[1];

            text_printf(&t, "V,1,NVIDIA X,gemm,lib,bfloat16,%g,%g,%g,%.9g\n", m, n, k,
                        1e3 * (truth[3] + fmax(computing, moving)) * rng_lognormal(&r, 1, 0.03));
        }
    fit(s, "gpus", import_text(s, "gemm_perf.csv", t.s), NULL);
    for (int i = 0; i < 4; i++) {
        const struct calibration_row *p =
            row(arena_printf(arena, "fits.gpus.gemm.X[gemm_dtype=bfloat16,kernel_source=lib].%s", name[i]));

        cr_expect_float_eq(p->value, truth[i], 3 * p->stderr_, "%s: %g +- %g", name[i], p->value, p->stderr_);
        cr_expect_lt(p->stderr_, 0.1 * p->value, "%s is hardly told", name[i]);
        cr_expect_eq(p->n, 1500, "of 1800 products");
    }
    text_free(&t);
    store_close(s);
}

Test(fit_model, a_product_of_unknown_numbers_is_left_out_and_named)
{
    struct store *s = temp_open(STORE_WRITE);
    int64_t trace = import_text(s, "gemm_perf.csv",
                                "framework,version,device,op_name,kernel_source,gemm_dtype,m,n,k,latency\n"
                                "V,1,NVIDIA X,gemm,lib,ternary,1,64,64,0.01\n");
    struct fit_model_input in = {.store = s, .target = "gpus", .traces = &trace, .traces_n = 1};

    cr_expect_eq(fit_model(&in, arena, &fitted, &err), ERR_USAGE);
    cr_expect_not_null(strstr(err.text, "hold none of what it is fitted from"), "%s", err.text);
    store_close(s);
}

Test(fit_model, measured_operators_become_tables_of_few_knots)
{
    struct store *s = temp_open(STORE_WRITE);
    int64_t trace = import_operators(s);
    struct cost_row *rows;
    size_t n;
    double worst = 0;

    fit(s, "llm_serving", trace, NULL);
    cr_assert_eq(resolve_costs("x", fitted.extra.document, arena, &rows, &n, &err), 0, "%s", err.text);
    cr_expect_leq(n, 100, "200 measurements, %zu knots", n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].op, "gemm") == 0)
            worst = fmax(worst, fabs(rows[i].time_s / gemm_s(rows[i].tokens) - 1));
    cr_expect_lt(worst, 0.08, "a knot is off by %g: more than the bound of 0.05 and the noise", worst);
    cr_expect(row("fits.llm_serving.ops.gemm@1")->holdout_error_frac < 0.05);
    cr_expect_str_eq(row("fits.llm_serving.ops.gemm@1")->valid_of, "tokens");
    cr_expect_eq(row("fits.llm_serving.ops.decode_attention@1")->n, 80);
    cr_assert_eq(fitted.extra.sources_n, 2);
    cr_expect_eq(fitted.extra.sources[0].trace_id, trace);
    cr_expect_eq(fitted.extra.sources[0].n, 120);
    fitting_free(&fitted);
    store_close(s);
}

Test(fit_model, a_filter_leaves_out_what_does_not_match)
{
    struct store *s = temp_open(STORE_WRITE);
    int64_t trace = import_operators(s);

    fit(s, "llm_serving", trace, "op=decode*; op=nothing");
    cr_expect_eq(fitted.extra.sources_n, 1);
    cr_expect_eq(row("fits.llm_serving.ops.decode_attention@1")->n, 80);
    fitting_free(&fitted);
    store_close(s);
}

Test(fit_model, a_ring_tells_the_link)
{
    struct store *s = temp_open(STORE_WRITE);
    struct text t = {0};
    struct rng r;
    int64_t trace;

    rng_stream(&r, 2, 0, "test");
    text_add(&t, "op,tokens,batch,chunk,context,time_s,bytes,devices\n");
    for (int i = 0; i < 60; i++) { /* 4 members: 6 steps of 2 us, 1.5 times the message at 100 GB/s */
        double bytes = round(pow(2, 10 + i / 3.0));

        text_printf(&t, "all_reduce,,,,,%.9g,%.0f,4\n",
                    (6 * 2e-6 + 1.5 * bytes / 100e9) * rng_lognormal(&r, 1, 0.02), bytes);
    }
    trace = import_text(s, "ring.csv", t.s);
    text_free(&t);
    fit(s, "link", trace, NULL);
    is_near("kinds.link.latency", 2e-6);
    is_near("kinds.link.bandwidth", 100e9);
    cr_expect_eq(fitted.extra.covs_n, 1);
    fitting_free(&fitted);
    store_close(s);
}

/* ------------------------------------------------------------------ spans */

static int64_t add_spans(struct store *s, double mean, double later, int n)
{
    struct trace_info info = {.name = "calls", .kind = "import"};
    struct span *spans = arena_array(arena, (size_t)n, sizeof *spans);
    struct rng r;
    int64_t id;

    rng_stream(&r, 3, 0, "test");
    for (int i = 0; i < n; i++) {
        double s_ = rng_lognormal(&r, i < n / 2 ? mean : later, 0.5);

        spans[i] = (struct span){.stage = "db",
                                 .op = "search",
                                 .variant = "",
                                 .item = i,
                                 .start_s = i,
                                 .end_s = i + s_,
                                 .cpu_s = NAN,
                                 .items = NAN,
                                 .bytes_in = NAN,
                                 .bytes_out = NAN};
    }
    cr_assert_eq(trace_create(s, &info, &id, &err), 0);
    cr_assert_eq(trace_append(s, id, spans, (size_t)n, &err), 0, "%s", err.text);
    return id;
}

Test(fit_model, spans_give_back_the_law_they_were_drawn_from)
{
    struct store *s = temp_open(STORE_WRITE);

    fit(s, "station", add_spans(s, 0.02, 0.02, 2000), NULL);
    is_near("models.station.params.service.lognormal.mean", 0.02);
    is_near("models.station.params.service.lognormal.cv", 0.5);
    cr_expect(!is_remarked("suspect", "stationary"));
    fitting_free(&fitted);
    store_close(s);
}

Test(fit_model, a_recording_that_drifts_is_suspect)
{
    struct store *s = temp_open(STORE_WRITE);

    fit(s, "station", add_spans(s, 0.02, 0.03, 2000), NULL);
    cr_expect(is_remarked("suspect", "not stationary"));
    fitting_free(&fitted);
    store_close(s);
}

/* ------------------------------------------------------------------ requests */

static int64_t import_requests(struct store *s, double burst_cv)
{
    struct text t = {0};
    struct rng r;
    double now = 0;
    int64_t id;

    rng_stream(&r, 4, 0, "test");
    text_add(&t, "when,prompt,answer\n");
    for (int i = 0; i < 4000; i++) {
        double answer = fmin(1000, round(rng_lognormal(&r, 300, 1)) + 1);

        now += rng_gamma(&r, 0.1, burst_cv);
        text_printf(&t, "%.6f,%.0f,%.0f\n", now, round(rng_gamma(&r, 500, 0.6)) + 1, answer);
    }
    {
        struct import_options o = {
            .map = "requests: arrival_s = when, input_tokens = prompt, output_tokens = answer"};
        struct import_report rep;

        cr_assert_eq(import_into(s, write_text("log.csv", t.s), &o, &rep), 0, "%s", err.text);
        id = rep.trace_id;
    }
    text_free(&t);
    return id;
}

Test(fit_model, requests_give_back_arrivals_and_lengths_also_where_a_limit_cut_them_off)
{
    struct store *s = temp_open(STORE_WRITE);

    fit(s, "workload", import_requests(s, 1), NULL);
    is_near("workload.open.arrivals.exponential", 0.1);
    is_near("workload.requests.output_tokens.lognormal.mean", 301);
    cr_expect(is_remarked("note", "limit of 1000"));
    fitting_free(&fitted);
    store_close(s);
}

Test(fit_model, bursts_are_not_taken_for_a_poisson_process)
{
    struct store *s = temp_open(STORE_WRITE);
    bool phases;

    fit(s, "workload", import_requests(s, 3), NULL);
    phases = fitted.extra.document != NULL && strstr(fitted.extra.document, "mmpp") != NULL;
    if (!phases)
        cr_expect(row("workload.open.arrivals.gamma.cv")->value > 2);
    fitting_free(&fitted);
    store_close(s);
}

/* ------------------------------------------------------------------ machines, few runs each */

enum { MACHINES = 60, RUNS = 3 };

Test(fit_model, machines_seen_a_few_times_are_pooled)
{
    const double mean = 200, between = 8, within = 5; /* MiB/s */
    struct text csv = {0};
    struct store *s = temp_open(STORE_WRITE);
    struct rng r;

    rng_stream(&r, 7, 0, "machines");
    text_add(&csv, "value,runtime,starttime,VM_id\n");
    for (int m = 0; m < MACHINES; m++) {
        double own = mean + between * rng_normal(&r);

        for (int k = 0; k < RUNS; k++)
            text_printf(&csv, "%.4f,33,2024-06-%02d 12:%02d:46.110,%d\n", own + within * rng_normal(&r),
                        1 + k * 9, m, m);
    }
    fit(s, "disk", import_text(s, "fio_seqread_64KB_MiBps.csv", csv.s), NULL);
    is_near("kinds.disk.read_bw", mean * 1048576);
    is_near("fits.disk.read_bw.between_machines_cv", between / mean);
    cr_expect_float_eq(row("fits.disk.read_bw.between_runs_cv")->value, within / mean, .004);
    /* The error of the mean counts machines: sqrt((between^2 + within^2 / runs) / machines), here 1.1 MiB/s.
     */
    cr_expect_float_eq(row("kinds.disk.read_bw")->stderr_ / 1048576,
                       sqrt((between * between + within * within / RUNS) / MACHINES), .25);
    text_free(&csv);
    store_close(s);
}
