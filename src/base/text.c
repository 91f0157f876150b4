#include "base/text.h"

#include "base/arena.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------ growing strings
 */

static void reserve(struct text *t, size_t more)
{
    if (t->cap - t->len > more)
        return;
    t->cap = (t->cap + more) * 2 + 64;
    t->s = xrealloc(t->s, t->cap, 1);
}

void text_add_n(struct text *t, const char *s, size_t n)
{
    reserve(t, n);
    if (n > 0)
        memcpy(t->s + t->len, s, n);
    t->len += n;
    t->s[t->len] = '\0';
}

void text_add(struct text *t, const char *s)
{
    text_add_n(t, s, strlen(s));
}

void text_printf(struct text *t, const char *fmt, ...)
{
    va_list ap, again;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    ASSERT(n >= 0);
    reserve(t, (size_t)n);
    vsnprintf(t->s + t->len, (size_t)n + 1, fmt, again);
    va_end(again);
    t->len += (size_t)n;
}

size_t text_control(const char *s)
{
    const unsigned char *u = (const unsigned char *)s;

    if ((u[0] < 0x20 && u[0] != '\n' && u[0] != '\t' && u[0] != '\0') || u[0] == 0x7f)
        return 1;
    if (u[0] == 0xc2 && u[1] >= 0x80 && u[1] <= 0x9f) /* U+0080..9F */
        return 2;
    if (u[0] == 0xe2 && u[1] == 0x80 && ((u[2] >= 0xaa && u[2] <= 0xae) || u[2] == 0x8e || u[2] == 0x8f))
        return 3; /* U+202A..2E, U+200E..0F */
    if (u[0] == 0xe2 && u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9)
        return 3; /* U+2066..69 */
    return 0;
}

/* One byte, or what commands as a '?'; returns how many bytes of s that was. */
static size_t add_shown(struct text *t, const char *s)
{
    size_t n = text_control(s);

    text_add_n(t, n > 0 ? "?" : s, 1);
    return n > 0 ? n : 1;
}

void text_add_html(struct text *t, const char *s)
{
    text_add_n(t, "", 0);
    for (; *s != '\0'; s++) {
        switch (*s) {
        case '&':
            text_add(t, "&amp;");
            break;
        case '<':
            text_add(t, "&lt;");
            break;
        case '>':
            text_add(t, "&gt;");
            break;
        case '"':
            text_add(t, "&quot;");
            break;
        case '\'':
            text_add(t, "&#39;");
            break;
        default:
            s += add_shown(t, s) - 1;
        }
    }
}

void text_add_plain(struct text *t, const char *s)
{
    text_add_n(t, "", 0);
    while (*s != '\0')
        s += add_shown(t, s);
}

void text_free(struct text *t)
{
    free(t->s);
    *t = (struct text){0};
}

/* -------------------------------------------------------------------------------------------- nearest names
 */

enum { LONGEST_NAME = 64 };

