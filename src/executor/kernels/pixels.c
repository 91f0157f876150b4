#include "executor/kernels/pixels.h"

#include "executor/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 3 };

/* Of the photographs of ImageNet, as everybody uses them. */
static const float mean[CHANNELS] = {0.485f, 0.456f, 0.406f}, deviation[CHANNELS] = {0.229f, 0.224f, 0.225f};

static size_t value_size(const struct image *i)
{
    return i->floats ? sizeof(float) : 1;
}

static size_t row_bytes(const struct image *i)
{
    return (size_t)i->width * CHANNELS * value_size(i);
}

size_t image_bytes(const struct image *i)
{
    return (size_t)i->height * row_bytes(i);
}

static size_t values_of(const struct image *i)
{
    return (size_t)i->width * (size_t)i->height * CHANNELS;
}

static void becomes(struct image *to, int width, int height, bool floats)
{
    to->width = width;
    to->height = height;
    to->floats = floats;
}

void pixels_crop(const struct image *from, int left, int top, int width, int height, struct image *to)
{
    size_t stride = row_bytes(from), skip = (size_t)left * CHANNELS * value_size(from);

    becomes(to, width, height, from->floats);
    for (int y = 0; y < height; y++)
        memcpy((char *)to->data + (size_t)y * row_bytes(to),
               (const char *)from->data + (size_t)(top + y) * stride + skip, row_bytes(to));
}

/* ------------------------------------------------------------------------------- pixel by pixel */

void pixels_convert(const struct image *from, struct image *to)
{
    const unsigned char *restrict b = from->data;
    float *restrict f = to->data;
    size_t n = values_of(from);

    for (size_t i = 0; i < n; i++)
        f[i] = (float)b[i] / 255;
    becomes(to, from->width, from->height, true);
}

void pixels_normalize(struct image *i)
{
    float *f = i->data;
    size_t n = values_of(i);

    for (size_t k = 0; k < n; k += CHANNELS)
        for (int c = 0; c < CHANNELS; c++)
            f[k + (size_t)c] = (f[k + (size_t)c] - mean[c]) / deviation[c];
}

void pixels_convert_normalize(const struct image *from, struct image *to)
{
    const unsigned char *restrict b = from->data;
    float *restrict f = to->data;
    size_t n = values_of(from);

    for (size_t k = 0; k < n; k += CHANNELS)
        for (size_t c = 0; c < CHANNELS; c++)
            f[k + c] = ((float)b[k + c] / 255 - mean[c]) / deviation[c];
    becomes(to, from->width, from->height, true);
}

#define FLIP_ROW(type, row, width)                                                                           \
    for (int a = 0, b = (width)-1; a < b; a++, b--)                                                          \
        for (int c = 0; c < CHANNELS; c++) {                                                                 \
            type kept = (row)[CHANNELS * a + c];                                                             \
                                                                                                             \
            (row)[CHANNELS * a + c] = (row)[CHANNELS * b + c];                                               \
            (row)[CHANNELS * b + c] = kept;                                                                  \
        }

void pixels_flip(struct image *i)
{
    for (int y = 0; y < i->height; y++) {
        void *row = (char *)i->data + (size_t)y * row_bytes(i);

        if (i->floats)
            FLIP_ROW(float, (float *)row, i->width)
        else
            FLIP_ROW(unsigned char, (unsigned char *)row, i->width)
    }
}

void pixels_collate(const struct image *from, float *planes)
{
    const float *f = from->data;
    size_t n = values_of(from) / CHANNELS;

    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < CHANNELS; c++)
            planes[c * n + i] = f[CHANNELS * i + c];
}

/* ------------------------------------------------------------------------------- areas */

void resizer_init(struct resizer *r, int largest_output)
{
    size_t n = (size_t)largest_output;

    r->columns = memory_new(n * sizeof *r->columns);
    r->row = memory_new(n * CHANNELS * sizeof(float));
    r->sum = memory_new(n * CHANNELS * sizeof(float));
}

