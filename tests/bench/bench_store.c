/* How fast spans go into the store and come out again; prints one JSON line. */
#include "base/arena.h"
#include "store/trace.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SPANS = 1000000, BATCH = 50000 };

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int count(void *ctx, const struct span *s, struct err *err)
{
    (void)err;
    *(double *)ctx += s->end_s - s->start_s;
    return 0;
}

static int measure(struct store *s, double *append_s, double *read_s, double *summary_s, struct err *err)
{
    static const char *const op[] = {"read",      "unzip", "decode", "hash",
                                     "bucketize", "clip",  "cross",  "collate"};
    struct trace_info info = {.name = "bench", .kind = "exec"};
    struct span *spans = xcalloc(BATCH, sizeof *spans);
    struct arena *a = arena_new();
    struct trace_op *ops;
    double sum = 0, start;
    int64_t id;
    size_t n;

    TRY(trace_create(s, &info, &id, err));
    start = now_s();
    for (int done = 0; done < SPANS; done += BATCH) {
        for (int i = 0; i < BATCH; i++) {
            double t = 1e-4 * (done + i);

            spans[i] = (struct span){.stage = i % 8 < 2 ? "storage" : "prep",
                                     .op = op[i % 8],
                                     .variant = "zstd/session",
                                     .item = (done + i) / 8,
                                     .worker = i % 2,
                                     .start_s = t,
                                     .end_s = t + 1e-5,
                                     .cpu_s = 9e-6,
                                     .items = 512,
                                     .bytes_in = 1e5 + i,
                                     .bytes_out = NAN};
        }
        TRY(trace_append(s, id, spans, BATCH, err));
    }
    *append_s = now_s() - start;
    start = now_s();
    TRY(trace_each(s, id, NULL, NULL, count, &sum, err));
    *read_s = now_s() - start;
    start = now_s();
    TRY(trace_summary(s, id, a, &ops, &n, err));
    *summary_s = now_s() - start;
    arena_free(a);
    free(spans);
    return 0;
}

int main(void)
{
    char folder[] = "/tmp/foresight-bench-XXXXXX", path[64];
    double append_s, read_s, summary_s;
    struct store *s = NULL;
    struct err err = {0};
    struct stat st;
    int rc;

    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/t.db", folder);
    rc = store_open(path, STORE_WRITE, &s, &err);
    if (rc == 0)
        rc = measure(s, &append_s, &read_s, &summary_s, &err);
    store_close(s);
    if (rc == 0 && stat(path, &st) == 0)
        printf("{\"bench\": \"store\", \"spans\": %d, \"append_per_s\": %.0f, \"read_per_s\": %.0f, "
               "\"summary_s\": %.3f, "
               "\"bytes_per_span\": %.1f}\n",
               SPANS, SPANS / append_s, SPANS / read_s, summary_s, (double)st.st_size / SPANS);
    else
        fprintf(stderr, "%s\n", err.text);
    unlink(path);
    rmdir(folder);
    return rc != 0;
}
