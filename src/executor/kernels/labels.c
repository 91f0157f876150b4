#include "executor/kernels/labels.h"

#include "executor/kernels/logfile.h"
#include "executor/memory.h"

#include <stdlib.h>
#include <string.h>

void labels_init(struct labels *l, long capacity)
{
    *l = (struct labels){.capacity = capacity, .slots_n = 64};
    while (l->slots_n < 2 * (size_t)capacity)
        l->slots_n *= 2;
    l->chunk = memory_new(LOGFILE_CHUNK);
    l->entries = memory_new((size_t)capacity * sizeof *l->entries);
    l->slots = memory_new(l->slots_n * sizeof *l->slots);
}

void labels_fini(struct labels *l)
{
    free(l->chunk);
    free(l->entries);
    free(l->slots);
}

static int parse(struct labels *l, struct logfile *s, struct err *err)
{
    TRY(logfile_magic(s, rawlog_labels_magic, err));
    for (l->n = 0; l->n < l->capacity; l->n++) {
        struct label_entry *e = &l->entries[l->n];
        const unsigned char *p, *end;

        TRY(logfile_fill(s, VARINT_MAX + 1, err));
        end = s->chunk + s->end;
        if (s->at == s->end)
            break;
        p = varint(s->chunk + s->at, end, &e->sample);
        if (p == NULL || p == end || *p > 1)
            return err_set(err, ERR_IO, "%s: label %ld is cut off or malformed", s->path, l->n);
        e->label = (float)*p++;
        s->at = (size_t)(p - s->chunk);
    }
    return 0;
}

int labels_parse(struct labels *l, const struct rawlog *logs, long partition, const char *kind, double *bytes,
                 struct err *err)
{
    char path[4000];
    struct logfile s;
    int rc;

    rawlog_path(logs, partition, kind, path, sizeof path);
    TRY(logfile_open(&s, path, l->chunk, err));
    rc = parse(l, &s, err);
    logfile_close(&s);
    *bytes += s.bytes;
    return rc;
}

static inline uint64_t scatter(uint64_t x)
{
    x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
    return x ^ x >> 33;
}

static struct label_entry *slot_of(const struct labels *l, uint64_t sample)
{
    size_t i = scatter(sample) & (l->slots_n - 1);

    while (l->slots[i].sample != sample && l->slots[i].sample != UINT64_MAX)
        i = (i + 1) & (l->slots_n - 1);
    return &l->slots[i];
}

void labels_index(struct labels *l)
{
    memset(l->slots, 0xff, l->slots_n * sizeof *l->slots);
    for (long i = 0; i < l->n; i++)
        *slot_of(l, l->entries[i].sample) = l->entries[i];
}

int labels_join(const struct labels *l, const uint64_t *samples, float *labels, long rows, struct err *err)
{
    for (long i = 0; i < rows; i++) {
        const struct label_entry *e = slot_of(l, samples[i]);

        if (e->sample == UINT64_MAX)
            return err_set(err, ERR_IO, "raw logs: sample %llu has no label", (unsigned long long)samples[i]);
        labels[i] = e->label;
    }
    return 0;
}
