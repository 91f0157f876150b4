/*
 * columnar_io.h - what reading some streams of a columnar stripe costs a disk.
 *
 * A stripe is a row of streams, one a feature.  A reader wants some of them and
 * fetches in operations: an operation begins at a wanted stream and goes on to
 * the next wanted one as long as the whole stays within the coalescing window;
 * what lies between is read too and thrown away (over-read).
 *
 *      [w][ ][ ][w][w][ ][ ][ ][ ][ ][ ][ ][w]
 *      |--------------|                    |--|        two operations
 *
 * Operations and pieces of long streams are at most `fetch_bytes`: readers have
 * buffers.  Disks are shared, so every operation pays a seek:
 *
 *   disk seconds = operations * seek_s + bytes / bytes_per_s
 *
 * A solid-state disk is the same with a seek of microseconds.
 */
#ifndef MODELS_COLUMNAR_IO_H
#define MODELS_COLUMNAR_IO_H

#include <stdbool.h>
#include <stddef.h>

struct feature_stream {
    double bytes;
    bool wanted;
};

struct seek_disk {
    double seek_s; /* head movement and half a turn */
    double bytes_per_s;
};

struct io_plan {
    double operations, bytes, wanted_bytes;
};

/* window 0: every wanted stream by itself. */
struct io_plan columnar_plan(const struct feature_stream *streams, size_t n, double window_bytes,
                             double fetch_bytes);

/* All streams, wanted or not, as one run: a map column that holds every feature. */
struct io_plan columnar_whole(const struct feature_stream *streams, size_t n, double fetch_bytes);

double columnar_disk_s(const struct seek_disk *d, const struct io_plan *p);

#endif
