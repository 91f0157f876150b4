/*
 * rng_gsl.h - our generator dressed as one of GSL's, so that every law of GSL draws from a named stream.
 *
 *     gsl_rng g = rng_gsl(&stream);
 *     k = gsl_ran_poisson(&g, mu);
 *
 * The gsl_rng borrows the stream: nothing to free.
 */
#ifndef ENGINE_RNG_GSL_H
#define ENGINE_RNG_GSL_H

#include "engine/rng.h"

#include <gsl/gsl_rng.h>

gsl_rng rng_gsl(struct rng *r);

#endif
