#include "study/simulated.h"

#include "base/arena.h"
#include "store/trace.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct recorder {
    struct span *spans;
    size_t n, room;
    uint64_t left_out;
};

static void record(void *ctx, const struct flow_span *s)
{
    struct recorder *r = ctx;

    if (r->n == SIMULATED_SPANS) {
        r->left_out++;
        return;
    }
    if (r->n == r->room) {
        r->room = r->room == 0 ? 1024 : 2 * r->room;
        r->spans = xrealloc(r->spans, r->room, sizeof *r->spans);
    }
    r->spans[r->n++] = (struct span){.stage = s->stage->name,
                                     .op = s->stage->model->name,
                                     .variant = "",
                                     .item = (int64_t)s->item,
                                     .worker = (int)s->worker,
                                     .start_s = s->start_s,
                                     .end_s = s->end_s,
                                     .cpu_s = NAN,
                                     .items = s->units,
                                     .bytes_in = NAN,
                                     .bytes_out = NAN};
}

static int keep(const struct recorder *r, const struct scenario *s, const struct outcome *o,
                struct store *store, const char *name, int64_t *trace_id, struct err *err)
{
    char note[160] = "replication 0";
    struct trace_info info = {.name = name,
                              .kind = "simulated",
                              .scenario = s->name,
                              .scenario_sha256 = s->sha256,
                              .note = note,
                              .seed = o->seed};

    if (r->left_out > 0)
        snprintf(note, sizeof note, "replication 0; cut: %" PRIu64 " later spans are left out", r->left_out);
    TRY(trace_create(store, &info, trace_id, err));
    return trace_append(store, *trace_id, r->spans, r->n, err);
}

int keep_simulated(const struct scenario *s, const struct simulate_options *opt, const struct outcome *o,
                   struct store *store, const char *name, struct simulated *out, struct err *err)
{
    struct recorder r = {0};
    int rc = simulate_watched(s, opt, o, record, &r, err);

    if (rc == 0)
        rc = store_begin(store, err);
    if (rc == 0) {
        rc = keep(&r, s, o, store, name, &out->trace_id, err);
        if (rc == 0)
            rc = store_commit(store, err);
        else
            store_rollback(store);
    }
    out->spans = r.n;
    out->left_out = r.left_out;
    free(r.spans);
    return rc;
}
