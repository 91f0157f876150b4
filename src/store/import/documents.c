#include "store/import/documents.h"

#include <string.h>

/* Is the first line a whole document? */
static int is_lines(struct import *im, struct jread *j, bool *lines, struct err *err)
{
    const char *text, *end;
    size_t n;

    TRY(source_peek(import_source(im), &text, &n, 1 << 16, err));
    end = memchr(text, '\n', n);
    *lines = false;
    if (end == NULL || memchr(end + 1, '{', n - (size_t)(end + 1 - text)) == NULL)
        return 0;
    jread_text(j, text, (size_t)(end - text), 1);
    *lines = jread_peek(j) == '{' && jread_finished(j);
    return 0;
}

static int by_lines(struct import *im, struct jread *j, document_fn *fn, void *ctx, struct err *err)
{
    char *line;
    size_t n;
    int rc;

    while ((rc = import_line(im, &line, &n, err)) > 0) {
        jread_text(j, line, n, import_place(im));
        if (!jread_finished(j)) { /* before anything of it is stored */
            TRY(import_bad(im, jread_column(j), jread_bad(j), err));
            continue;
        }
        jread_text(j, line, n, import_place(im));
        TRY(fn(im, j, ctx, err));
    }
    return rc;
}

static int as_stream(struct import *im, struct jread *j, document_fn *fn, void *ctx, struct err *err)
{
    int rc = 0;

    jread_source(j, import_source(im));
    for (bool more = jread_peek(j) != 0; more && rc == 0; more = jread_again(j)) {
        import_at(im, jread_line(j));
        rc = fn(im, j, ctx, err);
    }
    TRY(rc);
    TRY(jread_error(j, err));
    if (jread_bad(j) != NULL)
        return import_refuse(im, jread_line(j), jread_column(j), err, "%s", jread_bad(j));
    return 0;
}

int import_documents(struct import *im, document_fn *fn, void *ctx, struct err *err)
{
    struct jread *j = jread_new();
    bool lines;
    int rc = is_lines(im, j, &lines, err);

    if (rc == 0)
        rc = lines ? by_lines(im, j, fn, ctx, err) : as_stream(im, j, fn, ctx, err);
    jread_free(j);
    return rc;
}
