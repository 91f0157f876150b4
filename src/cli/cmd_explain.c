#include "cli/cmd.h"

#include "base/text.h"
#include "cli/keys.h"
#include "cli/reference.h"
#include "models/dataset.h"
#include "pipeline/scenario.h"

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

/* A key of the file, whatever holds it: "objective", "knob.step"; false when there is none. */
static bool explain_key(const char *path)
{
    const char *dot = strchr(path, '.'), *key = dot != NULL ? dot + 1 : path;
    size_t of = dot != NULL ? (size_t)(dot - path) : 0;
    bool found = false;

    for (const struct key_help *h = key_helps; h->key != NULL; h++)
        if (strcmp(h->key, key) == 0 && (of == 0 || (strlen(h->of) == of && strncmp(h->of, path, of) == 0))) {
            printf("  %-24s of a %s\n      %s\n", h->key, h->of, h->help);
            found = true;
        }
    return found;
}

/* MODEL, MODEL.PARAM or dataset.PARAM, resource.KEY, or a key of the file */
static int run(const struct args *args, struct err *err)
{
    const char *path = args->words[0], *dot = strchr(path, '.');
    char name[80];
    const struct model *m;
    const struct param *table, *p;

    snprintf(name, sizeof name, "%.*s", dot ? (int)(dot - path) : 79, path);
    m = model_find(name);
    if (m == NULL && strcmp(name, "dataset") != 0 && strcmp(name, "resource") != 0 && explain_key(path))
        return 0;
    if (m == NULL && strcmp(name, "dataset") != 0 && strcmp(name, "resource") != 0)
        return err_set(err, ERR_USAGE,
                       "%s: start with a model (`foresight models`), \"dataset\" or \"resource\", as in "
                       "preprocess.workers, or give a key of the scenario file",
                       path);
    table = m != NULL ? m->params : strcmp(name, "resource") == 0 ? resource_params : dataset_params;
    if (dot == NULL) {
        for (p = table; p->type != PARAM_END; p++)
            reference_print_param(m, p);
        return 0;
    }
    p = param_find(table, dot + 1);
    if (p == NULL && explain_key(path))
        return 0;
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
    .about = "PATH is MODEL.PARAMETER, dataset.PARAMETER or resource.KEY; a model alone explains all of its\n"
             "parameters; a key of the scenario file (objective, knob.step) explains itself.",
    .options = "",
    .examples = "  foresight explain preprocess.dedup\n  foresight explain dataset.repeat_prob\n",
    .least = 1,
    .most = 1,
    .run = run,
};