void resizer_fini(struct resizer *r)
{
    free(r->columns);
    free(r->row);
    free(r->sum);
}

/* Pixel k of m, of a source of n pixels. */
static struct cover cover_of(int k, int m, int n)
{
    float scale = (float)n / (float)m, from = (float)k * scale, upto = (float)(k + 1) * scale;
    struct cover c = {.first = (int)from, .last = (int)ceilf(upto) - 1};

    c.last = c.last < n ? c.last : n - 1;
    c.first_share = fminf((float)(c.first + 1), upto) - from;
    c.last_share = upto - fmaxf((float)c.last, from);
    return c;
}

static float share_of(const struct cover *c, int k)
{
    return k == c->first ? c->first_share : k == c->last ? c->last_share : 1;
}

/* Along x: each pixel of the result is the sum of what it covers.  The same for bytes and floats. */
#define SQUEEZE(name, type)                                                                                  \
    static void name(const type *restrict in, const struct cover *c, float *restrict out, int m)             \
    {                                                                                                        \
        for (int x = 0; x < m; x++, c++) {                                                                   \
            const type *p = in + CHANNELS * c->first, *last = in + CHANNELS * c->last;                       \
            float s0 = c->first_share * (float)p[0], s1 = c->first_share * (float)p[1];                      \
            float s2 = c->first_share * (float)p[2];                                                         \
                                                                                                             \
            for (p += CHANNELS; p < last; p += CHANNELS) {                                                   \
                s0 += (float)p[0];                                                                           \
                s1 += (float)p[1];                                                                           \
                s2 += (float)p[2];                                                                           \
            }                                                                                                \
            if (p == last) {                                                                                 \
                s0 += c->last_share * (float)p[0];                                                           \
                s1 += c->last_share * (float)p[1];                                                           \
                s2 += c->last_share * (float)p[2];                                                           \
            }                                                                                                \
            out[CHANNELS * x] = s0;                                                                          \
            out[CHANNELS * x + 1] = s1;                                                                      \
            out[CHANNELS * x + 2] = s2;                                                                      \
        }                                                                                                    \
    }

SQUEEZE(squeeze_bytes, unsigned char)
SQUEEZE(squeeze_floats, float)

static void squeeze(const struct resizer *r, const struct image *from, int y, int width)
{
    const void *row = (const char *)from->data + (size_t)y * row_bytes(from);

    if (from->floats)
        squeeze_floats(row, r->columns, r->row, width);
    else
        squeeze_bytes(row, r->columns, r->row, width);
}

static void put_row(struct image *to, int y, const float *sum, float area)
{
    size_t n = (size_t)to->width * CHANNELS;
    float by = 1 / area;

    for (size_t i = 0; i < n; i++) {
        if (to->floats)
            ((float *)to->data)[(size_t)y * n + i] = sum[i] * by;
        else
            ((unsigned char *)to->data)[(size_t)y * n + i] = (unsigned char)(sum[i] * by + 0.5f);
    }
}

/* Source rows come once, in order; one that lies in two rows of the result counts in both. */
void pixels_resize(struct resizer *r, const struct image *from, int width, int height, struct image *to)
{
    float area = (float)from->height / (float)height * ((float)from->width / (float)width);
    size_t n = (size_t)width * CHANNELS;
    int have = -1;

    becomes(to, width, height, from->floats);
    for (int x = 0; x < width; x++)
        r->columns[x] = cover_of(x, width, from->width);
    for (int y = 0; y < height; y++) {
        struct cover rows = cover_of(y, height, from->height);

        memset(r->sum, 0, n * sizeof(float));
        for (int k = rows.first; k <= rows.last; k++) {
            float share = share_of(&rows, k);

            if (k != have)
                squeeze(r, from, k, width);
            have = k;
            for (size_t i = 0; i < n; i++)
                r->sum[i] += share * r->row[i];
        }
        put_row(to, y, r->sum, area);
    }
}
