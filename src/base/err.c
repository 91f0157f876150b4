#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int err_set(struct err *e, int code, const char *fmt, ...)
{
    va_list ap;

    e->code = code;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    return code;
}

int err_at(struct err *e, const char *fmt, ...)
{
    char where[300], what[sizeof e->text];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(where, sizeof where, fmt, ap);
    va_end(ap);
    memcpy(what, e->text, sizeof what);
    if (snprintf(e->text, sizeof e->text, "%s: %s", where, what) < 0)
        e->text[0] = '\0';
    return e->code;
}

int err_io(struct err *e, const char *doing, const char *path)
{
    int saved = errno;

    if (saved == ENOENT)
        return err_set(e, ERR_NOFILE, "%s: cannot %s: no such file", path, doing);
    if (saved == ENOSPC || saved == EDQUOT)
        return err_set(e, ERR_IO,
                       "%s: cannot %s: the disk is full (%s); free some space or name another folder", path,
                       doing, strerror(saved));
    return err_set(e, ERR_IO, "%s: cannot %s: %s", path, doing, strerror(saved));
}

int err_exit_status(int code)
{
    return code < 0 ? -code : code;
}

const char *err_code_text(int code)
{
    switch (code) {
    case ERR_NONE:
        return "no error";
#define X(name, status, text)                                                                                \
    case name:                                                                                               \
        return text;
        ERR_LIST(X)
#undef X
    default:
        return "unknown error";
    }
}

_Noreturn void assert_failed(const char *what, const char *file, int line)
{
    fflush(stdout);
    fprintf(stderr,
            "%s:%d: assertion failed: %s\nThis is a bug in foresight; please report it with the scenario.\n",
            file, line, what);
    abort();
}
