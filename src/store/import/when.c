#include "store/import/when.h"

#include <math.h>
#include <string.h>

static bool digits(const char **p, int n, int64_t *out)
{
    *out = 0;
    for (int i = 0; i < n; i++, ++*p) {
        if (**p < '0' || **p > '9')
            return false;
        *out = *out * 10 + (**p - '0');
    }
    return true;
}

static bool byte(const char **p, const char *any_of)
{
    if (**p == '\0' || strchr(any_of, **p) == NULL)
        return false;
    ++*p;
    return true;
}

/* Days since 1970-01-01 of the Gregorian calendar: years that begin in March make leap days the last ones. */
static int64_t days(int64_t y, int64_t m, int64_t d)
{
    int64_t era, of_era, of_year;

    y -= m <= 2;
    era = y / 400;
    of_era = y - era * 400;
    of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Digits behind the point, as nanoseconds; those beyond the ninth say nothing. */
static int64_t fraction(const char **p)
{
    int64_t ns = 0, scale = 100000000;

    for (; **p >= '0' && **p <= '9'; ++*p, scale /= 10)
        ns += (**p - '0') * scale;
    return ns;
}

bool when_parse(const char *p, int64_t *unix_ns)
{
    int64_t y, mo, d, h, mi, s, ns = 0, zone_s = 0;

    if (!digits(&p, 4, &y) || !byte(&p, "-/") || !digits(&p, 2, &mo) || !byte(&p, "-/") ||
        !digits(&p, 2, &d) || !byte(&p, " T") || !digits(&p, 2, &h) || !byte(&p, ":") ||
        !digits(&p, 2, &mi) || !byte(&p, ":") || !digits(&p, 2, &s))
        return false;
    if (y < 1970 || y > 2200 || mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || mi > 59 || s > 60)
        return false;
    if (byte(&p, ".,"))
        ns = fraction(&p);
    if (*p == '+' || *p == '-') {
        int64_t zh, zm = 0, sign = *p++ == '+' ? 1 : -1;

        if (!digits(&p, 2, &zh))
            return false;
        byte(&p, ":");
        if (*p != '\0' && !digits(&p, 2, &zm))
            return false;
        zone_s = sign * (zh * 3600 + zm * 60);
    } else {
        byte(&p, "Zz");
    }
    if (*p != '\0')
        return false;
    *unix_ns = (days(y, mo, d) * 86400 + h * 3600 + mi * 60 + s - zone_s) * 1000000000 + ns;
    return true;
}

void when_order_add(struct when_order *o, double arrival_s)
{
    if (o->n++ == 0)
        o->first_s = o->latest_s = arrival_s;
    if (arrival_s < o->latest_s) {
        o->late++;
        o->back_s = fmax(o->back_s, o->latest_s - arrival_s);
    } else {
        o->gap_s = fmax(o->gap_s, arrival_s - o->latest_s);
        o->latest_s = arrival_s;
    }
}

void when_order_report(const struct when_order *o, struct import *im)
{
    if (o->late > 0)
        import_suspect(im, o->late, "not sorted by time: some arrive before an earlier line, by up to %.4g s",
                       o->back_s);
    if (o->n >= 20 && o->gap_s > (o->latest_s - o->first_s) / 2)
        import_suspect(
            im, 1,
            "nothing arrives for %.4g s of %.4g s: a clock that was set, or two recordings in one file",
            o->gap_s, o->latest_s - o->first_s);
}
