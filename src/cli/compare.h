/*
 * compare.h - two sides set beside each other, as a person reads them: for `whatif` and `diff`.
 */
#ifndef CLI_COMPARE_H
#define CLI_COMPARE_H

#include "cli/args.h"
#include "study/whatif.h"

/*
 * Prints the comparison as --json and --format ask and frees nothing.  With --detailed-exitcode ERR_DIFFERS
 * when something differs.
 */
int compare_show(const struct args *args, const char *command, const struct whatif *w, struct err *err);

#endif
