#include "markup.h"

#include "base/json.h"
#include "base/text.h"
#include "report/report.h"

#include <stdlib.h>
#include <unistd.h>

static struct err err;

TestSuite(report, .timeout = 60);

#define HEAD(command)                                                                                        \
    "\"format\":\"foresight.result\",\"format_version\":\"1.0\",\"command\":\"" command                      \
    "\",\"version\":\"0.1.0\","                                                                              \
    "\"scenario\":\"rec-training\",\"scenario_sha256\":\"99a21bbc689a81e2559be14d3a31fa82\",\"seed\":7,"     \
    "\"replications\":12,\"events\":1234567"
#define E(mean, lo, hi) "{\"mean\":" mean ",\"lo\":" lo ",\"hi\":" hi ",\"n\":12}"
#define STAGE(name, owner, busy, blocked, starved)                                                                                                             \
    "{\"name\":\"" name "\",\"model\":\"preprocess\",\"owner\":\"" owner                                                                                       \
    "\",\"throughput_per_s\":" E("812", "800", "825") ",\"wait_s\":" E(                                                                                        \
        "0.09", "0.08",                                                                                                                                        \
        "0.1") ",\"service_s\":" E("0.12", "0.11",                                                                                                             \
                                   "0.13") ",\"utilization_frac\":" E(busy, busy,                                                                              \
                                                                      busy) ",\"queue_mean\":" E("2", "1",                                                     \
                                                                                                 "3") ",\"b"                                                   \
                                                                                                      "lock"                                                   \
                                                                                                      "ed_"                                                    \
                                                                                                      "frac"                                                   \
                                                                                                      "\""                                                     \
                                                                                                      ":" E(blocked, blocked, blocked) ",\"starved_frac\":" E( \
                                                                                                          starved,                                             \
                                                                                                          starved,                                             \
                                                                                                          starved) ",\"extra\":{}}"

static const char run[] = "{" HEAD(
    "run") ",\"metrics\":{\"throughput_per_s\":{\"mean\":812.5,\"lo\":800,\"hi\":825,\"n\":12,\"pred_lo\":"
           "760,\"pred_hi\":870},"
           "\"stall_frac\":" E("0.31", "0.3", "0.32") ",\"cost_usd_per_h\":" E(
               "4.85", "4.85",
               "4.85") ",\"cost_usd_per_1m_units\":" E("0.1658", "0.16",
                                                       "0.17") ",\"quality_unit\":\"none\"},"
                                                               "\"bound\":{\"throughput_per_s\":841.25,"
                                                               "\"bottleneck\":\"prep\"},"
                                                               "\"stages\":[" STAGE("etl", "data", "0.2", "0.6", "0.2") "," STAGE(
                                                                   "prep", "ingest", "0.97", "0.01",
                                                                   "0.02") "," STAGE("<script>alert(1)</"
                                                                                     "script>",
                                                                                     "\\\";system(\\\"touch "
                                                                                     "report-was-here\\\");"
                                                                                     "\\\"",
                                                                                     "0.4", "0.2",
                                                                                     "0.4") "],"
                                                                                            "\"resources\":[{"
                                                                                            "\"name\":"
                                                                                            "\"host\","
                                                                                            "\"kind\":"
                                                                                            "\"cores\","
                                                                                            "\"utilization_"
                                                                                            "frac\":" E(
                                                                                                "0.9", "0.89",
                                                                                                "0.91") ",\"c"
                                                                                                        "ost_"
                                                                                                        "usd_"
                                                                                                        "per_"
                                                                                                        "h\":"
                                                                                                        "0."
                                                                                                        "85}]"
                                                                                                        ","
                                                                                                        "\"pr"
                                                                                                        "oven"
                                                                                                        "ance"
                                                                                                        "\":{"
                                                                                                        "\"ca"
                                                                                                        "libr"
                                                                                                        "atio"
                                                                                                        "ns\""
                                                                                                        ":["
                                                                                                        "\"la"
                                                                                                        "ptop"
                                                                                                        " v2"
                                                                                                        "\"],"
                                                                                                        "\"as"
                                                                                                        "sume"
                                                                                                        "d\":"
                                                                                                        "[\"$"
                                                                                                        ".res"
                                                                                                        "ourc"
                                                                                                        "es."
                                                                                                        "disk"
                                                                                                        ".iop"
                                                                                                        "s\"]"
                                                                                                        "},"
                                                                                                        "\"wa"
                                                                                                        "rnin"
                                                                                                        "gs\""
                                                                                                        ":[{"
                                                                                                        "\"pa"
                                                                                                        "th\""
                                                                                                        ":\"$"
                                                                                                        ".sta"
                                                                                                        "ges["
                                                                                                        "1]"
                                                                                                        "\","
                                                                                                        "\"te"
                                                                                                        "xt\""
                                                                                                        ":\"m"
                                                                                                        "ore "
                                                                                                        "work"
                                                                                                        "ers "
                                                                                                        "than"
                                                                                                        " cor"
                                                                                                        "es: "
                                                                                                        "<b "
                                                                                                        "oncl"
                                                                                                        "ick="
                                                                                                        "'x'>"
                                                                                                        "shar"
                                                                                                        "e</"
                                                                                                        "b>"
                                                                                                        "\"}]"
                                                                                                        "}";

