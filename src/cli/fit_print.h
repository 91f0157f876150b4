/*
 * fit_print.h - fitted parameters as a table and as JSON.
 */
#ifndef CLI_FIT_PRINT_H
#define CLI_FIT_PRINT_H

#include "base/json.h"
#include "store/calibration.h"

void print_fit_rows(const struct calibration_row *rows, size_t n);
void fit_rows_json(const struct calibration_row *rows, size_t n, struct json *list);

struct json *number_or_null(double v);

#endif
