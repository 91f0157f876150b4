/* when.h - points in time as traces write them, and whether they come in order. */
#ifndef STORE_IMPORT_WHEN_H
#define STORE_IMPORT_WHEN_H

#include "store/import/sink.h"

/*
 * "2023-11-16 18:17:03.9799600", also with T for the space and with Z or an
 * offset such as +02:00 at the end; without one it is taken as UTC.  Years 1970 to 2200.
 */
bool when_parse(const char *text, int64_t *unix_ns);

/* Arrivals as they come by.  Start with WHEN_ORDER. */
struct when_order {
    double first_s, latest_s;
    double back_s, gap_s; /* the largest step back behind the latest, and ahead of it */
    int64_t late, n;
};
#define WHEN_ORDER                                                                                           \
    {                                                                                                        \
        0                                                                                                    \
    }
void when_order_add(struct when_order *o, double arrival_s);
void when_order_report(
    const struct when_order *o,
    struct import *im); /* suspect notes when some came late, or half of the time is one gap */

#endif
