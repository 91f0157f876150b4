#include "cli/cmd.h"

#include <stddef.h>

static int run(const struct args *args, struct err *err)
{
    const struct cmd *c;

    if (args->words_n == 0) {
        cmd_print_overview();
        return 0;
    }
    c = cmd_find(args->words[0]);
    if (c == NULL) {
        const char *near = cmd_nearest(args->words[0]);

        return err_set(err, ERR_USAGE, "no command \"%s\"%s%s%s; `foresight help` lists them", args->words[0],
                       near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
    cmd_print_help(c);
    return 0;
}

const struct cmd cmd_help = {
    .name = "help",
    .args = "[COMMAND]",
    .help = "this overview, or one command in full",
    .group = "Reference",
    .about = "Every command understands --help as well.",
    .options = "",
    .examples = "  foresight help rank\n  foresight help\n",
    .least = 0,
    .most = 1,
    .run = run,
};
