#include "markup.h"

#include "base/text.h"
#include "report/label.h"
#include "report/plot.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static struct err err;

TestSuite(plot, .timeout = 60);

static const char *const labels[] = {"plain",
                                     "<b>&\"'</b>",
                                     "\";system(\"touch plot-was-here\");\"",
                                     "`touch plot-was-here`",
                                     "%s%n%g \\n {/Bold x} @1@ ]]>",
                                     "two\nlines\nEOD\nquit",
                                     ""};
enum { ROWS = sizeof labels / sizeof labels[0] };

static struct plot a_plot(enum plot_kind kind)
{
    static const struct plot_point first[ROWS] = {
        {1, .9, 1.1, NAN, NAN}, {2, 1, 3, 0, 5},      {NAN, NAN, NAN, NAN, NAN}, {4, NAN, NAN, NAN, NAN},
        {0, 0, 0, 0, 0},        {6, 5, 7, -1e9, 1e9}, {1, 1, 1, 1, 1},
    };
    static const struct plot_series series[] = {{"one", first}, {"two", first}};

    return (struct plot){.kind = kind,
                         .number = 7,
                         .about = "A test",
                         .x_title = "x (s)",
                         .y_title = "y",
                         .labels = labels,
                         .rows = ROWS,
                         .series = series,
                         .n_series = 2,
                         .reference = 1};
}

static void draw(const struct plot *p, struct text *svg)
{
    if (plot_svg(p, svg, &err) == ERR_PROGRAM && strstr(err.text, "not installed") != NULL)
        cr_skip_test("gnuplot is not installed");
    cr_assert_not_null(svg->s, "%s", err.text);
}

Test(plot, each_kind_is_a_well_formed_drawing_with_ids_of_its_own)
{
    static const enum plot_kind kind[] = {PLOT_INTERVALS, PLOT_STACKED, PLOT_SCATTER};

    for (int i = 0; i < 3; i++) {
        struct plot p = a_plot(kind[i]);
        struct text svg = {0};

        draw(&p, &svg);
        expect_balanced(svg.s);
        expect_self_contained(svg.s);
        expect_unique_ids(svg.s);
        cr_expect_not_null(strstr(svg.s, "id='plot7_gpPt0'"));
        cr_expect_null(strstr(svg.s, "'#gpPt"), "refers to an id that has been renamed");
        cr_expect_null(strstr(svg.s, "<title>"));
        text_free(&svg);
    }
}

Test(plot, labels_arrive_escaped_and_gnuplot_never_sees_them)
{
    struct plot p = a_plot(PLOT_INTERVALS);
    struct text svg = {0};

    unlink("plot-was-here");
    draw(&p, &svg);
    cr_expect_not_null(strstr(svg.s, ">plain<"));
    cr_expect_not_null(strstr(svg.s, ">&lt;b&gt;&amp;"));
    cr_expect_not_null(strstr(svg.s, "%s%n%g \\n {/Bold x} @1@"),
                       "a label is not looked through for labels again");
    cr_expect_not_null(strstr(svg.s, ">two lines EOD quit<"));
    cr_expect_neq(access("plot-was-here", F_OK), 0, "a label was executed");
    text_free(&svg);
}

Test(plot, the_same_plot_has_the_same_bytes)
{
    struct plot p = a_plot(PLOT_STACKED);
    struct text a = {0}, b = {0};

    draw(&p, &a);
    draw(&p, &b);
    cr_expect_str_eq(a.s, b.s);
    text_free(&a);
    text_free(&b);
}

Test(plot, values_that_span_no_range_can_be_drawn)
{
    static const struct plot_point nothing[] = {{NAN, NAN, NAN, NAN, NAN}}, zero[] = {{0, 0, 0, 0, 0}},
                                   huge[] = {{1e300, 1e299, 1e301, 0, 1e302}};
    static const struct plot_point *const cases[] = {nothing, zero, huge};

    for (int kind = PLOT_INTERVALS; kind <= PLOT_SCATTER; kind++) {
        for (int i = 0; i < 3; i++) {
            struct plot_series series[] = {{"a", cases[i]}, {"b", cases[i]}};
            struct plot p = {.kind = (enum plot_kind)kind,
                             .about = "t",
                             .x_title = "x",
                             .y_title = "y",
                             .labels = labels,
                             .rows = 1,
                             .series = series,
                             .n_series = 2,
                             .reference = NAN};
            struct text svg = {0};

            draw(&p, &svg);
            text_free(&svg);
        }
    }
}

