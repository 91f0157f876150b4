#include "report/gnuplot.h"

#include "base/text.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONGEST_PATH = 160 };

/* gnuplot's own last words, for the message. */
static void read_log(const char *path, struct text *t)
{
    struct err ignored = {0};
    char *log = NULL;
    size_t n;

    text_add(t, "");
    if (text_read_file(path, &log, &n, &ignored) != 0)
        return;
    for (size_t i = 0; i < n && i < 300; i++)
        text_add_n(t, (unsigned char)log[i] < 0x20 ? " " : &log[i], 1);
    free(log);
}

static int spawn_gnuplot(const char *folder, const char *script, pid_t *pid)
{
    extern char **environ;
    char name[80];
    char *const argv[] = {"gnuplot", "-d", name, NULL};
    posix_spawn_file_actions_t actions;
    int rc;

    snprintf(name, sizeof name, "%s", script);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "log", 01101 /* O_WRONLY | O_CREAT | O_TRUNC */, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    rc = posix_spawnp(pid, "gnuplot", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

static int wait_for(const char *folder, pid_t pid, struct err *err)
{
    char path[LONGEST_PATH];
    struct text words = {0};
    int status;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return err_set(err, ERR_PROGRAM, "gnuplot cannot be started; is it installed (Debian: gnuplot-nox)?");
    snprintf(path, sizeof path, "%s/log", folder);
    read_log(path, &words);
    err_set(err, ERR_PROGRAM, "gnuplot could not draw: %s", words.s);
    text_free(&words);
    return err->code;
}

static int run_in(const char *folder, const struct gnuplot_file *script, struct err *err)
{
    pid_t pid;
    int rc = spawn_gnuplot(folder, script->name, &pid);

    if (rc == ENOENT)
        return err_set(
            err, ERR_PROGRAM,
            "gnuplot is not installed, and plots need it; install it (Debian: \"apt install gnuplot-nox\")");
    if (rc != 0)
        return err_set(err, ERR_PROGRAM, "gnuplot cannot be started: %s", strerror(rc));
    return wait_for(folder, pid, err);
}

static int exchange(const char *folder, struct gnuplot_file *files, size_t n, struct err *err)
{
    char path[LONGEST_PATH];

    for (size_t i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i].name);
        if (files[i].content != NULL)
            TRY(text_write_file(path, files[i].content, files[i].len, err));
    }
    TRY(run_in(folder, &files[0], err));
    for (size_t i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i].name);
        if (files[i].content == NULL)
            TRY(text_read_file(path, &files[i].written, NULL, err));
    }
    return 0;
}

static void remove_folder(const char *folder, const struct gnuplot_file *files, size_t n)
{
    char path[LONGEST_PATH];

    for (size_t i = 0; i <= n; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, i < n ? files[i].name : "log");
        unlink(path);
    }
    rmdir(folder);
}

int gnuplot_run(struct gnuplot_file *files, size_t n, struct err *err)
{
    const char *tmp = getenv("TMPDIR");
    char folder[80];
    int rc;

    if (tmp == NULL || tmp[0] == '\0' || strlen(tmp) > 50)
        tmp = "/tmp";
    snprintf(folder, sizeof folder, "%s/foresight-plot-XXXXXX", tmp);
    if (mkdtemp(folder) == NULL)
        return err_io(err, "make a folder for plots", folder);
    rc = exchange(folder, files, n, err);
    remove_folder(folder, files, n);
    return rc;
}
