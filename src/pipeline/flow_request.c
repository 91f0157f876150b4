#include "pipeline/flow_parts.h"

#include <math.h>
#include <string.h>

/* What a draw decides; each has luck of its own, so that a change of one leaves the others alone. */
enum purpose { INPUT_TOKENS, OUTPUT_TOKENS, CLASS, HOPS, DIFFICULTY, TURNS, THINK };

/* ------------------------------------------------------------ the pool */

struct request *request_new(struct flow *f)
{
    struct request_rt *r = f->free_requests;

    if (r != NULL)
        f->free_requests = r->next;
    else
        r = ARENA_NEW(f->sim->arena, struct request_rt);
    r->next = NULL;
    return &r->r;
}

void request_free(struct flow *f, struct request *request)
{
    struct request_rt *r = (struct request_rt *)request;

    r->next = f->free_requests;
    f->free_requests = r;
}

static void keep_blocks(struct flow *f, struct request_rt *r, long n)
{
    if (n <= r->blocks_room)
        return;
    r->blocks_room = n + n / 2;
    r->blocks = arena_array(f->sim->arena, (size_t)r->blocks_room, sizeof *r->blocks);
}

void request_copy(struct flow *f, struct request *to, const struct request *from)
{
    struct request_rt *r = (struct request_rt *)to;

    *to = *from;
    if (from->blocks == NULL)
        return;
    keep_blocks(f, r, from->blocks_n);
    memcpy(r->blocks, from->blocks, (size_t)from->blocks_n * sizeof *r->blocks);
    to->blocks = r->blocks;
}

/* ------------------------------------------------------------ draws */

static double draw(const struct line *l, const struct law *law, uint64_t key, enum purpose purpose)
{
    struct rng r;

    if (law->kind == LAW_CONSTANT)
        return law->mean;
    rng_keyed(&r, l->flow->sim->seed, l->flow->sim->replication, l->def->request_luck, key,
              (uint64_t)purpose);
    return law_draw(law, &r);
}

static double draw_uniform(const struct line *l, uint64_t key, enum purpose purpose)
{
    struct rng r;

    rng_keyed(&r, l->flow->sim->seed, l->flow->sim->replication, l->def->request_luck, key,
              (uint64_t)purpose);
    return rng_uniform(&r);
}

static int draw_class(const struct line *l, uint64_t key)
{
    const struct requests *q = l->def->workload.requests;
    double u, sum = 0;

    if (q->classes_n == 1)
        return 0;
    u = draw_uniform(l, key, CLASS);
    for (int i = 0; i < q->classes_n - 1; i++) {
        sum += q->classes[i].share;
        if (u < sum)
            return i;
    }
    return q->classes_n - 1;
}

static long draw_count(const struct line *l, const struct law *law, uint64_t key, enum purpose purpose)
{
    return (long)fmax(0, round(draw(l, law, key, purpose)));
}

/* ------------------------------------------------------------ blocks of a prompt */

