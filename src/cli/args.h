/*
 * args.h - what stood on the command line, checked.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "base/err.h"
#include "base/progress.h"

#include <stdbool.h>
#include <stdint.h>

struct cmd;

struct option_value {
    const char *name, *value;
};

struct args {
    const char *const *words; /* arguments that are not options */
    int words_n;
    struct option_value *given; /* command options in order of appearance */
    int given_n;
    /* common options */
    const char *store;
    uint64_t seed; /* 0: the scenario's */
    int threads;
    double precision, confidence;
    long replications;
    bool json, quiet, timing, help, uncertainty, extrapolate;
    bool plot; /* --plot term */
    enum progress_mode progress;
    double max_events, max_wall_s, max_bytes;
    uint64_t ties; /* 0: first come, first served; else the seed of a random order, plus one */
};

/* One row of the table of options; a command takes the common ones and those that its `options` name. */
struct option_def {
    const char *name, *arg, *help; /* arg NULL: a switch */
    bool common;
};
extern const struct option_def option_table[]; /* name == NULL at the end */
bool args_takes(const struct cmd *cmd, const struct option_def *o);

/* Reads argv (behind the subcommand's name). Memory lives until args_free(). */
int args_read(const struct cmd *cmd, int argc, char **argv, struct args *out, struct err *err);
void args_free(struct args *a);

const char *args_get(const struct args *a, const char *name, const char *fallback); /* last one given */
bool args_has(const struct args *a, const char *name);
int args_long(const struct args *a, const char *name, long fallback, long min, long max, long *out,
              struct err *err);

/* Prints the options a command understands, for its help text. */
void args_print_options(const struct cmd *cmd);

#endif
