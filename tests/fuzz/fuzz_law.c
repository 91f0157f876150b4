#include "base/arena.h"
#include "base/json.h"
#include "base/law.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses the unit; the rest is a quantity, and a law if it is JSON. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum unit unit = size > 0 ? (enum unit)(data[0] % UNIT_COUNT_) : UNIT_NONE;
    char *text = malloc(size + 1);
    struct arena *a = arena_new();
    struct err e = {0};
    struct json *v;
    struct law law;
    double x;

    memcpy(text, data, size);
    text[size] = '\0';
    if (size > 0 && units_parse(text + 1, unit, &x, &e) == 0)
        ASSERT(isfinite(x));
    if (size > 0 && json_parse(text + 1, "fuzz", &v, &e) == 0) {
        if (law_read(v, unit, "$", a, &law, &e) == 0)
            ASSERT(isfinite(law.mean) && law.mean >= 0 && law.cv >= 0);
        json_free(v);
    }
    arena_free(a);
    free(text);
    return 0;
}