/* Edits (insert, delete, replace, swap of neighbours) that turn a into b, ignoring case. */
static int distance(const char *a, const char *b)
{
    int row[3][LONGEST_NAME + 1];
    int na = (int)strnlen(a, LONGEST_NAME), nb = (int)strnlen(b, LONGEST_NAME);

    for (int j = 0; j <= nb; j++)
        row[0][j] = j;
    for (int i = 1; i <= na; i++) {
        int *now = row[i % 3], *last = row[(i - 1) % 3], *before = row[(i + 1) % 3];

        now[0] = i;
        for (int j = 1; j <= nb; j++) {
            int ca = tolower((unsigned char)a[i - 1]), cb = tolower((unsigned char)b[j - 1]);
            int best = last[j - 1] + (ca != cb);

            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
                cb == tolower((unsigned char)a[i - 2]) && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[na % 3][nb];
}

const char *text_nearest(const char *found, const char *const *names, size_t n)
{
    const char *nearest = NULL;
    int best =
        ((int)strnlen(found, LONGEST_NAME) + 2) / 3 + 1; /* one edit in three letters is a typing error */

    for (size_t i = 0; i < n; i++) {
        int d = distance(found, names[i]);

        if (d < best) {
            best = d;
            nearest = names[i];
        }
    }
    return nearest;
}

void text_add_suggestion(struct text *t, const char *found, const char *const *names, size_t n)
{
    const char *nearest = text_nearest(found, names, n);

    if (nearest != NULL)
        text_printf(t, "did you mean \"%s\"? ", nearest);
    text_add(t, n > 0 ? "(allowed: " : "(none are allowed here");
    for (size_t i = 0; i < n; i++)
        text_printf(t, "%s%s", i > 0 ? ", " : "", names[i]);
    text_add(t, ")");
}

void text_sha256(const void *data, size_t n, char out[65])
{
    SHA256Data(data, n, out);
}

/* ---------------------------------------------------------------------------------------------------- files
 */

static int read_all(int fd, struct text *t)
{
    for (;;) {
        ssize_t got;

        reserve(t, 64 << 10);
        got = read(fd, t->s + t->len, t->cap - t->len - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            return 0;
        t->len += (size_t)got;
    }
}

int text_read_file(const char *path, char **out, size_t *len, struct err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct text t = {0};
    int rc = 0;

    if (fd < 0)
        return err_io(err, "open", path);
    if (read_all(fd, &t) != 0)
        rc = err_io(err, "read", path);
    if (!is_stdin)
        close(fd);
    if (rc != 0) {
        text_free(&t);
        return rc;
    }
    t.s[t.len] = '\0';
    *out = t.s;
    if (len != NULL)
        *len = t.len;
    return 0;
}

static int write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t put = write(fd, p, n);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        p += put;
        n -= (size_t)put;
    }
    return 0;
}

/* Devices and pipes cannot be replaced by a rename: write into them. */
static int write_in_place(int fd, const char *path, const void *data, size_t n, struct err *err)
{
    return write_all(fd, data, n) != 0 ? err_io(err, "write", path) : 0;
}

static int open_beside(const char *path, char **temporary)
{
    struct text t = {0};
    int fd = -1;

    for (int i = 0; i < 100 && fd < 0; i++) {
        t.len = 0;
        text_printf(&t, "%s.%ld.%d.tmp", path, (long)getpid(), i);
        fd = open(t.s, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    *temporary = t.s;
    return fd;
}

static int replace_file(const char *path, const struct stat *old, const void *data, size_t n, struct err *err)
{
    char *temporary;
    int fd = open_beside(path, &temporary);
    bool ok;
    int rc = 0;

    if (fd < 0) {
        rc = err_io(err, "write", path);
        free(temporary);
        return rc;
    }
    if (old != NULL && fchmod(fd, old->st_mode & 07777) != 0)
        errno = 0; /* keeping the old permissions is a courtesy */
    ok = write_all(fd, data, n) == 0 && (fsync(fd) == 0 || errno == EINVAL);
    ok = close(fd) == 0 && ok;
    ok = ok && rename(temporary, path) == 0;
    if (!ok) {
        rc = err_io(err, "write", path);
        unlink(temporary);
    }
    free(temporary);
    return rc;
}

int text_write_file(const char *path, const void *data, size_t n, struct err *err)
{
    struct stat st;
    char *target;
    int fd, rc;

    if (strcmp(path, "-") == 0)
        return write_in_place(STDOUT_FILENO, "standard output", data, n, err);
    if (stat(path, &st) != 0)
        return replace_file(path, NULL, data, n, err);
    if (!S_ISREG(st.st_mode)) {
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
            return err_io(err, "write", path);
        rc = write_in_place(fd, path, data, n, err);
        close(fd);
        return rc;
    }
    target = realpath(path, NULL); /* a link keeps pointing at its file */
    rc = replace_file(target != NULL ? target : path, &st, data, n, err);
    free(target);
    return rc;
}
