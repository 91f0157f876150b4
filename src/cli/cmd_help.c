#include "cli/cmd.h"

#include "cli/completion.h"
#include "cli/man.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int write_page(const char *folder, const char *name, struct err *err)
{
    struct text page = {0}, path = {0};
    int rc = man_page(name, &page, err);

    text_printf(&path, "%s/%s", folder, name);
    if (rc == 0)
        rc = text_write_file(path.s, page.s, page.len, err);
    text_free(&page);
    text_free(&path);
    return rc;
}

static int write_pages(const char *folder, struct err *err)
{
    char *names[MAN_PAGES_MAX];
    int n = man_names(names), rc = 0;

    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        rc = err_io(err, "make the folder", folder);
    for (int i = 0; i < n; i++) {
        if (rc == 0)
            rc = write_page(folder, names[i], err);
        free(names[i]);
    }
    return rc;
}

static int print_made(struct text *t, int rc)
{
    if (rc == 0)
        fputs(t->s, stdout);
    text_free(t);
    return rc;
}

static int run(const struct args *args, struct err *err)
{
    const struct cmd *c;
    struct text made = {0};

    if (args_has(args, "completion"))
        return print_made(&made, completion_script(args_get(args, "completion", ""), &made, err));
    if (args_has(args, "man") && args_has(args, "output"))
        return write_pages(args_get(args, "output", "."), err);
    if (args_has(args, "man"))
        return print_made(&made, man_page(args->words_n > 0 ? args->words[0] : "foresight", &made, err));
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
    .about = "Every command understands --help as well.  --man prints a manual page in roff, of a command, "
             "of the\n"
             "scenario file or of the store; --completion prints what bash or zsh needs to complete.",
    .options = "man,completion,output",
    .examples = "  foresight help rank\n  foresight help --man scenario | man -l -\n",
    .least = 0,
    .most = 1,
    .run = run,
};
