/*
 * main.c - finds the subcommand, runs it, prints its error, returns its exit status.
 */
#include "cli/cmd.h"
#include "cli/guard.h"
#include "cli/print.h"

#include <gsl/gsl_errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage(const char *word)
{
    const char *near = cmd_nearest(word);

    print_remark("foresight: no command \"%s\"%s%s%s; `foresight help` lists them\n", word,
            near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return err_exit_status(ERR_USAGE);
}

/* Results that could not be written (a full disk behind stdout) are a failure, not a success. */
static int flush_stdout(struct err *err)
{
    if (ferror(stdout)) /* some time ago: errno speaks of something else by now */
        return err_set(err, ERR_IO, "stdout: the results could not be written; is the disk full?");
    if (fflush(stdout) != 0)
        return err_io(err, "write results", "stdout");
    return 0;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
    struct err err = {0};
    struct args args;
    int rc = args_read(cmd, argc, argv, &args, &err), flushed;

    if (rc == 0 && args.help)
        cmd_print_help(cmd);
    else if (rc == 0)
        rc = cmd->run(&args, &err);
    flushed = rc == 0 ? flush_stdout(&err) : (fflush(stdout), 0);
    if (rc == 0)
        rc = flushed;
    if (rc != 0 && err.text[0] != '\0')
        print_remark("foresight: %s\n", err.text);
    args_free(&args);
    return err_exit_status(rc);
}

/* What is asked for without a subcommand; false when it is none of these. */
static bool answer(const char *word)
{
    if (strcmp(word, "--version") == 0)
        printf("foresight %s\n", PACKAGE_VERSION);
    else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        cmd_print_overview();
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    const struct cmd *cmd;
    struct err err = {0};

    setlocale(LC_ALL, "C");
    gsl_set_error_handler_off();
    guard_terminal();
    if (argc < 2) {
        cmd_print_overview();
        return err_exit_status(ERR_USAGE);
    }
    if (answer(argv[1])) {
        if (flush_stdout(&err) != 0)
            print_remark("foresight: %s\n", err.text);
        return err_exit_status(err.code);
    }
    cmd = cmd_find(argv[1]);
    return cmd != NULL ? run(cmd, argc - 2, argv + 2) : usage(argv[1]);
}
