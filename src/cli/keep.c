#include "cli/keep.h"

#include "store/result.h"

#include <stdlib.h>

int keep_result(const struct args *args, const struct loaded *l, const char *command, struct json *doc,
                int64_t *id, struct err *err)
{
    char *text;
    uint64_t seed = args->seed ? args->seed : l->scenario->seed;
    struct store *store;
    int64_t kept;
    int rc = store_open(args->store, STORE_WRITE, &store, err);

    json_set(doc, "scenario_document", json_copy(l->tree)); /* what was run, to be run again */
    text = json_compact(doc);
    json_free(doc);
    if (rc == 0) {
        rc = result_save(store, command, l->scenario->name, l->scenario->sha256, seed, PACKAGE_VERSION, text,
                         id ? id : &kept, err);
        store_close(store);
    }
    free(text);
    return rc;
}
