/*
 * small_plan.h - a plan that the executor runs in a few milliseconds, and a folder that goes away.
 *
 * Odd sizes on purpose: lists, vectors and batches that are no multiple of anything.
 */
#ifndef TESTS_SMALL_PLAN_H
#define TESTS_SMALL_PLAN_H

#include "executor/rec.h"

#include "executor/span_log.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline struct rec_plan small_plan(void)
{
    return (struct rec_plan){
        .data = {.rows = 1536,
                 .partition_rows = 512,
                 .session_samples = 8,
                 .repeat_prob = 0.9,
                 .active_sessions = 30,
                 .session_features = 6,
                 .item_features = 4,
                 .used_session_features = 4,
                 .used_item_features = 2,
                 .list_length = 5,
                 .dense_features = 3,
                 .vocabulary = 1000,
                 .zipf = 1.05,
                 .positive_frac = 0.3,
                 .keep_frac = 0.6,
                 .epochs = 2,
                 .seed = 1},
        .etl = {.workers = 1, .order = ORDER_TIME, .codec = CODEC_ZSTD, .stripe_rows = 256},
        .storage = {.workers = 1, .projection = false, .direct = true},
        .prep = {.workers = 1, .batch = 50, .crosses = 3},
        .train = {.workers = 1, .embedding_dim = 6, .table_rows = 500, .hidden = 12, .learning_rate = 0.05},
        .stage_names = {"etl", "storage", "preprocess", "train"},
        .buffers = {2, 2, 3},
        .seed = 7,
    };
}

static inline char *small_folder(void)
{
    static char folder[] = "executor-test-XXXXXX";

    return mkdtemp(folder);
}

static inline int small_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void small_remove(const char *folder)
{
    nftw(folder, small_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Tables and profiles that an execution should have removed. */
static inline int small_files_left(const char *folder)
{
    DIR *dir = opendir(folder);
    int n = 0;

    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
        n += strncmp(e->d_name, "table-", 6) == 0 || strncmp(e->d_name, "profile-", 8) == 0;
    closedir(dir);
    return n;
}

static inline int small_count_spans(const struct span *s, size_t n, const char *stage, const char *op)
{
    int found = 0;

    for (size_t i = 0; i < n; i++)
        found += strcmp(s[i].stage, stage) == 0 && strcmp(s[i].op, op) == 0;
    return found;
}

#endif
