#include "base/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What parses must print, parse again, and print the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *first, *second;
    struct err e = {0};
    struct json *v = NULL, *again = NULL;

    memcpy(text, data, size);
    text[size] = '\0';
    if (json_parse(text, "fuzz", &v, &e) == 0) {
        first = json_text(v);
        ASSERT(json_parse(first, "again", &again, &e) == 0);
        second = json_text(again);
        ASSERT(strcmp(first, second) == 0);
        free(first);
        free(second);
        json_free(again);
        json_free(v);
    }
    free(text);
    return 0;
}
