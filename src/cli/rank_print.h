/*
 * rank_print.h - a ranking as a reviewer reads it, 80 columns wide: what each optimization does to the
 * figures that are weighed, what cannot be told apart, local gain beside end-to-end gain, who pays, virtual
 * speed-ups.
 */
#ifndef CLI_RANK_PRINT_H
#define CLI_RANK_PRINT_H

#include "study/rank.h"

void print_ranking(const struct study *st, const struct ranking *r);

#endif
