#include "models/columnar_io.h"

#include <math.h>

static void fetch(struct io_plan *p, double bytes, double fetch_bytes)
{
    p->operations += fmax(1, ceil(bytes / fetch_bytes));
    p->bytes += bytes;
}

struct io_plan columnar_plan(const struct feature_stream *streams, size_t n, double window_bytes,
                             double fetch_bytes)
{
    struct io_plan p = {0};
    double at = 0, start = 0, end = 0;
    bool open = false;

    for (size_t i = 0; i < n; at += streams[i++].bytes) {
        double stop = at + streams[i].bytes;

        if (!streams[i].wanted)
            continue;
        p.wanted_bytes += streams[i].bytes;
        if (open && stop - start > window_bytes) {
            fetch(&p, end - start, fetch_bytes);
            open = false;
        }
        if (!open)
            start = at;
        open = true;
        end = stop;
    }
    if (open)
        fetch(&p, end - start, fetch_bytes);
    return p;
}

struct io_plan columnar_whole(const struct feature_stream *streams, size_t n, double fetch_bytes)
{
    struct io_plan p = {0};
    double bytes = 0;

    for (size_t i = 0; i < n; i++) {
        bytes += streams[i].bytes;
        p.wanted_bytes += streams[i].wanted ? streams[i].bytes : 0;
    }
    fetch(&p, bytes, fetch_bytes);
    return p;
}

double columnar_disk_s(const struct seek_disk *d, const struct io_plan *p)
{
    return p->operations * d->seek_s + p->bytes / d->bytes_per_s;
}