Test(plot, without_gnuplot_it_says_how_to_get_it)
{
    struct plot p = a_plot(PLOT_INTERVALS);
    struct text svg = {0};

    setenv("PATH", "/nonexistent", 1);
    cr_expect_eq(plot_svg(&p, &svg, &err), ERR_PROGRAM);
    cr_expect_not_null(strstr(err.text, "apt install gnuplot-nox"));
    text_free(&svg);
}

struct label_case {
    struct estimate e;
    enum label_style style;
    const char *text;
};

Test(label, figures_show_what_their_interval_allows)
{
    static const struct label_case cases[] = {
        {{812.4567, 800.1, 824.8, NAN, NAN},
         LABEL_PER_S,
         "812/s [800,\xc2\xa0"
         "825]"},
        {{81250, NAN, NAN, NAN, NAN}, LABEL_PER_S, "81,250/s"},
        {{1.62034, 1.55, 1.70, NAN, NAN},
         LABEL_GAIN,
         "\xc3\x97"
         "1.62 [1.55,\xc2\xa0"
         "1.70]"},
        {{0.061, NAN, NAN, NAN, NAN}, LABEL_FRAC, "6.1 %"},
        {{0.056, NAN, NAN, NAN, NAN}, LABEL_CHANGE, "+5.6 %"},
        {{-0.128, NAN, NAN, NAN, NAN},
         LABEL_CHANGE,
         "\xe2\x88\x92"
         "12.8 %"},
        {{0.0088, 0.0087, 0.0089, NAN, NAN},
         LABEL_S,
         "8.80 ms [8.70,\xc2\xa0"
         "8.90]"},
        {{3e-7, NAN, NAN, NAN, NAN}, LABEL_S, "300 ns"},
        {{0, 0, 0, NAN, NAN}, LABEL_S, "0 s"},
        {{1.31e6, NAN, NAN, NAN, NAN}, LABEL_BYTES, "1.31 MB"},
        {{-0.4, NAN, NAN, NAN, NAN}, LABEL_USD_PER_H, "\xe2\x88\x92$0.40/h"},
        {{NAN, 1, 2, NAN, NAN}, LABEL_USD, "\xe2\x80\x93"},
        {{INFINITY, 1, 2, NAN, NAN}, LABEL_NUMBER, "\xe2\x80\x93"},
        {{2.5e15, NAN, NAN, NAN, NAN}, LABEL_NUMBER, "2.5e+15"},
        {{-0.001, -0.2, 0.2, NAN, NAN},
         LABEL_NUMBER,
         "\xe2\x88\x92"
         "0.001 [\xe2\x88\x92"
         "0.200,\xc2\xa0"
         "0.200]"},
    };
    char buf[200];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_str_eq(label_estimate(buf, sizeof buf, cases[i].e, cases[i].style), cases[i].text,
                         "got %s, not %s", buf, cases[i].text);
}

Test(label, long_names_are_cut_between_characters)
{
    char buf[64];

    cr_expect_str_eq(label_cut(buf, sizeof buf, "short", 5), "short");
    cr_expect_str_eq(label_cut(buf, sizeof buf, "longer", 5), "lo...");
    cr_expect_str_eq(label_cut(buf, sizeof buf, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 5),
                     "\xc3\xa9\xc3\xa9...");
    cr_expect_str_eq(label_cut(buf, sizeof buf, "a\tb\n", 5), "a b ");
    cr_expect_str_eq(label_cut(buf, sizeof buf, "", 5), "");
    cr_expect_leq(strlen(label_cut(buf, 8, "aaaaaaaaaaaaaaaaaaaa", 20)), 7);
}
