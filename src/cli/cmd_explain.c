#include "cli/cmd.h"

#include "base/text.h"
#include "cli/reference.h"
#include "models/dataset.h"

#include <stdio.h>
#include <string.h>

static int no_such(const char *path, const char *found, const struct param *table, struct err *err)
{
    const char *names[64], *near;
    size_t n = 0;

    for (; table[n].type != PARAM_END && n < 64; n++)
        names[n] = table[n].name;
    near = text_nearest(found, names, n);
    return err_set(err, ERR_USAGE, "%s: no parameter \"%s\"%s%s%s", path, found,
                   near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

/* MODEL, MODEL.PARAM or dataset.PARAM */
static int run(const struct args *args, struct err *err)
{
    const char *path = args->words[0], *dot = strchr(path, '.');
    char name[80];
    const struct model *m;
    const struct param *table, *p;

    snprintf(name, sizeof name, "%.*s", dot ? (int)(dot - path) : 79, path);
    m = model_find(name);
    if (m == NULL && strcmp(name, "dataset") != 0)
        return err_set(err, ERR_USAGE,
                       "%s: start with a model (`foresight models`) or \"dataset\", as in preprocess.workers",
                       path);
    table = m != NULL ? m->params : dataset_params;
    if (dot == NULL) {
        for (p = table; p->type != PARAM_END; p++)
            reference_print_param(m, p);
        return 0;
    }
    p = param_find(table, dot + 1);
    if (p == NULL)
        return no_such(path, dot + 1, table, err);
    reference_print_param(m, p);
    return 0;
}

const struct cmd cmd_explain = {
    .name = "explain",
    .args = "PATH",
    .help = "one parameter: meaning, unit, default, range",
    .group = "Reference",
    .about = "PATH is MODEL.PARAMETER or dataset.PARAMETER; a model alone explains all of its parameters.",
    .options = "",
    .examples = "  foresight explain preprocess.dedup\n  foresight explain dataset.repeat_prob\n",
    .least = 1,
    .most = 1,
    .run = run,
};
