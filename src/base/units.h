/*
 * units.h - the only place that reads or prints "200us" and "20GiB/s".
 *
 * Inside the program everything is SI: seconds, bytes, bytes per second,
 * dollars, items.  A bare number is taken in the SI base unit.  Decimal
 * prefixes (k M G T) are powers of 1000, binary ones (Ki Mi Gi Ti) of 1024.
 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include "base/err.h"

#include <stddef.h>

enum unit {
    UNIT_NONE,        /* a plain number; k, M, G are understood */
    UNIT_S,           /* ns us ms s min h d */
    UNIT_BYTES,       /* B kB MB ... KiB MiB ... */
    UNIT_BYTES_PER_S, /* the same with /s */
    UNIT_PER_S,       /* a rate: "120/s", "30/min" */
    UNIT_USD,         /* "2.5usd" or "$2.5" */
    UNIT_USD_PER_H,   /* "2.5usd/h" */
    UNIT_USD_PER_BYTE_MONTH, /* "23usd/TB-month" */
    UNIT_FRAC,        /* 0.25 or "25%" */
    UNIT_WATT,        /* "350W" */
    UNIT_FLOP_PER_S,  /* "990TFLOP/s" */
    UNIT_COUNT_       /* how many there are */
};

/* Reads `text` as a quantity of `unit`; on failure says what was found and gives an example. */
int units_parse(const char *text, enum unit unit, double *out, struct err *err);

/* Prints with a fitting prefix and about 4 digits ("1.25 MiB" never; "1.31 MB"); returns buf. */
char *units_format(char *buf, size_t size, double value, enum unit unit);

const char *units_name(enum unit unit);    /* "s", "bytes", "bytes/s" ... as written in tables */
const char *units_example(enum unit unit); /* "200us" */

#endif
