/*
 * Any bytes as a trace file of one format.
 *
 *   FUZZ_FORMAT=spark fuzz_import ...     every input is read as that format
 *   fuzz_import ...                       every format in turn looks at the first bytes, as `foresight
 * import` does fuzz_import --formats                 the names, one a line, and ends
 *
 * Whatever the bytes are, an import ends with 0 or with ERR_TRACE, and with the records it counted.
 */
#include "base/arena.h"
#include "store/import/import.h"
#include "store/store.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct store *store;
static const char *format;

static void die(const char *why)
{
    fprintf(stderr, "fuzz_import: %s\n", why);
    abort();
}

/* One store for the whole run; every import is undone. */
static void open_store(void)
{
    char folder[] = "/tmp/foresight-fuzz-XXXXXX", path[64];
    struct err err;

    if (mkdtemp(folder) == NULL)
        die("no folder in /tmp");
    snprintf(path, sizeof path, "%s/s.db", folder);
    if (store_open(path, STORE_WRITE, &store, &err) != 0)
        die(err.text);
    unlink(path);
    rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    bool known = false;

    if (*argc > 1 && strcmp((*argv)[1], "--formats") == 0) {
        for (size_t i = 0; importers[i] != NULL; i++)
            puts(importers[i]->name);
        exit(0);
    }
    format = getenv("FUZZ_FORMAT");
    for (size_t i = 0; format != NULL && importers[i] != NULL; i++)
        known = known || strcmp(importers[i]->name, format) == 0;
    if (format != NULL && !known)
        die("FUZZ_FORMAT names no format; --formats lists them");
    open_store();
    return 0;
}

static bool needs_map(void)
{
    return format != NULL && (strcmp(format, "csv") == 0 || strcmp(format, "jsonl") == 0);
}

static int take(int fd, const struct import_options *options, struct import_report *report, struct arena *a)
{
    char path[40];
    struct err err = {0};
    int rc;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (store_begin(store, &err) != 0)
        die(err.text);
    rc = import_file(store, path, options, a, report, &err);
    store_rollback(store);
    if (rc != 0 && rc != ERR_TRACE)
        die(err.text); /* bytes alone can only be malformed */
    return rc;
}

static void check_counts(const struct import_report *r)
{
    int64_t skipped = 0;

    for (size_t i = 0; i < r->skipped_n; i++)
        skipped += r->skipped[i].n;
    if (r->read != r->kept + skipped || r->rows < 0)
        die("the counts of the report do not add up");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    /* Which options are on changes with the length, so that all of them meet all inputs. */
    struct import_options options = {.format = format,
                                     .map = needs_map() ? "measurements: x = a, @b = c.d, t_s = e ms" : NULL,
                                     .strict = n % 7 == 0,
                                     .anonymize = n % 5 == 0,
                                     .keep_text = n % 3 == 0};
    struct import_report report;
    struct arena *a = arena_new();
    int fd = memfd_create("trace", 0);

    if (format != NULL && strcmp(format, "csv") == 0)
        options.map = "measurements: x = a, @b = b, t_s = e ms";
    if (fd < 0 || write(fd, data, n) != (ssize_t)n)
        die("no memory for a file");
    if (take(fd, &options, &report, a) == 0)
        check_counts(&report);
    close(fd);
    arena_free(a);
    return 0;
}
