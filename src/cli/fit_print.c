#include "cli/fit_print.h"

#include <math.h>
#include <stdio.h>

struct json *number_or_null(double v)
{
    return isfinite(v) ? json_new_number(v) : json_new_null();
}

static void row_json(const struct calibration_row *r, struct json *list)
{
    struct json *o = json_push(list, json_new_object()), *valid;

    json_set_string(o, "path", r->path);
    json_set_number(o, "value", r->value);
    json_set(o, "stderr", number_or_null(r->stderr_));
    json_set_string(o, "unit", r->unit);
    json_set_number(o, "n", (double)r->n);
    json_set_string(o, "method", r->method);
    json_set(o, "r2", number_or_null(r->r2));
    json_set(o, "holdout_error_frac", number_or_null(r->holdout_error_frac));
    valid = json_set_object(o, "valid");
    json_set(valid, "from", number_or_null(r->valid_from));
    json_set(valid, "to", number_or_null(r->valid_to));
    if (r->valid_of != NULL && r->valid_of[0] != '\0')
        json_set_string(valid, "of", r->valid_of);
}

void fit_rows_json(const struct calibration_row *rows, size_t n, struct json *list)
{
    for (size_t i = 0; i < n; i++)
        row_json(&rows[i], list);
}

static void print_row(const struct calibration_row *r)
{
    printf("  %-52s %12.4g ", r->path, r->value);
    if (isfinite(r->stderr_))
        printf("%9.2g%% ", 100 * r->stderr_ / fabs(r->value));
    else
        printf("%10s ", "-");
    printf("%7ld ", r->n);
    if (isfinite(r->r2))
        printf("%8.4f ", r->r2);
    else
        printf("%8s ", "-");
    if (isfinite(r->holdout_error_frac))
        printf("%7.1f %%", 100 * r->holdout_error_frac);
    else
        printf("%9s", "-");
    if (r->valid_of != NULL && r->valid_of[0] != '\0' && isfinite(r->valid_from) && isfinite(r->valid_to))
        printf("   %.4g to %.4g %s", r->valid_from, r->valid_to, r->valid_of);
    putchar('\n');
}

void print_fit_rows(const struct calibration_row *rows, size_t n)
{
    printf("  %-52s %12s %10s %7s %8s %9s   %s\n", "parameter (SI units)", "value", "std error", "n", "r2",
           "held out", "valid");
    for (size_t i = 0; i < n; i++)
        if (rows[i].value != 0)
            print_row(&rows[i]);
}
