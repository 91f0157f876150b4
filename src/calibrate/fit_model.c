#include "calibrate/fit_model.h"

#include "base/text.h"
#include "calibrate/recipes.h"
#include "calibrate/samples.h"
#include "models/fits.h"
#include "store/view.h"

#include <string.h>

static const double TABLE_BOUND_FRAC = 0.05;

static int no_target(const char *target, struct err *err)
{
    const char *names[64];
    size_t n = fits_names(names, sizeof names / sizeof *names);
    struct text t = {0};

    text_printf(&t, "nothing called \"%s\" can be fitted; ", target);
    text_add_suggestion(&t, target, names, n);
    err_set(err, ERR_USAGE, "%s", t.s);
    text_free(&t);
    return err->code;
}

/* What the target could have been fitted from. */
static int nothing_found(const struct fit_model_input *in, const struct fit_info *fits, struct err *err)
{
    struct text t = {0};

    for (const struct fit_info *i = fits; i->param != NULL; i++)
        text_printf(&t, "%s%s (%s)", i == fits ? "" : ", ", i->view, i->to[0] != '\0' ? i->to : i->from);
    err_set(err, ERR_USAGE,
            "%s: the traces hold none of what it is fitted from%s%s: %s; `foresight trace show TRACE` lists what "
            "is there",
            in->target, in->where != NULL ? " that matches --where " : "", in->where != NULL ? in->where : "", t.s);
    text_free(&t);
    return err->code;
}

static int run_recipes(const struct fit_model_input *in, const struct fit_info *fits, struct fitting *f,
                       struct err *err)
{
    bool any = false;

    for (int k = 0; k < in->traces_n; k++)
        for (const struct fit_info *i = fits; i->param != NULL; i++) {
            const struct recipe *r = recipe_find(i->method);
            bool used = false;

            ASSERT(r != NULL);
            if (r->run(f, i, in->traces[k], &used, err) != 0)
                return err_at(err, "%s, trace %lld", r->name, (long long)in->traces[k]);
            any = any || used;
        }
    return any ? 0 : nothing_found(in, fits, err);
}

/* What the import found odd concerns the parameters too, unless only some rows were asked for. */
static int keep_suspects(const struct fit_model_input *in, struct fitting *f, struct err *err)
{
    for (int k = 0; k < in->traces_n && in->where == NULL; k++) {
        struct view_column c[] = {{.name = "kind"}, {.name = "what"}};
        size_t n;

        TRY(view_load(in->store, "import_note", in->traces[k], c, 2, f->a, &n, err));
        for (size_t i = 0; i < n; i++)
            if (strcmp(c[0].text[i], "suspect") == 0)
                fitting_remark(f, "suspect", "%.300s", c[1].text[i]);
    }
    return 0;
}

int fit_model(const struct fit_model_input *in, struct arena *a, struct fitting *out, struct err *err)
{
    const struct fit_info *fits = fits_find(in->target);
    int rc;

    *out = (struct fitting){.store = in->store,
                            .a = a,
                            .target = in->target,
                            .where = in->where,
                            .bound_frac = in->bound_frac > 0 ? in->bound_frac : TABLE_BOUND_FRAC};
    if (fits == NULL)
        return no_target(in->target, err);
    TRY(samples_check_filter(in->where, err));
    rc = run_recipes(in, fits, out, err);
    if (rc == 0)
        rc = keep_suspects(in, out, err);
    if (rc == 0)
        fitting_end(out);
    else
        fitting_free(out);
    return rc;
}
