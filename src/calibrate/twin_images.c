/*
 * twin_images.c - how many bytes a pixel of a JPEG file takes: those of the photographs that were decoded.
 */
#include "calibrate/twin.h"

#include <math.h>
#include <string.h>

struct images_state {
    double bytes, pixels;
    struct tally each;
};

/* Decoding the whole, at any scale, counts the file's bytes and the photograph's pixels. */
static void alone(void *state, const struct span *s)
{
    struct images_state *i = state;

    if (strncmp(s->op, "decode", 6) != 0 || strcmp(s->op, "decode_region") == 0 || !(s->items > 0))
        return;
    i->bytes += s->bytes_in;
    i->pixels += s->items;
    tally_add(&i->each, s->bytes_in / s->items);
}

static int rows(struct twin *t, const struct stage *stage, void *state, struct err *err)
{
    const struct images_state *i = state;

    (void)err;
    if (i->each.n > 0)
        twin_row(t, arena_printf(t->a, "stages.%s.params.pixel_bytes", stage->name), i->bytes / i->pixels,
                 sqrt(tally_variance(&i->each) / (double)i->each.n), "bytes", (long)i->each.n,
                 "bytes over pixels");
    return 0;
}

const struct twin_recipe twin_images = {
    .model = "image_loader", .state_size = sizeof(struct images_state), .alone = alone, .rows = rows};
