#include "executor/batch.h"

#include "executor/memory.h"

#include <stdlib.h>

void batch_init(struct batch *b, const struct batch_shape *s, long capacity_rows)
{
    size_t n = (size_t)capacity_rows, list = (size_t)s->list_length;

    *b = (struct batch){0};
    b->session_ids = memory_new(n * (size_t)s->session_features * list * sizeof *b->session_ids);
    b->cross_ids = memory_new(n * (size_t)s->crosses * sizeof *b->cross_ids);
    b->item_ids = memory_new(n * (size_t)s->item_features * list * sizeof *b->item_ids);
    b->inverse = memory_new(n * sizeof *b->inverse);
    b->dense = memory_new(n * 2 * (size_t)s->dense * sizeof *b->dense);
    b->label = memory_new(n * sizeof *b->label);
}

void batch_fini(struct batch *b)
{
    free(b->session_ids);
    free(b->cross_ids);
    free(b->item_ids);
    free(b->inverse);
    free(b->dense);
    free(b->label);
}
