#include "executor/columnar_layout.h"

#include <stdio.h>
#include <string.h>

struct columnar_shape columnar_shape_of(const struct dataset_cfg *d, long rows, long stripe_rows)
{
    return (struct columnar_shape){
        .rows = (uint64_t)rows,
        .stripe_rows = (uint64_t)stripe_rows,
        .dense = (uint64_t)d->dense_features,
        .session_features = (uint64_t)d->session_features,
        .item_features = (uint64_t)d->item_features,
        .list_length = (uint64_t)d->list_length,
        .streams = (uint64_t)(STREAM_DENSE + d->dense_features + d->session_features + d->item_features),
        .stripes = (uint64_t)((rows + stripe_rows - 1) / stripe_rows),
    };
}

uint64_t columnar_width(const struct columnar_shape *s, uint64_t stream)
{
    if (stream < STREAM_LABEL)
        return 8;
    return stream < STREAM_DENSE + s->dense ? 4 : 8 * s->list_length;
}

bool columnar_wanted(const struct columnar_shape *s, uint64_t stream, const struct columnar_uses *uses)
{
    uint64_t first = STREAM_DENSE + s->dense;

    if (uses == NULL)
        return true;
    if (uses->only_keys)
        return stream == STREAM_SAMPLE;
    if (stream < first)
        return true;
    if (stream < first + s->session_features)
        return stream < first + (uint64_t)uses->session_features;
    return stream < first + s->session_features + (uint64_t)uses->item_features;
}

void columnar_name(const struct columnar_shape *s, uint64_t stream, char *buf, size_t size)
{
    static const char *const names[] = {"session", "time", "sample", "label"};
    uint64_t first = STREAM_DENSE + s->dense;

    if (stream < STREAM_DENSE)
        snprintf(buf, size, "%s", names[stream]);
    else if (stream < first)
        snprintf(buf, size, "dense feature %d", (int)(stream - STREAM_DENSE));
    else if (stream < first + s->session_features)
        snprintf(buf, size, "session feature %d", (int)(stream - first));
    else
        snprintf(buf, size, "item feature %d", (int)(stream - first - s->session_features));
}

uint64_t columnar_encoded_bytes(const struct columnar_shape *s, uint64_t rows)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < s->streams; i++)
        sum += (columnar_width(s, i) * rows + 7) / 8 * 8;
    return sum;
}

void *columnar_column(const struct columnar_shape *s, struct stripe *out, uint64_t stream)
{
    uint64_t first = STREAM_DENSE + s->dense;

    switch (stream) {
    case STREAM_SESSION:
        return out->session;
    case STREAM_TIME:
        return out->time_us;
    case STREAM_SAMPLE:
        return out->sample;
    case STREAM_LABEL:
        return out->label;
    default:
        if (stream < first)
            return out->dense_columns + (stream - STREAM_DENSE) * (uint64_t)out->capacity;
        return out->sparse_columns + (stream - first) * (uint64_t)(out->capacity * out->list_length);
    }
}

/* Four lanes, so that the multiplications overlap; any changed word changes its lane. */
uint64_t columnar_checksum(const void *data, size_t n)
{
    const uint64_t prime = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t lane[4] = {1, 2, 3, 4}, word[4], sum = n;
    const unsigned char *p = data;

    for (; n >= sizeof word; n -= sizeof word, p += sizeof word) {
        memcpy(word, p, sizeof word);
        for (int i = 0; i < 4; i++)
            lane[i] = (lane[i] ^ word[i]) * prime;
    }
    memset(word, 0, sizeof word);
    memcpy(word, p, n);
    for (int i = 0; i < 4; i++) {
        lane[i] = (lane[i] ^ word[i]) * prime;
        sum = (sum ^ lane[i] ^ lane[i] >> 29) * prime;
    }
    return sum ^ sum >> 32;
}
