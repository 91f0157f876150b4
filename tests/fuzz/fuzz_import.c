/* Any bytes as a trace file: the first byte chooses the format, the rest is the file. */
#include "base/arena.h"
#include "store/import/import.h"
#include "store/store.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* One store for the whole run; every import is undone. */
static struct store *open_store(void)
{
    char folder[] = "/tmp/foresight-fuzz-XXXXXX", path[64];
    struct store *s;
    struct err err;

    if (mkdtemp(folder) == NULL)
        abort();
    snprintf(path, sizeof path, "%s/s.db", folder);
    if (store_open(path, STORE_WRITE, &s, &err) != 0)
        abort();
    unlink(path);
    rmdir(folder);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct store *s;
    struct import_options options = {0};
    struct import_report report;
    struct arena *a = arena_new();
    struct err err = {0};
    char path[40];
    size_t formats = 0;
    int fd = memfd_create("trace", 0), rc;

    if (s == NULL)
        s = open_store();
    while (importers[formats] != NULL)
        formats++;
    if (fd < 0 || n < 1 || write(fd, data + 1, n - 1) != (ssize_t)(n - 1))
        goto out;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    options.format = importers[data[0] % formats]->name;
    options.map = "measurements: x = a, @b = c.d, t_s = e ms";
    options.strict = data[0] >= 128;
    options.keep_text = true;
    if (store_begin(s, &err) != 0)
        abort();
    rc = import_file(s, path, &options, a, &report, &err);
    store_rollback(s);
    if (rc != 0 && rc != ERR_TRACE)
        abort(); /* bytes alone can only be malformed */
out:
    if (fd >= 0)
        close(fd);
    arena_free(a);
    return 0;
}
