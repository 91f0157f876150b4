#include "cli/cmd.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

extern const struct cmd cmd_run, cmd_bound, cmd_check, cmd_graph, cmd_exec, cmd_import, cmd_init, cmd_whatif,
    cmd_diff, cmd_fit, cmd_validate, cmd_replay, cmd_rank, cmd_search, cmd_plan, cmd_reconcile, cmd_report,
    cmd_trace, cmd_runs, cmd_doctor,
    cmd_models, cmd_explain, cmd_schema, cmd_demo, cmd_help;

/* In the order of `foresight help`, one a line: commands come one at a time. */
/* clang-format off */
const struct cmd *const cmds[] = {
    &cmd_run,
    &cmd_bound,
    &cmd_check,
    &cmd_graph,
    &cmd_exec,
    &cmd_import,
    &cmd_init,
    &cmd_fit,
    &cmd_validate,
    &cmd_replay,
    &cmd_whatif,
    &cmd_diff,
    &cmd_rank,
    &cmd_search,
    &cmd_plan,
    &cmd_reconcile,
    &cmd_report,
    &cmd_trace,
    &cmd_runs,
    &cmd_doctor,
    &cmd_models,
    &cmd_explain,
    &cmd_schema,
    &cmd_demo,
    &cmd_help,
    NULL,
};
/* clang-format on */

const struct cmd *cmd_find(const char *name)
{
    for (size_t i = 0; cmds[i] != NULL; i++)
        if (strcmp(cmds[i]->name, name) == 0)
            return cmds[i];
    return NULL;
}

const char *cmd_nearest(const char *name)
{
    const char *names[sizeof cmds / sizeof *cmds];
    size_t n = 0;

    for (; cmds[n] != NULL; n++)
        names[n] = cmds[n]->name;
    return text_nearest(name, names, n);
}

void cmd_print_overview(void)
{
    const char *group = "";

    printf("foresight: what one change in one system does to a whole ML pipeline\n\n"
           "usage: foresight COMMAND [ARGUMENT...] [OPTION...]\n");
    for (size_t i = 0; cmds[i] != NULL; i++) {
        if (strcmp(group, cmds[i]->group) != 0)
            printf("\n%s\n", cmds[i]->group);
        group = cmds[i]->group;
        printf("  %-10s %-26s %s\n", cmds[i]->name, cmds[i]->args, cmds[i]->help);
    }
    printf("\n`foresight help COMMAND` says more. A first thing to type: foresight run "
           "scenarios/01-one-stage.json\n");
}

void cmd_print_help(const struct cmd *c)
{
    printf("usage: foresight %s %s [OPTION...]\n\n%s\n\n%s\n", c->name, c->args, c->help, c->about);
    args_print_options(c);
    if (c->print_more != NULL)
        c->print_more();
    printf("\nExamples:\n%s", c->examples);
}
