/* Reading imported rows back: measurements and views. */
#include "import_helpers.h"

#include "store/measurement.h"
#include "store/view.h"

#include <math.h>

static int64_t import_text(struct store *s, const char *name, const char *text)
{
    const struct import_options options = {0};
    struct import_report report;

    OK(import_file(s, write_text(name, text), &options, arena, &report, &err));
    return report.trace_id;
}

TestSuite(view, .init = temp_begin, .fini = temp_end);

Test(view, a_measurement_has_its_settings_and_figures)
{
    struct measured_row *rows;
    struct store *s;
    int64_t trace;
    size_t n;

    OK(store_open_memory(&s, &err));
    trace =
        import_text(s, "p.csv", "placement,local_bsz,step_time,sync_time\n1,32,0.5,0.1\n22,64,0.75,0.25\n");
    OK(measured_load(s, trace, arena, &rows, &n, &err));
    cr_assert_eq(n, 2);
    cr_assert_str_eq(measured_text(&rows[1], "placement"), "22");
    cr_assert_eq(measured_number(&rows[1], "local_batch"), 64);
    cr_assert_eq(measured_figure(&rows[1], "sync_s"), 0.25);
    cr_assert_eq(measured_figure(&rows[0], "step_s"), 0.5);
    cr_assert(isnan(measured_figure(&rows[0], "absent")) && isnan(measured_number(&rows[0], "placement")));
    cr_assert_str_eq(measured_text(&rows[0], "local_batch"), "");
    store_close(s);
}

Test(view, columns_come_as_arrays_in_the_order_of_the_file)
{
    struct view_column c[] = {{.name = "op"}, {.name = "tokens"}, {.name = "time_s"}, {.name = "batch"}};
    struct store *s;
    int64_t trace;
    size_t n;

    OK(store_open_memory(&s, &err));
    trace =
        import_text(s, "o.csv", "op,tokens,batch,chunk,context,time_s\nb,2,,,,0.5\na,1,,,,0.25\nb,3,7,,,1\n");
    OK(view_load(s, "operator_costs", trace, c, 4, arena, &n, &err));
    cr_assert_eq(n, 3);
    cr_assert_str_eq(c[0].text[0], "b");
    cr_assert_str_eq(c[0].text[1], "a");
    cr_assert(isnan(c[0].real[0]));
    cr_assert_eq(c[1].real[2], 3);
    cr_assert_null(c[1].text[2]);
    cr_assert_eq(c[2].real[1], 0.25);
    cr_assert(isnan(c[3].real[0]) && c[3].real[2] == 7);
    cr_assert_str_eq(c[3].text[0], "");
    FAILS(view_load(s, "operator_costs", trace, &(struct view_column){.name = "a\"; DROP TABLE trace; --"}, 1,
                    arena, &n, &err),
          ERR_IO, "no such column");
    store_close(s);
}

Test(view, a_store_in_memory_leaves_no_file)
{
    struct store *s, *other;

    OK(store_open_memory(&s, &err));
    OK(store_open_memory(&other, &err));
    import_text(s, "p.csv", "placement,local_bsz,step_time,sync_time\n1,32,0.5,0.1\n");
    cr_assert_neq(access(temp_path, F_OK), 0);
    cr_assert_neq(access("(store in memory)", F_OK), 0);
    store_close(s);
    store_close(other);
}
