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
        {1, .9, 1.1, NAN, NAN, 0},  {2, 1, 3, 0, 5, 1}, {NAN, NAN, NAN, NAN, NAN, 2},
        {4, NAN, NAN, NAN, NAN, 3}, {0, 0, 0, 0, 0, 4}, {6, 5, 7, -1e9, 1e9, 5},
        {1, 1, 1, 1, 1, 6},
    };
    static const struct plot_series series[] = {{.name = "one", .points = first, .n = ROWS},
                                                {.label = "<two> \";system", .points = first, .n = ROWS}};

    return (struct plot){.kind = kind,
                         .slug = "test",
                         .title = "A test",
                         .about = "with <b>text</b> of a user",
                         .x_title = "x (s)",
                         .y_title = "y",
                         .labels = labels,
                         .rows = ROWS,
                         .series = series,
                         .n_series = 2,
                         .reference = 1,
                         .marks = {{2, "knee"}},
                         .n_marks = 1};
}

static struct plot_book *book_of(const struct plot *p, enum plot_colours colours)
{
    struct plot_book *b = plot_book_new(colours, true);

    cr_assert_eq(plot_book_add(b, p), 1);
    cr_assert_eq(plot_book_add(b, p), 2);
    if (plot_book_draw(b, &err) == ERR_PROGRAM && strstr(err.text, "not installed") != NULL)
        cr_skip_test("gnuplot is not installed");
    cr_assert_not_null(plot_book_svg(b, 1, PLOT_WIDE), "%s", err.text);
    return b;
}

Test(plot, each_kind_is_a_well_formed_drawing_with_ids_of_its_own)
{
    for (int kind = PLOT_INTERVALS; kind <= PLOT_LINES; kind++) {
        struct plot p = a_plot((enum plot_kind)kind);
        struct plot_book *b = book_of(&p, COLOURS_OF_PAGE);
        struct text page = {0};

        for (size_t i = 1; i <= 2; i++)
            for (int form = 0; form < PLOT_FORMS; form++) {
                const char *svg = plot_book_svg(b, i, (enum plot_form)form);

                expect_balanced(svg);
                expect_self_contained(svg);
                cr_expect_null(strstr(svg, "'#gpPt"), "refers to an id that has been renamed");
                cr_expect_null(strstr(svg, "rgb("), "a colour that is not the page's, kind %d", kind);
                cr_expect_not_null(strstr(svg, "A test</title>"));
                cr_expect_not_null(strstr(svg, "with &lt;b&gt;text"));
                text_add(&page, svg);
            }
        expect_unique_ids(page.s);
        text_free(&page);
        plot_book_free(b);
    }
}

Test(plot, labels_arrive_escaped_and_gnuplot_never_sees_them)
{
    struct plot p = a_plot(PLOT_INTERVALS);
    struct plot_book *b;
    const char *svg;

    unlink("plot-was-here");
    b = book_of(&p, COLOURS_OF_PAGE);
    svg = plot_book_svg(b, 1, PLOT_WIDE);
    cr_expect_not_null(strstr(svg, ">plain<"));
    cr_expect_not_null(strstr(svg, ">&lt;b&gt;&amp;"));
    cr_expect_not_null(strstr(svg, "&lt;two&gt; &quot;;system"));
    cr_expect_not_null(strstr(svg, "%s%n%g \\n {/Bold x} @1@"),
                       "a label is not looked through for labels again");
    cr_expect_not_null(strstr(svg, ">two lines EOD quit<"));
    cr_expect_null(strchr(svg, '~'), "a place holder was left");
    cr_expect_neq(access("plot-was-here", F_OK), 0, "a label was executed");
    plot_book_free(b);
}

Test(plot, the_same_plot_has_the_same_bytes)
{
    struct plot p = a_plot(PLOT_STACKED);
    struct plot_book *a = book_of(&p, COLOURS_FIXED), *b = book_of(&p, COLOURS_FIXED);

    cr_expect_str_eq(plot_book_svg(a, 1, PLOT_WIDE), plot_book_svg(b, 1, PLOT_WIDE));
    plot_book_free(a);
    plot_book_free(b);
}

