#include "cli/cmd.h"

#include "cli/load.h"
#include "cli/print.h"
#include "cli/studies.h"

#include <stdio.h>
#include <string.h>

static void print_rewrite(const struct rewrite *r)
{
    printf("  %-28s %s", r->legal ? r->name : r->rule, r->legal ? "touches" : r->on);
    for (int i = 0; r->legal && i < r->touches_n; i++)
        printf("%s %s", i > 0 ? "," : "", r->touches[i]);
    printf("\n");
    if (r->about[0] != '\0')
        print_wrapped(r->about, 6);
    print_wrapped(r->why, 6);
}

static void print_rules(const struct rules_found *r)
{
    if (r->legal > 0)
        printf("\nlegal, as --apply NAME takes them:\n");
    for (int i = 0; i < r->n; i++) {
        if (i == r->legal)
            printf("\nnot here:\n");
        print_rewrite(&r->list[i]);
    }
}

static int run(const struct args *args, struct err *err)
{
    for (int i = 0; i < args->words_n; i++) {
        struct loaded l;

        TRY(load_scenario(args, args->words[i], &l, err));
        if (json_get(l.tree, "exec") != NULL && check_executable(args, &l, err) != 0) {
            loaded_free(&l);
            return err->code;
        }
        if (!args->quiet)
            print_warnings(l.scenario);
        if (args->json) {
            struct json *doc = json_new_object();

            json_set_string(doc, "command", "check");
            json_set_string(doc, "file", args->words[i]);
            json_set_string(doc, "scenario_sha256", l.scenario->sha256);
            json_set_bool(doc, "ok", true);
            if (args_has(args, "rules"))
                json_set(doc, "rewrites", rules_json(&l.rules));
            print_document(doc);
        } else {
            printf("%s: ok (%d stages, %d resources, %d optimizations)\n", args->words[i],
                   l.scenario->stages_n, l.scenario->resources_n, l.optimizations_n);
            if (args_has(args, "rules"))
                print_rules(&l.rules);
        }
        loaded_free(&l);
    }
    return 0;
}

const struct cmd cmd_check = {
    .name = "check",
    .args = "SCENARIO",
    .help = "is the file right? names the place and the nearest valid name if not",
    .group = "Ask one scenario",
    .about = "Reads the scenario as `run` would, with calibrations and edits, and stops before simulating. "
             "What \"exec\" says\n"
             "is read as the executor would.  --rules lists the rewrites that it admits, what each touches and why "
             "it is\n"
             "legal, or why it is not here.",
    .options = "set,apply,rules",
    .examples = "  foresight check scenarios/quickstart.json\n  foresight check "
                "scenarios/vision-training.json --rules\n",
    .least = 1,
    .most = 1,
    .run = run,
};
