#include "calibrate/fitting.h"

#include "calibrate/resolve.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more in an array of the arena. */
static void *grown(struct arena *a, void *rows, size_t n, size_t size)
{
    void *more;

    if (n != 0 && (n & (n - 1)) != 0)
        return rows;
    more = arena_array(a, n == 0 ? 1 : 2 * n, size);
    if (n > 0)
        memcpy(more, rows, n * size);
    return more;
}

void fitting_row(struct fitting *f, const struct calibration_row *row)
{
    f->rows = grown(f->a, f->rows, f->n, sizeof *f->rows);
    f->rows[f->n++] = *row;
}

struct calibration_row *fitting_plain(struct fitting *f, const char *path, double value, double stderr_,
                                      const char *unit, long n, const char *method)
{
    fitting_row(f, &(struct calibration_row){.path = path,
                                             .value = value,
                                             .stderr_ = stderr_,
                                             .unit = unit,
                                             .n = n,
                                             .method = method,
                                             .r2 = NAN,
                                             .holdout_error_frac = NAN,
                                             .valid_from = NAN,
                                             .valid_to = NAN});
    return &f->rows[f->n - 1];
}

void fitting_remark(struct fitting *f, const char *kind, const char *fmt, ...)
{
    char text[400];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    for (size_t i = 0; i < f->extra.remarks_n; i++)
        if (strcmp(f->extra.remarks[i].text, text) == 0)
            return;
    f->extra.remarks = grown(f->a, f->extra.remarks, f->extra.remarks_n, sizeof *f->extra.remarks);
    f->extra.remarks[f->extra.remarks_n++] = (struct calibration_remark){kind, arena_strdup(f->a, text)};
}

void fitting_suspects(struct fitting *f, const char *of, const struct fit *fit)
{
    for (int i = 0; i < fit->suspects_n; i++)
        fitting_remark(f, "suspect", "%s: %s", of, fit->suspect[i]);
}

static void add_covariances(struct fitting *f, const char *prefix, const struct fit *fit)
{
    for (int i = 0; i < fit->params_n; i++)
        for (int k = 0; k < i; k++) {
            struct calibration_cov *c;

            if (!(fabs(fit->cov[i][k]) > 0) || !fit->param[i].identifiable || !fit->param[k].identifiable)
                continue;
            f->extra.covs = grown(f->a, f->extra.covs, f->extra.covs_n, sizeof *f->extra.covs);
            c = &f->extra.covs[f->extra.covs_n++];
            c->a = arena_printf(f->a, "%s.%s", prefix, fit->param[i].name);
            c->b = arena_printf(f->a, "%s.%s", prefix, fit->param[k].name);
            c->covariance = fit->cov[i][k];
        }
}

void fitting_fit(struct fitting *f, const char *prefix, const struct fit *fit, const char *valid_of)
{
    for (int i = 0; i < fit->params_n; i++) {
        const struct fit_param *p = &fit->param[i];

        if (!p->identifiable) {
            fitting_remark(f, "note", "%s.%s: the recording does not tell it", prefix, p->name);
            continue;
        }
        fitting_row(f, &(struct calibration_row){.path = arena_printf(f->a, "%s.%s", prefix, p->name),
                                                 .value = p->value,
                                                 .stderr_ = p->stderr_,
                                                 .unit = p->unit,
                                                 .n = fit->n,
                                                 .method = fit->method,
                                                 .r2 = fit->r2,
                                                 .holdout_error_frac = fit->holdout_error_frac,
                                                 .valid_from = fit->valid_from,
                                                 .valid_to = fit->valid_to,
                                                 .valid_of = valid_of});
    }
    add_covariances(f, prefix, fit);
    fitting_suspects(f, prefix, fit);
    if (strncmp(prefix, "fits.", 5) != 0)
        fitting_bias(f, fit);
}

void fitting_bias(struct fitting *f, const struct fit *fit)
{
    if (isfinite(fit->holdout_bias_frac))
        f->worst_bias_frac = fmax(f->worst_bias_frac, fit->holdout_bias_frac);
}

void fitting_source(struct fitting *f, const char *path, const struct rows_used *used)
{
    f->extra.sources = grown(f->a, f->extra.sources, f->extra.sources_n, sizeof *f->extra.sources);
    f->extra.sources[f->extra.sources_n++] = (struct calibration_source){.path = path,
                                                                         .trace_id = used->trace_id,
                                                                         .view = used->view,
                                                                         .what = used->what,
                                                                         .first = used->first,
                                                                         .last = used->last,
                                                                         .n = used->n};
}

static bool is_model(const char *target)
{
    return model_find(target) != NULL;
}

const char *fitting_path(struct fitting *f, const char *param)
{
    if (is_model(f->target))
        return arena_printf(f->a, "models.%s.params.%s", f->target, param);
    return arena_printf(f->a, strcmp(f->target, "workload") == 0 ? "%s.%s" : "kinds.%s.%s", f->target, param);
}

struct json *fitting_document(struct fitting *f)
{
    if (f->document == NULL)
        f->document = json_new_object();
    return f->document;
}

void fitting_end(struct fitting *f)
{
    char *text;

    f->extra.target = f->target;
    if (f->worst_bias_frac > 0)
        fitting_row(f, &(struct calibration_row){.path = DISCREPANCY_PATH,
                                                 .value = f->worst_bias_frac,
                                                 .stderr_ = 0,
                                                 .unit = "",
                                                 .n = (long)f->n,
                                                 .method = "largest held-out error of a total",
                                                 .r2 = NAN,
                                                 .holdout_error_frac = NAN,
                                                 .valid_from = NAN,
                                                 .valid_to = NAN});
    if (f->document == NULL)
        return;
    text = json_compact(f->document);
    f->extra.document = arena_strdup(f->a, text);
    free(text);
}

void fitting_free(struct fitting *f)
{
    json_free(f->document);
    f->document = NULL;
}
