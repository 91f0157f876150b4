#include "executor/kernels/photo.h"

#include "base/arena.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { PLANES = 3, OBJECTS = 12, SMALLEST = 4 };

/* Each octave's share of the one below, of brightness and of colour; the deviation of the whole; grain. */
static const float LUMA_FALL = 0.66f, CHROMA_FALL = 0.45f, LUMA_DEVIATION = 42, CHROMA_DEVIATION = 18,
                   GRAIN = 2.5f;

struct photo_maker {
    float *plane[PLANES], *coarse; /* brightness, blue and red difference */
};

struct photo_maker *photo_maker_new(int largest_width, int largest_height)
{
    struct photo_maker *m = xcalloc(1, sizeof *m);
    size_t n = (size_t)largest_width * (size_t)largest_height;

    for (int p = 0; p < PLANES; p++)
        m->plane[p] = xcalloc(n, sizeof(float));
    m->coarse = xcalloc(n, sizeof(float));
    return m;
}

void photo_maker_free(struct photo_maker *m)
{
    if (m == NULL)
        return;
    for (int p = 0; p < PLANES; p++)
        free(m->plane[p]);
    free(m->coarse);
    free(m);
}

/* The sum of four bytes of a word is nearly normal, and cheap; deviation 1. */
static float noise(struct rng *r, uint64_t *word, int *left)
{
    const float deviation = 147.8f; /* sqrt(4 * (256^2 - 1) / 12) */
    uint64_t w;

    if (*left == 0) {
        *word = rng_next(r);
        *left = 2;
    }
    w = *word;
    *word >>= 32;
    --*left;
    return ((float)((w & 255) + (w >> 8 & 255) + (w >> 16 & 255) + (w >> 24 & 255)) - 510) / deviation;
}

/* Doubles the resolution, by bilinear interpolation between the centres of the coarse pixels. */
static void enlarge(const float *from, int fw, int fh, float *to, int tw, int th)
{
    for (int y = 0; y < th; y++) {
        float at = ((float)y + 0.5f) * (float)fh / (float)th - 0.5f;
        int y0 = at < 0 ? 0 : (int)at, y1 = y0 + 1 < fh ? y0 + 1 : fh - 1;
        float v = at < 0 ? 0 : at - (float)y0;

        for (int x = 0; x < tw; x++) {
            float ax = ((float)x + 0.5f) * (float)fw / (float)tw - 0.5f;
            int x0 = ax < 0 ? 0 : (int)ax, x1 = x0 + 1 < fw ? x0 + 1 : fw - 1;
            float u = ax < 0 ? 0 : ax - (float)x0;
            float upper = from[y0 * fw + x0] * (1 - u) + from[y0 * fw + x1] * u;
            float lower = from[y1 * fw + x0] * (1 - u) + from[y1 * fw + x1] * u;

            to[y * tw + x] = upper * (1 - v) + lower * v;
        }
    }
}

/* Noise of every octave, from a few pixels to `finest` (1: single pixels); deviation 1 or so. */
static void draw_plane(struct photo_maker *m, struct rng *r, int w, int h, float fall, int finest, float *out)
{
    int octaves = 0, cw = 1, ch = 1;
    float amplitude = sqrtf(1 - fall * fall);
    uint64_t word = 0;
    int left = 0;

    while (h >> (octaves + 1) >= SMALLEST)
        octaves++;
    m->coarse[0] = noise(r, &word, &left);
    for (int o = octaves; o >= 0; o--) {
        int tw = (w + (1 << o) - 1) >> o, th = (h + (1 << o) - 1) >> o;

        enlarge(m->coarse, cw, ch, out, tw, th);
        for (int i = 0; (1 << o) >= finest && i < tw * th; i++)
            out[i] += amplitude * noise(r, &word, &left);
        amplitude *= fall;
        cw = tw;
        ch = th;
        for (int i = 0; o > 0 && i < tw * th; i++)
            m->coarse[i] = out[i];
    }
}

/* An ellipse or a box with a hard edge and its own brightness and colour. */
static void draw_object(struct photo_maker *m, struct rng *r, int w, int h, float cb, float cr)
{
    float rx = (float)w * (0.04f + 0.16f * (float)rng_uniform(r));
    float ry = (float)h * (0.04f + 0.16f * (float)rng_uniform(r));
    float cx = (float)w * (float)rng_uniform(r), cy = (float)h * (float)rng_uniform(r);
    float shade = 1.6f * (2 * (float)rng_uniform(r) - 1);
    bool round_ = rng_uniform(r) < 0.6;
    int y0 = (int)fmaxf(0, cy - ry), y1 = (int)fminf((float)h - 1, cy + ry);
    int x0 = (int)fmaxf(0, cx - rx), x1 = (int)fminf((float)w - 1, cx + rx);

    for (int y = y0; y <= y1; y++)
        for (int x = x0; x <= x1; x++) {
            float dx = ((float)x - cx) / rx, dy = ((float)y - cy) / ry;

            if (round_ && dx * dx + dy * dy > 1)
                continue;
            m->plane[0][y * w + x] += shade;
            m->plane[1][y * w + x] = 0.5f * m->plane[1][y * w + x] + cb;
            m->plane[2][y * w + x] = 0.5f * m->plane[2][y * w + x] + cr;
        }
}

static unsigned char to_byte(float v)
{
    return (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5f);
}

void photo_draw(struct photo_maker *m, struct rng *r, int width, int height, int class, int classes,
                unsigned char *rgb)
{
    double hue = 2 * 3.14159265358979323846 * class / classes;
    uint64_t word = 0;
    int left = 0;

    draw_plane(m, r, width, height, LUMA_FALL, 1, m->plane[0]);
    draw_plane(m, r, width, height, CHROMA_FALL, 2, m->plane[1]);
    draw_plane(m, r, width, height, CHROMA_FALL, 2, m->plane[2]);
    for (int i = 0; i < OBJECTS; i++) {
        bool telling = rng_uniform(r) < 0.75;
        double h = telling ? hue : 2 * 3.14159265358979323846 * rng_uniform(r);

        draw_object(m, r, width, height, (float)(2.2 * cos(h)), (float)(2.2 * sin(h)));
    }
    for (long i = 0; i < (long)width * height; i++) { /* YCbCr as JPEG has it (ITU-T T.871) */
        float y = 128 + LUMA_DEVIATION * m->plane[0][i] + GRAIN * noise(r, &word, &left);
        float cb = CHROMA_DEVIATION * m->plane[1][i], cr = CHROMA_DEVIATION * m->plane[2][i];

        rgb[3 * i] = to_byte(y + 1.402f * cr);
        rgb[3 * i + 1] = to_byte(y - 0.344136f * cb - 0.714136f * cr);
        rgb[3 * i + 2] = to_byte(y + 1.772f * cb);
    }
}
