#include "cli/cmd.h"

#include "cli/print.h"
#include "cli/reference.h"
#include "models/fits.h"

#include <stdio.h>
#include <string.h>

static struct json *list_json(void)
{
    struct json *doc = json_new_object(), *list = json_set_array(doc, "models");

    for (size_t i = 0; models[i] != NULL; i++)
        json_push(list, reference_model_json(models[i]));
    return doc;
}

static void list_text(void)
{
    for (size_t i = 0; models[i] != NULL; i++)
        printf("  %-12s %s\n", models[i]->name, models[i]->about);
    printf("\nNo models, but they can be calibrated (foresight fit):");
    for (const struct fit_target *t = fit_targets; t->name != NULL; t++)
        if (model_find(t->name) == NULL)
            printf(" %s", t->name);
    printf("\n`foresight models NAME` shows the parameters of one.\n");
}

static const struct fit_target *find_target(const char *name)
{
    for (const struct fit_target *t = fit_targets; t->name != NULL; t++)
        if (strcmp(t->name, name) == 0)
            return t;
    return NULL;
}

static void show_target(const struct fit_target *t, bool json)
{
    if (json)
        print_document(reference_target_json(t));
    else
        reference_print_target(t);
}

static int run(const struct args *args, struct err *err)
{
    const struct model *m;

    if (args->words_n == 0) {
        if (args->json)
            print_document(list_json());
        else
            list_text();
        return 0;
    }
    m = model_find(args->words[0]);
    if (m == NULL && find_target(args->words[0]) != NULL) {
        show_target(find_target(args->words[0]), args->json);
        return 0;
    }
    if (m == NULL) {
        const char *near = model_nearest(args->words[0]);

        return err_set(err, ERR_USAGE, "no model \"%s\"%s%s%s; `foresight models` lists them", args->words[0],
                       near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
    if (args->json)
        print_document(reference_model_json(m));
    else
        reference_print_model(m);
    return 0;
}

const struct cmd cmd_models = {
    .name = "models",
    .args = "[NAME]",
    .help = "the component models and their parameters",
    .group = "Reference",
    .about = "Lists the component models, or the parameters of one: unit, default, range, meaning.",
    .options = "",
    .examples = "  foresight models\n  foresight models preprocess\n",
    .least = 0,
    .most = 1,
    .run = run,
};
