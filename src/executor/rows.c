#include "executor/rows.h"

#include "executor/memory.h"

#include <stdlib.h>

void row_table_init(struct row_table *t, const struct dataset_cfg *d, long capacity)
{
    size_t n = (size_t)capacity;

    *t = (struct row_table){.capacity = capacity,
                            .dense = (size_t)d->dense_features,
                            .values = (size_t)((d->session_features + d->item_features) * d->list_length)};
    t->session = memory_new(n * sizeof *t->session);
    t->time_us = memory_new(n * sizeof *t->time_us);
    t->sample = memory_new(n * sizeof *t->sample);
    t->label = memory_new(n * sizeof *t->label);
    t->dense_rows = memory_new(n * t->dense * sizeof *t->dense_rows);
    t->sparse_rows = memory_new(n * t->values * sizeof *t->sparse_rows);
}

void row_table_fini(struct row_table *t)
{
    free(t->session);
    free(t->time_us);
    free(t->sample);
    free(t->label);
    free(t->dense_rows);
    free(t->sparse_rows);
}

void stripe_init(struct stripe *s, const struct dataset_cfg *d, long capacity)
{
    size_t n = (size_t)capacity, features = (size_t)(d->session_features + d->item_features);

    *s = (struct stripe){.capacity = capacity,
                         .session_features = d->session_features,
                         .item_features = d->item_features,
                         .list_length = d->list_length,
                         .dense = d->dense_features};
    s->session = memory_new(n * sizeof *s->session);
    s->time_us = memory_new(n * sizeof *s->time_us);
    s->sample = memory_new(n * sizeof *s->sample);
    s->label = memory_new(n * sizeof *s->label);
    s->dense_columns = memory_new(n * (size_t)d->dense_features * sizeof *s->dense_columns);
    s->sparse_columns = memory_new(n * features * (size_t)d->list_length * sizeof *s->sparse_columns);
}

void stripe_fini(struct stripe *s)
{
    free(s->session);
    free(s->time_us);
    free(s->sample);
    free(s->label);
    free(s->dense_columns);
    free(s->sparse_columns);
}