static uint64_t block_hash(uint64_t owner, long position)
{
    uint64_t x = owner + 0x9e3779b97f4a7c15ULL * (uint64_t)(position + 1);

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

/*
 * The prompt as hashes of whole blocks: those of the class's common prefix, then the session's own.  A later
 * turn begins with all that was said before, so it finds its earlier blocks again.  Without later turns nobody
 * can ask for what is the session's own, and it gets no hashes.
 */
static void fill_blocks(const struct line *l, struct request_rt *r)
{
    const struct requests *q = l->def->workload.requests;
    const struct request_class *c = &q->classes[r->r.class];
    bool grows = l->def->workload.sessions != NULL && l->def->workload.sessions->grows;
    long common = q->block_tokens > 0 ? c->prefix_tokens / q->block_tokens : 0;
    long n = q->block_tokens > 0 && grows ? r->r.input_tokens / q->block_tokens : common;

    r->r.block_tokens = q->block_tokens;
    r->r.blocks_n = n;
    r->r.blocks = NULL;
    if (n == 0)
        return;
    keep_blocks(l->flow, r, n);
    for (long i = 0; i < n; i++)
        r->blocks[i] = block_hash(i < common ? c->luck : r->key, i);
    r->r.blocks = r->blocks;
}

/* ------------------------------------------------------------ a request begins */

static void fill(struct line *l, struct request_rt *r, struct item *it)
{
    const struct requests *q = l->def->workload.requests;
    const struct request_class *c = &q->classes[r->r.class];
    long fresh = draw_count(l, &c->input_tokens, it->key, INPUT_TOKENS);
    bool grows = l->def->workload.sessions != NULL && l->def->workload.sessions->grows;

    r->r.input_tokens = c->prefix_tokens + (grows ? r->context : 0) + fresh;
    r->r.output_tokens = draw_count(l, &c->output_tokens, it->key, OUTPUT_TOKENS);
    r->context += fresh + r->r.output_tokens;
    r->r.hops = (int)draw_count(l, &c->hops, it->key, HOPS);
    r->r.difficulty = draw_uniform(l, it->key, DIFFICULTY);
    r->r.quality = r->r.queue_s = r->r.ttft_s = r->r.tpot_s = NAN;
    r->r.deadline_s = l->flow->sim->now + c->deadline_s;
    fill_blocks(l, r);
    it->request = &r->r;
}

void request_begin(struct line *l, struct item *it, int class)
{
    const struct sessions *s = l->def->workload.sessions;
    struct request_rt *r = (struct request_rt *)request_new(l->flow);

    r->r = (struct request){.id = it->sequence + 1, .class = class >= 0 ? class : draw_class(l, it->key)};
    r->key = it->key;
    r->context = 0;
    r->turns_left = 0;
    if (s != NULL) {
        r->r.session = r->r.id;
        r->turns_left = (long)fmax(0, round(draw(l, &s->turns, it->key, TURNS)) - 1);
    }
    fill(l, r, it);
}

void request_replay(struct line *l, struct item *it, size_t row)
{
    const struct workload *w = &l->def->workload;
    const struct recorded_request *as = &w->recording->rows[row];
    struct request_rt *r = (struct request_rt *)request_new(l->flow);

    r->turns_left = 0;
    r->r = (struct request){.id = it->sequence + 1,
                            .session = w->recording->sessions[row],
                            .class = w->recording->classes[row],
                            .input_tokens = as->input_tokens,
                            .output_tokens = as->output_tokens,
                            .blocks = as->blocks,
                            .blocks_n = as->blocks_n,
                            .block_tokens = w->requests->block_tokens,
                            .difficulty = draw_uniform(l, it->key, DIFFICULTY),
                            .quality = NAN,
                            .queue_s = NAN,
                            .ttft_s = NAN,
                            .tpot_s = NAN,
                            .deadline_s = INFINITY};
    it->request = &r->r;
}

/* Luck follows the session, whatever came between its turns. */
void request_turn(struct line *l, struct request *request, struct item *it)
{
    struct request_rt *r = (struct request_rt *)request;
    struct request last = *request;

    r->turns_left--;
    r->r = (struct request){
        .id = it->sequence + 1, .session = last.session, .class = last.class, .turn = last.turn + 1};
    it->key = block_hash(r->key, -1 - r->r.turn);
    fill(l, r, it);
}

double request_think(struct line *l, const struct request_rt *r)
{
    return fmax(0, draw(l, &l->def->workload.sessions->think, block_hash(r->key, -1 - r->r.turn), THINK));
}

/* ------------------------------------------------------------ how it went */

static bool meets(const struct slo *slo, const struct request *r, double sojourn)
{
    const double values[SLO_FIGURES] = {sojourn, r->queue_s, r->ttft_s, r->tpot_s};

    for (int i = 0; i < SLO_FIGURES; i++)
        if (isfinite(slo->per_request[i]) && isfinite(values[i]) && values[i] > slo->per_request[i])
            return false;
    return !r->failed;
}

/* In a queue of servers; several add up. */
void request_waited(const struct item *it, double waited_s)
{
    struct request *r = it->request;

    if (r != NULL)
        r->queue_s = waited_s + (isfinite(r->queue_s) ? r->queue_s : 0);
}

void request_judge(struct line *l, const struct item *it, double sojourn)
{
    const struct request *r = it->request;

    if (isfinite(r->queue_s))
        spread_add(&l->queue, r->queue_s);
    if (isfinite(r->ttft_s))
        spread_add(&l->ttft, r->ttft_s);
    if (isfinite(r->tpot_s))
        spread_add(&l->tpot, r->tpot_s);
    if (isfinite(r->quality))
        tally_add(&l->quality, r->quality);
    tally_add(&l->usd, r->usd);
    tally_add(&l->failed, r->failed);
    if (meets(&l->def->slo, r, sojourn))
        l->good_units += it->count;
}
