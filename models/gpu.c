#include "models/gpu.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* Data sheets quote peaks without sparsity; links are half of the quoted sum of both directions. */
#define GPU_LIST(X)                                                                                          \
    X("a100-80gb", 312e12, 108, 85.9e9, 2039e9, 300e9, "NVIDIA A100 80GB SXM data sheet, 2021-06")           \
    X("a100-40gb", 312e12, 108, 42.9e9, 1555e9, 300e9, "NVIDIA A100 40GB SXM data sheet, 2020-05")           \
    X("h100", 989e12, 132, 85.9e9, 3350e9, 450e9, "NVIDIA H100 SXM data sheet, 2023-03")                     \
    X("h200", 989e12, 132, 151.4e9, 4800e9, 450e9, "NVIDIA H200 SXM data sheet, 2023-11")                    \
    X("v100-32gb", 125e12, 80, 34.4e9, 900e9, 150e9, "NVIDIA V100 SXM2 data sheet, 2018-03")                 \
    X("v100-16gb", 125e12, 80, 17.2e9, 900e9, 150e9, "NVIDIA V100 SXM2 data sheet, 2018-03")                 \
    X("t4", 65e12, 40, 17.2e9, 320e9, 16e9, "NVIDIA T4 data sheet, 2019-03 (PCIe gen3 x16)")                 \
    X("a10g", 70e12, 80, 25.8e9, 600e9, 32e9, "NVIDIA A10G in AWS g5, 2021-11 (PCIe gen4 x16)")              \
    X("l40s", 362e12, 142, 51.5e9, 864e9, 32e9, "NVIDIA L40S data sheet, 2023-08 (PCIe gen4 x16)")

#define SPEC(...)       {__VA_ARGS__},
#define NAME(name, ...) name,

const struct gpu_spec gpu_specs[] = {GPU_LIST(SPEC){.name = NULL}};
const char *const gpu_names[] = {GPU_LIST(NAME) NULL};

const struct gpu_law GPU_LAW = {.tile_frac = 1.404,
                                .fill_columns = 241,
                                .half_reuse = 38.1,
                                .launch_s = 2.7e-6,
                                .memory_frac = 0.8,
                                .clock_frac = 1};

const struct gpu_spec *gpu_find(const char *name)
{
    for (const struct gpu_spec *g = gpu_specs; g->name != NULL; g++)
        if (strcmp(g->name, name) == 0)
            return g;
    return NULL;
}

struct fabric gpu_links(const struct gpu_spec *g)
{
    return (struct fabric){.quick = {0.40 * g->link_bytes_per_s, 1.5e-6},
                           .wide = {0.77 * g->link_bytes_per_s, 10e-6}};
}

double gpu_gemm_s(const struct gpu_spec *g, const struct gpu_law *l, double m, double n, double k,
                  double batch)
{
    static const double tile[][2] = {{256, 128}, {128, 256}, {128, 128}, {128, 64}, {64, 128}, {64, 64}};
    double per_processor = g->peak_flop_per_s / g->processors * l->clock_frac, best = INFINITY, bytes;

    for (size_t i = 0; i < sizeof tile / sizeof *tile; i++) {
        double a = tile[i][0], b = tile[i][1], reuse = a * b / (a + b);
        double waves = ceil(batch * ceil(m / a) * ceil(n / b) / g->processors);
        double rate = per_processor * l->tile_frac * reuse / (reuse + l->half_reuse);

        best = fmin(best, waves * 2 * a * b * (k + l->fill_columns) / rate);
    }
    bytes = 2 * batch * (m * k + k * n + m * n);
    return l->launch_s + fmax(best, bytes / (g->memory_bytes_per_s * l->memory_frac));
}

double gpu_move_s(const struct gpu_spec *g, const struct gpu_law *l, double bytes)
{
    return l->launch_s + bytes / (g->memory_bytes_per_s * l->memory_frac);
}
