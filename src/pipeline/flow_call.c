#include "pipeline/flow_parts.h"

#include <string.h>

enum { PLACE_BITS = 32 }; /* of a call's id; the generation above them is never 0 */

static struct call *call_new(struct flow *f)
{
    struct call *c = f->free_calls;

    if (c != NULL) {
        f->free_calls = c->next_free;
        return c;
    }
    if (f->calls_n == f->calls_room) {
        size_t room = f->calls_room ? 2 * f->calls_room : 64;
        struct call **grown = arena_array(f->sim->arena, room, sizeof *grown);

        if (f->calls_n > 0)
            memcpy(grown, f->calls, f->calls_n * sizeof *grown);
        f->calls = grown;
        f->calls_room = room;
    }
    c = ARENA_NEW(f->sim->arena, struct call);
    c->id = (UINT64_C(1) << PLACE_BITS) | f->calls_n;
    f->calls[f->calls_n++] = c;
    return c;
}

static struct call *call_find(const struct flow *f, call_id id)
{
    size_t place = (size_t)(id & ((UINT64_C(1) << PLACE_BITS) - 1));

    return place < f->calls_n && f->calls[place]->id == id ? f->calls[place] : NULL;
}

/* The call and its parcel are free for others; its id finds nothing from now on. */
static void call_end(struct flow *f, struct call *c)
{
    if (c->has_own_request)
        request_free(f, c->parcel->v.it.request);
    parcel_free(f, c->parcel);
    c->id += UINT64_C(1) << PLACE_BITS;
    c->parcel = NULL;
    c->has_own_request = c->is_back = false;
    c->coming = 0;
    c->next_free = f->free_calls;
    f->free_calls = c;
}

static void found_room(struct sim *sim, void *self, uint64_t index)
{
    struct flow *f = self;

    (void)sim;
    f->stages[index].items_in++;
}

call_id call_make(struct stage_rt *callee, const struct item *it, returned_fn *done, void *self, uint64_t arg)
{
    struct flow *f = callee->flow;
    struct call *c = call_new(f);
    struct parcel *p = parcel_new(f);

    p->v.it = *it;
    p->call = c;
    c->parcel = p;
    c->callee = callee;
    c->done = done;
    c->self = self;
    c->arg = arg;
    stage_enter(callee, p, found_room, f);
    return c->id;
}

static void answer(struct sim *sim, void *self, uint64_t arg)
{
    struct call *c = self;
    struct call asked = *c;
    struct item it = c->parcel->v.it;

    (void)sim;
    (void)arg;
    call_end(c->callee->flow, c);
    asked.done(asked.self, asked.arg, &it);
}

/* Through the calendar: the caller may ask the same stage again, which must not be in the middle of its work.
 */
void call_return(struct flow *f, struct parcel *p)
{
    struct call *c = p->call;

    if (c->done == NULL) {
        call_end(f, c);
        return;
    }
    c->is_back = true;
    c->coming = sim_after(f->sim, 0, answer, c, 0);
}

/* The caller's request may be gone, or somebody else's, before the callee has finished. */
static void keep_own_request(struct flow *f, struct call *c)
{
    struct item *it = &c->parcel->v.it;
    struct request *own;

    if (it->request == NULL)
        return;
    own = request_new(f);
    request_copy(f, own, it->request);
    it->request = own;
    c->has_own_request = true;
}

void call_cancel(struct flow *f, call_id id)
{
    struct call *c = call_find(f, id);

    if (c == NULL || c->done == NULL) /* it came back before */
        return;
    if (c->is_back) {
        sim_cancel(f->sim, c->coming);
        call_end(f, c);
    } else if (c->callee->host != NULL && host_withdraw(c->callee, c->parcel, c->coming)) {
        call_end(f, c);
    } else {
        c->done = NULL;
        keep_own_request(f, c);
    }
}
