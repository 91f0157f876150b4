/*
 * registry.c - every component model, in the order in which they are listed.
 *
 * A plain array: a constructor that registers itself would be dropped by the
 * linker from a static library.
 */
#include "models/model.h"

#include "base/text.h"

#include <string.h>

/* clang-format off */
extern const struct model station_model;
extern const struct model operators_model;
extern const struct model etl_model;
extern const struct model spark_model;
extern const struct model experiment_model;
extern const struct model label_model;
extern const struct model storage_model;
extern const struct model loader_model;
extern const struct model preprocess_model;
extern const struct model feature_store_model;
extern const struct model training_model;
extern const struct model gpu_training_model;
extern const struct model inference_model;
extern const struct model vector_db_model;
extern const struct model llm_serving_model, llm_hosted_model;
extern const struct model prompt_model;
extern const struct model tool_model;

const struct model *const models[] = {
    &station_model,
    &operators_model,
    &etl_model,
    &spark_model,
    &experiment_model,
    &label_model,
    &storage_model,
    &loader_model,
    &preprocess_model,
    &feature_store_model,
    &training_model,
    &gpu_training_model,
    &inference_model,
    &vector_db_model,
    &llm_serving_model,
    &llm_hosted_model,
    &prompt_model,
    &tool_model,
    NULL,
};
/* clang-format on */

const struct model *model_find(const char *name)
{
    for (size_t i = 0; models[i] != NULL; i++)
        if (strcmp(models[i]->name, name) == 0)
            return models[i];
    return NULL;
}

const char *model_nearest(const char *name)
{
    const char *names[sizeof models / sizeof *models];
    size_t n = 0;

    for (; models[n] != NULL; n++)
        names[n] = models[n]->name;
    return text_nearest(name, names, n);
}
