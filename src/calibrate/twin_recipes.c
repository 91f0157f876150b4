#include "calibrate/twin.h"

extern const struct twin_recipe twin_etl, twin_label;

const struct twin_recipe *const twin_recipes[] = {
    &twin_etl,
    &twin_label,
    NULL,
};
