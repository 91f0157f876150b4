#include "cli/cmd.h"

#include "cli/print.h"
#include "cli/schema.h"

static int run(const struct args *args, struct err *err)
{
    (void)args;
    (void)err;
    print_document(schema_of_scenarios());
    return 0;
}

const struct cmd cmd_schema = {
    .name = "schema",
    .args = "",
    .help = "the JSON Schema (draft-07) of scenario files, for editors",
    .group = "Reference",
    .about = "Made of the parameter tables: every model, every parameter with its meaning, unit and range. "
             "Give it\n"
             "to an editor by writing \"$schema\": \"scenario.schema.json\" into a scenario.",
    .options = "",
    .examples = "  foresight schema >scenario.schema.json\n  foresight schema --json\n",
    .least = 0,
    .most = 0,
    .run = run,
};
