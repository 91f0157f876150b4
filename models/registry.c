/*
 * registry.c - every component model, in the order in which they are listed.
 *
 * A plain array: a constructor that registers itself would be dropped by the
 * linker from a static library.
 */
#include "models/model.h"

#include "base/text.h"

#include <string.h>

extern const struct model station_model, operators_model, etl_model, storage_model, preprocess_model,
    training_model, gpu_training_model;

const struct model *const models[] = {
    &station_model, &operators_model, &etl_model, &storage_model, &preprocess_model, &training_model,
    &gpu_training_model, NULL,
};

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
