#include "base/units.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

Test(units, quantities_read_exactly)
{
    static const struct {
        const char *text;
        enum unit unit;
        double value;
    } cases[] = {
        {"200us", UNIT_S, 0.0002},
        {"8 ms", UNIT_S, 0.008},
        {"1.5h", UNIT_S, 5400},
        {"90min", UNIT_S, 5400},
        {"2d", UNIT_S, 172800},
        {"3", UNIT_S, 3},
        {"64KiB", UNIT_BYTES, 65536},
        {"120kB", UNIT_BYTES, 120000},
        {"5EB", UNIT_COUNT_, 0},
        {"20GiB/s", UNIT_BYTES_PER_S, 21474836480.0},
        {"100Gbit/s", UNIT_BYTES_PER_S, 12.5e9},
        {"500MB/s", UNIT_BYTES_PER_S, 5e8},
        {"120/s", UNIT_PER_S, 120},
        {"30/min", UNIT_PER_S, 0.5},
        {"2k/s", UNIT_PER_S, 2000},
        {"2.5usd", UNIT_USD, 2.5},
        {"$2.5", UNIT_USD, 2.5},
        {"$2.5/h", UNIT_USD_PER_H, 2.5},
        {"2.5usd/h", UNIT_USD_PER_H, 2.5},
        {"730usd/month", UNIT_USD_PER_H, 1},
        {"23usd/TB-month", UNIT_USD_PER_BYTE_MONTH, 23e-12},
        {"25%", UNIT_FRAC, 0.25},
        {"0.25", UNIT_FRAC, 0.25},
        {"350W", UNIT_WATT, 350},
        {"990TFLOP/s", UNIT_FLOP_PER_S, 990e12},
        {"1.5M", UNIT_NONE, 1500000},
        {"1e3", UNIT_NONE, 1000},
        {"-4", UNIT_NONE, -4},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = {0};
        double v = NAN;

        if (cases[i].unit == UNIT_COUNT_)
            continue;
        cr_expect_eq(units_parse(cases[i].text, cases[i].unit, &v, &e), 0, "%s", e.text);
        cr_expect_eq(v, cases[i].value, "%s -> %.17g", cases[i].text, v);
    }
}

Test(units, what_is_not_a_quantity_is_refused_with_an_example)
{
    static const struct {
        const char *text;
        enum unit unit;
    } cases[] = {
        {"", UNIT_S},
        {"fast", UNIT_S},
        {"200 apples", UNIT_S},
        {"5MB", UNIT_S},
        {"nan", UNIT_S},
        {"inf", UNIT_S},
        {"0x10", UNIT_S},
        {"1e400", UNIT_S},
        {"1 2", UNIT_S},
        {"5kib", UNIT_BYTES},
        {"5EB", UNIT_BYTES},
        {"$", UNIT_USD},
        {"$5", UNIT_S},
        {"5Ms", UNIT_S},
        {"1e300P", UNIT_NONE},
        {"5Mi", UNIT_NONE},
        {"5 MB /s", UNIT_BYTES_PER_S},
        {"- 5", UNIT_NONE},
        {".", UNIT_NONE},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = {0};
        double v = 0;

        cr_expect_eq(units_parse(cases[i].text, cases[i].unit, &v, &e), ERR_SCENARIO, "\"%s\" was read as %g",
                     cases[i].text, v);
        cr_expect_neq(strstr(e.text, units_example(cases[i].unit)), NULL, "%s", e.text);
    }
}

Test(units, people_read_four_digits_and_a_fitting_prefix)
{
    static const struct {
        double value;
        enum unit unit;
        const char *text;
    } cases[] = {
        {0.0002, UNIT_S, "200 us"},
        {1.23456, UNIT_S, "1.235 s"},
        {0.99999, UNIT_S, "1 s"},
        {5400, UNIT_S, "90 min"},
        {0, UNIT_S, "0 s"},
        {1310720, UNIT_BYTES, "1.311 MB"},
        {999999, UNIT_BYTES, "1 MB"},
        {12, UNIT_BYTES, "12 B"},
        {20e9, UNIT_BYTES_PER_S, "20 GB/s"},
        {120, UNIT_PER_S, "120/s"},
        {12345, UNIT_PER_S, "12.35k/s"},
        {2.5, UNIT_USD_PER_H, "2.5 usd/h"},
        {23e-12, UNIT_USD_PER_BYTE_MONTH, "23 usd/TB-month"},
        {0.25, UNIT_FRAC, "25%"},
        {990e12, UNIT_FLOP_PER_S, "990 TFLOP/s"},
        {1e6, UNIT_NONE, "1M"},
        {1024, UNIT_NONE, "1024"},
        {NAN, UNIT_S, "n/a"},
        {INFINITY, UNIT_S, "inf"},
    };
    char buf[40];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_str_eq(units_format(buf, sizeof buf, cases[i].value, cases[i].unit), cases[i].text);
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

Test(units, what_is_printed_reads_back_within_its_digits)
{
    uint64_t state = 3;

    for (int i = 0; i < 20000; i++) {
        enum unit unit = (enum unit)(next_random(&state) % UNIT_COUNT_);
        double value = pow(10, (double)(next_random(&state) % 24000) / 1000 - 9), back = NAN;
        struct err e = {0};
        char buf[60];

        units_format(buf, sizeof buf, value, unit);
        cr_assert_eq(units_parse(buf, unit, &back, &e), 0, "%s: %s", buf, e.text);
        cr_assert_float_eq(back / value, 1, 6e-4, "%.17g -> %s -> %.17g", value, buf, back);
    }
}

Test(units, every_example_and_name_is_there)
{
    for (int u = 0; u < UNIT_COUNT_; u++) {
        struct err e = {0};
        double v = 0;

        cr_expect_neq(units_name((enum unit)u), NULL);
        cr_expect_eq(units_parse(units_example((enum unit)u), (enum unit)u, &v, &e), 0, "%s", e.text);
        cr_expect_gt(v, 0);
    }
}

Test(units, random_text_never_crashes)
{
    uint64_t state = 11;

    for (int i = 0; i < 50000; i++) {
        char text[40];
        size_t n = next_random(&state) % sizeof text;
        struct err e = {0};
        double v = 0;

        for (size_t k = 0; k < n; k++) {
            uint64_t r = next_random(&state);

            text[k] = r & 256 ? "0123456789.eE+-kMGTPiBs/$% usdh"[(r >> 9) % 31] : (char)(r % 255 + 1);
        }
        text[n > 0 ? n - 1 : 0] = '\0';
        if (units_parse(text, (enum unit)(i % UNIT_COUNT_), &v, &e) == 0)
            cr_assert(isfinite(v), "%s", text);
    }
}
