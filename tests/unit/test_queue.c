#include "executor/queue.h"

#include <criterion/criterion.h>
#include <pthread.h>

static int items[8];

Test(queue, items_leave_in_the_order_of_their_numbers)
{
    struct queue *q = queue_new(4, 0);

    cr_assert(queue_push(q, 2, &items[2]));
    cr_assert(queue_push(q, 0, &items[0]));
    cr_assert(queue_push(q, 1, &items[1]));
    for (int i = 0; i < 3; i++)
        cr_expect_eq(queue_pop(q), &items[i]);
    queue_free(q);
}

Test(queue, the_item_everyone_waits_for_is_let_into_a_full_queue)
{
    struct queue *q = queue_new(2, 0);

    cr_assert(queue_push(q, 1, &items[1]));
    cr_assert(queue_push(q, 2, &items[2]));
    cr_expect_eq(queue_try_push(q, 3, 0, &items[3]), QUEUE_FULL);
    cr_expect_eq(queue_try_push(q, 3, 3, &items[3]), QUEUE_EARLY, "an earlier item has still to leave");
    cr_expect_eq(queue_try_push(q, 0, 0, &items[0]), QUEUE_PUSHED);
    cr_expect_eq(queue_pop(q), &items[0]);
    cr_expect_eq(queue_pop(q), &items[1]);
    queue_free(q);
}

Test(queue, it_can_begin_at_any_number)
{
    struct queue *q = queue_new(1, 41);

    cr_assert(queue_push(q, 41, &items[0]));
    cr_expect_eq(queue_pop(q), &items[0]);
    queue_free(q);
}

static void *wait_for_an_item(void *q)
{
    return queue_pop(q);
}

static void *wait_for_room(void *q)
{
    return queue_push(q, 2, &items[2]) ? &items[2] : NULL;
}

Test(queue, closing_wakes_everyone_and_fails_from_then_on, .timeout = 10)
{
    struct queue *empty = queue_new(1, 0), *full = queue_new(1, 0);
    pthread_t reader, writer;
    void *read = &items[7], *written = &items[7];

    cr_assert(queue_push(full, 0, &items[0]));
    pthread_create(&reader, NULL, wait_for_an_item, empty);
    pthread_create(&writer, NULL, wait_for_room, full);
    queue_close(empty);
    queue_close(full);
    pthread_join(reader, &read);
    pthread_join(writer, &written);
    cr_expect_null(read);
    cr_expect_null(written);
    cr_expect_null(queue_pop(full), "not even what is inside comes out: somebody gave up");
    cr_expect_eq(queue_try_push(full, 1, 0, &items[1]), QUEUE_CLOSED);
    queue_free(empty);
    queue_free(full);
}