Test(plot, values_that_span_no_range_can_be_drawn)
{
    static const struct plot_point nothing[] = {{NAN, NAN, NAN, NAN, NAN, NAN}},
                                   zero[] = {{0, 0, 0, 0, 0, 0}},
                                   huge[] = {{1e300, 1e299, 1e301, 0, 1e302, 1e300}};
    static const struct plot_point *const cases[] = {nothing, zero, huge};

    for (int kind = PLOT_INTERVALS; kind <= PLOT_LINES; kind++)
        for (int i = 0; i < 3 * 2; i++) {
            struct plot_series series[] = {{.name = "a", .points = cases[i % 3], .n = 1},
                                           {.name = "b", .points = cases[i % 3], .n = i < 3 ? 1 : 0}};
            struct plot p = a_plot((enum plot_kind)kind);

            p.rows = 1;
            p.series = series;
            p.reference = NAN;
            p.log_x = p.log_y = i >= 3;
            plot_book_free(book_of(&p, COLOURS_OF_PAGE));
        }
}

Test(plot, without_gnuplot_it_says_how_to_get_it)
{
    struct plot p = a_plot(PLOT_INTERVALS);
    struct plot_book *b = plot_book_new(COLOURS_OF_PAGE, false);

    plot_book_add(b, &p);
    setenv("PATH", "/nonexistent", 1);
    cr_expect_eq(plot_book_draw(b, &err), ERR_PROGRAM);
    cr_expect_not_null(strstr(err.text, "apt install gnuplot-nox"));
    cr_expect_null(plot_book_svg(b, 1, PLOT_WIDE));
    plot_book_free(b);
}

Test(plot, a_terminal_gets_80_columns_and_no_control_characters)
{
    for (int kind = PLOT_INTERVALS; kind <= PLOT_LINES; kind++) {
        struct plot p = a_plot((enum plot_kind)kind);
        struct text t = {0};

        if (plot_term(&p, 79, 26, &t, &err) == ERR_PROGRAM && strstr(err.text, "not installed") != NULL)
            cr_skip_test("gnuplot is not installed");
        cr_assert_not_null(t.s, "%s", err.text);
        for (const char *line = t.s; *line != '\0';) {
            size_t n = strcspn(line, "\n");

            cr_expect_leq(n, 80, "%.*s", (int)n, line);
            for (size_t i = 0; i < n; i++)
                cr_expect(line[i] >= 0x20 && line[i] < 0x7f);
            line += n + (line[n] == '\n');
        }
        if (kind <= PLOT_RANGES)
            cr_expect_not_null(strstr(t.s, "plain"));
        text_free(&t);
    }
}

Test(plot, a_spreadsheet_gets_text_and_never_a_formula)
{
    static const char *const names[] = {"=1+1", "+1", "-1", "@SUM(A1)", "a\"b,c", "two\nlines", "plain"};
    struct plot p = a_plot(PLOT_INTERVALS);
    struct text t = {0};

    p.labels = names;
    plot_csv(&p, &t);
    cr_expect_not_null(strstr(t.s, "\"one\",\"'=1+1\","));
    cr_expect_not_null(strstr(t.s, "\"'+1\","));
    cr_expect_not_null(strstr(t.s, "\"'-1\","));
    cr_expect_not_null(strstr(t.s, "\"'@SUM(A1)\","));
    cr_expect_not_null(strstr(t.s, "\"a\"\"b,c\","));
    cr_expect_not_null(strstr(t.s, "\"two lines\","));
    cr_expect_not_null(strstr(t.s, "\"one\",\"plain\",,1,1,1,1,1\n"));
    text_free(&t);
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
        {{0.061, NAN, NAN, NAN, NAN}, LABEL_FRAC, "6.1\xc2\xa0%"},
        {{0.056, NAN, NAN, NAN, NAN}, LABEL_CHANGE, "+5.6\xc2\xa0%"},
        {{-0.128, NAN, NAN, NAN, NAN},
         LABEL_CHANGE,
         "\xe2\x88\x92"
         "12.8\xc2\xa0%"},
        {{0.0088, 0.0087, 0.0089, NAN, NAN},
         LABEL_S,
         "8.80\xc2\xa0ms [8.70,\xc2\xa0"
         "8.90]"},
        {{3e-7, NAN, NAN, NAN, NAN}, LABEL_S, "300\xc2\xa0ns"},
        {{0, 0, 0, NAN, NAN}, LABEL_S, "0\xc2\xa0s"},
        {{1.31e6, NAN, NAN, NAN, NAN}, LABEL_BYTES, "1.31\xc2\xa0MB"},
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
