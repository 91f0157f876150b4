#include "report/label.h"

#include "base/json.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MINUS "\xe2\x88\x92" /* as wide as a digit */
#define NBSP  "\xc2\xa0"     /* lines are not broken between a number and its unit */

char *label_cut(char *buf, size_t size, const char *name, size_t most)
{
    size_t bytes = 0, characters = 0, keep = 0;

    while (*name != '\0' && characters <= most && bytes + 4 < size) {
        bool begins = ((unsigned char)*name & 0xc0) != 0x80;
        size_t control = text_control(name);

        if (begins && characters + 3 == most)
            keep = bytes; /* room for the dots from here */
        characters += begins;
        buf[bytes++] = control > 0 || *name == '\n' || *name == '\t' ? ' ' : *name;
        name += control > 0 ? control : 1;
    }
    if (*name == '\0' && characters <= most) {
        buf[bytes] = '\0';
        return buf;
    }
    strcpy(buf + (keep > 0 && keep + 4 <= size ? keep : 0), "...");
    return buf;
}

struct estimate estimate_of(double value)
{
    return (struct estimate){value, NAN, NAN, NAN, NAN};
}

struct estimate estimate_read(const struct json *object, const char *key)
{
    const struct json *v = object != NULL ? json_get(object, key) : NULL;

    if (v == NULL)
        return estimate_of(NAN);
    if (json_type(v) != JSON_OBJECT)
        return estimate_of(json_number(v));
    return (struct estimate){json_get_number(v, "mean", NAN), json_get_number(v, "lo", NAN),
                             json_get_number(v, "hi", NAN), json_get_number(v, "pred_lo", NAN),
                             json_get_number(v, "pred_hi", NAN)};
}

struct estimate estimate_widest(struct estimate e)
{
    if (isfinite(e.pred_lo) && isfinite(e.pred_hi)) {
        e.lo = e.pred_lo;
        e.hi = e.pred_hi;
    }
    return e;
}

bool estimate_is_known(struct estimate e)
{
    return isfinite(e.mean);
}

struct form {
    const char *before, *after;
    double scale;
};

struct prefix {
    double from, scale;
    const char *unit;
};

static struct form prefixed(double magnitude, const struct prefix *p)
{
    while (p->from > 0 && magnitude < p->from)
        p++;
    return (struct form){"", p->unit, p->scale};
}

static struct form form_of(double v, enum label_style style)
{
    static const struct prefix seconds[] = {{7200, 1.0 / 3600, NBSP "h"},
                                            {1, 1, NBSP "s"},
                                            {1e-3, 1e3, NBSP "ms"},
                                            {1e-6, 1e6, NBSP "\xc2\xb5s"},
                                            {0, 1e9, NBSP "ns"}};
    static const struct prefix bytes[] = {{1e12, 1e-12, NBSP "TB"},
                                          {1e9, 1e-9, NBSP "GB"},
                                          {1e6, 1e-6, NBSP "MB"},
                                          {1e3, 1e-3, NBSP "kB"},
                                          {0, 1, NBSP "B"}};

    v = fabs(v);
    switch (style) {
    case LABEL_PER_S:
        return (struct form){"", "/s", 1};
    case LABEL_GAIN:
        return (struct form){"\xc3\x97", "", 1};
    case LABEL_FRAC:
    case LABEL_CHANGE:
        return (struct form){"", NBSP "%", 100};
    case LABEL_S:
        return v == 0 ? (struct form){"", NBSP "s", 1} : prefixed(v, seconds);
    case LABEL_BYTES:
        return prefixed(v, bytes);
    case LABEL_USD:
        return (struct form){"$", "", 1};
    case LABEL_USD_PER_H:
        return (struct form){"$", "/h", 1};
    case LABEL_WATT:
        return (struct form){"", NBSP "W", 1};
    case LABEL_NUMBER:
    case LABEL_COUNT:
        break;
    }
    return (struct form){"", "", 1};
}

