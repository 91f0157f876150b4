/*
 * twin_label.c - how well labels and sample ids compress: as they stand in a table of either order, and as a
 * delta holds them.  A span's variant says the order: "zstd/session/position".
 */
#include "calibrate/twin.h"
#include "models/label.h"

#include <math.h>
#include <string.h>

enum { WITH_CODEC = CODECS - 1 };
enum column { LABELS, KEYS_TIME, KEYS_SESSION, KEYS_LOG, COLUMNS };
static const char *const columns[COLUMNS] = {"label", "key_time", "key_session", "key_log"};

struct label_state {
    struct twin_ratio ratios[COLUMNS][WITH_CODEC];
};

/* The codec (less 1) that an operator's name ends with; -1: none, or another operator. */
static int codec_of(const char *op, const char *stem)
{
    size_t n = strlen(stem);

    for (int i = 0; i < WITH_CODEC && strncmp(op, stem, n) == 0; i++)
        if (strcmp(op + n, codec_names[i + 1]) == 0)
            return i;
    return -1;
}

static void alone(void *state, const struct span *s)
{
    struct label_state *l = state;
    bool clustered = strstr(s->variant, "/session/") != NULL;
    int codec;

    if ((codec = codec_of(s->op, "column_")) >= 0)
        twin_ratio_add(&l->ratios[LABELS][codec], s->bytes_in, s->bytes_out);
    else if ((codec = codec_of(s->op, "key_column_")) >= 0)
        twin_ratio_add(&l->ratios[KEYS_LOG][codec], s->bytes_in, s->bytes_out);
    else if ((codec = codec_of(s->op, "keys_")) >= 0)
        twin_ratio_add(&l->ratios[clustered ? KEYS_SESSION : KEYS_TIME][codec], s->bytes_out, s->bytes_in);
}

static int rows(struct twin *t, const struct stage *stage, void *state, struct err *err)
{
    const struct label_state *l = state;

    (void)err;
    for (int column = 0; column < COLUMNS; column++)
        for (int codec = 0; codec < WITH_CODEC; codec++)
            twin_ratio_row(t,
                           arena_printf(t->a, "stages.%s.params.ratio_%s_%s", stage->name, columns[column],
                                        codec_names[codec + 1]),
                           &l->ratios[column][codec]);
    return 0;
}

const struct twin_recipe twin_label = {
    .model = "label", .state_size = sizeof(struct label_state), .alone = alone, .rows = rows};
