/*
 * twin_etl.c - how well tables compress: bytes out over bytes in, by order and codec, of all streams and of
 * those that the job uses.  A span's variant names them: "zstd/session", "zstd/session/used".
 */
#include "calibrate/twin.h"

#include <string.h>

enum { WITH_CODEC = CODECS - 1, ORDERS = 2 }; /* without a codec the ratio is 1 */

struct etl_state {
    struct twin_ratio ratios[ORDERS][WITH_CODEC][2]; /* order, codec - 1, used */
};

static void alone(void *state, const struct span *s)
{
    struct etl_state *e = state;
    const char *slash = strchr(s->variant, '/');
    int codec = CODEC_LZ4;

    if (slash == NULL || strncmp(s->op, "compress_", 9) != 0 || !(s->bytes_in > 0))
        return;
    while (codec < CODECS && (strlen(codec_names[codec]) != (size_t)(slash - s->variant) ||
                              strncmp(s->variant, codec_names[codec], (size_t)(slash - s->variant)) != 0))
        codec++;
    if (codec == CODECS)
        return;
    twin_ratio_add(
        &e->ratios[strncmp(slash + 1, "session", 7) == 0][codec - 1][strstr(slash, "/used") != NULL],
        s->bytes_in, s->bytes_out);
}

static int rows(struct twin *t, const struct stage *stage, void *state, struct err *err)
{
    const struct etl_state *e = state;

    (void)err;
    for (int order = 0; order < ORDERS; order++)
        for (int codec = 0; codec < WITH_CODEC; codec++)
            for (int used = 0; used < 2; used++)
                twin_ratio_row(t,
                               arena_printf(t->a, "stages.%s.params.%sratio_%s_%s", stage->name,
                                            used ? "used_" : "", table_order_names[order],
                                            codec_names[codec + 1]),
                               &e->ratios[order][codec][used]);
    return 0;
}

const struct twin_recipe twin_etl = {
    .model = "etl", .state_size = sizeof(struct etl_state), .alone = alone, .rows = rows};
