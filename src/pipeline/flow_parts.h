/*
 * flow_parts.h - the inside of a flow, shared by its parts and by nobody else.
 *
 *   flow_source.c   where items come from
 *   flow_arrivals.c when: processes whose rate changes
 *   flow_request.c  requests of the serving side: made by a source, judged by a sink
 *   flow_sink.c     items go out, and are accounted for; the end of warm-up and of the run
 *   flow_supply.c   servers that fail, are away, are ordered
 *   flow_route.c    from stage to stage, and to the resources
 *   flow_stage.c    stages without state: workers take, work, deliver
 *   flow_host.c     stages with state: their visits, what their models may ask for
 *   flow_call.c     a stage asks another one and waits for the answer
 *   flow.c          builds a flow, runs it
 *   flow_sample.c   what it looks like while it runs
 *   flow_result.c   what must hold in every run; reads the results
 *
 * An item is in one parcel from coming to a stage until it has left it.  It moves by
 * stage_enter(); where it goes next is decided by parcel_leave(): to the stage that asked
 * for it, or along the edges, or out.
 */
#ifndef PIPELINE_FLOW_PARTS_H
#define PIPELINE_FLOW_PARTS_H

#include "engine/buffer.h"
#include "engine/cores.h"
#include "engine/desk.h"
#include "engine/heap.h"
#include "engine/link.h"
#include "engine/station.h"
#include "models/server.h"
#include "pipeline/bound.h"
#include "pipeline/flow.h"

/* An item inside the pipeline, with the bookkeeping of where it has been. */
struct parcel {
    struct visit v;        /* first, so that a model's visit is a parcel; arrived_s: at the present stage */
    struct stage_rt *from; /* among whose outstanding pieces it counts; NULL: none */
    struct call *call;     /* another stage waits for it; NULL: it flows */
    struct parcel *next;
};

struct resource_rt {
    const struct resource *def;
    struct station *station; /* servers and GPUs */
    struct desk *desk;       /* those whose number changes */
    struct supply *supply;
    struct level servers; /* of the desk: how many there are */
    struct disk_use read, write; /* asked of the disk since measuring began */
    struct cores *cores;
    struct disk *disk;
    struct link *link;
};

struct worker {
    struct stage_rt *stage;
    struct parcel *whole, *piece; /* the same when an item is not cut */
    long pieces, piece_i;
    int phase, phases_n, phases_room;
    struct phase *phases; /* what the piece wants */
    double whole_units, came_s, began_s, phase_s;
    uint64_t turn; /* order in which it took its item */
    struct parcel *staged, **staged_tail;
    struct worker *next_free; /* stages without workers */
};

/* What flow balance and Little's law need to know of a stage's visits, beside how many are inside. */
struct visits {
    uint64_t came, left;
    double came_area, sojourn_area; /* sum of max(arrival, start of measuring) of those inside; of stays */
};

struct stage_rt {
    struct flow *flow;
    struct line *line; /* whose flow passes here; NULL: it is only called */
    const struct stage *def;
    int index;
    struct buffer *in; /* NULL: stages without workers take every item at once */
    struct worker *workers, *free_workers;
    uint64_t turns_given, turn_now;   /* in-order delivery */
    struct worker **waiting_for_turn; /* at their turn modulo the workers; NULL: nobody */
    struct key_heap parked; /* workers too far ahead of the next stage; the first of them goes first */
    long outstanding;       /* pieces begun and not yet taken by the next stage: what prefetch limits */
    double units_in, units_out;
    uint64_t items_in; /* since the start: what later epochs wait for */
    struct level busy, blocked, inside;
    struct visits visits; /* stages without workers, with state or not */
    struct tally wait_s, service_s;
    double *op_s, disk_bytes, lost_units, arrived_units;
    double used[ROLES];   /* seconds or bytes asked of what the role is bound to */
    struct host_rt *host; /* stages with state; NULL for the others */
};

/* What a model with state sees of its stage. */
struct host_rt {
    struct host host; /* first, so that a model's host is this */
    struct stage_rt *stage;
    void *state;
    bool passes;           /* infinitely fast: items go through without a stay */
    struct level occupied; /* 1 while anybody is there */
    uint64_t calls_made;
};

/* A question on its way: from host_call() until the answer was heard, or nobody wants it any more. */
struct call {
    call_id id; /* generation and place in flow.calls */
    struct parcel *parcel;
    struct stage_rt *callee;
    returned_fn *done; /* NULL: nobody listens */
    void *self;
    uint64_t arg;
    event_id coming; /* the parcel's way to a stage with state, or the answer's way back */
    bool is_back, has_own_request;
    struct call *next_free;
};

/* What settling is seen from; see flow_line. */
struct series {
    double *response, *inside;
    size_t n, room;
    double pieces, amount, weight, inside_sum, last_s; /* of the value in the making */
};

struct spread { /* a figure of every item, with its quantiles */
    struct tally t;
    struct hist *h; /* NULL until the first one came */
};

/* A request in the pool of its flow, with what its source must remember. */
struct request_rt {
    struct request r; /* first */
    uint64_t key;     /* of the session's luck */
    uint64_t client;
    long turns_left, blocks_room;
    long context; /* tokens said in the session so far */
    uint64_t *blocks;
    struct request_rt *next;
};

