/*
 * epochs.h - reading a data set over and over through a cache smaller than it.
 *
 * Every epoch reads every file once, in the same order or in a new random one.
 * A reader may touch the first page of a file twice (it looks at the header,
 * then reads the whole): in the kernel's cache such pages are promoted at
 * once, fill the active list epoch by epoch, and are why a sequential scan hits
 * at all where pure LRU never would.
 *
 * What was read before matters: under a pure scan nothing moves from the inactive
 * to the active list or back, so pages that earlier reading left on the active list
 * stay and hit in every epoch, for ever.  How often a scan hits is then a matter of
 * history (`before`), not of sizes alone; a cache that was emptied first never hits.
 *
 * Files are of equal size.  What is simulated is a miniature with the same
 * shares: `files` files of `file_pages` pages; shares of misses do not depend on
 * the number of pages beyond a few thousand.  Partitioned over hosts (CoorDL) the
 * caches add up, and what another host holds comes over the network.
 */
#ifndef MODELS_EPOCHS_H
#define MODELS_EPOCHS_H

#include "engine/page_cache.h"

struct epochs {
    int policy;            /* enum page_policy */
    double cached_frac;    /* capacity over the size of the data set */
    bool shuffled;         /* a new order every epoch */
    double file_pages;     /* pages of a file: at least 1 */
    bool header_again;     /* the first page of a file is touched twice */
    double inactive_ratio; /* page_inactive_ratio() of the cache */
    int first, last;       /* epochs that count, from 1 on; the first fills the cache */
    int before;            /* passes over the same data in random orders, before the first epoch */
};

/* Share of page reads that miss: the second touch of a header is not a read. */
double epochs_miss_frac(const struct epochs *e, uint64_t seed);

#endif
