/*
 * changes.h - how two scenario files differ, value by value.
 *
 * Paths are those of --set: members of lists that have names are known by them,
 * so that moving a stage is no change.
 */
#ifndef STUDY_CHANGES_H
#define STUDY_CHANGES_H

#include "base/arena.h"
#include "base/json.h"

struct change {
    const char *path;
    char mark;                         /* '+' new, '-' gone, '~' another value */
    const struct json *before, *after; /* borrowed from the trees; NULL where there is none */
};

/* In the order of `before`, what is new behind it. */
size_t changes_find(const struct json *before, const struct json *after, struct arena *a,
                    struct change **out);

#endif
