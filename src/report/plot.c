#include "report/plot.h"

#include "base/arena.h"
#include "base/text.h"
#include "report/label.h"
#include "report/plot_script.h"

#include <errno.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONGEST_LABEL = 30 };

/* ------------------------------------------------------------------ gnuplot */

/* gnuplot's own last words, for the message. */
static void read_log(const char *path, struct text *t)
{
    struct err ignored = {0};
    char *log = NULL;
    size_t n;

    if (text_read_file(path, &log, &n, &ignored) != 0)
        return;
    for (size_t i = 0; i < n && i < 300; i++)
        text_add_n(t, (unsigned char)log[i] < 0x20 ? " " : &log[i], 1);
    free(log);
}

static int spawn_gnuplot(const char *folder, pid_t *pid)
{
    extern char **environ;
    char *const argv[] = {"gnuplot", "-d", "script", NULL};
    posix_spawn_file_actions_t actions;
    int rc;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "log", 01101 /* O_WRONLY | O_CREAT | O_TRUNC */, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    rc = posix_spawnp(pid, "gnuplot", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

static int run_gnuplot(const char *folder, const char *log_path, struct err *err)
{
    struct text words = {0};
    int rc, status;
    pid_t pid;

    rc = spawn_gnuplot(folder, &pid);
    if (rc == ENOENT)
        return err_set(
            err, ERR_PROGRAM,
            "gnuplot is not installed, and plots need it; install it (Debian: \"apt install gnuplot-nox\")");
    if (rc != 0)
        return err_set(err, ERR_PROGRAM, "gnuplot cannot be started: %s", strerror(rc));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return err_set(err, ERR_PROGRAM, "gnuplot cannot be started; is it installed (Debian: gnuplot-nox)?");
    text_add(&words, "");
    read_log(log_path, &words);
    err_set(err, ERR_PROGRAM, "gnuplot could not draw: %s", words.s);
    text_free(&words);
    return err->code;
}

/* ---------------------------------------------------------------------- SVG */

static bool starts(const char *s, const char *word)
{
    return strncmp(s, word, strlen(word)) == 0;
}

/* gnuplot's "@-3@" stands for the label of row 3. Returns how many bytes it took, 0 if s is no such thing. */
static size_t place_label(const struct plot *p, const char *s, struct text *out)
{
    char cut[4 * LONGEST_LABEL + 8], *end;
    long row = s[0] == '@' ? -strtol(s + 1, &end, 10) : -1;

    if (row < 0 || (size_t)row >= p->rows || *end != '@')
        return 0;
    text_add_html(out, label_cut(cut, sizeof cut, p->labels[row], LONGEST_LABEL));
    return (size_t)(end + 1 - s);
}

/* Makes gnuplot's file a part of a page: no prolog, ids of its own, no tool tips, the labels in their places.
 */
static void clean_svg(const struct plot *p, const char *svg, struct text *out)
{
    static const char *const ids[] = {"gpPt",           "gpDot",   "gnuplot_plot_",
                                      "gnuplot_canvas", "textbox", "greybox"};
    const char *s = strstr(svg, "<svg");
    size_t n;

    if (s == NULL)
        return;
    text_printf(out, "<svg role=\"img\" aria-label=\"%s\" ", plot_title(p->about));
    for (s += strlen("<svg"); *s != '\0'; s += n) {
        n = place_label(p, s, out);
        if (n > 0)
            continue;
        n = 1;
        if (starts(s, "<title>") && strstr(s, "</title>") != NULL) {
            n = (size_t)(strstr(s, "</title>") - s) + strlen("</title>");
            continue;
        }
        for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
            if (starts(s, ids[i]))
                text_printf(out, "plot%d_", p->number);
        text_add_n(out, s, 1);
    }
}

static int draw(const struct plot *p, const char *folder, struct text *out, struct err *err)
{
    struct text script = {0}, data = {0};
    char path[3][128], *svg = NULL;
    size_t n;
    int rc;

    snprintf(path[0], sizeof path[0], "%s/script", folder);
    snprintf(path[1], sizeof path[1], "%s/data", folder);
    snprintf(path[2], sizeof path[2], "%s/plot.svg", folder);
    plot_script(p, &script);
    text_add(&data, "");
    plot_data(p, &data);
    rc = text_write_file(path[0], script.s, script.len, err);
    if (rc == 0)
        rc = text_write_file(path[1], data.s, data.len, err);
    snprintf(path[0], sizeof path[0], "%s/log", folder);
    if (rc == 0)
        rc = run_gnuplot(folder, path[0], err);
    if (rc == 0)
        rc = text_read_file(path[2], &svg, &n, err);
    if (rc == 0)
        clean_svg(p, svg, out);
    free(svg);
    text_free(&script);
    text_free(&data);
    return rc;
}

static void remove_folder(const char *folder)
{
    static const char *const name[] = {"script", "data", "log", "plot.svg"};
    char path[128];

    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, name[i]);
        unlink(path);
    }
    rmdir(folder);
}

int plot_svg(const struct plot *p, struct text *out, struct err *err)
{
    const char *tmp = getenv("TMPDIR");
    char folder[80];
    int rc;

    ASSERT(p->rows > 0 && p->n_series > 0);
    if (tmp == NULL || tmp[0] == '\0' || strlen(tmp) > 50)
        tmp = "/tmp";
    snprintf(folder, sizeof folder, "%s/foresight-plot-XXXXXX", tmp);
    if (mkdtemp(folder) == NULL)
        return err_io(err, "make a folder for plots", folder);
    rc = draw(p, folder, out, err);
    remove_folder(folder);
    return rc;
}
