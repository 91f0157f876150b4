#include "base/units.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A quantity is value * multiply / divide.  Both numbers are whole, so that "200us" is 200 / 1e6, the double
 * nearest to 0.0002; multiplying by 1e-6, which is not exact, would miss it.
 */
struct suffix {
    const char *text;
    double multiply, divide;
    bool decimal, binary; /* may carry k M G T P, Ki Mi Gi Ti Pi */
};

struct prefix {
    const char *text;
    double factor;
    bool binary;
};

static const struct prefix prefixes[] = {
    {"", 1, false},
    {"k", 1e3, false},
    {"K", 1e3, false},
    {"M", 1e6, false},
    {"G", 1e9, false},
    {"T", 1e12, false},
    {"P", 1e15, false},
    {"Ki", 1024.0, true},
    {"Mi", 1048576.0, true},
    {"Gi", 1073741824.0, true},
    {"Ti", 1099511627776.0, true},
    {"Pi", 1125899906842624.0, true},
};

enum { MOST_SUFFIXES = 9, HOURS_PER_MONTH = 730, HOURS_PER_YEAR = 8760 };

struct unit_row {
    const char *name, *what, *example, *allowed;
    struct suffix suffixes[MOST_SUFFIXES];
};

static const struct unit_row units[UNIT_COUNT_] = {
    [UNIT_NONE] = {"", "a number", "1500", "plain, or with k, M, G, T", {{"", 1, 1, true, false}}},
    [UNIT_S] = {"s",
                "a time",
                "200us",
                "ns, us, ms, s, min, h, d",
                {{"s", 1, 1, false, false},
                 {"", 1, 1, false, false},
                 {"ns", 1, 1e9, false, false},
                 {"us", 1, 1e6, false, false},
                 {"\302\265s", 1, 1e6, false, false}, /* micro sign */
                 {"ms", 1, 1e3, false, false},
                 {"min", 60, 1, false, false},
                 {"h", 3600, 1, false, false},
                 {"d", 86400, 1, false, false}}},
    [UNIT_BYTES] = {"bytes",
                    "a size",
                    "64KiB",
                    "B, kB, MB, GB, TB, PB, KiB, MiB, GiB, TiB, PiB",
                    {{"B", 1, 1, true, true}, {"", 1, 1, true, true}}},
    [UNIT_BYTES_PER_S] = {"bytes/s",
                          "a bandwidth",
                          "20GiB/s",
                          "B/s, kB/s, MB/s, GB/s, KiB/s, MiB/s, GiB/s, Mbit/s, Gbit/s",
                          {{"B/s", 1, 1, true, true},
                           {"bit/s", 1, 8, true, false},
                           {"", 1, 1, false, false}}},
    [UNIT_PER_S] = {"1/s",
                    "a rate",
                    "120/s",
                    "/s, /min, /h, /d, k/s, M/s",
                    {{"/s", 1, 1, true, false},
                     {"", 1, 1, true, false},
                     {"/min", 1, 60, true, false},
                     {"/h", 1, 3600, true, false},
                     {"/d", 1, 86400, true, false}}},
    [UNIT_USD] = {"usd",
                  "an amount of money",
                  "2.5usd",
                  "usd, kusd, Musd",
                  {{"usd", 1, 1, true, false}, {"", 1, 1, true, false}}},
    [UNIT_USD_PER_H] = {"usd/h",
                        "a price per hour",
                        "2.5usd/h",
                        "usd/h, usd/d, usd/month, usd/year",
                        {{"usd/h", 1, 1, true, false},
                         {"/h", 1, 1, true, false},
                         {"usd/d", 1, 24, true, false},
                         {"usd/month", 1, HOURS_PER_MONTH, true, false},
                         {"usd/year", 1, HOURS_PER_YEAR, true, false},
                         {"", 1, 1, false, false}}},
    [UNIT_USD_PER_BYTE_MONTH] = {"usd/byte-month",
                                 "a price of storage",
                                 "23usd/TB-month",
                                 "usd/GB-month, usd/TB-month, usd/GiB-month, usd/TiB-month",
                                 {{"usd/TB-month", 1, 1e12, false, false},
                                  {"usd/GB-month", 1, 1e9, false, false},
                                  {"usd/GiB-month", 1, 1073741824.0, false, false},
                                  {"usd/TiB-month", 1, 1099511627776.0, false, false},
                                  {"usd/byte-month", 1, 1, false, false},
                                  {"", 1, 1, false, false}}},
    [UNIT_FRAC] = {"fraction",
                   "a fraction",
                   "25%",
                   "0.25 or 25%",
                   {{"", 1, 1, false, false}, {"%", 1, 100, false, false}}},
    [UNIT_WATT] = {"W",
                   "a power",
                   "350W",
                   "mW, W, kW, MW",
                   {{"W", 1, 1, true, false}, {"mW", 1, 1e3, false, false}, {"", 1, 1, false, false}}},
    [UNIT_FLOP_PER_S] = {"flop/s",
                         "a compute rate",
                         "990TFLOP/s",
                         "FLOP/s, GFLOP/s, TFLOP/s, PFLOP/s",
                         {{"FLOP/s", 1, 1, true, false},
                          {"flop/s", 1, 1, true, false},
                          {"FLOPS", 1, 1, true, false},
                          {"", 1, 1, false, false}}},
};

const char *units_name(enum unit unit)
{
    return units[unit].name;
}

const char *units_example(enum unit unit)
{
    return units[unit].example;
}

