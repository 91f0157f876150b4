#include "study/shapley.h"

#include "engine/rng.h"

void shapley_exact(int n, const double *value, double *phi)
{
    double weight[SHAPLEY_EXACT_MAX];

    /* weight[s] = s! (n - s - 1)! / n!, by recurrence from s = 0: 1/n */
    weight[0] = 1.0 / n;
    for (int s = 1; s < n; s++)
        weight[s] = weight[s - 1] * s / (n - s);
    for (int i = 0; i < n; i++) {
        phi[i] = 0;
        for (uint32_t set = 0; set < 1u << n; set++)
            if (!(set >> i & 1))
                phi[i] += weight[__builtin_popcount(set)] * (value[set | 1u << i] - value[set]);
    }
}

void shapley_order(int n, uint64_t seed, int k, int *order)
{
    struct rng r;

    rng_keyed(&r, seed, 0, rng_hash("shapley"), (uint64_t)(k / 2), 0);
    for (int i = 0; i < n; i++)
        order[i] = i;
    for (int i = n - 1; i > 0; i--) {
        int j = (int)(rng_uniform(&r) * (i + 1)), t = order[i];

        order[i] = order[j];
        order[j] = t;
    }
    for (int i = 0; k % 2 == 1 && i < n / 2; i++) {
        int t = order[i];

        order[i] = order[n - 1 - i];
        order[n - 1 - i] = t;
    }
}
