#include "engine/space.h"

#include "engine/ring.h"

struct request {
    int64_t amount;
    double since_s;
    event_fn *granted;
    void *self;
    uint64_t arg;
};

struct space {
    struct sim *sim;
    const char *name;
    int64_t capacity, used_now, used_max;
    struct ring line;
    struct level used, waiting;
    struct tally wait_s;
    uint64_t refused;
};

static long waiting(const void *space)
{
    return space_takers_waiting(space);
}

struct space *space_new(struct sim *sim, const char *name, int64_t capacity)
{
    struct space *s = ARENA_NEW(sim->arena, struct space);

    ASSERT(capacity >= 0);
    s->sim = sim;
    s->name = arena_strdup(sim->arena, name);
    s->capacity = capacity;
    space_begin_measuring(s);
    sim_watch(sim, "for space in", s->name, true, waiting, s);
    return s;
}

static void set_used(struct space *s, int64_t used)
{
    ASSERT(used >= 0 && used <= s->capacity);
    s->used_now = used;
    s->used_max = used > s->used_max ? used : s->used_max;
    level_set(&s->used, s->sim->now, (double)used);
}

static bool fits(const struct space *s, int64_t amount)
{
    return s->line.count == 0 && amount <= s->capacity - s->used_now;
}

bool space_take(struct space *s, int64_t amount, event_fn *granted, void *self, uint64_t arg)
{
    struct request request = {amount, s->sim->now, granted, self, arg};

    ASSERT(amount >= 0 && amount <= s->capacity);
    if (fits(s, amount)) {
        set_used(s, s->used_now + amount);
        tally_add(&s->wait_s, 0);
        return true;
    }
    *(struct request *)ring_push(&s->line, s->sim->arena, sizeof request) = request;
    level_set(&s->waiting, s->sim->now, (double)s->line.count);
    return false;
}

bool space_try(struct space *s, int64_t amount)
{
    ASSERT(amount >= 0);
    if (!fits(s, amount)) {
        s->refused++;
        return false;
    }
    set_used(s, s->used_now + amount);
    tally_add(&s->wait_s, 0);
    return true;
}

/* As many of those in front as now fit. */
void space_give(struct space *s, int64_t amount)
{
    double now = s->sim->now;

    ASSERT(amount >= 0);
    set_used(s, s->used_now - amount);
    while (s->line.count != 0) {
        struct request *first = ring_at(&s->line, 0, sizeof *first);

        if (first->amount > s->capacity - s->used_now)
            break;
        ring_pop(&s->line, sizeof *first);
        set_used(s, s->used_now + first->amount);
        tally_add(&s->wait_s, now - first->since_s);
        sim_after(s->sim, 0, first->granted, first->self, first->arg);
    }
    level_set(&s->waiting, now, (double)s->line.count);
}

int64_t space_capacity(const struct space *s)
{
    return s->capacity;
}

int64_t space_used(const struct space *s)
{
    return s->used_now;
}

long space_takers_waiting(const struct space *s)
{
    return (long)s->line.count;
}

void space_begin_measuring(struct space *s)
{
    double now = s->sim->now;

    level_start(&s->used, now, (double)s->used_now);
    level_start(&s->waiting, now, (double)s->line.count);
    s->used_max = s->used_now;
    s->wait_s = (struct tally){0};
    s->refused = 0;
}

struct space_stats space_stats(const struct space *s)
{
    double now = s->sim->now;

    return (struct space_stats){
        .used_mean = level_mean(&s->used, now),
        .waiting_mean = level_mean(&s->waiting, now),
        .used_max = s->used_max,
        .wait_s = s->wait_s,
        .refused = s->refused,
    };
}
