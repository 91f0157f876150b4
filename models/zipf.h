/*
 * zipf.h - popularity: the k-th most popular of n things is asked for with probability proportional to k^-s.
 *
 * Draws by rejection-inversion (Hoermann and Derflinger 1996, ACM TOMACS 6(3)):
 * no table, about 1.1 uniforms a draw, any s >= 0.
 */
#ifndef MODELS_ZIPF_H
#define MODELS_ZIPF_H

#include "engine/rng.h"

struct zipf {
    double n, s;
    double area_first, area_all, accept;
};

void zipf_init(struct zipf *z, double n, double s);
uint64_t zipf_draw(const struct zipf *z, struct rng *r); /* 1 .. n */
double zipf_top(double n, double s, double top);         /* what share of questions the `top` first get */

#endif
