#include "cli/guard.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int write_all(const char *s, size_t n)
{
    while (n > 0) {
        ssize_t k = write(STDOUT_FILENO, s, n);

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return -1;
        s += k;
        n -= (size_t)k;
    }
    return 0;
}

static ssize_t write_plain(void *cookie, const char *buf, size_t size)
{
    char *s = strndup(buf, size);
    struct text plain = {0};
    int rc;

    (void)cookie;
    if (s == NULL)
        return 0;
    text_add_plain(&plain, s);
    rc = write_all(plain.s, plain.len);
    text_free(&plain);
    free(s);
    return rc == 0 ? (ssize_t)size : 0; /* 0: an error, as fopencookie(3) has it */
}

void guard_terminal(void)
{
    FILE *guarded;

    if (!isatty(STDOUT_FILENO))
        return;
    guarded = fopencookie(NULL, "w", (cookie_io_functions_t){.write = write_plain});
    if (guarded == NULL)
        return;
    setvbuf(guarded, NULL, _IOLBF, BUFSIZ);
    stdout = guarded;
}
