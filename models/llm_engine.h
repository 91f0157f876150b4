/*
 * llm_engine.h - the parts of a running LLM engine.  Internal to the model.
 *
 * An engine has replicas; a replica works in iterations.  Each iteration runs a batch: some chunks of
 * prompts, and all sequences that decode (or none of them, as the policy says).
 *
 *     arrive -> waiting --admit--> staged -> prefilling --prompt computed--> decoding --last token--> out
 *                  ^                                                            |
 *                  +--------------------- preempted: memory has run out --------+
 *
 * Cost grows with decisions, not with tokens.  The sequences that decode are never visited one by one: each
 * iteration brings all of them one step further, so it is enough to know how many they are, the sum of their
 * contexts, a heap of the steps at which they end, and, by the step at which a sequence needs its next block
 * modulo the steps a block lasts, how many there are.  k iterations that change nothing are one event; an
 * arrival that could be admitted cuts the jump at the next boundary.
 *
 * Asynchronous scheduling: while an iteration runs on the accelerator the next has been composed already.
 * A request that comes in during iteration n is admitted at its end and joins n + 2; a place that n frees is
 * filled in n + 2 as well.  What is in the batch goes on in n + 1.
 *
 * Everything lives in the arena of the simulation.
 */
#ifndef MODELS_LLM_ENGINE_H
#define MODELS_LLM_ENGINE_H

#include "engine/stats.h"
#include "models/llm_kv.h"
#include "models/llm_serving.h"

enum llm_place {
    LLM_NOWHERE,
    LLM_WAITING,
    LLM_STAGED,
    LLM_PREFILLING,
    LLM_DECODING,
    LLM_SWAPPED,
    LLM_HANDED, /* disaggregated: prompt computed, no room yet where it will decode */
    LLM_LANDED, /* disaggregated: its KV has come, it joins the next iteration */
    LLM_DONE,   /* static batching: complete, waits for the longest */
};

struct llm_list {
    struct llm_seq *first, *last;
    long n;
};

struct llm_seq {
    struct visit *visit;
    struct llm_replica *replica;
    enum llm_place place;
    struct llm_seq *prev, *next;    /* in the list of its place */
    struct llm_seq *before, *after; /* in the order of admission */
    long input, output;             /* tokens of the prompt and of the answer */
    long target, computed;          /* tokens to compute before it decodes (again); of these, done */
    long made;                      /* answer tokens, when it began to decode */
    long own, shared_tokens;        /* blocks of its own; tokens that lie in shared pieces */
    struct llm_chain chain;
    uint64_t join_step, end_step; /* of the replica's decode steps */
    long phase;                   /* steps at which it needs a block, modulo the period; -1: never */
    double key;                   /* its context less the steps so far: tells who is longest */
    long heap;                    /* its place in the heap of ends */
    double scheduled_s, first_s;  /* NAN: not yet */
    struct llm_replica *source;   /* disaggregated: who computed the prompt and keeps it on the way */
    long source_own;
};

struct llm_work { /* a chunk of the running batch */
    struct llm_seq *seq;
    long tokens;
};

enum llm_power { LLM_OFF, LLM_STARTING, LLM_ON };

struct llm_replica {
    struct llm_engine *engine;
    int index;
    enum llm_power power;
    bool prefills, decodes; /* what it takes: new prompts, and those handed over; as a rule both */
    struct llm_kv kv;
    struct llm_list waiting, staged, prefilling, swapped, handed, landed, done;
    long pending_tokens;             /* to compute, of those that wait */
    long travelling;                 /* disaggregated: on the link */
    struct llm_seq *oldest, *newest; /* admitted and holding memory */
    long running;                    /* how many those are */

    /* those that decode, in sum */
    long n, growing; /* growing: of these, how many will need blocks */
    double context;  /* sum */
    uint64_t step;
    struct llm_seq **end;
    long end_room;
    long *phase; /* by step modulo engine->period */
    struct llm_seq *longest;

