/*
 * search_print.h - the result of a search as a person reads it: the best, how sure, and the front.
 */
#ifndef CLI_SEARCH_PRINT_H
#define CLI_SEARCH_PRINT_H

#include "study/search/search.h"

void print_search(const struct search_result *r);

#endif
