/*
 * servegen.c - ServeGen clients: their arrival process by window, and their token histograms.
 *
 * chunk-N-trace.csv has no header line: window start (s), rate (requests/s), CV
 * of the time between arrivals, family of its law, two shape parameters.
 * chunk-N-dataset.json holds, by window start (s), texts such as
 * "{4: 7.2e-05, 5: 0.00016}" that give each token count its probability.
 */
#include "store/import/formats.h"
#include "store/import/jread.h"
#include "store/import/measured.h"

#include "base/arena.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const window_names[] = {"start", "rate", "cv", "family", "shape1", "shape2", NULL};
static const struct measured_column window_columns[] = {
    {"start", "window_start_s", NUMBER, 1},
    {"rate", "requests_per_s", FIGURE, 1},
    {"cv", "interarrival_cv", FIGURE, 1},
    {"family", "family", TEXT, 1},
    {"shape1", "law_shape_1", FIGURE, 1},
    {"shape2", "law_shape_2", FIGURE, 1},
    {NULL, NULL, COLUMN_END, 0},
};
static const struct measured_table windows = {NULL, "arrivals", window_columns, window_names, NULL};

/* No header to know it by: six fields, five of them numbers, the fourth a family or empty. */
static int windows_sniff(const struct import_head *h)
{
    double v[3];
    char family[20] = "";
    int n = 0;

    if (sscanf(h->text, "%lf,%lf,%lf,%n", &v[0], &v[1], &v[2], &n) != 3 || n == 0)
        return 0;
    sscanf(h->text + n, "%19[A-Za-z]", family);
    n += (int)strlen(family);
    if (h->text[n] != ',' || sscanf(h->text + n, ",%lf,%lf", &v[0], &v[1]) != 2)
        return 0;
    return strncmp(h->name, "chunk-", 6) == 0 || strcmp(family, "Gamma") == 0 ||
                   strcmp(family, "Weibull") == 0
               ? 85
               : 0;
}

static int windows_run(struct import *im, struct err *err)
{
    return measured_import(im, &windows, err);
}

const struct importer servegen_windows_importer = {
    .name = "servegen-windows",
    .help = "ServeGen client (CSV without header): arrival rate and burstiness by window",
    .units = "seconds, requests a second",
    .sniff = windows_sniff,
    .run = windows_run,
};

/* ---------------------------------------------------------------- histograms */

static int sniff(const struct import_head *h)
{
    const char *p = strstr(h->text, "\"input_tokens\"");

    if (h->text[strspn(h->text, " \t\r\n")] != '{' || p == NULL)
        return 0;
    p += 14;
    p += strspn(p, " :\t");
    return strncmp(p, "\"{", 2) == 0 ? 90 : 0;
}

/* "{4: 7.2e-05, 5: 0.1}"; false when it is written otherwise. */
static bool read_histogram(struct import *im, const char *name, const char *text)
{
    const char *p = text;
    char *end;

    if (*p++ != '{')
        return false;
    while (*p != '\0' && *p != '}') {
        double at = strtod(p, &end), v;

        if (end == p || *end != ':')
            return false;
        p = end + 1;
        v = strtod(p, &end);
        if (end == p || !isfinite(at) || !(v >= 0 && v <= 1))
            return false;
        import_figure(im, name, at, v);
        p = end + strspn(end, " ,");
    }
    return *p == '}';
}

static int read_window(struct import *im, struct jread *j, double start_s, struct err *err)
{
    const char *key, *text;
    char name[80], *names[16];
    int n = 0, rc = 0;
    bool good = !isnan(start_s), stored = false;

    import_measure(im, "token counts");
    import_setting_number(im, "window_start_s", start_s);
    if (jread_enter(j, '{'))
        while ((key = jread_member(j)) != NULL) {
            snprintf(name, sizeof name, "%s", key);
            text = jread_string(j);
            if (text == NULL || n == 16) {
                good = false;
                continue;
            }
            names[n] = xstrdup(name);
            good = read_histogram(im, names[n++], text) && good;
        }
    if (jread_bad(j) == NULL && good)
        rc = import_measure_end(im, &stored, err);
    while (n > 0)
        free(names[--n]);
    TRY(rc);
    if (jread_bad(j) != NULL)
        return 0;
    if (!good)
        return import_bad(im, 0, "a window that is not histograms written as \"{count: probability, ...}\"",
                          err);
    if (stored)
        import_keep(im);
    else
        import_skip(im, "a window without requests");
    return 0;
}

static int read_windows(struct import *im, struct jread *j, struct err *err)
{
    const char *key;

    if (jread_enter(j, '{'))
        while ((key = jread_member(j)) != NULL) {
            char *end;
            double start_s = strtod(key, &end);

            import_at(im, jread_line(j));
            TRY(read_window(im, j, *end == '\0' ? start_s : NAN, err));
        }
    jread_finished(j);
    TRY(jread_error(j, err));
    if (jread_bad(j) != NULL)
        return import_refuse(im, jread_line(j), jread_column(j), err, "%s", jread_bad(j));
    return 0;
}

static int run(struct import *im, struct err *err)
{
    struct jread *j = jread_new();
    int rc;

    jread_source(j, import_source(im));
    rc = read_windows(im, j, err);
    jread_free(j);
    return rc;
}

const struct importer servegen_importer = {
    .name = "servegen",
    .help = "ServeGen client (JSON): token-count histograms by window",
    .units = "tokens; probabilities",
    .sniff = sniff,
    .run = run,
};
