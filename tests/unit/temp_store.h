/* A store in a folder of its own, removed at the end of the test. */
#ifndef TEMP_STORE_H
#define TEMP_STORE_H

#include "base/arena.h"
#include "base/text.h"
#include "store/store.h"

#include <criterion/criterion.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Names that break a careless program: quotes, newlines, HTML, shell, bytes that are not UTF-8, nothing at
 * all. */
static const char *const hostile[] = {
    "plain",
    "'; DROP TABLE trace; --",
    "\";system(\"rm\");\"",
    "<script>alert(1)</script>",
    "two\nlines",
    "\xff\xfe\x80",
    "%s%n",
    "",
    "tab\there",
    "\xc3\xa9\xf0\x9f\x8c\xb2",
    "a,b\"c\r\n",
    "latest:",
};
enum { HOSTILE = sizeof hostile / sizeof hostile[0] };

static char temp_folder[64], temp_path[96];
static struct err err;
static struct arena *arena;

static inline void temp_begin(void)
{
    snprintf(temp_folder, sizeof temp_folder, "/tmp/foresight-test-XXXXXX");
    cr_assert_not_null(mkdtemp(temp_folder));
    snprintf(temp_path, sizeof temp_path, "%s/t.db", temp_folder);
    arena = arena_new();
}

static inline void temp_end(void)
{
    DIR *d = opendir(temp_folder);
    struct dirent *e;
    char path[400];

    while (d != NULL && (e = readdir(d)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", temp_folder, e->d_name);
        unlink(path);
    }
    if (d != NULL)
        closedir(d);
    rmdir(temp_folder);
    arena_free(arena);
}

static inline struct store *temp_open(enum store_mode mode)
{
    struct store *s = NULL;
    int rc = store_open(temp_path, mode, &s, &err);

    cr_assert_eq(rc, 0, "%s", err.text);
    return s;
}

#define OK(expr)                                                                                             \
    do {                                                                                                     \
        int ok_rc_ = (expr);                                                                                 \
        cr_assert_eq(ok_rc_, 0, "%s: %s", #expr, err.text);                                                  \
    } while (0)

#define FAILS(expr, expected, says)                                                                          \
    do {                                                                                                     \
        memset(&err, 0, sizeof err);                                                                         \
        cr_assert_eq((expr), (expected), "%s: code %d: %s", #expr, err.code, err.text);                      \
        cr_assert_not_null(strstr(err.text, (says)), "\"%s\" does not say \"%s\"", err.text, (says));        \
    } while (0)

#endif
