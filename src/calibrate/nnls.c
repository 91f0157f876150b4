#include "calibrate/nnls.h"

#include <gsl/gsl_linalg.h>
#include <math.h>
#include <string.h>

enum { K = NNLS_MOST };

static const double PIVOT = 1e-5;

/* Cholesky of the columns in use; false when one of them is said by the others. */
static bool factor(const double a[K][K], const bool *in, size_t k, double *l, size_t *map, size_t *m)
{
    gsl_matrix_view v;

    *m = 0;
    for (size_t j = 0; j < k; j++)
        if (in[j])
            map[(*m)++] = j;
    if (*m == 0)
        return true;
    for (size_t r = 0; r < *m; r++)
        for (size_t c = 0; c < *m; c++)
            l[r * *m + c] = a[map[r]][map[c]];
    v = gsl_matrix_view_array(l, *m, *m);
    if (gsl_linalg_cholesky_decomp1(&v.matrix) != 0)
        return false;
    for (size_t r = 0; r < *m; r++)
        if (!(l[r * *m + r] > PIVOT))
            return false;
    return true;
}

static bool solve_in(const double a[K][K], const double *b, const bool *in, size_t k, double *s)
{
    double l[K * K], rhs[K];
    size_t map[K], m;

    memset(s, 0, K * sizeof *s);
    if (!factor(a, in, k, l, map, &m))
        return false;
    for (size_t r = 0; r < m; r++)
        rhs[r] = b[map[r]];
    if (m > 0) {
        gsl_matrix_view v = gsl_matrix_view_array(l, m, m);
        gsl_vector_view x = gsl_vector_view_array(rhs, m);

        gsl_linalg_cholesky_svx(&v.matrix, &x.vector);
    }
    for (size_t r = 0; r < m; r++)
        s[map[r]] = rhs[r];
    return true;
}

/* Moves from x towards s until the first coefficient meets its bound; that one leaves. */
static bool step_to_bound(double *x, const double *s, bool *in, size_t k)
{
    double alpha = 1;
    bool met = false;

    for (size_t j = 0; j < k; j++)
        if (in[j] && s[j] <= 0)
            alpha = fmin(alpha, x[j] - s[j] > 0 ? x[j] / (x[j] - s[j]) : 0);
    for (size_t j = 0; j < k; j++) {
        if (!in[j])
            continue;
        if (s[j] <= 0 && (x[j] - s[j] <= 0 || x[j] / (x[j] - s[j]) <= alpha)) {
            x[j] = 0;
            in[j] = false;
            met = true;
        } else {
            x[j] += alpha * (s[j] - x[j]);
        }
    }
    return met;
}

/* The column whose growth lowers the residual fastest; -1: none does. */
static int steepest(const double a[K][K], const double *b, const double *x, const bool *in, const bool *out,
                    size_t k)
{
    int best = -1;
    double most = 0;

    for (size_t j = 0; j < k; j++) {
        double g = b[j];

        for (size_t c = 0; c < k; c++)
            g -= a[j][c] * x[c];
        if (!in[j] && !out[j] && g > most + 1e-11 * fabs(b[j])) {
            most = g;
            best = (int)j;
        }
    }
    return best;
}

void nnls_solve(const double a[K][K], const double *b, size_t k, double *x, bool *in, bool *said)
{
    bool refused[K] = {false};
    double s[K];
    int j, left = 10 * (int)k; /* rounding could let two columns take turns for ever */

    memset(x, 0, K * sizeof *x);
    memset(in, 0, K * sizeof *in);
    memset(said, 0, K * sizeof *said);
    for (size_t c = 0; c < k; c++)
        refused[c] = !(a[c][c] > 0);
    while (left-- > 0 && (j = steepest(a, b, x, in, refused, k)) >= 0) {
        in[j] = true;
        if (!solve_in(a, b, in, k, s) || s[j] <= 0) {
            said[j] = s[j] == 0;
            in[j] = false;
            refused[j] = true;
            continue;
        }
        while (step_to_bound(x, s, in, k))
            solve_in(a, b, in, k, s);
    }
}

void nnls_any_sign(const double a[K][K], const double *b, size_t k, double *x, bool *in, bool *said)
{
    memset(in, 0, K * sizeof *in);
    memset(said, 0, K * sizeof *said);
    memset(x, 0, K * sizeof *x);
    for (size_t j = 0; j < k; j++) {
        in[j] = true;
        if (a[j][j] > 0 && solve_in(a, b, in, k, x))
            continue;
        in[j] = false;
        said[j] = true;
    }
    solve_in(a, b, in, k, x);
}

bool nnls_tells_apart(const double a[K][K], const bool *use, size_t k)
{
    double l[K * K];
    size_t map[K], m;

    return factor(a, use, k, l, map, &m);
}

void nnls_inverse(const double a[K][K], const bool *in, size_t k, double inverse[K][K])
{
    double l[K * K];
    size_t map[K], m;
    gsl_matrix_view v;

    memset(inverse, 0, K * sizeof inverse[0]);
    if (!factor(a, in, k, l, map, &m) || m == 0)
        return;
    v = gsl_matrix_view_array(l, m, m);
    gsl_linalg_cholesky_invert(&v.matrix);
    for (size_t r = 0; r < m; r++)
        for (size_t c = 0; c < m; c++)
            inverse[map[r]][map[c]] = l[r * m + c];
}
