/*
 * flow_parts.h - the inside of a flow, shared by its parts and by nobody else.
 *
 *   flow_edge.c    the source and the sink: items come in and go out, and are accounted for
 *   flow_stage.c   stages: workers take, work, deliver
 *   flow.c         builds a flow, runs it, reads the results
 */
#ifndef PIPELINE_FLOW_PARTS_H
#define PIPELINE_FLOW_PARTS_H

#include "engine/buffer.h"
#include "engine/cores.h"
#include "engine/link.h"
#include "engine/station.h"
#include "pipeline/bound.h"
#include "pipeline/flow.h"

/* An item inside the pipeline, with the bookkeeping of where it has been. */
struct parcel {
    struct item it;
    double ready_s; /* when it came to the stage it is at */
    struct parcel *next;
};

struct resource_rt {
    const struct resource *def;
    struct station *station; /* servers and GPUs */
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
    double whole_units, began_s, phase_s;
    uint64_t turn; /* order in which it took its item */
    struct parcel *staged, **staged_tail;
    bool waiting_for_turn, parked;
    struct worker *next_free; /* stages without workers */
};

struct stage_rt {
    struct flow *flow;
    const struct stage *def;
    int index;
    struct buffer *in; /* NULL: stages without workers take every item at once */
    struct worker *workers, *free_workers;
    uint64_t turns_given, turn_now; /* in-order delivery */
    long outstanding; /* pieces begun and not yet taken by the next stage: what prefetch limits */
    double units_in, units_out;
    uint64_t items_in; /* since the start: what later epochs wait for */
    struct level busy, blocked, inside;
    struct tally wait_s, service_s;
    double *op_s, disk_bytes, lost_units, arrived_units;
};

/* What settling is seen from; see flow_result. */
struct series {
    double *response, *inside;
    size_t n, room;
    double pieces, amount, weight, inside_sum, last_s; /* of the value in the making */
};

struct flow {
    struct sim *sim;
    const struct scenario *s;
    const struct flow_limits *limits;
    struct resource_rt *resources;
    struct stage_rt *stages;
    struct parcel *free_parcels;
    struct demand demand; /* of the piece that begins: models write here, the worker keeps what is used */
    struct rng arrivals;
    /* the source */
    uint64_t source_next, source_total; /* items; total 0: endless */
    double source_units, in_flight_units;
    bool source_waiting; /* in a put, for room in flight, or for an epoch to pass */
    bool source_in_put;
    struct rng *think;
    /* the sink */
    double pieces_out, units_out, target_units;
    bool measuring, has_latency;
    double measure_from_s, measure_from_units; /* when measuring began, and what was inside then */
    struct hist *latency;
    struct tally latency_s;
    struct series series;
    /* Little's law on the whole: units inside, and the sum of count * max(born, measure_from) of those inside
     */
    struct level inside;
    double born_area, sojourn_area;
    double entered_units, left_units, lost_units;
};

/* flow_edge.c */
struct parcel *parcel_new(struct flow *f); /* its item is for the caller to fill */
void parcel_free(struct flow *f, struct parcel *p);
void source_start(struct flow *f);
void source_pump(struct flow *f); /* closed workloads: sends what there is room for */
void sink_receive(struct flow *f, struct parcel *p);
void sink_lose(struct flow *f, const struct item *it); /* a full queue: the item is gone */

/* flow_stage.c */
void stage_start(struct stage_rt *st);
void stage_receive(struct stage_rt *st, struct parcel *p); /* stages without workers */

#endif
