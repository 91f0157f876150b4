#include "executor/queue.h"

#include "base/arena.h"
#include "base/err.h"
#include "executor/span_log.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* At most capacity + 1 items: the extra place is for the one that everyone waits for. */
struct queue {
    pthread_mutex_t lock;
    pthread_cond_t item_came, room_came;
    struct slot {
        uint64_t sequence;
        void *item; /* NULL: empty */
        double came_s;
    } * slots; /* sorted by sequence, `count` of them: capacities are small */
    size_t capacity, count;
    uint64_t next; /* the sequence number that leaves next */
    bool closed;
    double waited_s;
};

struct queue *queue_new(size_t capacity, uint64_t first_sequence)
{
    struct queue *q = xcalloc(1, sizeof *q);

    ASSERT(capacity > 0);
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->item_came, NULL);
    pthread_cond_init(&q->room_came, NULL);
    q->capacity = capacity;
    q->slots = xcalloc(capacity + 1, sizeof *q->slots);
    q->next = first_sequence;
    return q;
}

void queue_free(struct queue *q)
{
    if (q == NULL)
        return;
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->item_came);
    pthread_cond_destroy(&q->room_came);
    free(q->slots);
    free(q);
}

static bool has_room(const struct queue *q, uint64_t sequence)
{
    return q->count < q->capacity || sequence == q->next;
}

static void insert(struct queue *q, uint64_t sequence, void *item)
{
    size_t i = q->count;

    ASSERT(q->count <= q->capacity && sequence >= q->next && item != NULL);
    for (; i > 0 && q->slots[i - 1].sequence > sequence; i--)
        q->slots[i] = q->slots[i - 1];
    ASSERT(i == 0 || q->slots[i - 1].sequence < sequence);
    q->slots[i] = (struct slot){sequence, item, clock_wall_s()};
    q->count++;
    if (sequence == q->next)
        pthread_cond_signal(&q->item_came);
}

bool queue_push(struct queue *q, uint64_t sequence, void *item)
{
    bool open;

    pthread_mutex_lock(&q->lock);
    while (!q->closed && !has_room(q, sequence))
        pthread_cond_wait(&q->room_came, &q->lock);
    open = !q->closed;
    if (open)
        insert(q, sequence, item);
    pthread_mutex_unlock(&q->lock);
    return open;
}

enum queue_try queue_try_push(struct queue *q, uint64_t sequence, uint64_t mine_from, void *item)
{
    enum queue_try answer = QUEUE_PUSHED;

    pthread_mutex_lock(&q->lock);
    if (q->closed)
        answer = QUEUE_CLOSED;
    else if (has_room(q, sequence))
        insert(q, sequence, item);
    else
        answer = q->next < mine_from ? QUEUE_EARLY : QUEUE_FULL;
    pthread_mutex_unlock(&q->lock);
    return answer;
}

void *queue_pop(struct queue *q)
{
    void *item = NULL;

    pthread_mutex_lock(&q->lock);
    while (!q->closed && !(q->count > 0 && q->slots[0].sequence == q->next))
        pthread_cond_wait(&q->item_came, &q->lock);
    if (!q->closed) {
        item = q->slots[0].item;
        q->waited_s += clock_wall_s() - q->slots[0].came_s;
        memmove(q->slots, q->slots + 1, --q->count * sizeof *q->slots);
        q->next++;
        /* Room for anyone, and the turn of one in particular: all must look. */
        pthread_cond_broadcast(&q->room_came);
        if (q->count > 0 && q->slots[0].sequence == q->next)
            pthread_cond_signal(&q->item_came);
    }
    pthread_mutex_unlock(&q->lock);
    return item;
}

double queue_waited_s(struct queue *q)
{
    double waited_s;

    pthread_mutex_lock(&q->lock);
    waited_s = q->waited_s;
    pthread_mutex_unlock(&q->lock);
    return waited_s;
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->item_came);
    pthread_cond_broadcast(&q->room_came);
    pthread_mutex_unlock(&q->lock);
}
