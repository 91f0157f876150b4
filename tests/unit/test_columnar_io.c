/* What reading streams of a stripe costs a disk, and how it migrates as the layout changes. */
#include "models/columnar_io.h"

#include "engine/rng.h"

#include <criterion/criterion.h>

#include <math.h>

#define KIB 1024.0

Test(columnar_io, without_a_window_every_wanted_stream_is_an_operation)
{
    static const struct feature_stream s[] = {{100, true}, {50, false}, {200, true}, {10, true}};
    struct io_plan p = columnar_plan(s, 4, 0, 1e6);

    cr_assert_eq(p.operations, 3);
    cr_assert_eq(p.bytes, 310);
    cr_assert_eq(p.wanted_bytes, 310);
}

Test(columnar_io, a_window_trades_operations_for_bytes_nobody_wants)
{
    static const struct feature_stream s[] = {
        {100, true}, {50, false}, {200, true}, {500, false}, {10, true}};
    struct io_plan p = columnar_plan(s, 5, 350, 1e6);

    cr_assert_eq(p.operations, 2);
    cr_assert_eq(p.bytes, 360);
    cr_assert_eq(p.wanted_bytes, 310);
    p = columnar_plan(s, 5, 1e9, 1e6);
    cr_assert_eq(p.operations, 1);
    cr_assert_eq(p.bytes, 860);
}

Test(columnar_io, long_streams_are_fetched_in_pieces)
{
    static const struct feature_stream s[] = {{1000, true}};

    cr_assert_eq(columnar_plan(s, 1, 100, 300).operations, 4);
    cr_assert_eq(columnar_whole(s, 1, 250).operations, 4);
}

Test(columnar_io, nothing_wanted_costs_nothing)
{
    static const struct feature_stream s[] = {{100, false}, {50, false}};
    struct io_plan p = columnar_plan(s, 2, 100, 100);

    cr_assert_eq(p.operations + p.bytes + p.wanted_bytes, 0);
}

Test(columnar_io, a_disk_pays_seeks_and_transfers)
{
    struct seek_disk d = {0.01, 1e8};
    struct io_plan p = {.operations = 3, .bytes = 1e7};

    cr_assert_float_eq(columnar_disk_s(&d, &p), 0.03 + 0.1, 1e-12);
}

enum { STREAMS = 10000 };

/* A stripe of which about every tenth stream is wanted; when ordered, four fifths of them in the first 30 %.
 */
static void fill(struct feature_stream *s, double grow, bool ordered)
{
    struct rng r;

    rng_keyed(&r, 1, 0, 0, 0, 0);
    for (int i = 0; i < STREAMS; i++) {
        double wanted = !ordered ? 0.1 : i < 0.3 * STREAMS ? 0.8 / 3 : 0.2 / 7;

        s[i] = (struct feature_stream){grow * rng_lognormal(&r, 8 * KIB, 5), rng_uniform(&r) < wanted};
    }
}

static double useful_rate(const struct feature_stream *s, double window, double fetch)
{
    struct seek_disk d = {0.012, 180e6};
    struct io_plan p =
        window < 0 ? columnar_whole(s, STREAMS, fetch) : columnar_plan(s, STREAMS, window, fetch);

    return p.wanted_bytes / columnar_disk_s(&d, &p);
}

/* The migration of the DSI co-design: useful bytes of a disk fall with flattening and come back step by step.
 */
Test(columnar_io, flattening_falls_and_coalescing_reordering_and_stripes_come_back)
{
    static struct feature_stream mixed[STREAMS], ordered[STREAMS], large[STREAMS];
    double window = 1280 * KIB, base, flat, coalesced, reordered, stripes;

    fill(mixed, 1, false);
    fill(ordered, 1, true);
    fill(large, 8, true);
    base = useful_rate(mixed, -1, window);
    flat = useful_rate(mixed, 0, window);
    coalesced = useful_rate(mixed, window, window);
    reordered = useful_rate(ordered, window, window);
    stripes = useful_rate(large, window, INFINITY);
    cr_assert_lt(flat, 0.2 * base);
    cr_assert_gt(coalesced, 0.8 * base);
    cr_assert_gt(reordered, 1.05 * coalesced);
    cr_assert_gt(stripes, 1.2 * reordered);
}
