#include "cli/cmd.h"

#include "cli/load.h"
#include "cli/print.h"
#include "cli/studies.h"

#include <stdio.h>

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
            print_document(doc);
        } else {
            printf("%s: ok (%d stages, %d resources, %d optimizations)\n", args->words[i],
                   l.scenario->stages_n, l.scenario->resources_n, l.optimizations_n);
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
             "is read as the executor would.",
    .options = "set,apply",
    .examples =
        "  foresight check scenarios/quickstart.json\n  foresight check scenarios/01-one-stage.json --json\n",
    .least = 1,
    .most = 1,
    .run = run,
};
