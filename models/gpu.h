/*
 * gpu.h - what one accelerator needs for a matrix product and for moving bytes.
 *
 * A product C[m,n] = A[m,k] B[k,n] is cut into tiles, one tile a processor at a
 * time, in waves of as many tiles as there are processors:
 *
 *   waves     ceil(tiles / processors); a last wave that is not full costs a whole one
 *   tile time 2 a b (k + k0) / (peak per processor * e * r / (r + h)),   r = a b / (a + b)
 *   time      launch + max(waves * tile time, bytes / memory bandwidth)
 *
 * k0 is the filling and draining of a tile's pipeline, in columns of A; r is how
 * often a loaded value is used, and h the use at which half of the peak is
 * reached.  The best of six tile shapes counts, as libraries choose.  Everything
 * else (normalization, dropout, optimizer) moves bytes at a share of the memory
 * bandwidth.
 *
 * gpu_law holds what is fitted (e, k0, h, launch, share); GPU_LAW was fitted on the 9,240 bf16 products
 * measured on an A100-SXM4-80GB by aiconfigurator (A100, vLLM 0.14, commit 095f58a51c4c, read 2026-11):
 * median error 4 % over m >= 1024, n >= 512, k >= 128.  Other GPUs take the same shape with their own peaks.
 */
#ifndef MODELS_GPU_H
#define MODELS_GPU_H

#include "models/collective.h"

struct gpu_spec {
    const char *name;
    double peak_flop_per_s; /* dense, 16 bit with 32-bit sums */
    double processors;
    double memory_bytes, memory_bytes_per_s;
    double link_bytes_per_s; /* to its neighbours in the node, one direction */
    const char *source;      /* with date */
};

struct gpu_law {
    double tile_frac;    /* e: of the peak, for a tile that never waits */
    double fill_columns; /* k0 */
    double half_reuse;   /* h */
    double launch_s;
    double memory_frac; /* of the memory bandwidth */
    double clock_frac;  /* sustained clock under power limits, of the one the peak is quoted at */
};

extern const struct gpu_law GPU_LAW;
extern const struct gpu_spec gpu_specs[];          /* name == NULL at the end */
extern const char *const gpu_names[];              /* the same names, NULL at the end */
const struct gpu_spec *gpu_find(const char *name); /* NULL when unknown */

/*
 * Links inside a node as a collective library uses them: at 40 % of the rate after 1.5 us a step, or at 77 %
 * after 10 us (fitted on NCCL 2.27 all-reduces over 8 A100, aiconfigurator@095f58a51c4c, 0.5 kB to 0.5 GB).
 */
struct fabric gpu_links(const struct gpu_spec *g);

double gpu_gemm_s(const struct gpu_spec *g, const struct gpu_law *l, double m, double n, double k,
                  double batch);
double gpu_move_s(const struct gpu_spec *g, const struct gpu_law *l, double bytes);

#endif
