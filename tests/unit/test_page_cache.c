/* The kernel's page cache and what it is compared with: closed forms where there are, laws of the lists. */
#include "engine/page_cache.h"
#include "models/epochs.h"

#include <criterion/criterion.h>
#include <math.h>

static double missed(int policy, double cached, bool shuffled)
{
    struct epochs e = {.policy = policy,
                       .cached_frac = cached,
                       .shuffled = shuffled,
                       .file_pages = 1,
                       .inactive_ratio = 8,
                       .first = 4,
                       .last = 12};

    return epochs_miss_frac(&e, 1);
}

Test(page_cache, what_is_never_evicted_hits_as_often_as_it_is_large)
{
    cr_expect_float_eq(missed(PAGE_KEEP, 0.65, true), 0.35, 1e-9);
    cr_expect_float_eq(missed(PAGE_KEEP, 0.65, false), 0.35, 1e-9);
    cr_expect_float_eq(missed(PAGE_KEEP, 0, false), 1, 0);
    cr_expect_float_eq(missed(PAGE_KEEP, 1, true), 0, 0);
}

/* A page read at place x of one epoch and y of the next, both uniform, has seen (1 - x) + y other reads, of
 * which (1 - x) + y - (1 - x) y are different pages: it is kept when that is less than the capacity c. */
static double lru_shuffled(double c)
{
    double miss = 0;
    int n = 2000;

    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++) {
            double u = (i + 0.5) / n, y = (k + 0.5) / n;

            miss += u + y - u * y > c;
        }
    return miss / n / n;
}

Test(page_cache, lru_misses_every_page_of_a_scan_and_most_of_a_shuffle)
{
    cr_expect_eq(missed(PAGE_LRU, 0.99, false), 1);
    cr_expect_float_eq(missed(PAGE_LRU, 0.65, true), lru_shuffled(0.65), 0.01);
    cr_expect_float_eq(missed(PAGE_LRU, 0.35, true), lru_shuffled(0.35), 0.01);
}

/* Random replacement under a scan: a page survives the m N evictions of a cycle with exp(-m / c), and m is
 * the miss share itself. */
Test(page_cache, random_replacement_under_a_scan_meets_its_fixed_point)
{
    for (int i = 1; i <= 3; i++) {
        double c = 0.25 * i, m = 0.9;

        for (int k = 0; k < 200; k++)
            m = 1 - exp(-m / c);
        cr_expect_float_eq(missed(PAGE_RANDOM, c, false), m, 0.02, "%g", c);
    }
}

Test(page_cache, the_kernel_is_lru_under_a_scan_of_pages_touched_once)
{
    cr_expect_eq(missed(PAGE_KERNEL, 0.65, false), 1);
}

Test(page_cache, pages_touched_twice_fill_the_active_list_and_hit)
{
    struct epochs e = {.policy = PAGE_KERNEL,
                       .cached_frac = 0.5,
                       .file_pages = 4,
                       .header_again = true,
                       .inactive_ratio = 8,
                       .first = 2,
                       .last = 2};
    double second = epochs_miss_frac(&e, 1);

    cr_expect_float_eq(second, 0.75, 0.01); /* every header hits, nothing else */
    e.first = e.last = 3;
    cr_expect_leq(epochs_miss_frac(&e, 1), second);
}

/* Lists of equal length: one pass in random order activates what returns in the first epoch of the scan within
 * the active list's length; from then on the active pages hit and all others miss, epoch after epoch. */
Test(page_cache, what_was_active_before_a_scan_hits_for_ever)
{
    struct epochs e = {.policy = PAGE_KERNEL,
                       .cached_frac = 0.35,
                       .file_pages = 24,
                       .inactive_ratio = 1,
                       .first = 3,
                       .last = 3,
                       .before = 1};
    double early = epochs_miss_frac(&e, 1);

    cr_expect_lt(early, 0.97);
    cr_expect_gt(early, 1 - 0.35);
    e.first = e.last = 40;
    cr_expect_float_eq(epochs_miss_frac(&e, 1), early, 1e-9);
    e.before = 0;
    cr_expect_eq(epochs_miss_frac(&e, 1), 1);
}

Test(page_cache, a_page_that_returns_within_the_active_list_is_activated)
{
    struct arena *a = arena_new();
    struct page_cache *c = page_cache_new(a, PAGE_KERNEL, 10, 4, 1, NULL);

    for (uint32_t p = 0; p < 2; p++) { /* 0 and 1 become active */
        page_touch(c, p);
        page_touch(c, p);
    }
    cr_expect_eq(page_cache_active(c), 2);
    page_touch(c, 2);
    page_touch(c, 3);
    page_touch(c, 4); /* 2 goes */
    cr_expect_not(page_touch(c, 2));
    cr_expect_eq(page_cache_active(c), 3); /* it was away for one eviction, less than two */
    cr_expect_eq(page_cache_used(c), 4);
    for (uint32_t p = 5; p < 10; p++)
        page_touch(c, p);
    cr_expect_leq(page_cache_active(c), 2); /* inactive is kept as long as active */
    arena_free(a);
}

Test(page_cache, the_inactive_share_shrinks_as_memory_grows)
{
    cr_expect_eq(page_inactive_ratio(0x1p30), 3);
    cr_expect_eq(page_inactive_ratio(0x1p20), 1);
    cr_expect_eq(page_inactive_ratio(100 * 0x1p30), 31);
}