/* More decimals than these say nothing to a reader, whatever the interval. */
static int most_decimals(enum label_style style, double v)
{
    switch (style) {
    case LABEL_COUNT:
        return 0;
    case LABEL_FRAC:
    case LABEL_CHANGE:
        return 1;
    case LABEL_GAIN:
        return 2;
    case LABEL_USD:
    case LABEL_USD_PER_H:
        return fabs(v) >= 0.1 || v == 0 ? 2 : 6;
    default:
        return 6;
    }
}

/* Decimals that show `step` with two digits. */
static int decimals_for(double step)
{
    int d;

    if (!isfinite(step) || step <= 0)
        return 0;
    d = 1 - (int)floor(log10(step));
    return d < 0 ? 0 : d > 6 ? 6 : d;
}

/* Digits in groups of three: "81,250". */
static void number(char *buf, size_t size, double v, int decimals)
{
    char plain[64];
    size_t n = 0, digits;

    if (fabs(v) >= 1e12) {
        snprintf(buf, size, "%.4g", v);
        return;
    }
    snprintf(plain, sizeof plain, "%.*f", decimals, fabs(v));
    if (v < 0 && strspn(plain, "0.") != strlen(plain))
        n += (size_t)snprintf(buf, size, MINUS);
    digits = strcspn(plain, ".");
    for (size_t i = 0; plain[i] != '\0' && n + 2 < size; i++) {
        if (i > 0 && i < digits && (digits - i) % 3 == 0)
            buf[n++] = ',';
        buf[n++] = plain[i];
    }
    buf[n] = '\0';
}

/* Digits beyond the interval's own size say nothing; nor do fewer than two of the value, or more than four.
 */
static int decimals_of(struct estimate e, double scale, enum label_style style)
{
    double mean = fabs(scale * e.mean), half = scale * (e.hi - e.lo) / 2;
    int most = most_decimals(style, e.mean), d = decimals_for(half), least;

    if (!(e.hi > e.lo)) {
        d = decimals_for(mean / 10);
        return d < most ? d : most;
    }
    least = decimals_for(fmax(style == LABEL_GAIN ? mean / 10 : mean, half / 10));
    if (mean > 0 && d > decimals_for(mean / 100))
        d = decimals_for(mean / 100);
    d = d > least ? d : least;
    return d < most ? d : most;
}

char *label_interval(char *buf, size_t size, struct estimate e, enum label_style style)
{
    struct form f = form_of(e.mean, style);
    int decimals = decimals_of(e, f.scale, style);
    char lo[64], hi[64];

    buf[0] = '\0';
    if (!estimate_is_known(e) || !(e.hi > e.lo))
        return buf;
    number(lo, sizeof lo, f.scale * e.lo, decimals);
    number(hi, sizeof hi, f.scale * e.hi, decimals);
    snprintf(buf, size, "[%s,\xc2\xa0%s]", lo, hi); /* not to be broken between lines */
    return buf;
}

char *label_estimate(char *buf, size_t size, struct estimate e, enum label_style style)
{
    struct form f = form_of(e.mean, style);
    char mean[64], interval[140];
    const char *sign = "";

    if (!estimate_is_known(e)) {
        snprintf(buf, size, "\xe2\x80\x93");
        return buf;
    }
    if (f.before[0] == '$' && e.mean < 0)
        sign = MINUS;
    else if (style == LABEL_CHANGE && e.mean > 0)
        sign = "+";
    number(mean, sizeof mean, f.scale * (sign[0] != '\0' ? fabs(e.mean) : e.mean),
           decimals_of(e, f.scale, style));
    label_interval(interval, sizeof interval, e, style);
    snprintf(buf, size, "%s%s%s%s%s%s", sign, f.before, mean, f.after, interval[0] != '\0' ? " " : "",
             interval);
    return buf;
}

char *label_value(char *buf, size_t size, double value, enum label_style style)
{
    return label_estimate(buf, size, estimate_of(value), style);
}