#define OPTIMIZATION(name, local, whole, verdict)                                                             \
    "{\"name\":\"" name "\",\"touches\":[\"etl\",\"prep\"],\"owners\":[\"ingest\"],\"local_gain\":" E(        \
        local, local,                                                                                         \
        local) ",\"end_to_end_gain\":" E(whole, whole,                                                        \
                                         whole) ",\"share_frac\":" E("0.5", "0.4",                            \
                                                                     "0.6") ",\"delta_by_component\":[{"      \
                                                                            "\"component\":\"prep\",\"cpu_"   \
                                                                            "s\":-0.012,\"bytes\":-1.2e6,"    \
                                                                            "\"usd_per_h\":-0.3,\"power_"     \
                                                                            "w\":null}],"                     \
                                                                            "\"cost_delta_usd_per_h\":" E(    \
                                                                                "-0.3", "-0.3",               \
                                                                                "-0.3") ",\"quality_"         \
                                                                                        "delta\":" E(         \
                                                                                            "0", "0",         \
                                                                                            "0") ",\"verdic"  \
                                                                                                 "t\":"       \
                                                                                                 "\"" verdict \
                                                                                                 "\","        \
                                                                                                 "\"why\":"   \
                                                                                                 "\"because"  \
                                                                                                 " of "       \
                                                                                                 "<i>this</"  \
                                                                                                 "i>\"}"

static const char rank[] = "{" HEAD("rank") ",\"optimizations\":[" OPTIMIZATION(
    "faster codec", "2.3", "1.0",
    "no effect") "," OPTIMIZATION("session dedup", "1.9", "1.62",
                                  "helps") "," OPTIMIZATION("<img src=x onload=alert(2)>", "1.1", "0.9",
                                                            "hurts") "],"
                                                                     "\"interactions\":[{\"pair\":[\"faster "
                                                                     "codec\",\"session "
                                                                     "dedup\"],\"effect\":" E(
                                                                         "1.1", "1.05",
                                                                         "1.15") "}],"
                                                                                 "\"after_best\":{"
                                                                                 "\"bottleneck\":\"train\"},"
                                                                                 "\"next_measurement\":{"
                                                                                 "\"path\":\"stages.prep\","
                                                                                 "\"why\":\"it moves the "
                                                                                 "first place\"},"
                                                                                 "\"warnings\":[]}";

#define VARIANT(name, measured, predicted, error, inside)                                                    \
    "{\"name\":\"" name                                                                                      \
    "\",\"figures\":[{\"name\":\"throughput_per_s\",\"unit\":\"samples/s\",\"measured\":" measured           \
    ",\"predicted\":" predicted ",\"error_frac\":" error ",\"inside_interval\":" inside "},"                 \
    "{\"name\":\"storage_bytes\",\"unit\":\"bytes\",\"measured\":1.2e8,\"predicted\":1.23e8,\"error_frac\":" \
    "0.025,\"inside_interval\":true}],\"stages\":[{\"name\":\"prep\",\"working\":{\"measured_s\":"           \
    "{\"mean\":2e-6,\"n\":3},\"predicted_s\":2.4e-6,\"error_frac\":0.31},\"starved\":{\"measured_s\":"       \
    "1e-6,\"predicted_s\":5e-7,\"error_frac\":-0.25}}],\"why\":\"prep works for <too> long\"}"

static const char validate[] = "{" HEAD("validate") ",\"variants\":[" VARIANT(
    "baseline", E("800", "790", "810"), E("820", "800", "840"), "0.025",
    "true") "," VARIANT("dedup | `x` \\n # y", E("1300", "1280", "1320"), E("1250", "1200", "1290"), "-0.038",
                        "false") "],"
                                 "\"speedups\":[{\"name\":\"dedup\",\"measured\":1.6,\"predicted\":1.55}],"
                                 "\"median_abs_error_frac\":0.031,"
                                 "\"p90_abs_error_frac\":0.038,\"kendall_tau\":1,\"top_choice_regret_frac\":"
                                 "0,\"local_choice_regret_frac\":0.37,"
                                 "\"interval_coverage_frac\":0.5,\"interval_width_frac\":0.05,\"warnings\":[]"
                                 "}";

