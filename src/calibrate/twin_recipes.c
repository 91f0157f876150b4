#include "calibrate/twin.h"

extern const struct twin_recipe twin_etl;
extern const struct twin_recipe twin_images;

const struct twin_recipe *const twin_recipes[] = {
    &twin_etl,
    &twin_images,
    NULL,
};
