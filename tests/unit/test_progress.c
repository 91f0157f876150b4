#include "base/json.h"
#include "base/progress.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Runs `steps` with stderr in a file; the caller frees what was written. */
static char *written(enum progress_mode mode, bool quiet, void (*steps)(struct progress *))
{
    char path[] = "/tmp/test_progress.XXXXXX", *s = NULL;
    int fd = mkstemp(path), saved = dup(STDERR_FILENO);
    struct progress *p;
    struct err e = {0};

    fflush(stderr);
    dup2(fd, STDERR_FILENO);
    p = progress_new(mode, quiet);
    steps(p);
    progress_free(p);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(fd);
    cr_assert_eq(text_read_file(path, &s, NULL, &e), 0);
    unlink(path);
    return s;
}

static void three_steps(struct progress *p)
{
    progress_begin(p, "executing", 3);
    for (int i = 1; i <= 3; i++)
        progress_step(p, i, i == 2 ? "say \"half\"" : NULL);
    progress_end(p);
    progress_step(p, 4, "after the end");
}

Test(progress, plain_prints_one_line_per_step)
{
    char *s = written(PROGRESS_PLAIN, false, three_steps);

    cr_expect_str_eq(s, "executing  33%\nexecuting  67%  say \"half\"\nexecuting 100%\n");
    free(s);
}

Test(progress, json_prints_one_object_per_step)
{
    char *s = written(PROGRESS_JSON, false, three_steps), *rest = NULL;
    int lines = 0;

    for (char *line = strtok_r(s, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest), lines++) {
        struct err e = {0};
        struct json *v = NULL;

        cr_assert_eq(json_parse(line, "line", &v, &e), 0, "%s", e.text);
        cr_expect_eq(json_get_number(v, "done", 0), lines + 1);
        cr_expect_eq(json_get_number(v, "total", 0), 3);
        json_free(v);
    }
    cr_expect_eq(lines, 3);
    free(s);
}

Test(progress, nothing_is_drawn_where_nobody_looks)
{
    static const struct {
        enum progress_mode mode;
        bool quiet;
    } cases[] = {{PROGRESS_AUTO, false}, {PROGRESS_NONE, false}, {PROGRESS_PLAIN, true}};

    for (int i = 0; i < 3; i++) {
        char *s = written(cases[i].mode, cases[i].quiet, three_steps);

        cr_expect_str_eq(s, "");
        free(s);
    }
}

static void *step_often(void *p)
{
    for (int i = 0; i < 200; i++)
        progress_step(p, i, "x");
    return NULL;
}

static void from_threads(struct progress *p)
{
    pthread_t t[4];

    progress_begin(p, "w", 0);
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, step_often, p);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
}

Test(progress, steps_from_threads_never_mix_within_a_line)
{
    char *s = written(PROGRESS_PLAIN, false, from_threads), *rest = NULL;
    int lines = 0;

    for (char *line = strtok_r(s, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest), lines++)
        cr_expect(line[0] == 'w' && strcmp(line + strlen(line) - 3, "  x") == 0, "%s", line);
    cr_expect_eq(lines, 800);
    free(s);
}