static struct json *parsed(const char *text)
{
    struct json *v = NULL;
    int rc = json_parse(text, "test", &v, &err);

    cr_assert_eq(rc, 0, "%s", err.text);
    return v;
}

static struct report_input everything(void)
{
    return (struct report_input){.run = parsed(run),
                                 .rank = parsed(rank),
                                 .validate = parsed(validate),
                                 .scenario_name = "rec-training </title><script>"};
}

/* The page as a string; without gnuplot it is complete but for its plots, which is enough for most tests. */
static char *page(const struct report_input *in)
{
    struct text t = {0};
    int rc = report_write(in, REPORT_HTML, &t, &err);

    cr_assert(rc == 0 || rc == ERR_PROGRAM, "%s", err.text);
    return t.s;
}

static void expect_has(const char *page, const char *words)
{
    cr_expect_not_null(strstr(page, words), "\"%s\" is missing", words);
}

Test(report, the_page_is_balanced_self_contained_and_safe)
{
    struct report_input in = everything();
    char *html;

    unlink("report-was-here");
    html = page(&in);
    expect_balanced(html);
    expect_unique_ids(html);
    cr_expect_null(strstr(html, "<script"));
    cr_expect_null(strstr(html, "<img"));
    cr_expect_null(strstr(html, "<b onclick"));
    expect_has(html, "&lt;script&gt;alert(1)&lt;/script&gt;");
    expect_has(html, "&lt;img src=x onload=alert(2)&gt;");
    cr_expect_neq(access("report-was-here", F_OK), 0, "a name was executed");
}

Test(report, nothing_is_loaded_from_elsewhere)
{
    struct report_input in = everything();

    in.rank = NULL; /* its hostile name holds src= as text */
    in.run = NULL;
    expect_self_contained(page(&in));
}

Test(report, the_answer_comes_first_and_tells_local_from_whole)
{
    struct report_input in = everything();
    char *html = page(&in), *section = strstr(html, "<section");

    *section = '\0';
    expect_has(html, "delivers 812 [760,\xc2\xa0"
                     "870] units a second");
    expect_has(html, "What limits it is &quot;prep&quot;");
    expect_has(html, "&quot;session dedup&quot; helps the whole most: \xc3\x97"
                     "1.62");
    expect_has(html, "&quot;faster codec&quot; with \xc3\x97"
                     "2.30, is worth \xc3\x97"
                     "1.00 to the whole");
    expect_has(html, "2 really executed variants, half of the predicted figures were within 3.1\xc2\xa0%");
}

Test(report, every_section_names_its_command)
{
    struct report_input in = everything();
    char *html = page(&in);

    expect_has(
        html,
        "From &quot;foresight run&quot;, version 0.1.0, seed 7, 12 replications, scenario 99a21bbc689a.");
    expect_has(html, "From &quot;foresight rank&quot;");
    expect_has(html, "From &quot;foresight validate&quot;");
    expect_has(html, "Where the model is wrong");
    expect_has(html, "prep works for &lt;too&gt; long");
    expect_has(html, "+31");
    cr_expect_null(strstr(html, "The store holds no such result"));
}

Test(report, optimizations_stand_in_the_order_of_what_they_do_to_the_whole)
{
    struct report_input in = everything();
    char *table;

    in.run = in.validate = NULL;
    table = strstr(page(&in), "<table");
    cr_assert_not_null(table);
    cr_expect_lt(strstr(table, "session dedup"), strstr(table, "faster codec"));
    cr_expect_lt(strstr(table, "faster codec"), strstr(table, "&lt;img"));
}

Test(report, a_missing_result_names_the_command_that_makes_it)
{
    struct report_input nothing = {.scenario_name = "x"}, only_run = everything();
    char *html = page(&nothing);

    expect_balanced(html);
    expect_has(html, "foresight run SCENARIO&quot; makes one");
    expect_has(html, "foresight rank SCENARIO&quot; makes one");
    expect_has(html, "foresight validate SCENARIO&quot; makes one");
    only_run.rank = only_run.validate = NULL;
    html = page(&only_run);
    expect_has(html, "None of this has been checked against real execution yet.");
    expect_has(html, "foresight rank SCENARIO&quot; makes one");
    cr_expect_null(strstr(html, "foresight run SCENARIO"));
}

