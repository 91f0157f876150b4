/*
 * cmd.h - a subcommand is a constant table row.
 *
 * One file cmd_NAME.c exports one `const struct cmd`; one line in cmd.c lists
 * it.  run() parses nothing itself: it gets the arguments read (args.h), calls
 * the floor below and prints results on stdout.  It returns 0 or an error code;
 * main.c prints the error and turns it into the exit status.
 */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include "cli/args.h"

struct cmd {
    const char *name, *args, *help; /* "run", "SCENARIO", one line */
    const char *group;              /* heading in `foresight help` */
    const char *about;              /* a paragraph for `foresight help run` */
    const char *options;  /* names of the options it takes beside the common ones, comma-separated */
    const char *examples; /* two that work from the source tree */
    int least, most;      /* how many arguments; most < 0: any number */
    int (*run)(const struct args *args, struct err *err);
    void (*print_more)(void); /* what its help says between the options and the examples; NULL: nothing */
};

extern const struct cmd *const cmds[]; /* NULL at the end */
const struct cmd *cmd_find(const char *name);
const char *cmd_nearest(const char *name);

void cmd_print_overview(void);
void cmd_print_help(const struct cmd *c);

#endif
