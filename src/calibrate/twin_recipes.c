#include "calibrate/twin.h"

extern const struct twin_recipe twin_etl;

const struct twin_recipe *const twin_recipes[] = {
    &twin_etl,
    NULL,
};
