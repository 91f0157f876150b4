/*
 * rank_print_parts.h - what the files that print a ranking share: rank_print.c the figures, gains, owners and
 * speed-ups, rank_print_estate.c what several pipelines and the bill make of them.
 */
#ifndef CLI_RANK_PRINT_PARTS_H
#define CLI_RANK_PRINT_PARTS_H

#include "cli/rank_print.h"

enum { RANK_WIDTH = 80 };

int rank_width_of(const char *s);                /* characters, not bytes */
void rank_cell(const char *s, int width);        /* right-justified; what is too long is printed whole */
char *rank_gain(char *buf, size_t size, const struct estimate *e); /* "1.42x \302\261 1 %" */
int rank_name_width(const struct ranking *r);                      /* of the column of optimizations */

/* rank_print_estate.c */
void print_estate(const struct ranking *r); /* nothing without a whole */
void print_money(const struct ranking *r);  /* nothing without prices */

#endif
