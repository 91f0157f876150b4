/*
 * fitted.h - what every fit method hands back.
 *
 * A fitted value never travels without its error: each parameter has a standard
 * error and a 95 % interval (which need not be symmetric: positive quantities
 * have theirs on the logarithm, those near a bound from the bootstrap), all of
 * them a covariance.  Beside them stand what the fit rests on (n), how well it
 * describes what it saw (r2 or KS), how well it predicted what it was not shown,
 * and where it may be believed (valid_from .. valid_to, in the unit of the
 * method's abscissa).  Suspects are sentences about the recording: saturated,
 * throttled, contradicting itself, not telling two parameters apart.
 *
 * The struct is a plain value: no ownership, copy it as you like.  Names and
 * methods are static text unless the caller gave them.
 *
 * A method fails (ERR_FAILED, with the sentence why) only when it has nothing
 * to say: too few observations, values that cannot be.  A doubtful recording is
 * a result with suspects.
 */
#ifndef CALIBRATE_FITTED_H
#define CALIBRATE_FITTED_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { FIT_PARAMS = 12, FIT_SUSPECTS = 6, FIT_SUSPECT_TEXT = 200 };

struct fit_param {
    const char *name; /* as the scenario writes it, where it has a place there */
    const char *unit; /* "s", "bytes/s", "" */
    double value, stderr_;
    double lo, hi;     /* 95 % */
    bool on_bound;     /* the optimum lies on a bound: stderr_ and interval come from the bootstrap */
    bool identifiable; /* false: the data do not tell it; value is what was assumed, lo..hi infinite */
};

struct fit {
    const char *method;
    struct fit_param param[FIT_PARAMS];
    int params_n;
    double cov[FIT_PARAMS][FIT_PARAMS]; /* of the values; rows of parameters not told are 0 */
    long n;
    double r2, ks;             /* NAN where the method has none */
    double noise_frac;         /* relative standard deviation of what is left unexplained; NAN where none */
    double holdout_error_frac; /* median |predicted / measured - 1| of what was held out, of laws its KS
                                  distance; NAN: nothing was */
    double holdout_bias_frac;  /* |predicted / measured - 1| of its total: the model's discrepancy, not the
                                  noise */
    double valid_from, valid_to;
    char suspect[FIT_SUSPECTS][FIT_SUSPECT_TEXT];
    int suspects_n;
};

/* An empty result: everything that is a number is NAN, every count 0. */
struct fit fit_begin(const char *method);

/* Adds a parameter with a symmetric interval of `t` standard errors, cut at `least` (-INFINITY: no bound). */
struct fit_param *fit_add(struct fit *f, const char *name, const char *unit, double value, double stderr_,
                          double t, double least);

/* One that the data do not tell. */
void fit_add_unknown(struct fit *f, const char *name, const char *unit, double assumed);

/* Interval on the logarithm: value * exp(+- t stderr / value); for values above 0. */
void fit_log_interval(struct fit_param *p, double t);

/*
 * Standard errors, covariance and 95 % intervals from `draws` resampled estimates (row r: the params_n values
 * of draw r).  Percentiles are moved away from the value by the factor `widen` (a resample of few
 * observations varies less than a sample does) and cut at `least`.
 */
void fit_from_draws(struct fit *f, const double *draws, size_t n, double widen, double least);

/* Median relative error, and that of the total, of n predictions. */
void fit_held_out(struct fit *f, const double *predicted, const double *measured, size_t n);

/* Two-sided 95 % point of Student's t; of the normal where degrees_of_freedom is infinite. */
double fit_t95(double degrees_of_freedom);

void fit_suspect(struct fit *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

const struct fit_param *fit_find(const struct fit *f, const char *name); /* NULL: none of that name */
double fit_get(const struct fit *f, const char *name);                   /* of one that is there */

#endif