Test(report, results_of_different_scenarios_are_not_mixed_silently)
{
    struct report_input in = everything();
    struct json *other = parsed(rank);

    cr_expect_null(strstr(page(&in), "different contents"));
    json_set_string(other, "scenario_sha256", "another");
    in.rank = other;
    expect_has(page(&in), "different contents of the scenario file");
}

Test(report, several_pipelines_are_drawn_each)
{
    static const char two[] = "{" HEAD(
        "run") ",\"metrics\":{},\"bound\":{},\"pipelines\":[{\"name\":\"nightly etl\",\"metrics\":{},"
               "\"stages\":[" STAGE("sort", "", "0.5", "0", "0.5") "]},{\"name\":\"queries\",\"metrics\":{},"
                                                                   "\"stages\":[" STAGE("search", "", "0.5",
                                                                                        "0", "0.5") "]}]}";
    struct report_input in = {.run = parsed(two), .scenario_name = "forest"};
    char *html = page(&in);

    expect_balanced(html);
    expect_unique_ids(html);
    expect_has(html, "nightly etl");
    expect_has(html, ">search<");
}

Test(report, strange_documents_are_shown_as_far_as_they_go)
{
    static const char *const strange[] = {
        "{}",
        "[]",
        "null",
        "{\"metrics\":3,\"stages\":\"x\",\"resources\":{},\"bound\":[],\"optimizations\":[1,null,\"x\",[]],"
        "\"variants\":[1,{}]}",
        "{\"stages\":[{},{\"name\":null,\"utilization_frac\":{\"mean\":1e999}}],\"warnings\":{\"a\":1}}",
        "{\"stages\":[{\"name\":\"a\",\"utilization_frac\":{\"mean\":null}}],\"provenance\":{\"assumed\":[{"
        "\"a\":[1,2]}]}}",
        "{\"optimizations\":[{}],\"interactions\":[{}],\"after_best\":{\"bottleneck\":1},\"next_"
        "measurement\":[1]}",
        "{\"variants\":[{\"figures\":[{},{\"name\":\"t\",\"measured\":-1,\"predicted\":null}]},{\"figures\":"
        "7}],\"speedups\":[0]}",
    };

    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        struct json *v = NULL;
        struct report_input in = {.scenario_name = ""};

        if (json_parse(strange[i], "test", &v, &err) != 0)
            continue; /* the JSON floor refuses it already */
        in.run = in.rank = in.validate = v;
        expect_balanced(page(&in));
    }
}

Test(report, without_gnuplot_everything_but_the_plots_is_there)
{
    struct report_input in = everything();
    struct text t = {0};

    setenv("PATH", "/nonexistent", 1);
    cr_expect_eq(report_write(&in, REPORT_HTML, &t, &err), ERR_PROGRAM);
    cr_expect_not_null(strstr(err.text, "gnuplot-nox"));
    expect_balanced(t.s);
    expect_has(t.s, "No plot here: gnuplot is not installed");
    expect_has(t.s, "session dedup");
    expect_has(t.s, "</html>");
}

/* Bars that separate cells, not counting those a name brought along. */
static int bars(const char *line, size_t n)
{
    int bar = 0;

    for (size_t i = 0; i < n; i++) {
        if (line[i] == '\\')
            i++;
        else
            bar += line[i] == '|';
    }
    return bar;
}

Test(report, markdown_tables_keep_their_columns_whatever_the_names)
{
    struct report_input in = everything();
    struct text t = {0};
    int expected = 0, rows = 0;

    cr_assert_eq(report_write(&in, REPORT_MARKDOWN, &t, &err), 0, "%s", err.text);
    cr_expect_null(strstr(t.s, "<script"));
    cr_expect_null(strstr(t.s, "<svg"));
    expect_has(t.s, "dedup \\| \\`x\\`   \\# y");
    for (const char *line = t.s; *line != '\0';) {
        size_t n = strcspn(line, "\n");

        if (line[0] != '|') {
            expected = 0;
        } else {
            if (expected == 0)
                expected = bars(line, n);
            cr_expect_eq(bars(line, n), expected, "%.*s", (int)n, line);
            rows++;
        }
        line += n + (line[n] == '\n');
    }
    cr_expect_gt(rows, 30);
}

Test(report, the_same_results_make_the_same_page)
{
    struct report_input in = everything();

    cr_expect_str_eq(page(&in), page(&in));
}
