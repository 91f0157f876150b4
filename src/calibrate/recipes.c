#include "calibrate/recipes.h"

#include <string.h>

const struct recipe recipes[] = {
    {"operator table", "operator_costs", recipe_operator_table},
    {"collective", "operator_costs", recipe_collective},
    {"roofline", "operator_costs", recipe_roofline},
    {"service law", "spans", recipe_service_law},
    {"item cost", "spans", recipe_item_cost},
    {"arrivals", "requests", recipe_arrivals},
    {"token lengths", "requests", recipe_token_lengths},
    {"concurrency curve", "measurements", recipe_concurrency_curve},
    {"recall curve", "measurements", recipe_recall_curve},
    {"task law", "spark_task", recipe_task_law},
    {"storage runs", "measurements", recipe_storage_runs},
    {NULL, NULL, NULL},
};

const struct recipe *recipe_find(const char *name)
{
    for (const struct recipe *r = recipes; r->name != NULL; r++)
        if (strcmp(r->name, name) == 0)
            return r;
    return NULL;
}