/* One arrival process of a source. */
struct stream_rt {
    const struct stream *def;
    struct rng rng;
    struct process_rt *process;
};

/* One pipeline at work: its source, its sink, its books. */
struct line {
    struct flow *flow;
    const struct pipeline *def;
    struct stage_rt *stages; /* those of its flow */
    double started_s, ended_s;
    bool started, settled, ended, ends_run;
    /* the source */
    uint64_t source_next, source_total; /* items; total 0: endless */
    double source_units, in_flight_units;
    bool source_in_put; /* in a put, for room in flight, or for an epoch to pass */
    struct stream_rt *streams;
    struct rng think;
    /* the sink */
    double pieces_out, units_out, target_units;
    bool has_latency;
    double measure_from_units; /* what was inside when measuring began */
    struct spread latency, queue, ttft, tpot;
    struct tally quality, usd, failed;
    double good_units;
    struct series series;
    /* Little's law on the whole: units inside, and the sum of count * max(born, measure_from) of those inside
     */
    struct level inside;
    double born_area, sojourn_area;
    double entered_units, left_units, lost_units;
};

struct flow {
    struct sim *sim;
    const struct scenario *s;
    const struct flow_limits *limits;
    struct resource_rt *resources;
    struct stage_rt *stages;
    struct line *lines;
    int unsettled, to_end; /* lines that warm up still; lines for whose end the run waits */
    bool measuring;
    double measure_from_s;
    struct parcel *free_parcels;
    struct request_rt *free_requests;
    struct call **calls, *free_calls;
    size_t calls_n, calls_room;
    struct demand demand; /* of the piece that begins: models write here, the worker keeps what is used */
};

/* flow_source.c */
void source_start(struct line *l);
void source_pump(struct line *l);                    /* closed workloads: sends what there is room for */
void source_again(struct line *l, struct parcel *p); /* an item is out: its client or session goes on */
struct parcel *parcel_new(struct flow *f);           /* its item is for the caller to fill */
void parcel_free(struct flow *f, struct parcel *p);

/* flow_arrivals.c */
void stream_begin(struct stream_rt *st, struct arena *a);
double stream_gap(struct stream_rt *st); /* until the next arrival */

/* flow_request.c */
struct request *request_new(struct flow *f);
void request_free(struct flow *f, struct request *r);
void request_copy(struct flow *f, struct request *to,
                  const struct request *from); /* both of the pool's kind */
void request_begin(struct line *l, struct item *it,
                   int class); /* a request for a new item; class -1: drawn */
void request_replay(struct line *l, struct item *it, size_t row);      /* as it was recorded */
void request_turn(struct line *l, struct request *r, struct item *it); /* the next one of its session */
double request_think(struct line *l, const struct request_rt *r);      /* until then */
void request_waited(const struct item *it, double waited_s);
void request_judge(struct line *l, const struct item *it, double sojourn);

/* flow_sink.c */
void account_enter(struct line *l, const struct item *it);
void sink_receive(struct line *l, struct parcel *p);
void sink_lose(struct line *l,
               struct parcel *p); /* a full queue, or a model that gave up: the item is gone */
void line_ends(struct line *l);
void spread_add(struct spread *s, double x);

/* flow_route.c */
/* False when the servers' queue is full: then nothing was asked for. */
bool resource_use(struct resource_rt *r, const struct phase *p, event_fn *done, void *self, uint64_t arg);
/* Both false when the item must wait for room in the buffer of the next stage: then put(sim, self, its index)
   is called when it has found it. */
bool stage_enter(struct stage_rt *st, struct parcel *p, event_fn *put, void *self);
bool parcel_leave(struct stage_rt *st, struct parcel *p, event_fn *put, void *self);
void visits_enter(struct stage_rt *st);
void visits_leave(struct stage_rt *st, double came_s);

/* flow_stage.c; flow_watch: what was seen, for whoever looks on */
void flow_watch(const struct stage_rt *st, const struct item *it, long worker, double start_s);
void stage_start(struct stage_rt *st);
void stage_receive(struct stage_rt *st, struct parcel *p); /* without workers */
void piece_taken(struct stage_rt *st); /* a piece of it has come into the next stage's hands */

/* flow_host.c */
void host_open(struct stage_rt *st);
void host_begin_measuring(struct stage_rt *st);
void host_receive(struct stage_rt *st, struct parcel *p);
/* Takes a call's visit away from the model; `coming`: it has not arrived yet.  False: it stays to its end. */
bool host_withdraw(struct stage_rt *st, struct parcel *p, event_id coming);

/* flow_call.c */
call_id call_make(struct stage_rt *callee, const struct item *it, returned_fn *done, void *self,
                  uint64_t arg);
void call_cancel(struct flow *f, call_id id);
void call_return(struct flow *f, struct parcel *p); /* the answer is there, or nobody waits for it */

/* flow_supply.c */
void supply_begin(struct flow *f, struct resource_rt *r);
void supply_begin_measuring(struct resource_rt *r, double now);

/* flow_sample.c */
void sample_begin(struct flow *f); /* when measuring begins */
void sample_latency(const struct flow *f, struct arena *a, struct flow_result *out);

/* flow_result.c */
void flow_assert_laws(struct flow *f);
void flow_collect(struct flow *f, struct arena *a, struct flow_result *out);

#endif
