#include "calibrate/recipes.h"

#include <string.h>

const struct recipe recipes[] = {
    {"operator table", "operator_costs", recipe_operator_table},
    {"collective", "operator_costs", recipe_collective},
    {"service law", "spans", recipe_service_law},
    {"item cost", "spans", recipe_item_cost},
    {"token lengths", "requests", recipe_token_lengths},
    {"concurrency curve", "measurements", recipe_concurrency_curve},
    {"storage runs", "measurements", recipe_storage_runs},
    {"task law", "spark_task", recipe_task_law},
    {NULL, NULL, NULL},
};

const struct recipe *recipe_find(const char *name)
{
    for (const struct recipe *r = recipes; r->name != NULL; r++)
        if (strcmp(r->name, name) == 0)
            return r;
    return NULL;
}