    /* the iteration, or the jump, under way */
    bool busy;
    long granted; /* accelerators that it has */
    bool wants;   /* more of them */
    struct llm_work *work;
    struct llm_chunk *chunk;
    long works, work_room;
    bool decoding;
    long jump;
    double begun_s, at_s, slope_s; /* iteration i of the jump takes at_s + slope_s i */
    event_id ending;
    double extra_s; /* bus transfers that the next iteration waits for */
    double link_free_s;
    long static_n; /* static batching: slots of the batch, held until its last answer is complete */
    event_id idle;

    struct level used; /* blocks */
};

struct llm_counts {
    uint64_t requests, preemptions, iterations, steps, outside, lost;
    double sequences;                   /* summed over iterations */
    double input_tokens, output_tokens; /* of the requests served */
    uint64_t answer_tokens;
    uint64_t peak_blocks;
};

struct llm_engine {
    const struct llm_serving_cfg *cfg;
    struct host *host;
    struct sim *sim;
    struct llm_replica *replica;
    long replicas, period; /* period: decode steps that a block lasts */
    long next;             /* round robin */
    struct llm_seq *spare;
    struct llm_replica *acquiring; /* takes its accelerators; the others wait their turn */
    struct llm_counts count;
    struct level on;        /* replicas that are on or starting */
    double since_s;         /* measured since then */
    uint64_t arrived, left; /* since the start, for the laws */
    uint64_t decoded,
        decoded_out; /* steps of sequences: made, and accounted to those that stopped decoding */
};

/* llm_decode.c: those that decode */
void llm_decode_join(struct llm_replica *r, struct llm_seq *s);
void llm_decode_leave(struct llm_replica *r, struct llm_seq *s);
long llm_decode_growth(const struct llm_replica *r, long steps); /* blocks they will take */
long llm_decode_steps(const struct llm_replica *r, long most);   /* steps the memory allows, up to most */
void llm_decode_advance(struct llm_replica *r, long steps);
struct llm_seq *llm_decode_next_end(const struct llm_replica *r); /* NULL: nobody decodes */
double llm_decode_longest(const struct llm_replica *r);

/* llm_schedule.c: who is in the next iteration */
void llm_list_append(struct llm_list *l, struct llm_seq *s, enum llm_place place);
void llm_list_prepend(struct llm_list *l, struct llm_seq *s, enum llm_place place);
void llm_list_remove(struct llm_list *l, struct llm_seq *s);
void llm_compose(struct llm_replica *r); /* fills work and decoding */
void llm_stage(struct llm_replica *r);   /* asynchronous: who joins the iteration after this one */
bool llm_could_admit(const struct llm_replica *r);
void llm_wait(struct llm_replica *r, struct llm_seq *s);     /* in the line of those to be admitted */
void llm_unenroll(struct llm_replica *r, struct llm_seq *s); /* out of the order; its memory stays taken */
void llm_release(struct llm_replica *r, struct llm_seq *s);  /* its memory too */
bool llm_make_room(struct llm_replica *r, long blocks, const struct llm_seq *keep);

/* llm_fleet.c: which replica, and how many */
struct llm_replica *llm_route(struct llm_engine *e, const struct llm_seq *s);
void llm_scale_up(struct llm_engine *e);
void llm_went_idle(struct llm_replica *r);
void llm_hand_over(struct llm_replica *from,
                   struct llm_seq *s); /* prompt computed: to a replica that decodes */
void llm_pull(struct llm_replica *r);  /* fetches those handed over, as far as there is room */

/* llm_step.c: how long */
bool llm_takes_turns(const struct llm_engine *e); /* nothing is held longer than an iteration */
void llm_time_batch(struct llm_replica *r);       /* fills jump, at_s, slope_s */
double llm_jump_s(const struct llm_replica *r, long steps);

/* llm_engine.c */
void llm_arrive(void *state, struct visit *v);
bool llm_withdraw(void *state, struct visit *v);
void llm_pass(void *state, struct visit *v);
void llm_wake(struct llm_replica *r); /* something may be done: begin, or cut a jump short */
void llm_finish(struct llm_replica *r, struct llm_seq *s);
static inline double llm_context(const struct llm_seq *s)
{
    return (double)s->target + 1;
}

#endif
