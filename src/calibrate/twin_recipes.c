#include "calibrate/twin.h"

extern const struct twin_recipe twin_etl, twin_images, twin_inference, twin_label, twin_llm_serving, twin_prompt,
    twin_vector_db;

const struct twin_recipe *const twin_recipes[] = {
    &twin_etl,    &twin_images,    &twin_label,       &twin_prompt,
    &twin_inference, &twin_vector_db, &twin_llm_serving, NULL,
};