/* ------------------------------------------------------------------------------------------------- parsing
 */

static bool is_number_start(const char *s)
{
    if (*s == '+' || *s == '-')
        s++;
    if (*s == '.')
        s++;
    return *s >= '0' && *s <= '9' && s[1] != 'x' && s[1] != 'X'; /* strtod also takes "nan" and "0x10" */
}

static bool match(const char *text, const struct suffix *sfx, double *factor)
{
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        const struct prefix *p = &prefixes[i];
        size_t n = strlen(p->text);

        if (n > 0 && !(p->binary ? sfx->binary : sfx->decimal))
            continue;
        if (strncmp(text, p->text, n) == 0 && strcmp(text + n, sfx->text) == 0) {
            *factor = p->factor;
            return true;
        }
    }
    return false;
}

static int refuse(const char *text, const struct unit_row *row, struct err *err)
{
    return err_set(err, ERR_SCENARIO, "\"%.60s\" is not %s; write for example \"%s\" (allowed: %s)", text,
                   row->what, row->example, row->allowed);
}

int units_parse(const char *text, enum unit unit, double *out, struct err *err)
{
    const struct unit_row *row = &units[unit];
    const char *s = text + strspn(text, " ");
    bool is_money = unit == UNIT_USD || unit == UNIT_USD_PER_H;
    bool dollar = is_money && *s == '$';
    char *end, rest[24];
    double value, factor;
    size_t n;

    s += dollar;
    if (!is_number_start(s))
        return refuse(text, row, err);
    value = strtod(s, &end);
    end += strspn(end, " ");
    n = strlen(end);
    while (n > 0 && end[n - 1] == ' ')
        n--;
    if (n >= sizeof rest || !isfinite(value))
        return refuse(text, row, err);
    memcpy(rest, end, n);
    rest[n] = '\0';
    for (int i = 0; i < MOST_SUFFIXES && row->suffixes[i].text != NULL; i++) {
        const struct suffix *sfx = &row->suffixes[i];

        if (!match(rest, sfx, &factor))
            continue;
        value = value * factor * sfx->multiply / sfx->divide;
        if (!isfinite(value))
            break;
        *out = value;
        return 0;
    }
    return refuse(text, row, err);
}

/* ------------------------------------------------------------------------------------------------ printing
 */

struct step {
    double from, divide;
    const char *text;
};

static const struct step time_steps[] = {
    {0, 1e-9, "ns"},  {1e-6, 1e-6, "us"}, {1e-3, 1e-3, "ms"},   {1, 1, "s"},
    {120, 60, "min"}, {7200, 3600, "h"},  {172800, 86400, "d"},
};
static const struct step decimal_steps[] = {
    {0, 1, ""}, {1e3, 1e3, "k"}, {1e6, 1e6, "M"}, {1e9, 1e9, "G"}, {1e12, 1e12, "T"}, {1e15, 1e15, "P"},
};
static const struct step count_steps[] = {
    {0, 1, ""}, {1e4, 1e3, "k"}, {1e6, 1e6, "M"}, {1e9, 1e9, "G"}, {1e12, 1e12, "T"},
};

static const struct step *fitting(const struct step *steps, size_t n, double value)
{
    const struct step *s = steps;

    value = fabs(value) * (1 + 5e-5); /* what would print as 1000 MB is 1 GB */
    for (size_t i = 1; i < n; i++)
        if (value >= steps[i].from)
            s = &steps[i];
    return s;
}

#define FITTING(steps, value) fitting(steps, sizeof(steps) / sizeof *(steps), value)

static char *print(char *buf, size_t size, double value, const char *prefix, const char *unit)
{
    const char *space = strchr("/%", *unit) != NULL ? "" : " "; /* also for no unit at all: "12.3k" */
    bool whole = fabs(value) >= 1e4 && fabs(value) < 1e15;

    snprintf(buf, size, whole ? "%.0f%s%s%s" : "%.4g%s%s%s", value, space, prefix, unit);
    return buf;
}

char *units_format(char *buf, size_t size, double value, enum unit unit)
{
    static const char *const after_prefix[UNIT_COUNT_] = {
        [UNIT_NONE] = "",    [UNIT_BYTES] = "B",           [UNIT_BYTES_PER_S] = "B/s",
        [UNIT_PER_S] = "/s", [UNIT_USD] = "usd",           [UNIT_USD_PER_H] = "usd/h",
        [UNIT_WATT] = "W",   [UNIT_FLOP_PER_S] = "FLOP/s",
    };
    const struct step *s;

    if (!isfinite(value)) {
        snprintf(buf, size, "%s", isnan(value) ? "n/a" : value > 0 ? "inf" : "-inf");
        return buf;
    }
    switch (unit) {
    case UNIT_S:
        s = value == 0 ? &time_steps[3] : FITTING(time_steps, value);
        return print(buf, size, value / s->divide, "", s->text);
    case UNIT_FRAC:
        return print(buf, size, value * 100, "", "%");
    case UNIT_USD_PER_BYTE_MONTH:
        return print(buf, size, value * 1e12, "", "usd/TB-month");
    case UNIT_NONE:
    case UNIT_PER_S:
    case UNIT_USD:
    case UNIT_USD_PER_H:
        s = FITTING(count_steps, value);
        return print(buf, size, value / s->divide, s->text, after_prefix[unit]);
    default:
        s = FITTING(decimal_steps, value);
        return print(buf, size, value / s->divide, s->text, after_prefix[unit]);
    }
}
